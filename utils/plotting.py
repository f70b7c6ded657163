"""One style for every figure: a colour and a line style of its own for each model, and alt text on everything."""

import io
from collections.abc import Iterable

import matplotlib.pyplot as plt
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by people with any colour vision; https://jfly.uni-koeln.de/color/
GREY, BLUE, VERMILLION, PURPLE, GREEN, BLACK = "#7f7f7f", "#0072b2", "#d55e00", "#cc79a7", "#009e73", "#000000"
ORANGE, SKY_BLUE = "#e69f00", "#56b4e9"

COLORS = {"RNN": GREY, "LSTM": BLUE, "GRU": VERMILLION, "minGRU": PURPLE, "attention": GREEN, "baseline": BLACK}
DASHES = {"RNN": (4, 2), "LSTM": (), "GRU": (5, 1.5, 1, 1.5), "minGRU": (1, 1), "attention": (), "baseline": (1, 1.5)}
MARKERS = {"RNN": "s", "LSTM": "o", "GRU": "^", "minGRU": "v", "attention": "P", "baseline": "X"}
PUBLISHED = {"marker": "D", "markerfacecolor": "none", "color": BLACK, "linestyle": "none", "markersize": 9}

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


def strip(data, *, x: str, y: str, hue: str, order: Iterable[str] | None = None, ax: plt.Axes, loc="best") -> None:
    """One marker per seed, side by side for each model at each ``x``, with a bar at the median.

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
    for j, place in enumerate(places):
        for i, model in enumerate(present[place]):
            middle = j + (i - (len(present[place]) - 1) / 2) * width
            measured = data.loc[(data[hue] == model) & (data[x] == place), y]
            ax.plot([middle] * len(measured), measured, MARKERS[model], color=COLORS[model], alpha=0.6, markersize=7)
            ax.hlines(measured.median(), middle - width / 4, middle + width / 4, COLORS[model], linewidth=3)
    if x != hue and len(models) > 1:
        handles = [plt.Line2D([], [], color=COLORS[m], marker=MARKERS[m], linestyle="none", label=m) for m in models]
        ax.legend(handles=handles, loc=loc)
    ax.set(xlabel="(one marker per seed, bar: median)", ylabel=y, xlim=(-0.6, len(places) - 0.4))
    ax.set_xticks(range(len(places)), places)
    ax.grid(axis="x", visible=False)


def level(axes: plt.Axes, y: float, name: str, *, at: float = 0.5, below: bool = False) -> None:
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
