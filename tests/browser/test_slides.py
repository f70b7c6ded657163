"""Every deck on a projector of 1280 x 720: all of its lesson is there, nothing runs over the edge, and it presents."""

import base64
import io
import re
from collections import Counter

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from pypdf import PdfReader

from tools import libraries, notebooks, slides

DECKS = [path.stem for path in notebooks.lessons()]
SMALLEST = 15.5  # px on a slide 720 px high
MOST_SLIDES = 30  # of the core path, for 45 minutes

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


# For each slide: what keeps it from being presented. A figure is as high as two thirds of the slide or as wide as its
# text, and the first finding after it stands under it; code is short and large; a prediction is alone and large, and
# what answers it comes next; few lines stand only on a title, with a prediction or with a figure.
UNPRESENTABLE = """() => {
  const slides = Reveal.getSlides(), faults = [];
  const evidence = ".content > :is(.output_png, p:has(> img)), .finding, .output_subarea, table.dataframe";
  slides.forEach((slide, number) => {
    const at = Reveal.getIndices(slide), add = (what) => faults.push(`slide ${number + 1}: ${what}`);
    Reveal.slide(at.h, at.v, 99);
    const scale = Reveal.getScale(), frame = document.querySelector('.slides').getBoundingClientRect();
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    const content = slide.querySelector('.content'), texts = document.createTreeWalker(content, 4), bottoms = [];
    while (texts.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(texts.currentNode);
      if (!texts.currentNode.data.trim() || texts.currentNode.parentElement.closest('mjx-container')) continue;
      bottoms.push(...[...range.getClientRects()].map((box) => box.bottom / scale));
    }
    bottoms.sort((a, b) => a - b);
    const lines = bottoms.filter((bottom, i) => !i || bottom - bottoms[i - 1] > 8).length;
    const formulas = content.querySelectorAll('mjx-container[display=true]').length;
    const image = content.querySelector('img'), prediction = [...content.querySelectorAll('p')]
      .find((p) => p.querySelector(':scope > strong:first-child')?.textContent.startsWith('Predict first'));
    if (number === 0) {
      if (!image) add('no picture');
      return;
    }
    if (image) {
      const {width, height} = image.getBoundingClientRect();
      if (height < frame.height * 2 / 3 - 1 && width / scale < 1160) add(`figure of ${width} x ${height}`);
      const next = slides[number + 1]?.querySelector('.content > :first-child');
      if (next?.matches('.cards') && !content.querySelector('.finding')) add('finding not under its figure');
    }
    const code = content.querySelectorAll('.input_area .line');
    if (code.length > 12) add(`${code.length} lines of code`);
    for (const area of content.querySelectorAll('.input_area pre')) if (size(area) < 20) add('small code');
    if (prediction) {
      if (size(prediction) < 29) add('small prediction');
      if (content.querySelector('.input_area, .finding, img, table')) add('prediction not alone');
      if (!slides[number + 1]?.querySelector(evidence)) add('prediction without answer');
    }
    if (!prediction && !image && lines + 2 * formulas < 3) add(`only ${lines} lines`);
  });
  return faults;
}"""


def show(page, file, query: str = "") -> None:
    page.goto(file.as_uri() + query)
    page.wait_for_selector("html[data-ready]", state="attached")


def words(*elements) -> Counter:
    return Counter(word for element in elements for word in element.get_text(" ").split())


@pytest.mark.parametrize("stem", DECKS)
def test_every_slide_fits(page, trouble, decks, stem):
    show(page, decks / f"{stem}.html")
    headings = (decks / f"{stem}.html").read_text(encoding="utf-8").count("<h2")
    assert page.evaluate("Reveal.getTotalSlides()") > headings >= 5
    assert page.evaluate(FAULTS, SMALLEST) == []
    assert page.evaluate(UNPRESENTABLE) == []
    core = page.evaluate("Reveal.getSlides().filter((slide) => !slide.closest('.appendix')).length")
    assert core <= MOST_SLIDES or stem[:2] in notebooks.PENDING
    assert trouble == []


