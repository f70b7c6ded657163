"""The memory strip that moves: its numbers are those of the NumPy cells, and everyone can use it."""

import nbformat
import numpy as np
import pytest
from matplotlib import colormaps

from tools import notebooks, play, slides
from utils import plotting, runtime
from utils.evaluation.gradients import gradient_per_lag
from utils.models import numpy_cells
from utils.models.initializers import Chrono, ForgetBias
from utils.models.recurrent import build_recurrent

from .test_site import PHONE, VIOLATIONS, WIDE

PAGE = play.PLAY / "memory.html"
UNITS, FEATURES, STEPS = 6, 2, 60
GRADIENTS = "([cell, weights, x, v]) => Memory.gradientPerLag(cell, weights, x, v)"
ROWS = "(settings) => Memory.rows({rho: 1, bias: 1, noise: 0, length: 100, seed: 0, ...settings})"
WORDS = "document.getElementById('words').textContent"


@pytest.fixture
def strip(page):
    """The page as it opens."""
    page.goto(PAGE.as_uri())
    return page


def forward(cell, x, weights, state):
    """The state after one step of a NumPy cell: h, and of an LSTM h and c in one vector."""
    if cell == "lstm":
        h, c, _ = numpy_cells.lstm_forward(x, *weights, *np.split(state, 2, axis=1))
        return np.concatenate([h[:, -1], c[:, -1]], axis=1)
    h, _ = {"rnn": numpy_cells.rnn_forward, "gru": numpy_cells.gru_forward}[cell](x, *weights, state)
    return h[:, -1]


def products_of_jacobians(cell, weights, x, v):
    """Norm per lag in float64; each Jacobian of a NumPy cell by a complex step, which is exact to rounding."""
    size = 2 * len(v) if cell == "lstm" else len(v)
    state, jacobians = np.zeros((1, size), complex), []
    for step in x:
        step = step[None, None].astype(complex)
        columns = [forward(cell, step, weights, state + 1e-30j * np.eye(size)[[j]]).imag / 1e-30 for j in range(size)]
        jacobians.append(np.concatenate(columns).T)  # (state after, state before)
        state = forward(cell, step, weights, state)
    gradient = np.zeros(size)
    gradient[: len(v)] = v
    norms = [np.linalg.norm(gradient)]
    for jacobian in jacobians[:0:-1]:
        gradient = gradient @ jacobian
        norms.append(np.linalg.norm(gradient))
    return np.array(norms)


def in_the_browser(page, cell, weights, x, v):
    kernel, recurrent, bias = (np.asarray(w, float).tolist() for w in weights)
    given = {"kernel": kernel, "recurrent": recurrent, "bias": bias}
    return np.array(page.evaluate(GRADIENTS, [cell, given, np.asarray(x, float).tolist(), v.tolist()]))


@pytest.mark.parametrize("scale", [0.2, 0.8])
@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_numbers_equal_the_jacobians_of_the_numpy_cells(strip, cell, gates, scale):
    rng = np.random.default_rng(gates)
    shapes = [(FEATURES, gates * UNITS), (UNITS, gates * UNITS), (2, 3 * UNITS) if gates == 3 else (gates * UNITS,)]
    weights = [rng.normal(scale=scale, size=shape) for shape in shapes]
    x, v = rng.normal(size=(STEPS, FEATURES)), rng.normal(size=UNITS)
    expected = products_of_jacobians(cell, weights, x, v)
    assert expected.shape == (STEPS,)
    np.testing.assert_allclose(in_the_browser(strip, cell, weights, x, v), expected, rtol=1e-6)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_numbers_agree_with_the_probe_of_the_lessons(strip, cell):
    runtime.set_seed(0)
    model = build_recurrent(cell, UNITS, features=FEATURES)
    x = np.random.default_rng(1).normal(size=(1, 30, FEATURES)).astype("float32")
    v = np.random.default_rng(0).normal(size=UNITS)  # as the probe draws it
    measured = in_the_browser(strip, cell.lower(), model.layers[0].get_weights(), x[0], v / np.linalg.norm(v))
    np.testing.assert_allclose(measured, gradient_per_lag(model, x, seed=0)[0], rtol=1e-3)


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_weights_start_as_keras_starts_them(strip, cell, gates):
    made = strip.evaluate(f"Memory.kerasWeights('{cell}', 16, 3, Memory.generator(5))")
    recurrent, kernel = np.array(made["recurrent"]), np.array(made["kernel"])
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(16), atol=1e-12)
    limit = np.sqrt(6 / (3 + gates * 16))
    assert 0.9 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < limit / 4
    bias = np.array(made["bias"])
    assert bias.shape == ((2, 48) if cell == "gru" else (gates * 16,))
    expected = np.asarray(ForgetBias(1)(bias.shape)) if cell == "lstm" else np.zeros_like(bias)
    assert np.array_equal(bias, expected)
    assert np.array_equal(
        made["bias"], strip.evaluate(f"Memory.kerasWeights('{cell}', 16, 3, Memory.generator(5)).bias")
    )


