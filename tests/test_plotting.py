"""Figures carry alt text, and a model looks the same wherever it is drawn."""

import base64
import io
import itertools
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from scipy.io import wavfile

from utils import plotting

matplotlib.use("Agg")


def test_show_puts_alt_text_on_the_picture_and_closes_it(monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", lambda data, raw, metadata: shown.append((data, metadata)))
    figure, _ = plotting.subplots()
    plotting.show(figure, "A line that rises from left to right.")
    data, metadata = shown[0]
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata == {"image/png": {"alt": "A line that rises from left to right.", "width": 800}}
    stored_width = int.from_bytes(data["image/png"][16:20], "big")  # the first field of a PNG's header
    assert stored_width == 1200
    assert not plotting.plt.fignum_exists(figure.number)


def test_alt_text_must_say_something():
    figure, _ = plotting.subplots()
    with pytest.raises(ValueError, match="too short"):
        plotting.show(figure, "a plot")


def test_models_differ_in_more_than_colour():
    styles = {
        (model, plotting.COLORS[model], plotting.DASHES[model], plotting.MARKERS[model]) for model in plotting.COLORS
    }
    assert len({color for _, color, _, _ in styles}) == len(styles)
    assert len({marker for *_, marker in styles}) == len(styles)
    assert plotting.COLORS.keys() == plotting.DASHES.keys() == plotting.MARKERS.keys()
    with pytest.raises(ValueError, match="No style for 'lstm'; expected one of RNN, LSTM"):
        plotting.line("lstm")


@pytest.mark.parametrize(("at", "below"), [(0, False), (0.5, True), (1, False)])
def test_the_name_of_a_reference_line_keeps_clear_of_its_line_and_inside_the_axes(at, below):
    figure, axes = plotting.subplots()
    axes.set(ylim=(1, 1000), yscale="log")
    plotting.reference_line(axes, 100, "persistence", at=at, below=below)
    figure.canvas.draw()
    name, across = axes.texts[0].get_window_extent(), axes.lines[0].get_window_extent()
    half_width = axes.lines[0].get_linewidth() * figure.dpi / 72 / 2
    assert name.y1 < across.y0 - half_width if below else name.y0 > across.y1 + half_width
    assert axes.bbox.x0 + 3 < name.x0 < name.x1 <= axes.bbox.x1
    assert axes.get_legend_handles_labels() == ([], [])


def test_strip_draws_every_seed_and_the_median():
    table = pd.DataFrame({"cell": ["LSTM"] * 3 + ["GRU"] * 3, "place": ["here"] * 6, "error": [1, 2, 6, 4, 4, 4]})
    _, axes = plotting.subplots()
    plotting.seed_strip(table, x="place", y="error", hue="cell", ax=axes)
    drawn = [line.get_ydata().tolist() for line in axes.lines]
    assert drawn == [[1, 2, 6], [4, 4, 4]]
    medians = [collection.get_segments()[0][0][1] for collection in axes.collections]
    assert medians == [2, 4]


def test_strip_centres_a_model_that_stands_alone_over_its_tick():
    table = pd.DataFrame({"cell": ["LSTM", "GRU"], "network": ["one", "two"], "error": [1, 2]})
    _, axes = plotting.subplots()
    plotting.seed_strip(table, x="network", y="error", hue="cell", ax=axes)
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0], [1]]


def test_equal_seeds_stand_side_by_side_within_their_place():
    table = pd.DataFrame({"cell": ["LSTM"] * 5 + ["GRU"] * 5, "place": ["here"] * 10, "accuracy": 1.0})
    figure, axes = plotting.subplots()
    plotting.seed_strip(table, x="place", y="accuracy", hue="cell", ax=axes)
    figure.draw_without_rendering()
    lstm, gru = (axes.transData.transform(line.get_xydata())[:, 0] for line in axes.lines)
    marker = axes.lines[0].get_markersize() * figure.dpi / 72
    assert (np.diff(lstm) > marker / 2).all()
    assert lstm.max() + marker < gru.min()


def squares(axes) -> np.ndarray:
    """The values of the squares of a memory strip, shape (rows, squares); masked where hatched."""
    return np.ma.masked_array(axes.collections[0].get_array())


