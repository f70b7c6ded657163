"""Every page of the site, on a desk and on a phone, light and dark: whole, reachable and usable by everyone."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import TimeoutError as StillTooWide

from tools import notebooks

PHONE = {"width": 390, "height": 844}
SETTLED = 10_000  # milliseconds
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
IMAGES = """() => [...document.images].filter((image) => !image.naturalWidth || !image.alt.trim())
    .map((image) => image.src)"""
VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa']}))
    .violations.filter((found) => ['serious', 'critical'].includes(found.impact))
    .map((found) => `${found.id}: ${found.nodes.length} times, first ${found.nodes[0].html.slice(0, 200)}`)"""

# Of an element's text on what lies behind it.
CONTRAST = """(element) => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const clear = (part) => getComputedStyle(part).backgroundColor === 'rgba(0, 0, 0, 0)';
  let behind = element;
  while (clear(behind)) behind = behind.parentElement;
  const text = element.querySelector('p:not([hidden])') ?? element;
  const pair = [light(getComputedStyle(text).color), light(getComputedStyle(behind).backgroundColor)];
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""


def files(pages: Path) -> list[Path]:
    """All but the page that only leads to the home page."""
    return sorted(
        file for file in pages.rglob("*.html") if "_static" not in file.parts and file != pages / "index.html"
    )


def test_every_page_is_whole_on_a_desk_and_on_a_phone(page, trouble, pages):
    faults = {}
    for file in files(pages):
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(file.as_uri())
        page.wait_for_load_state("load")
        found = [*trouble, *page.evaluate(IMAGES)]
        page.set_viewport_size(PHONE)
        try:  # a page that lays its own text out does so in its next frame
            page.wait_for_function(f"{WIDE} <= 0", timeout=SETTLED)
        except StillTooWide:
            found.append(f"{page.evaluate(WIDE)} px too wide for a phone")
        if found:
            faults[file.relative_to(pages).as_posix()] = found
        trouble.clear()
    assert faults == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(page, pages, axe, scheme):
    page.emulate_media(color_scheme=scheme)
    alike = {"light": ["site/api/utils/[d-z]*"], "dark": ["site/api", "notebooks/0[1-9]*", "notebooks/[1-9]*"]}
    faults = {}
    for file in files(pages):
        if any(file.is_relative_to(other) for pattern in alike[scheme] for other in pages.glob(pattern)):
            continue
        page.goto(file.as_uri())
        page.evaluate(axe)
        if found := page.evaluate(VIOLATIONS):
            faults[file.relative_to(pages).as_posix()] = found
    assert faults == {}


def test_the_checks_can_fail(page, axe, tmp_path):
    (tmp_path / "picture.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (tmp_path / "bad.html").write_text(
        '<!DOCTYPE html><html lang="en"><title>Bad</title><img src="picture.svg"><img src="missing.svg" alt="gone">'
        '<p style="width: 900px; color: #ccc">A wide and pale text.</p></html>'
    )
    page.set_viewport_size(PHONE)
    page.goto((tmp_path / "bad.html").as_uri())
    page.evaluate(axe)
    assert len(page.evaluate(IMAGES)) == 2
    assert page.evaluate(WIDE) > 0
    assert {found.split(":")[0] for found in page.evaluate(VIOLATIONS)} == {"image-alt", "color-contrast"}


def test_links_and_anchors_lead_somewhere(pages):
    parsed = {file: BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser") for file in files(pages)}
    anchors = {
        file: {element["id"] for element in page.select("[id]")} | {a["name"] for a in page.select("a[name]")}
        for file, page in parsed.items()
    }
    broken = []
    for file, page in parsed.items():
        for element in page.select("[href], [src]"):
            link = urlsplit(element.get("href") or element.get("src"))
            if link.scheme or link.netloc:
                continue
            target = (file.parent / unquote(link.path)).resolve() if link.path else file
            fragment = unquote(link.fragment)
            if not target.exists() or (fragment and target in anchors and fragment not in anchors[target]):
                broken.append(f"{file.relative_to(pages)}: {link.geturl()}")
    assert broken == []


def test_search_finds_the_forget_gate(page, pages):
    page.goto((pages / "search.html").as_uri() + "?q=forget+gate")
    page.wait_for_selector("#search-results li a")
    found = page.eval_on_selector_all("#search-results li a", "links => links.map((link) => link.href)")
    assert any("notebooks/01_lstm_gru_intro.html" in link for link in found)


def test_dark_and_light_can_be_chosen(page, pages):
    page.emulate_media(color_scheme="light")
    page.goto((pages / "site" / "index.html").as_uri())
    for mode in ("dark", "light"):
        page.click(".theme-switch-button:visible")
        page.click(f".theme-change-button[data-mode={mode}]:visible")
        assert page.get_attribute("html", "data-theme") == mode


@pytest.mark.parametrize("path", notebooks.lessons(), ids=lambda path: path.stem)
def test_a_lesson_is_launched_and_linked_to_the_glossary(pages, path):
    page = BeautifulSoup((pages / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8"), "html.parser")
    links = [a["href"] for a in page.select("a[href]")]
    assert any("colab.research.google.com" in link and link.endswith(path.name) for link in links)
    assert any("mybinder.org" in link and path.name in link for link in links)
    terms = sum("glossary.html#term-" in link for link in links)
    assert terms >= 5, (
        f"{path.name} mentions {terms} terms of site/glossary.md, expected at least 5: "
        "use the glossary's words, and define there what is new in this lesson."
    )
    figures = sum("image/png" in output.get("data", {}) for output in outputs(path))
    assert len(page.select(".cell_output img")) == figures


@pytest.mark.parametrize("path", notebooks.lessons(), ids=lambda path: path.stem)
def test_set_up_and_tagged_cells_are_folded_and_no_other(pages, path):
    page = BeautifulSoup((pages / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8"), "html.parser")
    cells = [cell for cell in notebooks.code_cells(nbformat.read(path, as_version=4)) if cell.id != "install"]
    folded = [cell.metadata["slideshow"]["slide_type"] == "skip" or notebooks.is_folded(cell) for cell in cells]
    shown = page.select("div.cell.docutils")
    assert [bool(cell.select("details.hide.above-input")) for cell in shown] == folded
    assert any(folded)
    assert not all(folded)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE], ids=["desk", "phone"])
def test_folded_code_is_a_click_or_a_key_away(page, pages, scheme, size):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.goto((pages / "notebooks" / f"{notebooks.lessons()[0].stem}.html").as_uri())
    fold = page.locator("details.hide.above-input").first
    code = fold.locator("pre").first
    assert not code.is_visible()
    fold.locator("summary").click()
    assert code.is_visible()
    page.keyboard.press("Enter")
    assert not code.is_visible()
    assert page.evaluate(WIDE) == 0
    ratio = fold.locator("summary").evaluate(CONTRAST)
    assert ratio >= 4.5


def test_the_home_page_leads_to_a_page_that_moves_and_back(page, pages):
    assert (pages / "site" / "play" / "memory.html").exists()
    assert not list(pages.rglob("_downloads/**/memory.html"))
    page.goto((pages / "site" / "index.html").as_uri())
    page.click("article a[href='play/memory.html']")
    page.wait_for_selector("h1:has-text('The memory strip')")
    page.click("a.home")
    page.wait_for_selector("article h1:has-text('Advanced RNNs')")


def outputs(path: Path) -> list:
    return [o for cell in notebooks.code_cells(nbformat.read(path, as_version=4)) for o in cell.outputs]


def test_sounds_can_be_played(page, pages):
    lesson = next(pages.glob("notebooks/06_*.html"))
    page.goto(lesson.as_uri())
    page.wait_for_function("[...document.querySelectorAll('audio')].every((sound) => sound.readyState > 0)")
    seconds = page.evaluate("[...document.querySelectorAll('audio')].map((sound) => sound.duration)")
    assert len(seconds) == lesson.read_text(encoding="utf-8").count("data:audio/wav") >= 5
    assert all(0.1 < duration <= 10 for duration in seconds)
