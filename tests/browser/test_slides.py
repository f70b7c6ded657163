"""Every deck on a projector of 1280 x 720: all of its lesson is there, and nothing runs over the edge."""

import io
import re
from collections import Counter

import nbformat
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tools import libraries, notebooks, slides

DECKS = [path.stem for path in notebooks.lessons()]
SMALLEST = 15.5  # px on a slide 720 px high

# For each slide: what lies outside its 1280 x 720 px, what would have to be scrolled, and letters that are too small.
FAULTS = """smallest => Reveal.getSlides().flatMap((slide, number) => {
  const at = Reveal.getIndices(slide);
  Reveal.slide(at.h, at.v, 99);
  const frame = document.querySelector('.slides').getBoundingClientRect(), scale = Reveal.getScale(), faults = [];
  const add = (what, element) => faults.push(`slide ${number + 1}: ${what}: ${element.textContent.slice(0, 60)}`);
  for (const element of slide.querySelectorAll('.content, .content *')) {
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest('svg, mjx-assistive-mml')) continue;
    const beside = box.right > frame.right + 1 || box.left < frame.left - 1;
    if (beside || box.bottom > frame.bottom + 1) add('outside', element);
    if (element.scrollWidth > element.clientWidth + 1 && element.matches('pre, table, p')) add('scrolls', element);
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (text && parseFloat(getComputedStyle(element).fontSize) < smallest) add('small', element);
    if (element.matches('img') && (!element.naturalWidth || box.height < 120 * scale)) add('image', element);
  }
  return faults;
})"""


def show(page, file, query: str = "") -> None:
    page.goto(file.as_uri() + query)
    page.wait_for_selector("html[data-ready]", state="attached")


def words(*elements) -> Counter:
    return Counter(word for element in elements for word in element.get_text(" ").split())


@pytest.mark.parametrize("stem", DECKS)
def test_every_slide_fits(page, trouble, decks, stem):
    show(page, decks / f"{stem}.html")
    assert page.evaluate("Reveal.getTotalSlides()") > 20
    assert page.evaluate(FAULTS, SMALLEST) == []
    assert trouble == []


@pytest.mark.parametrize("stem", DECKS)
def test_on_a_phone_the_slides_stand_below_each_other_without_gaps(page, trouble, decks, stem):
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, decks / f"{stem}.html")
    width, height, screen = page.evaluate(
        "(({scrollWidth, scrollHeight, clientHeight}) => [scrollWidth, scrollHeight, clientHeight])"
        "(document.querySelector('.reveal-viewport'))"
    )
    one = 390 * 720 / 1280
    assert width == 390
    assert height <= page.evaluate("Reveal.getTotalSlides()") * one + screen
    assert page.locator(".fragment").count() == 0
    assert trouble == []


@pytest.mark.parametrize("stem", DECKS)
def test_the_slides_hold_all_that_the_cells_hold(page, decks, stem):
    source = BeautifulSoup((decks / f"{stem}.html").read_text(encoding="utf-8"), "html.parser")
    for hidden in source.select(".anchor-link"):
        hidden.decompose()
    cells = source.select_one("#cells")
    show(page, decks / f"{stem}.html")
    shown = BeautifulSoup(page.content(), "html.parser").select_one(".slides")
    for alone in shown.select(".anchor-link, .running"):
        alone.decompose()
    assert len(shown.select("img")) == len(cells.select("img"))
    assert all(len(image.get("alt", "").split()) >= 5 for image in shown.select("img"))
    assert len(shown.select("aside.notes")) == len(cells.select("[data-slide=notes]")) > 0
    # Mathematics is typeset and the heads of divided tables are repeated: compare code and prose without these.
    missing = words(*cells.select("pre, li, h1, h2, h3")) - words(*shown.select("pre, li, h1, h2, h3"))
    assert {word for word in missing if not re.search(r"[$\\{}^_]", word)} == set()


