"""``finding(...)``: a claim, checked against what was just measured, in front of the reader."""

import html
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from IPython.display import display

_records: list[dict] = []  # of this session, in order

FEWEST_OUTCOMES = 20  # of a share; with fewer its interval is too wide to say much
GREEN, SKY_BLUE, VERMILLION = "#009e73", "#56b4e9", "#d55e00"  # of Okabe and Ito's palette, as in `utils.plotting`
LOGARITHMIC = 30  # from this ratio of largest to smallest on, a strip has a logarithmic axis


class FindingRefuted(AssertionError):
    """What was measured contradicts the claim."""


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95% interval; :func:`share` and :func:`paired_difference` make one.

    Attributes:
        value: the estimate itself.
        low, high: the ends of its interval.
        n: from how many outcomes or pairs.
    """

    value: float
    low: float
    high: float
    n: int


def share(outcomes: Sequence[bool]) -> Estimate:
    """The share of outcomes that are true, with its 95% Wilson interval.

    Args:
        outcomes: (n,) booleans, or zeros and ones, one per seed; at least 20.

    Raises:
        ValueError: fewer than 20 outcomes, or one that is neither true nor false.

    Source: Wilson 1927, Journal of the American Statistical Association 22; computed by statsmodels.
    """
    from statsmodels.stats.proportion import proportion_confint  # here: pages are written without statsmodels

    outcomes = np.asarray(outcomes).ravel()
    if outcomes.size < FEWEST_OUTCOMES:
        raise ValueError(f"share() was given {outcomes.size} outcomes; a share needs at least {FEWEST_OUTCOMES} seeds.")
    if not all(outcome in (True, False) for outcome in outcomes.tolist()):
        raise ValueError(f"share() was given {outcomes.tolist()}; expected True or False for each seed.")
    count = int(outcomes.astype(bool).sum())
    low, high = proportion_confint(count, outcomes.size, alpha=0.05, method="wilson")
    value = count / outcomes.size
    return Estimate(value, min(float(low), value), max(float(high), value), outcomes.size)


def paired_difference(a: Sequence[float], b: Sequence[float]) -> Estimate:
    """The mean of ``a - b`` with its 95% t interval; with ``between=(-m, m)`` it makes an equivalence test.

    Differences that are all the same give an interval without width.

    Args:
        a, b: (n,) numbers, in the same order of seeds; at least two pairs.

    Raises:
        ValueError: unequal lengths, fewer than two pairs, NaN or infinity.
        TypeError: not numbers.
    """
    from scipy.stats import t  # here: pages are written without SciPy

    a, b = _numbers("paired_difference(a, ...)", a), _numbers("paired_difference(..., b)", b)
    if a.size != b.size or a.size < 2:
        raise ValueError(
            f"paired_difference() was given {a.size} and {b.size} values; expected equally many, at least two."
        )
    differences = a - b
    mean = float(differences.mean())
    half = float(t.ppf(0.975, a.size - 1) * differences.std(ddof=1) / math.sqrt(a.size))
    return Estimate(mean, mean - half, mean + half, a.size)


def finding(
    claim: str,
    measured: float | Sequence[float] | Estimate,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    between: tuple[float, float] | None = None,
    no_effect: float | None = None,
    excludes: str | None = None,
    published: str | None = None,
    source: str | None = None,
    published_value: float | None = None,
) -> None:
    """Show a claim as a card, with a check mark if all that was measured is inside the limit; stop the notebook if not.

    The machine-readable copy that goes into the output's metadata feeds the page of answers. With the environment
    variable ``REPLICATE=1`` a refuted finding is recorded and the notebook goes on, so that a run with other seeds
    tells of all of them.

    Args:
        claim: one sentence, true only if the measurement says so.
        measured: one number, or one per seed; each has to be inside the limit. Booleans count as 0 and 1. Or an
            estimate, as :func:`share` and :func:`paired_difference` return it: its whole interval has to be inside.
        at_least, at_most, between: the limit; give exactly one.
        no_effect: what would be measured if there were no effect at all: 0 for a difference, 1 for a ratio, chance
            for an accuracy. It has to lie outside the limit, or else the limit proves nothing.
        excludes: in words, what the limit excludes though no effect at all would pass it; also where "no effect" has
            no number, as with identities, equivalences, costs and counts.
        published: the figure reported elsewhere, with its setting, shown beside the measured one.
        source: where that figure stands; needed with ``published``.
        published_value: that figure as a number, where it can stand on the same axis.

    Raises:
        FindingRefuted: a value outside the limit.
        ValueError: nothing measured, NaN or infinity, not exactly one limit, no effect inside the limit without
            ``excludes``, ``published`` without ``source``.
        TypeError: ``measured`` is not numbers.
    """
    call = f"finding({claim!r})"
    if isinstance(measured, Estimate):
        value, *interval = _numbers(call, [measured.value, measured.low, measured.high]).tolist()
        if not interval[0] <= value <= interval[1]:
            raise ValueError(f"{call} was given {measured}; expected low <= value <= high.")
        values = {"measured": [value], "interval": interval, "n": int(measured.n)}
    else:
        values = {"measured": _numbers(call, measured).tolist()}
    limits = {"at_least": at_least, "at_most": at_most, "between": between}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if len(given) != 1:
        raise ValueError(f"{call} has {len(given)} limits; give exactly one of {', '.join(limits)}.")
    if (published is None) != (source is None):
        raise ValueError(f"{call}: published and source belong together; give both or neither.")
    if published_value is not None and published is None:
        raise ValueError(f"{call}: published_value needs published and source, which say what it is.")
    if at_least is not None:
        low, high, rule = at_least, np.inf, f"at least {at_least:.4g}"
    elif at_most is not None:
        low, high, rule = -np.inf, at_most, f"at most {at_most:.4g}"
    else:
        (low, high), rule = between, f"between {between[0]:.4g} and {between[1]:.4g}"
    if not low <= high:
        raise ValueError(f"{call}: limits {low} and {high} leave no room; expected (low, high) as numbers.")
    if not (math.isfinite(low) or math.isfinite(high)) or low == np.inf or high == -np.inf:
        raise ValueError(f"{call} has the limit {rule}; expected a limit that some numbers pass and others do not.")

    record = {"claim": claim, **values, "rule": rule, "low": _bound(low), "high": _bound(high)}
    if no_effect is not None:
        (record["no_effect"],) = _numbers(f"{call}, no_effect=", no_effect).tolist()
        if low <= no_effect <= high and not excludes:
            raise ValueError(
                f"{call}: no effect at all, {no_effect:.4g}, is {rule} too, so the limit proves nothing. Choose one "
                'that it fails, or say with excludes="..." what the limit does exclude.'
            )
    if published_value is not None:
        (published_value,) = _numbers(f"{call}, published_value=", published_value).tolist()
    extra = {"excludes": excludes, "published": published, "source": source, "published_value": published_value}
    record |= {name: value for name, value in extra.items() if value is not None}
    record["holds"] = holds(record)

    display(render(record), raw=True, metadata={"finding": record})
    _records.append(record)
    if not record["holds"] and os.environ.get("REPLICATE") != "1":
        raise FindingRefuted(f"{claim}: measured {_measured(record)}, required {rule}.")


def holds(record: dict) -> bool:
    """Whether all that a record says was measured is inside its limit: every value, or the whole interval."""
    low, high = record["low"], record["high"]
    values = record.get("interval", record["measured"])
    return all((low is None or low <= value) and (high is None or value <= high) for value in values)


def summary() -> None:
    """Print every claim that was checked since the lesson began, numbered, with its mark; a repeated one once."""
    latest = {record["claim"]: record["holds"] for record in _records}
    for i, (claim, held) in enumerate(latest.items(), 1):
        print(f"{i:2} {_mark(held)} {claim}")


def summarise(values: Sequence[float], interval: Sequence[float] | None = None, n: int | None = None) -> str:
    """One number as itself, several as their range: ``1.02 to 1.17 over 5 values``, ``1 for all 5 values``.

    An estimate has its interval beside it: ``0.8, 95% interval 0.58 to 0.92 from 20``.
    """
    low, high = _figure(min(values)), _figure(max(values))
    if interval is not None:
        return f"{low}, 95% interval {_figure(interval[0])} to {_figure(interval[1])} from {n}"
    if len(values) == 1:
        return low
    return f"{low} for all {len(values)} values" if low == high else f"{low} to {high} over {len(values)} values"


def render(record: dict) -> dict[str, str]:
    """What :func:`finding` shows for a record: the plain text, and the card as HTML.

    A record of a limit without numbers, as older notebooks have it, is shown as text only.
    """
    shown = {"text/plain": _text(record)}
    return shown | {"text/html": _card(record)} if "low" in record else shown


def _text(record: dict) -> str:
    measured = f"(measured {_measured(record)}; required {record['rule']})"
    lines = [f"{_mark(record['holds'])} {record['claim']} {measured}"]
    notes = _notes(record)
    return "\n  ".join([*lines, *(["; ".join(notes)] if notes else []), *_published(record)])


def _notes(record: dict) -> list[str]:
    """What there is to say about the limit, beside itself."""
    notes = [f"no effect would be {_figure(record['no_effect'])}"] if "no_effect" in record else []
    return notes + ([f"excludes {record['excludes']}"] if "excludes" in record else [])


def _published(record: dict) -> list[str]:
    if "published" not in record:
        return []
    value = f" (◇ {_figure(record['published_value'])})" if "published_value" in record else ""
    return [f"published: {record['published']}{value} [{record['source']}]"]


def _measured(record: dict) -> str:
    return summarise(record["measured"], record.get("interval"), record.get("n"))


def _mark(held: bool) -> str:
    return "✔" if held else "✘"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _bound(limit: float) -> float | None:
    return float(limit) if math.isfinite(limit) else None


def _numbers(call: str, measured) -> np.ndarray:
    try:
        values = np.atleast_1d(np.asarray(measured, dtype=float)).ravel()
    except (TypeError, ValueError):
        raise TypeError(f"{call} was given {measured!r}; expected a number or one per seed.") from None
    if values.size == 0:
        raise ValueError(f"{call} was given nothing measured; an empty selection confirms nothing.")
    if not np.isfinite(values).all():
        raise ValueError(f"{call} was given {values.tolist()}; NaN and infinity confirm nothing.")
    return values


# The card is made of boxes with inline styles: an untrusted notebook in JupyterLab loses SVG, style sheets and ARIA.
# Lengths are in em, so that it grows with the text around it; what has no colour of its own has that of the text.

BELOW, PLOT, ABOVE = 1.4, 3.0, 1.4  # heights of a strip's parts, in em: limits, what was measured, words
END = "<!--/strip-->"  # of a strip, up to which strict comparison looks away
LINE = 1.2  # height of a line of a strip, in em
MANY = 30  # values; more are drawn as smaller dots
MOST_ALIKE = 4  # dots at one place; more are one dot and their number


def _card(record: dict) -> str:
    """The claim with its mark, the figures in small type, and the strip: beside them, or below on a narrow screen."""
    held = record["holds"]
    edge = f"solid {GREEN}" if held else f"double {VERMILLION}"
    spoken = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip: rect(0, 0, 0, 0)"
    mark = f'<b aria-hidden="true">{_mark(held)}</b> <span style="{spoken}">{"holds" if held else "refuted"}:</span>'
    measured = f'measured <span class="finding-measured">{html.escape(_measured(record))}</span>'
    notes = "".join(f"; {html.escape(note)}" for note in _notes(record))
    lines = [f"{measured}; required {record['rule']}{notes}", *map(html.escape, _published(record))]
    text = f'<div class="finding-claim">{mark} {html.escape(record["claim"])}</div>'
    text += "".join(f'<div class="finding-note" style="font-size: 0.82em">{line}</div>' for line in lines)
    style = (
        f"position: relative; display: flex; flex-wrap: wrap; align-items: center; border-left: 0.3em {edge}; "
        "padding: 0.1em 0 0.1em 0.7em; margin: 0.6em 0; max-width: 62em; line-height: 1.35"
    )
    column = "flex: 3 1 22em; min-width: 0; margin-right: 1.2em; overflow-wrap: break-word"
    return f'<div class="finding" style="{style}"><div style="{column}">{text}</div>{_strip(record)}</div>'


def _strip(record: dict) -> str:
    """What was measured against the limit, on one axis: allowed region shaded, a dot per value or an interval."""
    low, high, values = record["low"], record["high"], record["measured"]
    no_effect, published = record.get("no_effect"), record.get("published_value")
    limits = list(dict.fromkeys(limit for limit in (low, high) if limit is not None))
    on_axis = [*values, *record.get("interval", []), *limits, no_effect, published]
    at, logarithmic = _axis([value for value in on_axis if value is not None])
    words = [f"{_measured(record)}; {'inside' if record['holds'] else 'not all inside'} the limit, {record['rule']}"]

    whole = f"bottom: {BELOW}em; height: {PLOT}em"
    left, right = 0 if low is None else at(low), 100 if high is None else at(high)
    parts = [
        _box(left, f"width: {right - left:.4g}%; {whole}; background-color: {GREEN}; opacity: 0.2"),
        _box(0, f"width: 100%; bottom: {BELOW}em; border-bottom: 1px solid; opacity: 0.5"),
    ]
    for limit in limits:
        parts.append(_box(at(limit), f"{whole}; margin-left: -1px; border-left: 2px solid {GREEN}"))
        apart = None if len(limits) == 1 or right - left > 30 else "left" if limit == low else "right"
        parts.append(_word(at(limit), "bottom: 0", f"{limit:.4g}", apart))
    if no_effect is not None:
        parts.append(_box(at(no_effect), f"{whole}; border-left: 1px dashed; opacity: 0.8"))
        parts.append(_word(at(no_effect), "top: 0", "no effect"))
        words.append(f"no effect: {_figure(no_effect)}")
    parts += _interval(record, at) if "interval" in record else _dots(record, at)
    if published is not None:
        style = "width: 1em; margin-left: -0.5em; font-size: 1.6em; line-height: 1; text-align: center"
        parts.append(_box(at(published), f"bottom: {(BELOW + PLOT) / 1.6 - 0.5:.4g}em; {style}", "◇"))
        words.append(f"published: {_figure(published)}")
    if logarithmic:
        taken = [at(value) for value in (no_effect, published) if value is not None]
        parts.append(_word(100 if min(taken, default=100) < 40 else 0, "top: 0", "log axis"))
        words.append("logarithmic axis")

    words_above = logarithmic or no_effect is not None or published is not None
    height = BELOW + PLOT + (ABOVE if words_above else 0)
    spoken = html.escape("; ".join(words))
    style = f"position: relative; flex: 1 1 14em; height: {height:.4g}em; font-size: 0.8em; line-height: {LINE}"
    return (
        f'<div class="finding-strip" role="img" aria-label="{spoken}" title="{spoken}" '
        f'style="{style}; margin-top: 0.3em">{"".join(parts)}</div>{END}'
    )


def _axis(values: Sequence[float]) -> tuple[Callable[[float], float], bool]:
    """Where a value stands, in percent of the width, and whether the axis is logarithmic."""
    logarithmic = min(values) > 0 and max(values) / min(values) > LOGARITHMIC
    scale = math.log if logarithmic else float
    low, high = scale(min(values)), scale(max(values))
    room = 0.1 * (high - low) or 0.5 * abs(high) or 1.0
    return (lambda value: 100 * (scale(value) - low + room) / (high - low + 2 * room)), logarithmic


def _box(left: float, style: str, text: str = "") -> str:
    return f'<span style="position: absolute; left: {left:.4g}%; {style}">{text}</span>'


def _word(place: float, style: str, text: str, side: str | None = None) -> str:
    """A word centred at a place, but inside the strip, or with its end ("left") or its beginning ("right") there."""
    width = 3.6 * len(text)  # percent of the narrowest strip, about
    if side == "left" or (side is None and place + width / 2 > 100):
        position = f"right: {100 - place if side else 0:.4g}%"
    elif side == "right" or place < width / 2:
        position = f"left: {place if side else 0:.4g}%"
    else:
        em = 0.7 * len(text)
        position = f"left: {place:.4g}%; width: {em:.3g}em; margin-left: {-em / 2:.3g}em; text-align: center"
    return f'<span style="position: absolute; {position}; {style}; white-space: nowrap">{text}</span>'


def _dots(record: dict, at: Callable[[float], float]) -> list[str]:
    """A dot per value, above one another where they would overlap; a square of another colour outside the limit."""
    size, rows = (0.72, 4) if len(record["measured"]) <= MANY else (0.4, 6)
    counts = Counter(round(at(value), 1) for value in record["measured"])
    numbers = {place: f"×{count}" for place, count in counts.items() if count > MOST_ALIKE}
    rows = rows // 2 if numbers else rows  # above them is room for a number
    held = {round(at(value), 1): holds(record | {"measured": [value]}) for value in record["measured"]}
    placed, free = [], [-math.inf] * rows  # from where on each row is free, in percent
    for place, count in sorted(counts.items()):
        for _ in range(1 if place in numbers else count):
            row = next((row for row in range(rows) if free[row] <= place), free.index(min(free)))
            free[row] = place + 5.5 * size
            placed.append((place, row))
    height = size * (1 + max(row for _, row in placed)) + (LINE if numbers else 0)
    lowest = BELOW + (PLOT - height) / 2
    parts = []
    for place, row in placed:
        shape = (
            f"background-color: {SKY_BLUE}; border-radius: 50%" if held[place] else f"background-color: {VERMILLION}"
        )
        square = f"width: {size}em; height: {size}em; margin-left: {-size / 2}em; box-sizing: border-box"
        parts.append(_box(place, f"bottom: {lowest + row * size:.4g}em; {square}; border: 1px solid; {shape}"))
    for place, number in numbers.items():
        reach = 3.6 * len(number) + 2.75 * size  # percent: of the number, as in _word, and half a dot
        top = size * (1 + max(row for other, row in placed if abs(other - place) < reach))
        parts.append(_word(place, f"bottom: {lowest + top:.4g}em", number))
    return parts


def _interval(record: dict, at: Callable[[float], float]) -> list[str]:
    """An estimate as a dot on its interval."""
    left, right = map(at, record["interval"])
    color, radius = (SKY_BLUE, "50%") if record["holds"] else (VERMILLION, "0")
    middle = BELOW + PLOT / 2
    whole = f"width: {right - left:.4g}%; box-sizing: border-box"
    dot = "width: 0.8em; height: 0.8em; margin-left: -0.4em; box-sizing: border-box; border: 1px solid"
    return [
        _box(left, f"{whole}; bottom: {middle - 0.4:.4g}em; height: 0.8em; border: solid; border-width: 0 2px"),
        _box(left, f"{whole}; bottom: {middle:.4g}em; margin-bottom: -1px; border-bottom: 2px solid"),
        _box(
            at(record["measured"][0]),
            f"bottom: {middle - 0.4:.4g}em; {dot}; background-color: {color}; border-radius: {radius}",
        ),
    ]