def test_a_deck_plays_the_sounds_of_its_lesson(page, decks):
    deck = next(decks.glob("06_*.html"))
    show(page, deck)
    page.wait_for_function("[...document.querySelectorAll('audio')].every((sound) => sound.readyState > 0)")
    seconds = page.evaluate("[...document.querySelectorAll('audio')].map((sound) => sound.duration)")
    assert len(seconds) == deck.read_text(encoding="utf-8").count("data:audio/wav") >= 5
    assert all(0.1 < duration <= 10 for duration in seconds)


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
    notes = " ".join(aside.get_text() for aside in shown.select("aside.notes"))
    for alone in shown.select(".anchor-link, .running"):
        alone.decompose()
    assert len(shown.select("img")) == len(cells.select("img"))
    assert all(len(image.get("alt", "").split()) >= 5 for image in shown.select("img"))
    kept = [paragraph.get_text() for paragraph in cells.select("[data-slide=notes] p")]
    assert len(kept) > 0
    assert [text for text in kept if "$" not in text and text not in notes] == []
    # Mathematics is typeset and the heads of divided tables are repeated: compare code and prose without these.
    missing = words(*cells.select("pre, li, h1, h2, h3")) - words(*shown.select("pre, li, h1, h2, h3"))
    assert {word for word in missing if not re.search(r"[$\\{}^_]", word)} == set()


def test_what_a_class_is_to_see_of_a_cell():
    def seen(code, *outputs, **metadata):
        return slides.on_a_slide(nbformat.v4.new_code_cell(code, outputs=list(outputs), metadata=metadata))

    figure = nbformat.v4.new_output("display_data", {"image/png": ""})
    claim = 'finding(\n    "So it is",\n    3,\n    at_least=2,\n)'
    assert seen(f"a = 1\n{claim}", figure, tags=["hide-input"]) == ("", [figure], [])
    assert seen("summary()", figure) == ("", [], [])
    assert seen(f"a = 1\n{claim}")[2] == [1]
    assert seen("%pip list\nx=1") == ("%pip list\nx=1", [], [1, 2])
    short = 'def f():\n    """What."""\n\n    return 3'
    assert seen(short)[2] == [1, 2, 3, 4]
    long = f"{short}\n# how\n" + "\n".join(f"a{i} = 1" for i in range(12))
    assert seen(long)[2] == [1, 4, *range(6, 16)]
    assert seen(f"{short}\n" + "\n".join(f"a{i} = 1" for i in range(8)) + "\nb = [\n  1,\n  2]")[2] == [
        1,
        4,
        *range(5, 13),
    ]
    assert seen(long, slide_lines="4-6, 12")[2] == [4, 5, 6, 12]
    assert seen(long, slide_lines="")[2] == []
    for wrong in ("0-3", "4-99", "1-17", "five"):
        with pytest.raises(ValueError, match=f"slide_lines is '{wrong}'; expected"):
            seen(long, slide_lines=wrong)


def test_a_finding_is_a_card_as_stored_or_made_of_its_record():
    record = {"claim": "3 > 2", "measured": [3.0, 4.0], "rule": "at least 2", "holds": True}
    record |= {"published": "2.5", "source": "Nobody 1999"}
    old = nbformat.v4.new_output("display_data", {"text/plain": "plain"}, metadata={"finding": record})
    made = BeautifulSoup(slides.card(old).data["text/html"], "html.parser")
    lines = [line.get_text() for line in made.select(".on-slide-card .finding > div")]
    assert lines[0] == "\u2714 3 > 2"
    assert lines[1:] == ["measured 3 to 4 over 2 values; required at least 2", "published: 2.5 [Nobody 1999]"]
    old.data["text/html"] = "<b>as stored</b>"
    assert slides.card(old).data["text/html"] == '<div class="on-slide-card"><b>as stored</b></div>'


def test_the_picture_of_the_first_slide():
    def lesson(*texts, **metadata):
        cells = [nbformat.v4.new_markdown_cell("# 99 · Title", metadata=metadata)]
        for text in texts:
            if text.startswith("figure"):
                output = nbformat.v4.new_output("display_data", {"image/png": "QUJD"})
                output.metadata["image/png"] = {"alt": text}
                cells.append(nbformat.v4.new_code_cell("draw()", outputs=[output]))
            else:
                cells.append(nbformat.v4.new_markdown_cell(text))
        return slides.title_picture(nbformat.v4.new_notebook(cells=cells))

    asked = "**Predict first.** What?"
    assert lesson("text") is None
    assert lesson(asked, "figure 1", "figure 2") == "![figure 2](data:image/png;base64,QUJD)"
    assert lesson(asked, "figure 1") == "![figure 1](data:image/png;base64,QUJD)"
    assert lesson("figure 1", "![a](images/a.svg)", "![b](images/b.svg)") == "![a](images/a.svg)"
    assert lesson("![a](images/a.svg)", "![b](images/b.svg)", picture="images/b.svg") == "![b](images/b.svg)"


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


