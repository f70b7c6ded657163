"""The page that shows what attention looks at: its numbers are those of Keras, and everyone can use it."""

import re

import numpy as np
import pytest
from scipy.special import log_softmax

from tools import attention_page, play
from utils.models.seq2seq import alignment, translate

from .test_site import PHONE, VIOLATIONS, WIDE

PAGE = attention_page.ATTENTION
NETWORKS = attention_page.NETWORKS
CALM = "document.querySelector('[aria-busy]')?.getAttribute('aria-busy') === 'false'"
TYPED = (
    "3/7/24",
    "7",
    "the 4th of may 2011",
    "z" * 64,
    "miércoles, 18 de septiembre de 2024",
    "2024",
    "  ,",
    "13 13 13",
)


@pytest.fixture(scope="module")
def carried():
    """What the page carries."""
    return attention_page.read_networks()


@pytest.fixture(scope="module")
def models():
    """The page's networks in Keras."""
    return {name: attention_page.load_model(name) for name in NETWORKS}


@pytest.fixture(scope="module")
def library(browser):
    """The page for its functions only, opened once."""
    page = browser.new_page()
    page.goto(PAGE.as_uri())
    yield page
    page.close()


@pytest.fixture
def reader(page):
    """The page as it opens."""
    page.goto(PAGE.as_uri())
    page.wait_for_function(CALM)
    return page


def type_text(page, text):
    page.fill("#text", text)
    page.wait_for_function(f"{CALM} && waiting === 0")


def symbols_of(carried, text):
    return (carried.vocabulary.encode(text) + 1).tolist()


def texts(carried):
    return [date.text for date in carried.examples] + list(TYPED)


def said_before(said):
    """What the decoder had said before each step."""
    return np.array([[attention_page.BEGIN, *said[:-1]]])


def answer(page, name):
    return page.eval_on_selector_all(
        f"#written-{name} span:not(.end)", "all => all.map((one) => one.textContent).join('')"
    )


def valuetext(page, name="recurrent"):
    return page.get_attribute(f"#written-{name}", "aria-valuetext")


# ---- the numbers


@pytest.mark.parametrize("name", NETWORKS)
def test_what_it_writes_and_where_it_looks_equal_keras(library, carried, models, name):
    """Logits to 1e-3, weights to 1e-4: Keras computes in float32, the page in float64."""
    model, every = models[name], [symbols_of(carried, text) for text in texts(carried)]
    padded = np.array([symbols + [0] * (attention_page.LONGEST - len(symbols)) for symbols in every])
    expected = translate(model, padded, attention_page.BEGIN, attention_page.STEPS)
    for text, symbols, written in zip(texts(carried), every, expected.tolist(), strict=True):
        found = library.evaluate(
            """([name, symbols]) => {
              const {said, logits, weights} = Look.write(name, symbols), plain = (rows) => rows.map((row) => [...row]);
              return {said, logits: plain(logits), weights: weights.map(plain)};
            }""",
            [name, symbols],
        )
        said = found["said"]
        assert said == written[: len(said)], text
        assert said[-1] == 0 or len(said) == attention_page.STEPS
        logits = model([np.array([symbols]), said_before(said)]).numpy()[0]
        np.testing.assert_allclose(found["logits"], logits, atol=1e-3, err_msg=text)
        weights = alignment(model, [symbols], said_before(said))[0]
        weights = weights[None] if weights.ndim == 2 else weights  # (heads, time, places)
        np.testing.assert_allclose(found["weights"], weights.transpose(1, 0, 2), atol=1e-4, err_msg=text)
        assert len(found["weights"][0]) == (4 if name == "transformer" else 1)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("text", ["22. juli 2021", "3/7/24"])
def test_what_a_blank_moves_equals_reading_again_with_keras(library, carried, models, name, text):
    symbols, model = symbols_of(carried, text), models[name]
    space, other = symbols_of(carried, " " + attention_page.OTHER)
    assert library.evaluate("(symbols) => symbols.map(Look.blank)", [space, other]) == [other, space]
    moves = library.evaluate(
        "([name, symbols]) => [...Look.moves(name, symbols, Look.write(name, symbols))]", [name, symbols]
    )
    said = translate(model, [symbols], attention_page.BEGIN, attention_page.STEPS)
    before = log_softmax(model([np.array([symbols]), said_before(said[0])]).numpy()[0].astype(float), axis=-1)
    assert len(moves) == len(symbols)
    for place, found in enumerate(moves):
        changed = np.array([symbols])
        changed[0, place] = other if symbols[place] == space else space
        after = log_softmax(model([changed, said_before(said[0])]).numpy()[0].astype(float), axis=-1)
        bits = (np.exp(before) * (before - after)).sum(-1) / np.log(2)
        np.testing.assert_allclose(found["bits"], bits, atol=2e-3)
        margin = np.diff(np.sort(after)[:, -2:]).ravel()
        assert (np.array(found["instead"]) == after.argmax(-1))[margin > 1e-3].all()
    assert max(max(found["bits"]) for found in moves) > 1


