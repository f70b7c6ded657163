"""Figures carry alt text, and a model looks the same wherever it is drawn."""

import matplotlib
import pandas as pd
import pytest

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
def test_the_name_of_a_level_keeps_clear_of_its_line_and_inside_the_axes(at, below):
    figure, axes = plotting.subplots()
    axes.set(ylim=(1, 1000), yscale="log")
    plotting.level(axes, 100, "persistence", at=at, below=below)
    figure.canvas.draw()
    name, across = axes.texts[0].get_window_extent(), axes.lines[0].get_window_extent()
    half_width = axes.lines[0].get_linewidth() * figure.dpi / 72 / 2
    assert name.y1 < across.y0 - half_width if below else name.y0 > across.y1 + half_width
    assert axes.bbox.x0 + 3 < name.x0 < name.x1 <= axes.bbox.x1
    assert axes.get_legend_handles_labels() == ([], [])


def test_strip_draws_every_seed_and_the_median():
    table = pd.DataFrame({"cell": ["LSTM"] * 3 + ["GRU"] * 3, "place": ["here"] * 6, "error": [1, 2, 6, 4, 4, 4]})
    _, axes = plotting.subplots()
    plotting.strip(table, x="place", y="error", hue="cell", ax=axes)
    drawn = [line.get_ydata().tolist() for line in axes.lines]
    assert drawn == [[1, 2, 6], [4, 4, 4]]
    medians = [collection.get_segments()[0][0][1] for collection in axes.collections]
    assert medians == [2, 4]


def test_strip_centres_a_model_that_stands_alone_over_its_tick():
    table = pd.DataFrame({"cell": ["LSTM", "GRU"], "network": ["one", "two"], "error": [1, 2]})
    _, axes = plotting.subplots()
    plotting.strip(table, x="network", y="error", hue="cell", ax=axes)
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0], [1]]