def test_chrono_biases_have_the_blocks_and_range_of_the_initializer(strip):
    bias = strip.evaluate("Memory.lstmBias(4, () => Math.log(9), true)")
    assert bias == pytest.approx([-np.log(9)] * 4 + [np.log(9)] * 4 + [0] * 8)
    ours = np.asarray(Chrono(100, seed=0)((16,)))
    assert np.array_equal(np.sign(ours), np.sign(bias))


def test_random_numbers_are_uniform_and_normal(strip):
    uniform = np.array(
        strip.evaluate("(() => { const g = Memory.generator(1); return Array.from({length: 20000}, g.uniform); })()")
    )
    normal = np.array(
        strip.evaluate("(() => { const g = Memory.generator(1); return Array.from({length: 20000}, g.normal); })()")
    )
    assert uniform.min() >= 0
    assert uniform.max() < 1
    np.testing.assert_allclose(np.quantile(uniform, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02)
    np.testing.assert_allclose([normal.mean(), normal.std()], [0, 1], atol=0.03)


def test_blank_rnn_keeps_exactly_the_spectral_radius(strip):
    rnn = strip.evaluate(ROWS, {"rho": 0.9})[0]
    np.testing.assert_allclose(rnn["norms"], 0.9 ** np.arange(101), rtol=1e-6)


def test_rows_are_float32_and_end_in_zero_or_infinity(strip):
    rows = strip.evaluate(ROWS, {"rho": 1.5, "length": 400})
    assert [row["name"] for row in rows] == ["RNN", "LSTM", "GRU", "LSTM, bias 1", "LSTM, chrono"]
    for row in rows:
        norms = np.array(row["norms"], float)
        assert norms.shape == (401,)
        assert norms[0] == pytest.approx(1)
        with np.errstate(over="ignore"):
            assert np.array_equal(norms, norms.astype("float32"))
    assert np.isinf(rows[0]["norms"][-1])
    gru = np.array(rows[2]["norms"])
    assert gru[-1] == 0
    assert gru[gru > 0].min() < 1e-44


def test_squares_and_colours_are_those_of_the_figures(strip):
    norms = (0.9 ** np.arange(101)).tolist()
    squares = strip.evaluate("(norms) => Memory.squares(norms)", norms)
    figure = plotting.memory_strip({"LSTM": norms})
    mesh = figure.axes[0].collections[0]
    assert [square["value"] for square in squares] == pytest.approx(mesh.get_array().ravel().tolist())
    assert mesh.get_coordinates()[0, :, 0].tolist() == [square["first"] - 0.5 for square in squares] + [100.5]
    values = 10 ** np.linspace(-9, 3, 50)
    expected = 255 * colormaps[plotting.MEMORY](mesh.norm(values))[:, :3]
    colors = strip.evaluate("(values) => values.map(Memory.color)", values.tolist())
    np.testing.assert_allclose(colors, expected, atol=6)


def test_what_the_answers_say_holds_for_other_weights_too(strip):
    for seed in range(20):
        blank = [row["norms"] for row in strip.evaluate(ROWS, {"seed": seed})]
        noisy = [row["norms"] for row in strip.evaluate(ROWS, {"seed": seed, "noise": 1})]
        rnn, lstm, gru = (norms[50] for norms in blank[:3])
        assert rnn == pytest.approx(1)
        assert lstm < 1e-3
        assert gru < 1e-9
        assert noisy[0][50] < 1e-2
        assert all(1 / 2 < noise[50] / without[50] < 2 for noise, without in zip(noisy[1:], blank[1:], strict=True))
        assert strip.evaluate(ROWS, {"seed": seed, "rho": 1.1})[0]["norms"][100] == pytest.approx(14_000, rel=0.02)
        assert strip.evaluate(ROWS, {"seed": seed, "rho": 1.1, "noise": 1})[0]["norms"][100] < 1e-2
        for length in (20, 100, 400):
            chrono = strip.evaluate(ROWS, {"seed": seed, "noise": seed % 2, "length": length})[4]["norms"]
            assert 0.05 < chrono[length] < 0.2


def test_words_say_what_the_strip_shows(strip):
    strip.click("#whisper")
    assert strip.get_attribute("#whisper", "aria-pressed") == "true"
    norms = {row["name"]: np.array(row["norms"]) for row in strip.evaluate(ROWS, {"rho": 0.9, "bias": 2.2})}
    words = strip.evaluate(WORDS)
    assert "The RNN keeps a thousandth for 65 steps" in words  # 0.9^65 = 0.00106, 0.9^66 = 0.00096
    for name in ("LSTM", "GRU"):
        assert f"the {name} for {np.flatnonzero(norms[name] < 1e-3)[0] - 1}" in words
    assert "The LSTM with bias 2.2 and the LSTM with chrono keep more through all 100 steps." in words
    assert "stored as ∞" not in strip.inner_text("main")
    strip.fill("#rho", "1.5")
    strip.fill("#length", "400")
    strip.wait_for_function(f"{WORDS}.includes('The gradient of the RNN grows beyond what float32 can hold.')")
    assert "stored as ∞" in strip.inner_text("main")
    assert strip.get_attribute("#whisper", "aria-pressed") == "false"
    fills = strip.eval_on_selector_all(
        "#rows .row:nth-child(3) rect", "squares => squares.map(s => s.getAttribute('fill'))"
    )
    assert fills[-1] == "url(#zero)"
    assert fills[0].startswith("rgb")


def test_every_slider_moves_with_the_keyboard_and_says_its_value(strip):
    assert strip.get_attribute("#lag", "aria-valuetext").startswith("50 steps back: RNN 1; LSTM ")
    before = strip.inner_html("#rows")
    for slider, said in {
        "lag": "51 steps back: RNN",
        "rho": "1.01",
        "bias": "5.1",
        "noise": "0.1",
        "length": "110 steps",
    }.items():
        strip.focus(f"#{slider}")
        strip.keyboard.press("ArrowRight")
        strip.wait_for_function(
            "([id, said]) => document.getElementById(id).getAttribute('aria-valuetext').startsWith(said)",
            arg=[slider, said],
        )
        assert strip.inner_html("#rows") != before
        before = strip.inner_html("#rows")
    strip.wait_for_function(f"document.getElementById('spoken').textContent === {WORDS}")
    strip.focus("#keras")
    for _ in range(2):  # from button to button with Tab
        strip.keyboard.press("Tab")
    strip.keyboard.press("Enter")
    assert strip.input_value("#rho") == "1.1"
    strip.focus("details:first-of-type summary")
    strip.keyboard.press("Enter")
    assert strip.locator("details p:visible").count() == 1


def test_other_weights_change_the_strip(strip):
    before = strip.inner_html("#rows")
    strip.click("#again")
    assert strip.inner_html("#rows") != before


def test_a_finger_on_the_squares_chooses_the_step(browser):
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    box = page.locator(".squares").first.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 20.5 / 101, box["y"] + 5)
    assert page.input_value("#lag") == "20"
    assert page.get_attribute("#lag", "aria-valuetext").startswith("20 steps back")
    thumbs = page.eval_on_selector_all(
        "input[type=range], button", "all => all.map(e => e.getBoundingClientRect().height)"
    )
    assert min(thumbs) >= 24  # WCAG 2.2, target size
    context.close()


