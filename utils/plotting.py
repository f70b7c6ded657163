"""One style for every figure: a colour and a line style of its own for each model, and alt text on everything."""

import base64
import html
import io
from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython.display import display
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from scipy.io import wavfile

# Okabe and Ito's palette, told apart by people with any colour vision; https://jfly.uni-koeln.de/color/
GREY, BLUE, VERMILLION, PURPLE, GREEN, BLACK = "#7f7f7f", "#0072b2", "#d55e00", "#cc79a7", "#009e73", "#000000"
ORANGE, SKY_BLUE = "#e69f00", "#56b4e9"

COLORS = {"RNN": GREY, "LSTM": BLUE, "GRU": VERMILLION, "minGRU": PURPLE, "attention": GREEN, "baseline": BLACK}
DASHES = {"RNN": (4, 2), "LSTM": (), "GRU": (5, 1.5, 1, 1.5), "minGRU": (1, 1), "attention": (), "baseline": (1, 1.5)}
MARKERS = {"RNN": "s", "LSTM": "o", "GRU": "^", "minGRU": "v", "attention": "P", "baseline": "X"}
PUBLISHED = {"marker": "D", "markerfacecolor": "none", "color": BLACK, "linestyle": "none", "markersize": 9}

MEMORY = "inferno"  # rises evenly in brightness, so that it can be read in greyscale as well
STORED_AS_ZERO = {"facecolor": BLACK, "edgecolor": "#b0b0b0", "hatch": "////", "linewidth": 0}

SHARPNESS = 1.5  # stored pixels per pixel shown, for large screens and projectors


def style() -> None:
    """Set Matplotlib and seaborn to the style of the course; every figure function of this module does so itself."""
    sns.set_theme(
        style="ticks",
        rc={
            "figure.figsize": (8, 4),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "font.size": 12,
            "axes.titlesize": 13,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 12,
            "xtick.labelsize": 11,
            "ytick.labelsize": 11,
            "legend.fontsize": 11,
            "legend.title_fontsize": 11,
            "legend.frameon": False,
            "date.converter": "concise",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "lines.linewidth": 2,
        },
    )


def line(model: str) -> dict:
    """Keyword arguments that draw a line as this model is drawn everywhere: ``axes.plot(x, y, **line("LSTM"))``.

    Raises:
        ValueError: an unknown model; the message lists the known ones.
    """
    if model not in COLORS:
        raise ValueError(f"No style for {model!r}; expected one of {', '.join(COLORS)}.")
    return {"color": COLORS[model], "linestyle": (0, DASHES[model]) if DASHES[model] else "-", "label": model}


def subplots(rows: int = 1, columns: int = 1, **kwargs) -> tuple[Figure, plt.Axes]:
    """``plt.subplots`` in the style of the course."""
    style()
    return plt.subplots(rows, columns, **kwargs)


def seed_strip(data, *, x: str, y: str, hue: str, order: Iterable[str] | None = None, ax: plt.Axes, loc="best") -> None:
    """One marker per seed for each model at each ``x``, with a bar at the median.

    The seeds of a model stand next to one another, in the order of the table, so that equal results are seen as
    several.

    Args:
        data: a table as :func:`utils.training.study.study` returns it.
        x, y: its columns.
        hue: its column of models, names of :data:`COLORS`. May be the same column as ``x``.
        order: the order of the values of ``x``; that of the table when not given.
        ax: where to draw.
        loc: where its legend goes, as in ``ax.legend``.
    """
    models = [model for model in COLORS if model in set(data[hue])]
    places = list(order) if order is not None else list(dict.fromkeys(data[x]))
    present = {place: [m for m in models if m in set(data.loc[data[x] == place, hue])] for place in places}
    width = 0.8 / max(len(at_place) for at_place in present.values())
    most = max(data.groupby([x, hue] if x != hue else [x]).size())  # seeds of one model at one place
    reach = min(0.3 * width, 0.012 * (len(places) + 0.2) * (most - 1))  # from the middle to the outermost seed
    for j, place in enumerate(places):
        for i, model in enumerate(present[place]):
            middle = j + (i - (len(present[place]) - 1) / 2) * width
            measured = data.loc[(data[hue] == model) & (data[x] == place), y]
            across = middle + reach * np.linspace(-1, 1, len(measured)) if len(measured) > 1 else [middle]
            ax.plot(across, measured, MARKERS[model], color=COLORS[model], alpha=0.6, markersize=7)
            ax.hlines(measured.median(), middle - width / 3, middle + width / 3, COLORS[model], linewidth=3)
    if x != hue and len(models) > 1:
        handles = [plt.Line2D([], [], color=COLORS[m], marker=MARKERS[m], linestyle="none", label=m) for m in models]
        ax.legend(handles=handles, loc=loc)
    ax.set(xlabel="(one marker per seed, side by side; bar: median)", ylabel=y, xlim=(-0.6, len(places) - 0.4))
    ax.set_xticks(range(len(places)), places)
    ax.grid(axis="x", visible=False)