# ---- what a reader sees and does


def test_words_and_bars_say_what_the_numbers_are(reader, carried, models):
    example = carried.examples[0]
    symbols = symbols_of(carried, example.text)
    assert reader.input_value("#text") == example.text
    for name in NETWORKS:
        assert answer(reader, name) == example.iso
        said = [*(attention_page.ISO.index(character) + 1 for character in example.iso), 0]
        weights = alignment(models[name], [symbols], said_before(said)).reshape(-1, len(said), len(symbols))[:, 6]
        words = valuetext(reader, name)
        assert words.startswith(f"“{example.iso[6]}”, 7 of 11.")
        heights = reader.eval_on_selector_all(
            f"#one .panel:nth-child({NETWORKS.index(name) + 1}) .bars i",
            "all => all.map((one) => parseFloat(one.style.height))",
        )
        np.testing.assert_allclose(np.reshape(heights, weights.shape), 100 * weights, atol=0.01)
        for head in weights:
            looked = head.argmax()
            assert re.search(rf"\(place {looked + 1}\) {round(100 * head[looked])}%", words), words
    assert "as it was meant" in reader.inner_text("#one")


def test_arrow_keys_a_click_and_the_buttons_pick_a_character(reader):
    reader.focus("#written-transformer")
    for key, expected in (
        ("Home", 1),
        ("ArrowLeft", 1),
        ("ArrowRight", 2),
        ("ArrowUp", 3),
        ("ArrowDown", 2),
        ("End", 11),
    ):
        reader.keyboard.press(key)
        for name in NETWORKS:
            assert reader.get_attribute(f"#written-{name}", "aria-valuenow") == str(expected), key
        assert reader.evaluate("document.activeElement.id") == "written-transformer"
    assert valuetext(reader).startswith("the end, 11 of 11")
    reader.click("#back")
    assert ", 10 of 11" in valuetext(reader)
    reader.click("#written-recurrent span:nth-child(3)")
    assert ", 3 of 11" in valuetext(reader, "transformer")
    reader.click("#whole .panel:nth-child(2) .row[data-at='7']")
    assert ", 8 of 11" in valuetext(reader)
    reader.click("#on")
    assert ", 9 of 11" in valuetext(reader)


def test_every_example_can_be_chosen_and_is_held_against_what_was_meant(reader, carried):
    for i, date in enumerate(carried.examples):
        reader.select_option("#examples", str(i))
        assert reader.input_value("#text") == date.text
        for number, name in enumerate(NETWORKS):
            verdict = reader.inner_text(f"#one .panel:nth-child({number + 1}) .verdict")
            right = answer(reader, name) == date.iso
            assert verdict == ("✔ as it was meant" if right else f"✘ meant was {date.iso}")
    type_text(reader, "3/7/24")
    assert reader.input_value("#examples") == ""
    assert reader.inner_text("#one .verdict >> nth=0") == ""


def test_heads_are_shown_one_by_one(reader, carried, models):
    symbols = symbols_of(carried, carried.examples[0].text)
    said = [*(attention_page.ISO.index(character) + 1 for character in carried.examples[0].iso), 0]
    weights = alignment(models["transformer"], [symbols], said_before(said))[0]
    for number, expected in enumerate([weights.mean(0), *weights]):
        reader.click(f"#heads button >> nth={number}")
        shown = reader.eval_on_selector_all(
            "#whole .panel:nth-child(2) .whole .cells span",
            "all => all.map((one) => parseFloat(one.style.getPropertyValue('--p')))",
        )
        np.testing.assert_allclose(np.reshape(shown, expected.shape), 100 * expected, atol=0.51)
        pressed = reader.eval_on_selector_all("#heads button", "all => all.map((one) => one.ariaPressed)")
        assert pressed == ["true" if i == number else "false" for i in range(5)]


