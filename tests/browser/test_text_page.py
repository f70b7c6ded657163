"""The page that plays with a character model: its numbers are those of the Python code, and everyone can use it."""

import shutil
from functools import partial

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from tools import play, text_page
from utils.evaluation.baselines import ngram_probabilities
from utils.evaluation.text import cycle, repetition
from utils.generation import sampling
from utils.generation.engine import Engine

from ..test_text_page import ngram_of_table
from .test_site import PHONE, VIOLATIONS, WIDE

PAGE = text_page.TEXT
PROSE = (
    "And it came to pass in the evening, that the children of the city went out to the water; and behold, a great "
    "light was upon the hills, and they said one to another, Who hath kindled this? And none of them answered a word."
)
CALM = "!document.querySelector('[aria-busy=true]')"
READ = """([symbols, options]) => {
  const reading = Text.read(symbols, options), rows = {};
  for (const name of ["h", "c", "input", "forget", "output", "logits"]) rows[name] = Array.from(reading[name]);
  return {...rows, surprise: Array.from(Text.surprise(reading))};
}"""


@pytest.fixture(scope="module")
def carried():
    """What the page carries."""
    return text_page.read_model()


@pytest.fixture(scope="module")
def symbols(carried):
    """Two hundred characters that the model knows."""
    known = "".join(character if character in carried.vocabulary.characters else " " for character in PROSE)
    return carried.vocabulary.encode(known)[:200]


@pytest.fixture(scope="module")
def engine():
    """The page's weights in the NumPy engine, as finely as the page computes."""
    return Engine(text_page.load_model(dtype="float64"))


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


def read(page, symbols, **options):
    return {name: np.array(values) for name, values in page.evaluate(READ, [symbols.tolist(), options]).items()}


def bits(logits, symbols):
    """Surprise of each symbol but the first."""
    return -log_softmax(logits[:-1], axis=-1)[np.arange(len(symbols) - 1), symbols[1:]] / np.log(2)


def forgetting(bias):
    """An engine with the forget bias of every unit moved."""
    model = text_page.load_model(dtype="float64")
    kernel, recurrent, given = model.layers[1].get_weights()
    given[128:256] += bias
    model.layers[1].set_weights([kernel, recurrent, given])
    return Engine(model)


# ---- the numbers


def test_logits_equal_the_engine_in_float32(library, symbols):
    expected = Engine(text_page.load_model()).read(symbols[None])[0][0]  # (time, vocabulary)
    logits = read(library, symbols)["logits"].reshape(expected.shape)
    assert len(symbols) == 200
    assert np.array_equal(logits.argmax(-1), expected.argmax(-1))
    assert np.abs(logits - expected).max() <= 1e-3


def test_logits_state_and_surprise_equal_the_engine_in_float64(library, engine, symbols):
    found = read(library, symbols)
    logits, state = engine.read(symbols[None])
    np.testing.assert_allclose(found["logits"].reshape(logits[0].shape), logits[0], atol=1e-9)
    for name, expected in zip("hc", state.layers[0], strict=True):
        np.testing.assert_allclose(found[name].reshape(len(symbols), -1)[-1], expected[0], atol=1e-9)
    assert np.isnan(found["surprise"][0])
    np.testing.assert_allclose(found["surprise"][1:], bits(logits[0], symbols), atol=1e-9)


def test_the_gates_make_the_cell(library, engine, symbols):
    """c = f c + i g and h = o tanh(c), with the candidate g from the weights."""
    found = {name: values.reshape(len(symbols), -1) for name, values in read(library, symbols).items()}
    before = np.concatenate([np.zeros((1, 128)), found["c"][:-1]])
    earlier = np.concatenate([np.zeros((1, 128)), found["h"][:-1]])
    weights = {name: array.astype(float) for name, array in text_page.read_model().weights.items()}
    kernel, recurrent, bias = (weights[name] for name in ("kernel", "recurrent", "bias"))
    sums = weights["embedding"][symbols] @ kernel + earlier @ recurrent + bias
    i, f, g, o = np.split(sums, 4, axis=1)
    for name, gate in (("input", i), ("forget", f), ("output", o)):
        np.testing.assert_allclose(found[name], 1 / (1 + np.exp(-gate)), atol=1e-9)
    np.testing.assert_allclose(found["c"], found["forget"] * before + found["input"] * np.tanh(g), atol=1e-9)
    np.testing.assert_allclose(found["h"], found["output"] * np.tanh(found["c"]), atol=1e-9)
    changes = np.abs(np.diff(found["c"], axis=0)).sum(0)
    assert library.evaluate("(symbols) => Text.liveliest(Text.read(symbols))", symbols.tolist()) == changes.argmax()