@pytest.fixture
def made_up(page, decks, tmp_path):
    """Shows a deck of cells made up here: ``(source, slide type)``, code where the type begins with "code"."""
    file = decks / "made_up.html"

    def make(*cells, spoil: str = ""):
        made = [nbformat.v4.new_markdown_cell(TITLE)]
        for source, kind, *outputs in cells:
            code = kind.startswith("code ")
            new = nbformat.v4.new_code_cell(source, outputs=outputs) if code else nbformat.v4.new_markdown_cell(source)
            made.append(new)
        for cell, kind in zip(made, ["slide", *[cell[1] for cell in cells]], strict=True):
            cell.metadata["slideshow"] = {"slide_type": kind.removeprefix("code ")}
            if not cell.source:
                cell.metadata["tags"] = ["hide-input"]
        notebooks.write(nbformat.v4.new_notebook(cells=made), tmp_path / "99_made_up.ipynb")
        text = slides.deck(tmp_path / "99_made_up.ipynb")
        file.write_text(text.replace("</head>", f"<style>{spoil}</style></head>"), encoding="utf-8")
        show(page, file)

    yield make
    file.unlink(missing_ok=True)


TITLE = "# 99 · Made up\n\n**Research question.** Why?\n\n**Answer.** So."
PARAGRAPH = "Twenty words make a line and a half of a slide, and so three of them fill four lines, or even five. " * 3
PREDICTION = ("**Predict first.** Will it be more or less?", "fragment")


def png(width: int, height: int) -> nbformat.NotebookNode:
    picture = io.BytesIO()
    Image.new("RGB", (width, height), "silver").save(picture, format="png")
    data = base64.b64encode(picture.getvalue()).decode()
    shown = {"alt": "A grey box in place of a figure", "width": width}
    return nbformat.v4.new_output("display_data", {"image/png": data}, metadata={"image/png": shown})


def found(claim: str) -> nbformat.NotebookNode:
    record = {"claim": claim, "measured": [3.0], "rule": "at least 2", "holds": True}
    return nbformat.v4.new_output("display_data", {"text/plain": claim}, metadata={"finding": record})


EXPERIMENT = [
    ("## 1 · One\n\n" + PARAGRAPH, "slide"),
    PREDICTION,
    ("\n".join(f"line_{i} = {i}" for i in range(1, 21)), "code fragment"),
    ("", "code subslide", png(800, 400)),
    ("It was more, by 40%.", "fragment"),
    ("", "code fragment", found("More than half")),
]


def kinds(page) -> list[str]:
    return page.evaluate("Reveal.getSlides().map((slide) => slide.dataset.kind)")


def test_an_experiment_is_shown_then_predicted_then_answered(page, made_up):
    made_up(*EXPERIMENT)
    assert kinds(page) == ["title", "plain", "prediction", "figure"]
    assert page.evaluate(FAULTS, SMALLEST) == []
    assert page.evaluate(UNPRESENTABLE) == []
    code, question, answer = page.locator("section[data-kind]").all()[1:]
    assert code.locator(".content .line").count() == 12
    assert "more or less?" in question.inner_text()
    assert answer.locator("img + *, img").count() == 1
    text = answer.text_content()
    assert text.index("by 40%") < text.index("More than half")
    assert answer.locator(".fragment").count() == 2


def test_all_of_the_code_is_a_key_or_a_click_away(page, made_up):
    made_up(*EXPERIMENT)
    page.keyboard.press("Space")
    dialog = page.locator("#code")
    for way in (lambda: page.keyboard.press("c"), page.locator(".present .all-code").click):
        way()
        assert dialog.is_visible()
        assert dialog.locator(".line").count() == 20
        page.keyboard.press("Space")  # nothing goes on behind it
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        assert page.evaluate("Reveal.getIndices().h + Reveal.getIndices().v") == 1
    page.locator(".present .all-code").focus()
    page.keyboard.press("Enter")
    assert dialog.is_visible()
    page.locator("#code button").click()
    page.wait_for_function("document.activeElement === document.body")
    page.keyboard.press("Space")
    assert page.evaluate("Reveal.getCurrentSlide().dataset.kind") == "prediction"
    page.keyboard.press("c")  # no code here
    assert not dialog.is_visible()