@pytest.mark.parametrize("name", NETWORKS)
def test_blanking_out_what_it_looked_at_most_is_read_again_and_can_be_undone(reader, carried, models, name):
    example = carried.examples[0]
    symbols = symbols_of(carried, example.text)
    said = [*(attention_page.ISO.index(character) + 1 for character in example.iso), 0]
    looked = alignment(models[name], [symbols], said_before(said)).reshape(-1, 11, len(symbols))[:, 6].mean(0).argmax()
    reader.click(f"[data-blank='{name}']")
    reader.wait_for_function(CALM)
    put = "e" if example.text[looked] == " " else " "
    text = example.text[:looked] + put + example.text[looked + 1 :]
    assert reader.input_value("#text") == text
    words = reader.inner_text("#changed")
    assert f"(place {looked + 1})" in words
    for other, label in zip(NETWORKS, ("GRU", "Transformer"), strict=True):
        written = translate(models[other], [symbols_of(carried, text)], attention_page.BEGIN, attention_page.STEPS)[0]
        iso = "".join(attention_page.ISO[symbol - 1] for symbol in written if symbol)
        assert answer(reader, other) == iso
        still = f"The {label} still writes {iso}."
        assert (still if iso == example.iso else f"The {label} wrote {example.iso} and now writes {iso}.") in words
    reader.click("[data-blank='chance']")
    assert reader.inner_text("#changed").count("(place ") == 2
    reader.click("#restore")
    assert reader.input_value("#text") == example.text
    assert reader.inner_text("#changed") == ""
    assert reader.is_disabled("#restore")


def test_the_text_can_be_blanked_out_to_the_last_character(reader):
    """A space is a blank already: another character takes its place."""
    type_text(reader, "3 7")
    for _ in range(3):
        reader.click("[data-blank='chance']")
    assert reader.input_value("#text") == f" {attention_page.OTHER} "
    assert reader.is_disabled("[data-blank='chance']")
    reader.click("#restore")
    assert reader.input_value("#text") == "3 7"


def test_the_words_of_part_3_are_what_the_blanks_do(reader):
    moved = reader.evaluate("[moved.recurrent.map(({ instead }) => instead[place]), found.recurrent.said[place]]")
    changes = sum(instead != moved[1] for instead in moved[0])
    words = reader.inner_text("#why .panel >> nth=0")
    assert f"Of {len(moved[0])} blanks, {changes or 'none'} change" in words
    shown = reader.eval_on_selector_all(
        "#why .panel:nth-child(1) .instead span", "all => all.filter((one) => one.textContent).length"
    )
    assert shown == changes


@pytest.mark.parametrize("text", ["", " ", "7", "é☺ZÜ", "z" * 64])
def test_odd_texts_are_no_trouble(reader, trouble, text):
    reader.fill("#text", text)
    reader.wait_for_function("waiting === 0")
    assert reader.is_visible("#one") == bool(text)
    if not text:
        assert "Nothing to read" in reader.inner_text("#unknown")
    elif "☺" in text:
        assert "“☺” and “ü”: not known to the networks" in reader.inner_text("#unknown")
    else:
        assert reader.inner_text("#unknown") == ""
    assert trouble == []


# ---- for everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320, 1920])
def test_whole_and_usable_everywhere_without_a_request(page, trouble, axe, width, scheme):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(PAGE.as_uri())
    type_text(page, "miércoles, 18 de septiembre de 2024")
    page.click("[data-blank='recurrent']")
    page.wait_for_function(CALM)
    assert page.evaluate(WIDE) <= 0
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    page.evaluate(axe)
    assert page.evaluate(VIOLATIONS) == []
    assert [url for url in asked if not url.startswith("data:")] == [PAGE.as_uri()]
    assert trouble == []


def test_all_is_large_enough_for_a_finger_and_a_tap_selects(browser):
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    heights = page.eval_on_selector_all(
        "input, button, select, .written", "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 24  # WCAG 2.2, target size
    page.locator("#written-recurrent span").nth(8).tap()
    assert page.get_attribute("#written-recurrent", "aria-valuenow") == "9"
    context.close()


def test_without_scripts_it_says_so(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    assert "Trust HTML" in page.inner_text("main")
    for part in ("#text", "#one", ".place"):
        assert not page.is_visible(part)
    context.close()


def test_nothing_moves_by_itself(reader):
    reader.wait_for_timeout(700)
    before = reader.screenshot()
    reader.wait_for_timeout(700)
    assert reader.screenshot() == before


def test_its_copy_leads_home(tmp_path):
    play.copy(tmp_path)
    assert 'href="../index.html"' in (tmp_path / "attention.html").read_text(encoding="utf-8")