@pytest.mark.parametrize("bias", [0, 1, -1])
@pytest.mark.parametrize("erase", [None, 0, 90, 199])
def test_erasing_and_the_forget_bias_equal_the_engine(library, engine, symbols, erase, bias):
    other = forgetting(bias) if bias else engine
    parts = [symbols[: erase or 0], symbols[erase or 0 :]]
    expected = np.concatenate([other.read(part[None])[0][0] for part in parts if len(part)])
    found = read(library, symbols, erase=erase, bias=bias)
    np.testing.assert_allclose(found["logits"].reshape(expected.shape), expected, atol=1e-9)


def test_what_is_copied_from_an_earlier_reading_is_what_would_be_read(library, symbols):
    other = symbols.copy()
    other[120] = (other[120] + 1) % 9
    texts = [text.tolist() for text in (symbols, symbols[:80], other, np.append(symbols, symbols))]
    options = [{}, {"erase": 100}, {"erase": 150, "bias": 1}]
    different = library.evaluate(
        """([texts, options]) => {
          const different = [];
          for (const now of options) {
            const fresh = Text.read(texts[0], now);
            for (const then of options) for (const text of texts) {
              const copied = Text.read(texts[0], now, Text.read(text, then));
              for (const name of ["h", "c", "input", "forget", "output", "logits"])
                if (fresh[name].join() !== copied[name].join()) different.push([now, then, text.length, name]);
            }
          }
          return different;
        }""",
        [texts, options],
    )
    assert different == []


def test_the_ngram_equals_the_table_in_plain_python(library, carried, symbols):
    found = library.evaluate("(symbols) => Array.from(Text.ngram(symbols))", symbols.tolist())
    expected = ngram_of_table(carried.table, symbols.tolist(), len(carried.vocabulary))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_whole_table_equals_the_ngram_of_the_lessons_and_a_pruned_one_itself(
    page, carried, symbols, tmp_path, monkeypatch
):
    copied, size = tmp_path / "text.html", len(carried.vocabulary)
    shutil.copy(PAGE, copied)
    train, test = np.tile(symbols, 3)[:450], symbols[::-1]
    for limit, whole in ((150_000, True), (500, False)):
        monkeypatch.setattr(text_page, "LARGEST_TABLE", limit)
        text_page.write_model(text_page.load_model(), carried.vocabulary, train, carried.human, "", copied)
        page.goto(copied.as_uri())
        series = np.append(train[-3:], test).tolist()
        found = page.evaluate("(symbols) => Array.from(Text.ngram(symbols))", series)
        expected = ngram_probabilities(train, test, 3, size)[3]
        assert (np.abs(found[3:] - expected).max() <= 1e-9) == whole
        table = text_page.read_model(copied).table
        assert (len(table.grams) == len(text_page.count_table(train, 3, size).grams)) == whole
        np.testing.assert_allclose(found, ngram_of_table(table, series, size), rtol=1e-12)