def reference_line(axes: plt.Axes, y: float, name: str, *, at: float = 0.5, below: bool = False) -> None:
    """A dotted line across the axes at ``y``, a value that results are compared with, and its name clear of the line.

    Args:
        at: where along the line the name stands: 0 is the left end, 1 the right.
        below: the name stands under the line, not over it.
    """
    axes.axhline(y, **line("baseline") | {"label": None})
    axes.annotate(
        name,
        (at, y),
        xycoords=axes.get_yaxis_transform(),
        xytext=(5 if at == 0 else 0, -5 if below else 5),  # points, clear of the axis and of the line
        textcoords="offset points",
        ha="left" if at == 0 else "right" if at == 1 else "center",
        va="top" if below else "bottom",
    )


def label_lines(ax: plt.Axes) -> None:
    """Write each line's name where the line ends, in its colour, instead of in a legend.

    Call it last, when limits and scales are set: the names are pushed apart where lines end close together, and a thin
    line then leads to the name. Lines without a label are left alone.

    Args:
        ax: axes with lines drawn with ``label=...``.

    Raises:
        ValueError: no line has a label, or none of its points can be seen.
    """
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    if not lines:
        raise ValueError("No line has a label to write; draw them with ax.plot(..., label=...).")
    if legend := ax.get_legend():
        legend.remove()
    ax.figure.draw_without_rendering()  # now the axes have their size
    box, point = ax.get_window_extent(), ax.figure.dpi / 72  # pixels
    ends = []
    for line in lines:
        with np.errstate(divide="ignore", invalid="ignore"):  # a zero on a logarithmic axis
            x, y = ax.transData.transform(np.asarray(line.get_xydata(), float)).T
        seen = np.isfinite(x + y) & (x >= box.x0 - 1) & (x <= box.x1 + 1) & (y >= box.y0 - 1) & (y <= box.y1 + 1)
        if not seen.any():
            raise ValueError(f"No point of the line {line.get_label()!r} lies inside the axes; set other limits.")
        last = np.flatnonzero(seen)[-1]
        ends.append((line, x[last], y[last]))
    size = plt.rcParams["legend.fontsize"]
    gap = 1.35 * size * point
    ends.sort(key=lambda end: end[2])
    for column in _columns(ends, 0.05 * box.width):
        ys = np.array([y for *_, y in column])
        moves = _apart(ys, gap, box.y0 + gap / 2, box.y1 - gap / 2) - ys
        leads = np.abs(moves).max() > gap / 2
        for (line, x, y), move in zip(column, moves, strict=True):
            color = line.get_color()
            lead = {"arrowstyle": "-", "color": color, "shrinkA": 1, "shrinkB": 1, "relpos": (0, 0.5)}
            ax.annotate(
                line.get_label(),
                ax.transData.inverted().transform((x, y)),
                xytext=(20 if leads else 6, move / point),
                textcoords="offset points",
                va="center",
                size=size,
                color=_ink(color),
                arrowprops=lead if leads else None,
                annotation_clip=False,
            )


def _columns(ends: list, width: float) -> list[list]:
    """Ends that lie over one another, within ``width`` pixels, together."""
    columns = []
    for end in ends:
        for column in columns:
            if abs(column[0][1] - end[1]) < width:
                column.append(end)
                break
        else:
            columns.append([end])
    return columns