def test_further_sections_follow_after_the_core_path(page, made_up):
    part = ("### Further: a detail\n\n" + PARAGRAPH, "subslide")
    inside = ("#### A smaller heading\n\nStill further: " + PARAGRAPH, "fragment")
    core = ("### Back on the path\n\n" + PARAGRAPH, "subslide")
    summary = ("## 2 · Summary\n\n" + PARAGRAPH, "slide")
    made_up(*EXPERIMENT, part, inside, ("> **For instructors.** Hm.", "notes"), core, summary)
    text = page.evaluate("Reveal.getSlides().map((slide) => slide.textContent)")
    beyond = page.evaluate("Reveal.getSlides().map((slide) => slide.closest('.appendix') !== null)")
    assert [i for i, each in enumerate(text) if "Back on the path" in each] == [beyond.index(True) - 2]
    assert "2 · Summary" in text[beyond.index(True) - 1]
    assert beyond == sorted(beyond)
    assert all(("a detail" in each) == far for each, far in zip(text, beyond, strict=True))
    assert "Hm." in text[-1]
    assert not any("Hm." in each for each in text[: beyond.index(True)])
    assert page.evaluate(FAULTS, SMALLEST) == []
    page.evaluate(f"Reveal.slide({beyond.index(True) - 1})")
    page.evaluate("Reveal.slide(document.querySelectorAll('.slides > section').length - 2)")
    assert page.locator(".slide-number").inner_text() == "A1"
    page.locator(".present a").click()
    assert "smaller heading" in page.evaluate("Reveal.getCurrentSlide().textContent")


def test_a_slide_that_overflows_is_noticed(page, made_up):
    """The checks above can fail: a single paragraph is not divided."""
    made_up(("## 1 · One\n\n" + PARAGRAPH * 9, "slide"))
    assert any(fault.startswith("slide 2: outside") for fault in page.evaluate(FAULTS, SMALLEST))


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (
            "[data-kind=figure] img { width: 700px !important; height: 350px !important; }",
            "slide 4: figure of 700 x 350",
        ),
        (".input_area pre { font-size: 18px; }", "slide 2: small code"),
        ("[data-kind=prediction] .content p:last-child { font-size: 20px !important; }", "slide 3: small prediction"),
    ],
)
def test_what_is_too_small_is_noticed(page, made_up, spoil, fault):
    made_up(*EXPERIMENT, spoil=spoil)
    assert fault in page.evaluate(UNPRESENTABLE)


def test_a_deck_that_does_not_present_is_noticed(page, made_up):
    long = "x = [\n" + "\n".join(f"    {i}," for i in range(30)) + "\n]"
    made_up(
        ("## 1 · One\n\n" + PARAGRAPH, "slide"),
        PREDICTION,
        ("## 2 · Two\n\nOne line.", "slide"),
    )
    faults = page.evaluate(UNPRESENTABLE)
    assert "slide 1: no picture" in faults
    assert "slide 3: prediction without answer" in faults
    assert "slide 4: only 2 lines" in faults
    made_up(("## 1 · One\n\n" + PARAGRAPH, "slide"), (long, "code fragment"), EXPERIMENT[3], EXPERIMENT[5])
    page.evaluate("""() => {
      const [, code, figure] = document.querySelectorAll('section[data-kind] .content');
      code.querySelector('pre').append(code.querySelector('.line').cloneNode(true));
      code.querySelector('pre').append(code.querySelector('.line').cloneNode(true));
      const next = figure.parentElement.cloneNode(true);
      next.querySelector('img').remove();
      figure.parentElement.after(next);
      next.querySelector('.content').replaceChildren(figure.querySelector('.cards'));
      Reveal.sync();
    }""")
    faults = page.evaluate(UNPRESENTABLE)
    assert any(fault.endswith("lines of code") for fault in faults)
    assert "slide 3: finding not under its figure" in faults


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