@pytest.mark.parametrize(("name", "value"), [("erase", None), ("erase", 30), ("bias", 1)])
def test_influence_equals_reading_again_with_the_engine(library, engine, carried, symbols, name, value):
    place, options = 45, {name: value} if value is not None else {}
    bias, erase = options.get("bias", 0), options.get("erase", 0)
    other = forgetting(bias) if bias else engine
    space = carried.vocabulary.characters.index(" ")
    firsts = np.bincount(carried.table.grams // len(carried.vocabulary) ** 3, carried.table.counts, space + 99)
    firsts += np.bincount(carried.table.last, minlength=len(firsts))
    firsts[space] = 0

    def log_chances(text):
        return log_softmax(other.read(text[None, erase:])[0][0, -1])

    before, expected = log_chances(symbols[: place + 1]), []
    for at in range(place + 1):
        text = symbols[: place + 1].copy()
        text[at] = firsts.argmax() if text[at] == space else space
        after = log_chances(text)
        expected.append(np.sum(np.exp(before) * (before - after)) / np.log(2))
    found = np.array(
        library.evaluate(
            "([symbols, options, place]) => Array.from(Text.influence(Text.read(symbols, options), place))",
            [symbols.tolist(), options, place],
        )
    )
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert max(expected) > 0.01
    assert erase == 0 or not found[:erase].any()
    last = library.evaluate(
        "([symbols, place]) => Array.from(Text.influence(Text.read(symbols), place, 5))", [symbols.tolist(), place]
    )
    assert np.isfinite(last).tolist() == [False] * (place - 4) + [True] * 5


def many_logits():
    """Rows of different shapes: wide, narrow, with ties, with symbols that cannot come."""
    rng = np.random.default_rng(0)
    for i in range(240):
        size = int(rng.integers(2, 70))
        row = rng.normal(scale=rng.choice([0.1, 1, 3, 10]), size=size)
        if i % 3 == 1:
            row = np.round(row)
        if i % 5 == 2:
            row[rng.integers(0, size, size // 3)] = -np.inf
        if np.isfinite(row).any():
            yield row
    yield np.zeros(64)
    yield np.log([0.4] + [0.6 / 40] * 40)


def test_every_rule_and_the_draw_equal_sampling(library):
    rng = np.random.default_rng(1)
    names = {
        "temperature": ("t", lambda: float(rng.choice([0.1, 0.5, 1, 1.3, 3]))),
        "top_k": ("k", lambda: int(rng.integers(1, 70))),
        "nucleus": ("p", lambda: float(rng.choice([0.05, 0.37, 0.5, 0.9, 1]))),
        "min_p": ("p", lambda: float(rng.choice([0.01, 0.1, 0.5, 1]))),
        "typical": ("p", lambda: float(rng.choice([0.05, 0.23, 0.5, 0.9, 1]))),
    }
    cases, expected = [], []
    for logits in many_logits():
        chosen = [[name, value()] for name, (_, value) in names.items()]
        chains = [*([rule] for rule in chosen), chosen, [*chosen[1:], chosen[0]], rng.permutation(5)]
        chains[-1] = [chosen[i] for i in chains[-1]]
        for chain in chains:
            rules = [partial(getattr(sampling, name), **{names[name][0]: value}) for name, value in chain]
            number = float(rng.random())
            after = sampling.probabilities(logits, rules)
            expected.append((after, int(sampling.draw(logits, rules, uniforms=number)), int(sampling.greedy(logits))))
            cases.append([[value if np.isfinite(value) else "-Infinity" for value in logits.tolist()], chain, number])
    found = library.evaluate(
        "(cases) => cases.map(([row, chain, number]) => { const logits = row.map(Number);"
        "return [Text.probabilities(logits, chain), Text.draw(logits, chain, number), Text.greedy(logits)]; })",
        cases,
    )
    assert len(found) > 1500
    for (after, drawn, likeliest), (chances, symbol, greedy), case in zip(expected, found, cases, strict=True):
        np.testing.assert_allclose(chances, after, atol=1e-12, err_msg=str(case))
        assert np.array_equal(np.array(chances) > 0, after > 0), case
        assert (symbol, greedy) == (drawn, likeliest), case


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_random_numbers_are_those_of_python(library, seed):
    found = library.evaluate(f"Array.from({{length: 1000}}, (_, k) => Text.uniform({seed}, k))")
    assert found == sampling.uniforms(seed, 1000).tolist()


def futures(engine, prompt, rules, seed, length, streams):
    """Texts drawn with the engine, shape (streams, length)."""
    logits, state = engine.read(prompt[None])
    logits, state = np.repeat(logits[:, -1], streams, axis=0), state.take([0] * streams)
    drawn = []
    for numbers in sampling.uniforms(seed, (length, streams)):
        drawn.append(sampling.draw(logits, rules, uniforms=numbers))
        logits, state = engine.step(state, drawn[-1])
    return np.array(drawn).T


def test_the_same_seed_gives_the_same_text_in_both_languages(library, engine, symbols):
    generate = """([symbols, seed, rules]) => Text.generate(seed, {
      reading: Text.read([...symbols, 0, 1]), place: symbols.length - 1, rules})"""
    chosen = [
        ([], []),
        (
            [["temperature", 0.8], ["nucleus", 0.9]],
            [partial(sampling.temperature, t=0.8), partial(sampling.nucleus, p=0.9)],
        ),
        (
            [["typical", 0.7], ["temperature", 2]],
            [partial(sampling.typical, p=0.7), partial(sampling.temperature, t=2)],
        ),
    ]
    for seed, (named, rules) in enumerate(chosen, 7):
        found = library.evaluate(generate, [symbols[:60].tolist(), seed, named])
        assert np.array(found).shape == (20, 80)
        assert found == futures(engine, symbols[:60], rules, seed, 80, 20).tolist()
        assert len({tuple(text) for text in found}) == 20


def test_greedy_futures_and_the_forget_bias_go_on_as_the_engine_does(library, engine, symbols):
    other = forgetting(1)
    logits, state = other.read(symbols[None, :60])
    logits, expected = logits[:, -1], []
    for _ in range(100):
        expected.append(int(sampling.greedy(logits)[0]))
        logits, state = other.step(state, expected[-1:])
    found = library.evaluate(
        "(symbols) => Text.generate(0, {reading: Text.read(symbols, {bias: 1}), place: 59, streams: 1, length: 100,"
        "greedy: true})",
        symbols.tolist(),
    )
    assert found == [expected]


def test_repetition_and_loops_are_those_of_python(library):
    rng = np.random.default_rng(3)
    texts = [rng.integers(0, 3, int(rng.integers(8, 60))) for _ in range(100)]
    texts += [np.concatenate([rng.integers(0, 5, 7), np.tile(rng.integers(0, 5, n), 4)]) for n in range(1, 8)]
    texts = [text.tolist() for text in texts]
    found = library.evaluate("(texts) => texts.map((t) => [Text.repetition(t, 4), Text.cycle(t)])", texts)
    for (share, loop), text in zip(found, texts, strict=True):
        assert share == pytest.approx(repetition(text, 4))
        assert loop == cycle(text)


def test_lines_hold_the_text_and_break_between_words(library):
    text = "In the beginning was a verylongword\nand then\n\nmore of it"
    for width in (8, 11, 80):
        lines = library.evaluate("([text, width]) => Text.lines([...text], width)", [text, width])
        assert "".join(text[first:end] for first, end in lines) == text
        assert all(0 < end - first <= width for first, end in lines)
        assert all(text[end - 1] in " \n" or end - first == width or end == len(text) for first, end in lines)


# ---- what is shown


def valuetext(page, grid="surprise"):
    return page.get_attribute(f"#{grid}", "aria-valuetext")


def type_text(page, text):
    page.fill("#text", text)
    page.wait_for_function(f"text.characters.length === {len(text)}")
    page.wait_for_function(CALM)


def test_words_say_what_the_numbers_are(reader, engine, carried):
    text = reader.input_value("#text")
    assert set(text) <= set(carried.vocabulary.characters)
    symbols = np.array(reader.evaluate("text.symbols"))
    network = bits(engine.read(symbols[None])[0][0], symbols)
    ngram = -np.log2(ngram_of_table(carried.table, symbols.tolist(), len(carried.vocabulary)))
    words = reader.inner_text("#surprise-words")
    assert f"Network {network.mean():.2f} bits per character, n-gram {ngram[1:].mean():.2f}" in words
    assert f"among {2 ** network.mean():.1f} equally likely characters" in words
    reader.click("#most")
    place = int(network.argmax()) + 1
    said = (
        f"{place + 1} of {len(text)}: {network.max():.2f} bits under the network, {ngram[place]:.2f} under the n-gram"
    )
    assert said in valuetext(reader)
    assert f"{network.max():.2f} bits" in reader.inner_text("#said")
    reader.wait_for_function("document.getElementById('spoken').textContent.includes('bits')")
    letter = reader.locator("#surprise .c").nth(place)
    assert f"--a: var(--s{min(7, int(network.max()))})" in letter.get_attribute("style")


def test_arrow_keys_move_through_the_text_on_every_grid(reader):
    last = len(reader.input_value("#text"))
    for grid in ("surprise", "gates", "memory"):
        reader.focus(f"#{grid}")
        reader.keyboard.press("Home")
        assert reader.get_attribute(f"#{grid}", "aria-valuenow") == "1"
        reader.keyboard.press("ArrowLeft")
        assert reader.get_attribute(f"#{grid}", "aria-valuenow") == "1"
        reader.keyboard.press("ArrowRight")
        reader.keyboard.press("ArrowRight")
        assert reader.get_attribute(f"#{grid}", "aria-valuenow") == "3"
        reader.keyboard.press("ArrowDown")
        assert int(reader.get_attribute(f"#{grid}", "aria-valuenow")) > 20
        assert reader.locator(f"#{grid} .line").nth(1).locator(".mark").count() == 1
        reader.keyboard.press("ArrowUp")
        assert reader.get_attribute(f"#{grid}", "aria-valuenow") == "3"
        reader.keyboard.press("End")
        assert reader.get_attribute(f"#{grid}", "aria-valuenow") == str(last)
        assert reader.locator(".mark").count() == 3
    assert "forget gate" in valuetext(reader, "gates")
    reader.keyboard.press("Enter")
    reader.wait_for_function(CALM)
    assert "Moved most by" in valuetext(reader, "memory")


def test_a_click_selects_and_the_buttons_step(reader):
    line = reader.locator("#gates .line").nth(1)
    box, first, end = line.bounding_box(), int(line.get_attribute("data-first")), int(line.get_attribute("data-end"))
    line.click(position={"x": box["width"] * 4.5 / (end - first), "y": 5})
    assert reader.get_attribute("#surprise", "aria-valuenow") == str(first + 5)
    reader.click("#back")
    reader.click("#back")
    reader.click("#on")
    assert reader.get_attribute("#surprise", "aria-valuenow") == str(first + 4)
    assert f"{first + 4} of" in reader.inner_text("#said")


def test_typing_moves_the_selection_to_where_it_happens(reader):
    reader.focus("#text")
    reader.keyboard.press("Control+Home")
    reader.keyboard.type("Lo ")
    reader.wait_for_function("text.characters.slice(0, 3).join('') === 'Lo '")
    assert valuetext(reader).startswith("space, 3 of")
    assert "After space, 3 of" in reader.inner_text("#after")


def test_unknown_characters_are_shown_and_said(reader):
    type_text(reader, "And Noë ☺ did")
    assert "does not know ë ☺: they are shown as ¤ and read as a space" in reader.inner_text("#unknown")
    assert reader.inner_text("#surprise").count("¤") == 2
    symbols = reader.evaluate("text.symbols")
    assert symbols[6] == symbols[8] == symbols[3]
    reader.focus("#surprise")
    for _ in range(6):
        reader.keyboard.press("ArrowLeft")
    assert valuetext(reader).startswith("unknown “ë”, 7 of 13")


@pytest.mark.parametrize("text", ["", "A", " ", "\n\n", "ab"])
def test_hardly_any_text_is_no_trouble(reader, trouble, text):
    type_text(reader, text)
    assert reader.is_visible("#bars") == bool(text)
    if text:
        reader.click("#most")
        reader.click("#erase")
        reader.click("[data-bias='1']")
        reader.click("#greedy")
        reader.wait_for_function(CALM)
        assert "Moved most by" in reader.inner_text("#memory-words")
    else:
        assert "empty" in reader.inner_text("#unknown")
    type_text(reader, "And God said")
    assert reader.is_visible("#bars")
    assert trouble == []


def test_bars_follow_the_knobs_and_their_order(reader):
    def texts():
        return reader.locator("#bars li").all_inner_texts()

    before = texts()
    assert len(before) == 16
    assert "all off" in reader.inner_text("#order")
    reader.fill("#top_k", "5")
    assert sum("cut: top-k" in text for text in texts()) == 11
    assert reader.locator("#bars li.cut").count() == 11
    assert "5 of" in reader.inner_text("#rest")
    reader.fill("#temperature", "3")
    reader.fill("#nucleus", "0.5")
    assert "order: temperature, top-k, nucleus, min-p, typical. Now: temperature 3, top-k 5, nucleus 0.5" in (
        reader.inner_text("#order")
    )
    shares = np.array(reader.evaluate("Text.probabilities(Text.logitsAt(now, place), knobs().rules)"))
    logits = np.array(reader.evaluate("Array.from(Text.logitsAt(now, place))"))
    rules = [partial(sampling.temperature, t=3), partial(sampling.top_k, k=5), partial(sampling.nucleus, p=0.5)]
    np.testing.assert_allclose(shares, sampling.probabilities(logits, rules), atol=1e-12)
    hot = reader.locator("#bars li:not(.cut)").count()
    reader.check("#cut-first")
    assert "order: top-k, nucleus, min-p, typical, temperature. Now: top-k 5, nucleus 0.5, temperature 3" in (
        reader.inner_text("#order")
    )
    shares = reader.evaluate("Text.probabilities(Text.logitsAt(now, place), knobs().rules)")
    np.testing.assert_allclose(shares, sampling.probabilities(logits, [*rules[1:], rules[0]]), atol=1e-12)
    assert reader.locator("#bars li:not(.cut)").count() <= hot
    reader.click("#knobs-off")
    assert texts() == before


def test_the_bars_show_the_prediction(reader):
    chances = softmax(np.array(reader.evaluate("Array.from(Text.logitsAt(now, place))")))
    first = reader.locator("#bars li").first
    assert f"{100 * chances.max():.1f}%" in first.inner_text()
    width = first.locator(".after").evaluate("(bar) => bar.offsetWidth / bar.parentElement.clientWidth")
    assert width == pytest.approx(chances.max(), abs=0.02)


def test_every_slider_moves_with_the_keyboard_and_says_its_value(reader):
    reader.fill("#unit", "7")
    for slider, key, said in (
        ("unit", "ArrowRight", "8"),
        ("temperature", "ArrowRight", "1.05"),
        ("nucleus", "ArrowLeft", "0.99"),
        ("min_p", "ArrowRight", "0.01"),
        ("typical", "ArrowLeft", "0.99"),
    ):
        reader.focus(f"#{slider}")
        reader.keyboard.press(key)
        assert reader.get_attribute(f"#{slider}", "aria-valuetext") == said
    reader.focus("#top_k")
    assert reader.get_attribute("#top_k", "aria-valuetext") == "off"
    reader.keyboard.press("ArrowLeft")
    assert reader.get_attribute("#top_k", "aria-valuetext") == str(reader.evaluate("model.V - 1"))
    assert "unit 8: forget gate" in reader.inner_text("#gates-words")
    reader.click("#liveliest")
    assert int(reader.input_value("#unit")) == reader.evaluate("Text.liveliest(now)")


def test_twenty_futures_are_those_of_the_seed(reader, engine, carried):
    reader.fill("#temperature", "0.7")
    reader.fill("#seed", "12")
    reader.wait_for_function(CALM)
    symbols = np.array(reader.evaluate("text.symbols"))
    rules = [partial(sampling.temperature, t=0.7)]
    expected = [
        carried.vocabulary.decode(text).replace("\n", "↵") for text in futures(engine, symbols, rules, 12, 80, 20)
    ]
    assert [item.text_content() for item in reader.locator("#futures li").all()] == expected
    assert "temperature 0.7" in reader.inner_text("#drawn")
    human = carried.human
    (long,) = futures(engine, symbols, rules, 12, human["length"], 1).tolist()
    assert f"{100 * repetition(long, human['n']):.1f}".rstrip("0").rstrip(".") in reader.inner_text("#meter-words")
    reader.click("#again")
    assert reader.input_value("#seed") == "13"
    reader.wait_for_function(CALM)
    assert reader.locator("#futures li").first.text_content() != expected[0]


def test_greedy_shows_one_future_and_its_loop(reader, carried):
    reader.click("#greedy")
    reader.wait_for_function(CALM)
    assert reader.get_attribute("#greedy", "aria-pressed") == "true"
    text = reader.locator("#futures li").all()[0].text_content()
    assert reader.locator("#futures li").count() == 1
    assert len(text) == carried.human["length"]
    loop = cycle(text)
    assert (f"loop of {loop} characters" if loop else "No loop") in reader.inner_text("#drawn")
    assert reader.locator("#futures mark").count() == bool(loop)
    assert reader.locator("#long").text_content() == text
    share = repetition(text, carried.human["n"])
    left = reader.locator("#here").evaluate("(mark) => parseFloat(mark.style.left) / 100")
    assert left == pytest.approx(share)
    side = (
        "below" if share < carried.human["low"] else "above the" if share > carried.human["high"] else "inside the band"
    )
    assert side in reader.get_attribute("#meter", "aria-label")


def test_the_strip_of_memory_shows_what_moved_the_prediction(reader):
    type_text(reader, "x" * 30 + "y" * 120)
    reader.wait_for_function(CALM)
    letters = reader.locator("#memory .c")
    styles = letters.evaluate_all("(all) => all.map((letter) => letter.style.cssText)")
    assert [bool(style) for style in styles] == [False] * 50 + [True] * 100
    values = reader.evaluate("Array.from(Text.influence(now, place, 100))")
    color = reader.evaluate("(bits) => Text.color(bits)", values[149])
    assert f"--a: rgb({','.join(map(str, color))})" in styles[149]
    assert "the last 100 are tried" in reader.inner_text("#memory-how")


def test_erased_state_and_forget_bias_act_on_everything_and_can_be_undone(reader, engine):
    def shown():
        ids = ["surprise", "gates", "memory", "futures", "bars"]
        return [reader.inner_html(f"#{name}") for name in ids]

    reader.focus("#surprise")
    for _ in range(20):
        reader.keyboard.press("ArrowLeft")
    reader.wait_for_function(CALM)
    before, symbols = shown(), np.array(reader.evaluate("text.symbols"))
    place = len(symbols) - 21
    reader.click("#erase")
    reader.wait_for_function(CALM)
    assert all(now != then for now, then in zip(shown(), before, strict=True))
    plain = bits(engine.read(symbols[None])[0][0], symbols)
    parts = [engine.read(part[None])[0][0] for part in (symbols[:place], symbols[place:])]
    extra = bits(np.concatenate(parts), symbols) - plain
    more = f"{abs(extra[place:].sum()):.1f} bits {'fewer' if extra[place:].sum() < 0 else 'more'}"
    assert f"at {place + 1}: {more} on the 20 characters after it" in reader.inner_text("#change-words")
    assert f"state erased at {place + 1}" in reader.inner_text("#said")
    assert reader.is_visible("#extra")
    reader.click("#erase")
    reader.wait_for_function(CALM)
    assert shown() == before
    for bias in (1, -1):
        reader.click(f"[data-bias='{bias}']")
        reader.wait_for_function(CALM)
        assert reader.get_attribute(f"[data-bias='{bias}']", "aria-pressed") == "true"
        mean = bits(forgetting(bias).read(symbols[None])[0][0], symbols).mean()
        assert f"The whole text: {mean:.2f} bits per character, as trained {plain.mean():.2f}" in (
            reader.inner_text("#change-words")
        )
    reader.click("[data-bias='0']")
    reader.wait_for_function(CALM)
    assert shown() == before
    assert not reader.is_visible("#extra")


# ---- for everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 360, 1920])
def test_whole_and_usable_everywhere_without_a_request(page, trouble, axe, width, scheme):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(PAGE.as_uri())
    type_text(page, ("And God said, Let there be light: and there was light. " * 7 + "\né☺ " + "w" * 99)[:400])
    page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
    page.fill("#nucleus", "0.5")
    page.click("[data-bias='1']")
    page.click("#erase")
    page.wait_for_function(CALM)
    assert page.evaluate(WIDE) <= 0
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    page.evaluate(axe)
    assert page.evaluate(VIOLATIONS) == []
    assert [url for url in asked if not url.startswith("data:")] == [PAGE.as_uri()]
    assert trouble == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read_and_is_lighter_or_darker_than_the_one_before(reader, scheme):
    """The ratios of WCAG, of the letters on all eight colours of surprise and on those of the memory strip."""
    reader.emulate_media(color_scheme=scheme)
    type_text(reader, "x" * 200)
    pairs = reader.evaluate("""() => {
      const probe = document.querySelector("#surprise .c"), read = (css) => {
        probe.style.cssText = `color: ${css}`;
        return getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number).slice(0, 3);
      };
      return Array.from({length: 8}, (_, i) => [read(`var(--s${i})`), read(`var(--t${i})`)]);
    }""")
    memory = reader.evaluate("""() => {
      moved = Float64Array.from({length: 200}, (_, i) => 10 ** (i / 40 - 4));
      drawMemory();
      const numbers = (css) => css.match(/[\\d.]+/g).map(Number).slice(0, 3);
      return [...document.querySelectorAll("#memory .c")].map((letter) =>
        [numbers(letter.style.getPropertyValue("--a")), numbers(getComputedStyle(letter).color)]);
    }""")

    def light(color):
        parts = np.array(color) / 255
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    for pair in pairs + memory:
        low, high = sorted(map(light, pair))
        assert (high + 0.05) / (low + 0.05) >= 4.5, pair
    steps = np.diff([light(back) for back, _ in pairs])
    assert (steps < 0).all() if scheme == "light" else (steps > 0).all()


def test_buttons_are_large_enough_for_a_finger_and_a_tap_selects(browser):
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    heights = page.eval_on_selector_all(
        "input, button", "all => all.map(e => (e.closest('label') ?? e).getBoundingClientRect().height)"
    )
    assert min(heights) >= 24  # WCAG 2.2, target size
    line = page.locator("#surprise .line").first
    box = line.bounding_box()
    page.touchscreen.tap(box["x"] + 5.5 * box["width"] / int(line.get_attribute("data-end")), box["y"] + 10)
    assert page.get_attribute("#surprise", "aria-valuenow") == "6"
    context.close()


def test_another_width_lays_the_text_out_again(reader):
    wide = reader.locator("#surprise .line").count()
    reader.set_viewport_size(PHONE)
    reader.wait_for_function(f"document.querySelectorAll('#surprise .line').length > {wide}")
    assert reader.evaluate(WIDE) <= 0


def test_without_scripts_it_says_so(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    assert "Trust HTML" in page.inner_text("main")
    for part in ("#text", "#bars", ".place"):
        assert not page.is_visible(part)
    context.close()


def test_nothing_moves_by_itself(reader):
    reader.wait_for_timeout(700)
    before = reader.screenshot()
    reader.wait_for_timeout(700)
    assert reader.screenshot() == before


def test_a_keystroke_can_be_timed(reader):
    spent = reader.evaluate(
        "(() => { const t = performance.now(); keystroke('And God'); return performance.now() - t; })()"
    )
    assert spent >= 0
    assert valuetext(reader).startswith("“d”, 7 of 7")


def test_its_copy_leads_home(tmp_path):
    play.copy(tmp_path)
    assert 'href="../index.html"' in (tmp_path / "text.html").read_text(encoding="utf-8")
    assert text_page.read_model(tmp_path / "text.html").recipe == text_page.read_model().recipe
