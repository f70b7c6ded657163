"""Has what comes in changed? An index of it with its noise, and a monitor of the model's own loss.

Both compare with a *reference*: what came when all was well. A test of two samples needs nothing of ours, see
``scipy.stats.ks_2samp``.
"""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

FEWEST = 20  # values of a reference; with fewer nobody knows what is usual


def population_stability_index(reference: Sequence[float], current: Sequence[float], *, bins: int = 10) -> float:
    """How far two samples are apart: sum over bins of (q - p) ln(q / p), with the shares p and q of each (PSI).

    Taught in lesson 16.

    The bins are cut so that each holds as many values of the reference. The usual rules of thumb call 0.1 a small and
    0.25 a large change; they know nothing of how many values there are, see :func:`stability_noise`. Half a value is
    added to each bin, so that an empty one does not make the index infinite.

    Args:
        reference, current: numbers, shapes (n,) and (m,).
        bins: at least 2, at most one per value of the reference.

    Returns:
        0 for equal shares; it does not change when the samples change places, as long as the bins stay.

    Raises:
        ValueError: no bins or too many, no values, NaN or infinity.
    """
    reference, current = _values("reference", reference), _values("current", current)
    if not 2 <= bins <= len(reference):
        raise ValueError(f"bins is {bins}; expected 2 to {len(reference)}, one per value of the reference at most.")
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))  # fewer where values are the same
    p, q = (_shares(np.searchsorted(edges, values, side="right"), len(edges) + 1) for values in (reference, current))
    return float(np.sum((q - p) * np.log(q / p)))


def stability_noise(reference: int, current: int, *, bins: int = 10, level: float = 0.95) -> float:
    """What the index reaches by chance where nothing has changed: it exceeds this in a share of 1 - ``level``.

    Without a change it is about (1/n + 1/m) times a chi-square with ``bins`` - 1 degrees of freedom (Yurdakul 2018,
    Statistical Properties of Population Stability Index, Western Michigan University, dissertation 3208).

    Args:
        reference, current: how many values there are, n and m.
        bins: of the index.
        level: between 0 and 1.

    Raises:
        ValueError: no values, fewer than two bins, or another level.
    """
    if min(reference, current) < 1 or bins < 2 or not 0 < level < 1:
        raise ValueError(
            f"reference is {reference}, current {current}, bins {bins} and level {level}; "
            "expected at least 1, 1 and 2, and a level between 0 and 1."
        )
    return float((1 / reference + 1 / current) * stats.chi2.ppf(level, bins - 1))


class LossMonitor:
    """Tells when the loss of what comes in is no longer what it was: a two-sided cumulative sum (Page 1954).

    Taught in lesson 16. ::

        monitor = LossMonitor(losses_when_all_was_well)
        monitor.add(2.1)
        if monitor.drifting: ...

    Each loss becomes a normal score z: the quantile of the standard normal distribution at the rank that it has in the
    reference. So one mad text counts for no more than the strangest of the reference. Two sums are kept, of what lies
    above and of what lies below the usual, less a slack k a text, and never below zero:
    up = max(0, up + z - k), down = max(0, down - z - k). Small surprises are forgotten, small shifts that stay add up.

    Any number for each text will do in place of the loss, such as its length.

    Attributes:
        limit: the height of a sum at which drift is told.
    """

    def __init__(self, reference: Sequence[float], *, every: float = 1000, slack: float = 0.5) -> None:
        """From losses of texts like those that will come: as long, as mixed, and not trained on.

        Args:
            reference: at least 20, better some hundred, shape (n,).
            every: where nothing changes, a false alarm comes once in so many texts on average (Siegmund 1985,
                Sequential Analysis, for a normal distribution, which the scores have by construction).
            slack: k, half the shift that should be found fastest, in standard deviations.

        Raises:
            ValueError: too few, NaN or infinity, losses that are all the same, a slack outside 0 to 3, or false alarms
                more often than such a slack allows.
        """
        reference = _values("reference", reference)
        if len(reference) < FEWEST or np.ptp(reference) == 0:
            raise ValueError(
                f"reference has {len(reference)} losses from {reference.min():g} to {reference.max():g}; expected at "
                f"least {FEWEST}, of different texts."
            )
        if not 0 < slack <= 3 or every < 2 or _log_texts(0, slack) >= np.log(every):
            raise ValueError(f"every is {every} and slack {slack}; expected a slack of 0 to 3, and more texts.")
        self._reference = np.sort(reference)
        ranks = np.arange(2 * len(reference) + 1) / 2  # between two values, and at one
        self._scores = stats.norm.ppf((ranks + 0.5) / (len(reference) + 1)).tolist()
        self._slack = slack
        self.limit = _limit(every, slack)
        self.reset()

    def reset(self) -> None:
        """Forget what came, as after the model has been renewed."""
        self._up = self._down = 0.0

    def add(self, loss: float) -> None:
        """Count the loss of another text.

        Raises:
            ValueError: NaN or infinity.
        """
        loss = float(loss)
        if not np.isfinite(loss):
            raise ValueError(f"The loss is {loss}; expected a finite number.")
        low, high = (np.searchsorted(self._reference, loss, side=side) for side in ("left", "right"))
        z = self._scores[low + high]
        highest = 2 * self.limit  # so that an alarm ends soon after its cause
        self._up = min(highest, max(0.0, self._up + z - self._slack))
        self._down = min(highest, max(0.0, self._down - z - self._slack))

    @property
    def score(self) -> float:
        """The higher of the two sums as a part of the limit: 0 to 2, from 1 on it is drift."""
        return max(self._up, self._down) / self.limit

    @property
    def drifting(self) -> bool:
        """Whether the score is at least 1."""
        return self.score >= 1


def _limit(every: float, slack: float) -> float:
    """The height that the higher of two sums reaches by chance once in ``every`` texts."""
    return float(optimize.brentq(lambda height: _log_texts(height, slack) - np.log(every), 0, 100))


def _log_texts(height: float, slack: float) -> float:
    """Logarithm of the mean number of texts until one of two sums is so high, nothing having changed."""
    x = 2 * slack * (height + 1.166)
    return float(np.log(np.expm1(x) - x) - np.log(2 * slack**2) - np.log(2))


def _shares(places: np.ndarray, bins: int) -> np.ndarray:
    counts = np.bincount(places, minlength=bins) + 0.5
    return counts / counts.sum()


def _values(name: str, values) -> np.ndarray:
    values = np.asarray(values, dtype=float).ravel()
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"{name} holds {values.size} values, finite: {np.isfinite(values).sum()}; expected only such.")
    return values