def test_memory_strip_has_a_square_per_step_in_the_order_of_the_rows():
    rows = {"RNN": [1, 0.5, 0.25], "LSTM, bias 5": [1, 2, 4]}
    figure = plotting.memory_strip(rows, title="The LSTM grows")
    axes = figure.axes[0]
    assert squares(axes).tolist() == list(rows.values())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["RNN", "LSTM, bias 5"]
    corners = axes.collections[0].get_coordinates()
    assert corners[0, :, 0].tolist() == [-0.5, 0.5, 1.5, 2.5]  # a square stands over its step
    top, bottom = (axes.transData.transform((0, row))[1] for row in (0, 1))
    assert top > bottom  # the first row on top
    assert axes.get_xticklabels()[0].get_text() == "now"
    assert axes.get_title(loc="left") == "The LSTM grows"


def test_memory_strip_is_brighter_the_larger_the_value_also_in_greyscale():
    powers = 10.0 ** -np.arange(9)
    figure = plotting.memory_strip({"LSTM": powers})
    mesh = figure.axes[0].collections[0]
    figure.draw_without_rendering()
    brightness = mesh.get_facecolors()[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(brightness) < -0.03).all()


@pytest.mark.parametrize(("lags", "drawn"), [(60, 60), (61, 31), (120, 60), (400, 58)])
def test_memory_strip_groups_many_steps_by_their_median(lags, drawn):
    values = np.linspace(1, 2, lags)
    figure = plotting.memory_strip({"LSTM": values, "GRU": values})
    found = squares(figure.axes[0])
    each = -(-lags // 60)
    assert found.shape == (2, drawn)
    assert found[0, 1] == pytest.approx(np.median(values[each : 2 * each]))
    assert found[1, -1] == pytest.approx(np.median(values[(drawn - 1) * each :]))
    assert (f"median of {each} steps" in figure.axes[0].get_xlabel()) == (each > 1)


def test_memory_strip_hatches_what_is_stored_as_zero_and_nothing_else():
    tiny = np.float32(1e-45)
    figure = plotting.memory_strip({"RNN": [1, tiny, 0, 0], "LSTM": [1, 1, 1, 1]})
    axes, scale = figure.axes
    hatched = [(patch.get_x(), patch.get_y()) for patch in axes.patches if patch.get_hatch()]
    assert hatched == [(1.5, 0), (2.5, 0)]
    assert squares(axes).mask.tolist() == [[False, False, True, True], [False] * 4]
    assert "stored as 0" in [text.get_text() for text in scale.texts]
    _, scale = plotting.memory_strip({"LSTM": [1, 1]}).axes
    assert "stored as 0" not in [text.get_text() for text in scale.texts]


def test_memory_strip_is_readable_and_fits_its_figure():
    rows = {name: 0.8 ** np.arange(400, dtype="float32") for name in ("RNN", "LSTM, bias 5", "minGRU", "chrono")}
    figure = plotting.memory_strip(rows, title="All forget")
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in axes.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 11
    for text in texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    colors = [label.get_color() for label in figure.axes[0].get_yticklabels()]
    assert len({matplotlib.colors.to_hex(color) for color in colors}) == 4
    plotting.plt.close(figure)


def test_memory_strip_draws_where_it_is_told():
    figure, panels = plotting.subplots(2, 1)
    assert plotting.memory_strip({"LSTM": [1, 0.5]}, ax=panels[1]) is figure
    assert not panels[0].collections
    assert panels[1].collections


@pytest.mark.parametrize(
    ("rows", "arguments", "message"),
    [
        ({}, {}, "no rows to draw"),
        ({"LSTM": [1, np.nan]}, {}, "'LSTM' is NaN 1 steps back"),
        ({"LSTM": [np.inf]}, {}, "'LSTM' is infinite 0 steps back"),
        ({"LSTM": [1, 1, -1]}, {}, "'LSTM' is negative 2 steps back"),
        ({"LSTM": np.ones((4, 9))}, {}, r"has shape \(4, 9\); expected one number per step"),
        ({"LSTM": []}, {}, r"has shape \(0,\)"),
        ({"LSTM": [1, 1], "GRU": [1]}, {}, "'GRU' has 1 steps, 'LSTM' has 2"),
        ({"LSTM": [1]}, {"squares": 0}, "squares is 0"),
        ({"LSTM": [1]}, {"low": 0}, "from 0 to 100"),
        ({"LSTM": [1]}, {"high": 1e-9}, "from 1e-08 to 1e-09"),
    ],
)
def test_memory_strip_names_what_is_wrong(rows, arguments, message):
    with pytest.raises(ValueError, match=message):
        plotting.memory_strip(rows, **arguments)


def test_lines_are_named_where_they_end_and_names_keep_apart():
    figure, axes = plotting.subplots()
    for factor, model in zip((1, 1.001, 1.002, 3), ("RNN", "LSTM", "GRU", "attention"), strict=True):
        axes.plot([0, 1, 2], [0, factor, 2 * factor], **plotting.line(model))
    axes.axhline(1, linestyle=":")  # without a name
    axes.legend()
    plotting.label_lines(axes)
    figure.draw_without_rendering()
    assert axes.get_legend() is None
    assert sorted(text.get_text() for text in axes.texts) == ["GRU", "LSTM", "RNN", "attention"]
    boxes = {text.get_text(): matplotlib.text.Text.get_window_extent(text) for text in axes.texts}
    for box in boxes.values():
        assert box.x0 > axes.transData.transform((2, 0))[0]
        assert box.x1 <= figure.bbox.x1
    rising = [boxes[model] for model in ("RNN", "LSTM", "GRU", "attention")]  # in the order of the lines
    assert all(lower.y1 <= upper.y0 + 1 for lower, upper in itertools.pairwise(rising))


def test_a_line_that_leaves_the_picture_is_named_where_it_leaves():
    figure, axes = plotting.subplots()
    axes.semilogy(np.arange(101), 10.0 ** -np.arange(101), label="LSTM")
    axes.set(ylim=(1e-15, 10))
    plotting.label_lines(axes)
    figure.draw_without_rendering()
    box = matplotlib.text.Text.get_window_extent(axes.texts[0])
    left, right = (axes.transData.transform((lag, 1))[0] for lag in (15, 40))
    assert left < box.x0 < right
    assert box.y0 >= axes.bbox.y0 - 1


def test_lines_without_names_or_out_of_sight_are_told():
    _, axes = plotting.subplots()
    axes.plot([1, 2])
    with pytest.raises(ValueError, match="No line has a label"):
        plotting.label_lines(axes)
    axes.plot([1, 2], label="LSTM")
    axes.set(ylim=(5, 6))
    with pytest.raises(ValueError, match="No point of the line 'LSTM' lies inside"):
        plotting.label_lines(axes)


@pytest.mark.parametrize("color", [*plotting.COLORS.values(), "#ffff00", "white"])
def test_letters_in_a_colour_can_be_read_on_white(color):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in plotting._ink(color)]
    assert 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05) >= 4.5


def test_sounds_are_stored_as_they_were_under_their_captions(monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", lambda data, raw: shown.append(data))
    sounds = {"high & low": np.sin(np.arange(4000) / 5), "soft": np.full(800, 0.01)}
    plotting.listen(sounds)
    assert shown[0]["text/plain"] == "Sound: high & low (0.5 s)\nSound: soft (0.1 s)"
    players = re.findall(r'aria-label="([^"]*)" src="data:audio/wav;base64,([^"]*)"', shown[0]["text/html"])
    assert [label for label, _ in players] == ["high &amp; low (0.5 s)", "soft (0.1 s)"]
    for (_, data), samples in zip(players, sounds.values(), strict=True):
        rate, stored = wavfile.read(io.BytesIO(base64.b64decode(data)))
        assert rate == 8000
        np.testing.assert_allclose(stored / 32767, samples, atol=1 / 32767)


def test_sounds_that_cannot_be_stored_are_refused():
    with pytest.raises(ValueError, match="no sounds"):
        plotting.listen({})
    for samples in (np.zeros((2, 100)), np.zeros(0), np.zeros(80_001), np.full(10, 1.5), np.full(10, np.nan)):
        with pytest.raises(ValueError, match="'this' has shape"):
            plotting.listen({"this": samples})