def test_what_a_class_is_to_see_of_a_cell():
    def seen(code, *outputs):
        return slides.on_a_slide(nbformat.v4.new_code_cell(code, outputs=list(outputs)))

    printed = nbformat.v4.new_output("stream", text="\u2714 So it is (measured 3; required at least 2)")
    figure = nbformat.v4.new_output("display_data", {"image/png": ""})
    claim = 'finding(\n    "So it is",\n    3,\n    at_least=2,\n)'
    assert seen(f"a = 1\n{claim}", printed) == ("", [printed])
    assert seen(f"def f():\n    return 3\n\n\n{claim}", printed) == ("def f():\n    return 3", [printed])
    assert seen("figure, axes = plotting.subplots()\naxes.plot(x)", figure) == ("", [figure])
    assert seen("rows = study(trial, grid)\naxes.plot(rows)", figure)[0].startswith("rows = study")
    assert seen("summary()", printed) == ("", [])
    assert seen('check("01 gate", gate)', printed) == ('check("01 gate", gate)', [])
    assert seen("%pip list\nx=1")[0] == "%pip list\nx=1"
    assert max(map(len, seen(f"total = [{', '.join(['number'] * 13)}]")[0].splitlines())) <= 84


def test_skipped_cells_are_not_shown(decks):
    assert "runtime.start()" not in (decks / f"{DECKS[1]}.html").read_text(encoding="utf-8")


def test_the_keyboard_goes_from_the_first_slide_to_the_last(page, decks):
    show(page, decks / f"{DECKS[0]}.html")
    for _ in range(1000):
        if page.evaluate("Reveal.isLastSlide() && Reveal.getProgress() === 1"):
            break
        page.keyboard.press("Space")
    seen = page.evaluate("Reveal.getSlides().filter((slide) => !slide.matches('.past, .present, .past *')).length")
    assert page.evaluate("Reveal.isLastSlide()")
    assert seen == 0


def test_speaker_view_opens(page, decks):
    show(page, decks / f"{DECKS[1]}.html")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    assert "Upcoming" in popup.value.inner_text("body")


def test_printing_gives_a_page_for_each_slide(page, decks):
    show(page, decks / f"{DECKS[0]}.html")
    slides_shown = page.evaluate("Reveal.getTotalSlides()")
    show(page, decks / f"{DECKS[0]}.html", "?print-pdf")
    page.wait_for_selector(".pdf-page", state="attached")
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
    assert len(printed.pages) == slides_shown


def test_a_slide_that_overflows_is_noticed(page, decks, tmp_path):
    """The checks above can fail: one code cell of forty lines cannot be divided."""
    cells = [
        nbformat.v4.new_markdown_cell("# 99 · Too much\n\n**Research question.** Why?\n\n**Answer.** So."),
        nbformat.v4.new_code_cell("\n".join(f"line_{i} = {i}" for i in range(40))),
    ]
    for cell in cells:
        cell.metadata["slideshow"] = {"slide_type": "slide"}
    notebooks.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "99_too_much.ipynb")
    file = decks / "too_much.html"
    file.write_text(slides.deck(tmp_path / "99_too_much.ipynb"), encoding="utf-8")
    try:
        show(page, file)
        faults = page.evaluate(FAULTS, SMALLEST)
    finally:
        file.unlink()
    assert any(fault.startswith("slide 2: outside") for fault in faults)


def test_the_overview_lists_every_deck(page, trouble, decks):
    page.goto((decks / "index.html").as_uri())
    links = page.eval_on_selector_all("a", "links => links.map((link) => link.getAttribute('href'))")
    assert links == [f"{stem}.html" for stem in DECKS]
    assert trouble == []


def test_a_library_that_is_not_the_pinned_one_is_refused(tmp_path, monkeypatch):
    other = libraries.Library("axe-core", "4.14.1", "AAAA", ("axe.min.js",))
    monkeypatch.setattr(libraries, "KEPT", tmp_path)
    monkeypatch.setattr(libraries, "REPOSITORY", tmp_path)
    with pytest.raises(SystemExit, match="not the pinned archive"):
        libraries.copy(other, tmp_path / "there")
    assert not (tmp_path / "there").exists()
