"""``finding(...)``: a claim, checked against what was just measured, in front of the reader."""

import os
from collections.abc import Sequence

import numpy as np
from IPython.display import display

_records: list[dict] = []  # of this session, in order


class FindingRefuted(AssertionError):
    """What was measured contradicts the claim."""


def finding(
    claim: str,
    measured: float | Sequence[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    between: tuple[float, float] | None = None,
    published: str | None = None,
    source: str | None = None,
) -> None:
    """Print a claim with a check mark if every measured value is inside the limit, and stop the notebook if not.

    The machine-readable copy that goes into the output's metadata feeds the page of answers. With the environment
    variable ``REPLICATE=1`` a refuted finding is recorded and the notebook goes on, so that a run with other seeds
    tells of all of them.

    Args:
        claim: one sentence, true only if the measurement says so.
        measured: one number, or one per seed; each has to be inside the limit. Booleans count as 0 and 1.
        at_least, at_most, between: the limit; give exactly one.
        published: the figure reported elsewhere, with its setting, shown beside the measured one.
        source: where that figure stands; needed with ``published``.

    Raises:
        FindingRefuted: a value outside the limit.
        ValueError: nothing measured, NaN or infinity, not exactly one limit, ``published`` without ``source``.
        TypeError: ``measured`` is not numbers.
    """
    values = _numbers(claim, measured)
    limits = {"at_least": at_least, "at_most": at_most, "between": between}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if len(given) != 1:
        raise ValueError(f"finding({claim!r}) has {len(given)} limits; give exactly one of {', '.join(limits)}.")
    if (published is None) != (source is None):
        raise ValueError(f"finding({claim!r}): published and source belong together; give both or neither.")
    if at_least is not None:
        low, high, rule = at_least, np.inf, f"at least {at_least:.4g}"
    elif at_most is not None:
        low, high, rule = -np.inf, at_most, f"at most {at_most:.4g}"
    else:
        (low, high), rule = between, f"between {between[0]:.4g} and {between[1]:.4g}"
    if not low <= high:
        raise ValueError(f"finding({claim!r}): limits {low} and {high} leave no room; expected (low, high) as numbers.")

    holds = bool(np.all((low <= values) & (values <= high)))
    record = {"claim": claim, "measured": values.tolist(), "rule": rule, "holds": holds}
    if published is not None:
        record |= {"published": published, "source": source}
    text = f"{'✔' if holds else '✘'} {claim} (measured {summarise(values)}; required {rule})"
    if published is not None:
        text += f"\n  published: {published} [{source}]"
    display({"text/plain": text}, raw=True, metadata={"finding": record})
    _records.append(record)
    if not holds and os.environ.get("REPLICATE") != "1":
        raise FindingRefuted(f"{claim}: measured {summarise(values)}, required {rule}.")


def summary() -> None:
    """Print every claim that was checked since the lesson began, numbered, with its mark; a repeated one once."""
    latest = {record["claim"]: record["holds"] for record in _records}
    for i, (claim, holds) in enumerate(latest.items(), 1):
        print(f"{i:2} {'✔' if holds else '✘'} {claim}")


def summarise(values: Sequence[float]) -> str:
    """One number as itself, several as their range: ``1.02 to 1.17 over 5 values``, ``1 for all 5 values``."""
    low, high = (f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.3g}" for v in (min(values), max(values)))
    if len(values) == 1:
        return low
    return f"{low} for all {len(values)} values" if low == high else f"{low} to {high} over {len(values)} values"


def _numbers(claim: str, measured) -> np.ndarray:
    try:
        values = np.atleast_1d(np.asarray(measured, dtype=float)).ravel()
    except (TypeError, ValueError):
        raise TypeError(f"finding({claim!r}) was given {measured!r}; expected a number or one per seed.") from None
    if values.size == 0:
        raise ValueError(f"finding({claim!r}) was given nothing measured; an empty selection confirms nothing.")
    if not np.isfinite(values).all():
        raise ValueError(f"finding({claim!r}) was given {values.tolist()}; NaN and infinity confirm nothing.")
    return values
