"""Made-up tasks that need memory and nothing else, each with the exact score of a predictor that remembers nothing.

Every generator returns ``(x, y)`` for ``n`` sequences drawn from ``rng``. For recall and adding there is a
``..._baseline``: the score of the best constant answer, with the band in which a test set of ``n`` sequences puts it in
95 of 100 cases. A model inside that band has shown nothing.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


class Baseline(NamedTuple):
    """What the best constant answer scores, and where a finite test set may put that score."""

    score: float
    low: float
    high: float


def recall(n: int, lag: int, rng: np.random.Generator, *, symbols: int = 2, distractors: int = 6):
    """Name the first symbol after ``lag`` random distractors: the latch problem of Bengio et al. (1994), in symbols.

    Taught in lesson 02.

    Args:
        n: sequences.
        lag: distractors between the symbol and the question.
        rng: NumPy generator.
        symbols: different symbols to be remembered.
        distractors: different distractors; they follow the symbols in the vocabulary.

    Returns:
        ``x`` of shape (n, lag + 1), integers below ``symbols + distractors``; ``y`` of shape (n,), integers below
        ``symbols``.

    Raises:
        ValueError: (here and below) a size too small for the task.
    """
    _need(n=(n, 1), lag=(lag, 1), symbols=(symbols, 2), distractors=(distractors, 1))
    x = rng.integers(symbols, symbols + distractors, size=(n, lag + 1))
    y = rng.integers(symbols, size=n)
    x[:, 0] = y
    return x, y


def recall_baseline(n: int, symbols: int = 2) -> Baseline:
    """Accuracy of always naming one symbol."""
    return _accuracy(n, 1 / symbols)


def adding(n: int, length: int, rng: np.random.Generator):
    """Add the two marked numbers of a sequence: Hochreiter and Schmidhuber (1997), experiment 4.

    Taught in lesson 02.

    One mark falls into the first half, one into the second, as in Arjovsky et al. (2016); the original and other
    versions place them otherwise, so compare figures with care.

    Args:
        n: sequences.
        length: time steps, at least 2.
        rng: NumPy generator.

    Returns:
        ``x`` of shape (n, length, 2): numbers uniform on [0, 1] and marks, 0 or 1; ``y`` of shape (n, 1). Both float32.
    """
    _need(n=(n, 1), length=(length, 2))
    numbers = rng.uniform(size=(n, length))
    marks = np.zeros_like(numbers)
    rows, half = np.arange(n), length // 2
    first, second = rng.integers(half, size=n), rng.integers(half, length, size=n)
    marks[rows, first] = marks[rows, second] = 1
    y = numbers[rows, first] + numbers[rows, second]
    return np.stack([numbers, marks], axis=2).astype("float32"), y[:, None].astype("float32")


def adding_baseline(n: int) -> Baseline:
    """Mean squared error of always saying 1: Var(U + U') = 1/6 = 0.1667 (not 0.1767, as is often repeated).

    The squared error of one sequence has variance 1/15 - 1/36, which gives the band of n of them.
    """
    spread = stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt((1 / 15 - 1 / 36) / n)
    return Baseline(1 / 6, 1 / 6 - spread, 1 / 6 + spread)


def temporal_order(n: int, length: int, rng: np.random.Generator, *, marks: int = 2):
    """In which order came the marked symbols X and Y? Hochreiter and Schmidhuber (1997), experiments 6a and 6b.

    Taught in lesson 00.

    Args:
        n: sequences.
        length: time steps, at least 10 per mark.
        rng: NumPy generator.
        marks: how many symbols are X or Y: 2 (experiment 6a, four classes) or 3 (6b, eight).

    Returns:
        ``x`` of shape (n, length), integers: X 0, Y 1, distractors 2 to 5; ``y`` of shape (n,): the order read as a
        binary number. Mark ``i`` falls into the first tenth of the ``i``-th part of the sequence.
    """
    _need(n=(n, 1), marks=(marks, 2), length=(length, 10 * marks))
    x = rng.integers(2, 6, size=(n, length))
    order = rng.integers(2, size=(n, marks))
    for i in range(marks):
        start = i * length // marks
        x[np.arange(n), start + rng.integers(max(1, length // 10), size=n)] = order[:, i]
    return x, order @ (2 ** np.arange(marks)[::-1])


def parity(n: int, length: int, rng: np.random.Generator):
    """Is the number of ones so far odd? The smallest task that needs a state which can be flipped.

    Taught in lesson 10.

    Args:
        n: sequences.
        length: time steps.
        rng: NumPy generator.

    Returns:
        ``x`` and ``y`` of shape (n, length), integers 0 or 1; ``y[:, t]`` is the parity of ``x[:, : t + 1]``.
    """
    _need(n=(n, 1), length=(length, 1))
    x = rng.integers(2, size=(n, length))
    return x, np.cumsum(x, axis=1) % 2


def anbn(counts) -> tuple[np.ndarray, np.ndarray]:
    """Strings a...ab...b with equally many of both, next-symbol prediction: Gers and Schmidhuber (2001).

    Taught in lesson 03.

    Once the first b is seen, every further symbol is certain for whoever has counted; before, it is not.

    Args:
        counts: how many a each string has, integers of at least 1.

    Returns:
        ``x`` of shape (strings, 2 * longest + 1), integers: start 0, a 1, b 2, and 0 again after the end; ``y`` of the
        same shape: the next symbol where it is certain (b 2 or end 0), -1 where it is not or where the string is over.
    """
    counts = np.asarray(counts)
    if counts.size == 0 or counts.min() < 1:
        raise ValueError(f"counts is {counts.tolist()}; expected whole numbers of at least 1.")
    x = np.zeros((len(counts), 2 * counts.max() + 1), dtype=int)
    y = np.full_like(x, -1)
    for row, k in enumerate(counts):
        x[row, 1 : k + 1], x[row, k + 1 : 2 * k + 1] = 1, 2
        y[row, k + 1 : 2 * k] = 2
        y[row, 2 * k] = 0
    return x, y


def _accuracy(n: int, chance: float) -> Baseline:
    low, high = stats.binom.interval(CONFIDENCE, n, chance)
    return Baseline(chance, low / n, high / n)


def _need(**sizes: tuple[int, int]) -> None:
    for name, (given, least) in sizes.items():
        if given < least:
            raise ValueError(f"{name} is {given}; this task needs at least {least}.")