def _apart(heights: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Rising ``heights`` moved as little as needed to be ``gap`` apart, and to stay between ``low`` and ``high``."""
    steps = gap * np.arange(len(heights))
    moved = np.maximum.accumulate(heights - steps)  # pushed up ...
    pulled = np.minimum.accumulate((heights - steps)[::-1])[::-1]  # ... and pushed down: their mean is in the middle
    middle = (moved + pulled) / 2
    return np.clip(middle, low, max(low, high - steps[-1])) + steps


def _ink(color) -> tuple[float, float, float]:
    """The colour, darkened until letters in it can be read on white (contrast 4.5, WCAG 2.1)."""
    rgb = np.array(to_rgb(color))
    for _ in range(50):
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        if 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5:
            break
        rgb *= 0.95
    return tuple(rgb)


def memory_strip(
    rows: Mapping[str, np.ndarray],
    *,
    ax: plt.Axes | None = None,
    squares: int = 60,
    low: float = 1e-8,
    high: float = 100.0,
    title: str | None = None,
    name: str = "gradient",
) -> Figure:
    """The memory strip: one row per network, one square per step back, bright where much is left.

    Brightness stands for the value on a logarithmic scale; what is stored as 0 is hatched. With more steps than
    ``squares`` a square stands for several steps and shows their median.

    Args:
        rows: for every name, one value per step back, shape (lags,), the present step first: gradient norms as
            :func:`utils.evaluation.gradients.gradient_per_lag` measures them, or weights of past characters. A name
            that begins with a model of :data:`COLORS`, such as "LSTM, bias 5", is written in its colour.
        ax: where to draw; a figure of fitting height is made when not given.
        squares: at most so many in a row.
        low, high: ends of the scale, the same in every figure unless given, so that they can be compared. What lies
            outside is drawn like the end, and the scale then ends in a point.
        title: of the axes, a sentence.
        name: of the values, beside the scale.

    Returns:
        The figure, for :func:`show`.

    Raises:
        ValueError: no rows, a row that is not one number per step, rows of different lengths, a value that is negative,
            NaN or infinite, or a scale that does not rise from above 0.
    """
    values = _checked_rows(rows)
    if squares < 1:
        raise ValueError(f"squares is {squares}; expected at least 1.")
    if not 0 < low < high:
        raise ValueError(f"The scale goes from {low:g} to {high:g}; expected 0 < low < high.")
    lags = values.shape[1]
    each = -(-lags // squares)  # steps in a square
    starts = np.arange(0, lags, each)
    shown = np.stack([np.median(values[:, start : start + each], axis=1) for start in starts], axis=1)
    if ax is None:
        _, ax = subplots(figsize=(10, 0.42 * max(len(rows), 3) + (1.25 if title else 0.95)))
    edges = np.append(starts, lags) - 0.5
    norm = LogNorm(low, high, clip=True)
    drawn = np.ma.masked_equal(shown, 0)
    mesh = ax.pcolormesh(
        edges, np.arange(len(rows) + 1), drawn, cmap=MEMORY, norm=norm, edgecolors="white", linewidth=0.8
    )
    for row, column in zip(*np.nonzero(shown == 0), strict=True):
        ax.add_patch(Rectangle((edges[column], row), edges[column + 1] - edges[column], 1, **STORED_AS_ZERO))
    for place in range(1, len(rows)):
        ax.axhline(place, color="white", linewidth=5)
    ax.set(ylim=(len(rows), 0), xlim=(edges[0], edges[-1]), title=title or "")
    ax.set_yticks(np.arange(len(rows)) + 0.5, list(rows))
    for label, row in zip(ax.get_yticklabels(), rows, strict=True):
        label.set_color(_ink(_color_of(row)))
    ax.set_xlabel("steps back" if each == 1 else f"steps back (a square is the median of {each} steps)")
    ticks = [
        tick for tick in MaxNLocator(8, steps=[1, 2, 5, 10], integer=True).tick_values(0, lags - 1) if 0 < tick < lags
    ]
    ax.set_xticks([0, *ticks], ["now", *(f"{tick:g}" for tick in ticks)])
    ax.tick_params(left=False)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    _scale_of_memory(mesh, ax, drawn, name)
    return ax.figure


def _checked_rows(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """The values of :func:`memory_strip`, shape (rows, lags)."""
    if not rows:
        raise ValueError("There are no rows to draw; expected a dictionary such as {'LSTM': norms}.")
    arrays = {row: np.asarray(values, float) for row, values in rows.items()}
    first = next(iter(arrays))
    for row, values in arrays.items():
        if values.ndim != 1 or not values.size:
            raise ValueError(
                f"The row {row!r} has shape {values.shape}; expected one number per step back, shape (lags,). "
                "Take the median over sequences first."
            )
        if values.shape != arrays[first].shape:
            raise ValueError(f"The row {row!r} has {values.size} steps, {first!r} has {arrays[first].size}; cut one.")
        for kind, wrong in (("NaN", np.isnan(values)), ("infinite", np.isinf(values)), ("negative", values < 0)):
            if wrong.any():
                raise ValueError(
                    f"The row {row!r} is {kind} {wrong.argmax()} steps back; expected finite numbers that are not "
                    "negative."
                )
    return np.stack(list(arrays.values()))


def _color_of(name: str) -> str:
    """The colour of the model that a row's name begins with, longest name first; black for any other."""
    return next((COLORS[model] for model in sorted(COLORS, key=len, reverse=True) if name.startswith(model)), BLACK)


def _scale_of_memory(mesh, ax: plt.Axes, drawn: np.ma.MaskedArray, name: str) -> None:
    """A small scale with powers of ten, and below it the hatching if there is any."""
    low, high = mesh.norm.vmin, mesh.norm.vmax
    beyond = (bool((drawn < low).any()), bool((drawn > high).any()))
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[beyond]
    scale = ax.figure.colorbar(mesh, ax=ax, aspect=8, pad=0.01, shrink=0.72, anchor=(0, 0.8), extend=extend)
    exponents = np.arange(np.ceil(np.log10(low)), np.log10(high) + 0.01)
    exponents = exponents[exponents % max(1, len(exponents) // 3 + 1) == 0]
    scale.set_ticks([10.0**e for e in exponents], labels=["1" if e == 0 else f"$10^{{{e:.0f}}}$" for e in exponents])
    scale.minorticks_off()
    scale.outline.set_visible(False)
    place = {"transform": scale.ax.transAxes, "fontsize": 11}
    scale.ax.text(0, 1.08 if not beyond[1] else 1.16, name, va="bottom", **place)
    if np.ma.is_masked(drawn):
        corner, height = (0, -0.34), 0.16
        scale.ax.add_patch(Rectangle(corner, 1, height, transform=place["transform"], clip_on=False, **STORED_AS_ZERO))
        scale.ax.text(1.5, corner[1] + height / 2, "stored as 0", va="center", **place)


def show(figure: Figure, alt: str) -> None:
    """Display a figure as PNG with alternative text, for people who cannot see it.

    Args:
        figure: a Matplotlib figure; closed afterwards.
        alt: what there is to see, in a sentence or two.

    Raises:
        ValueError: ``alt`` says next to nothing.
    """
    if len(alt.split()) < 5:
        raise ValueError(f"The alt text {alt!r} is too short; say in a sentence what the figure shows.")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=SHARPNESS * figure.dpi)
    plt.close(figure)
    data = {"image/png": picture.getvalue(), "text/plain": f"Figure: {alt}"}
    width = round(figure.get_figwidth() * figure.dpi)
    display(data, raw=True, metadata={"image/png": {"alt": alt, "width": width}})


def listen(sounds: Mapping[str, np.ndarray], rate: int = 8000) -> None:
    """Display sounds, each under its caption and with a button to play it; they are stored with 16 bits a sample.

    Args:
        sounds: for each caption the samples, between -1 and 1, shape (samples,), at most 10 seconds.
        rate: samples a second.

    Raises:
        ValueError: no sounds; one of another shape, outside -1 to 1, or longer, which would swell the notebook.
    """
    if not sounds:
        raise ValueError("There are no sounds; expected at least one caption with its samples.")
    players, said = [], []
    for caption, samples in sounds.items():
        samples = np.asarray(samples)
        if samples.ndim != 1 or not 0 < len(samples) <= 10 * rate or not np.abs(samples).max() <= 1:
            raise ValueError(
                f"{caption!r} has shape {samples.shape} at {rate} samples a second; expected (samples,) of at most "
                "10 seconds, with values between -1 and 1."
            )
        wave = io.BytesIO()
        wavfile.write(wave, rate, np.round(32767 * samples).astype("<i2"))
        text = f"{caption} ({len(samples) / rate:.1f} s)"
        data = base64.b64encode(wave.getvalue()).decode()
        players.append(
            '<figure style="display: inline-block; margin: 0.3em 1em 0.3em 0">'
            f"<figcaption>{html.escape(text)}</figcaption>"
            f'<audio controls preload="auto" aria-label="{html.escape(text)}" src="data:audio/wav;base64,{data}">'
            "</audio></figure>"
        )
        said.append(f"Sound: {text}")
    display({"text/html": "".join(players), "text/plain": "\n".join(said)}, raw=True)