@pytest.mark.parametrize("start", ["", "#chrono"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE, {"width": 320, "height": 600}])
def test_whole_and_usable_everywhere_without_a_request(page, trouble, axe, size, scheme, start):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.goto(PAGE.as_uri() + start)
    assert page.input_value("#noise") == ("1" if start else "0")
    page.fill("#length", "400")
    page.wait_for_function("document.getElementById('length-value').textContent === '400 steps'")
    page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
    assert page.evaluate(WIDE) <= 0
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    page.evaluate(axe)
    assert page.evaluate(VIOLATIONS) == []
    assert [url for url in asked if not url.startswith("data:")] == [PAGE.as_uri()]
    assert trouble == []


def test_without_scripts_it_says_so(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    assert "Trust HTML" in page.inner_text("main")
    assert not page.is_visible(".strip")
    context.close()


def test_nothing_moves_by_itself(strip):
    strip.wait_for_timeout(700)
    before = strip.screenshot()
    strip.wait_for_timeout(700)
    assert strip.screenshot() == before


def test_a_deck_links_to_its_own_copy(tmp_path):
    path = notebooks.lessons("02")[0]
    lesson = nbformat.read(path, as_version=4)
    link = nbformat.v4.new_markdown_cell("## More\n\n[The memory strip](../site/play/memory.html)")
    link.metadata["slideshow"] = {"slide_type": "slide"}
    lesson.cells.insert(-1, link)
    nbformat.write(lesson, tmp_path / path.name)
    assert 'href="play/memory.html"' in slides.deck(tmp_path / path.name)
    play.copy(tmp_path / "play")
    assert 'href="../index.html"' in (tmp_path / "play" / "memory.html").read_text(encoding="utf-8")
