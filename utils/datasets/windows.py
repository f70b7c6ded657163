"""From one long series to examples a network can learn from: split in time, scale on the past, cut into windows."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Split(NamedTuple):
    """Three parts of a series, in the order of time."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Windows(NamedTuple):
    """Examples cut from a series: what is seen and what follows."""

    x: np.ndarray  # (windows, time, features)
    y: np.ndarray  # (windows,) or (windows, horizon)


def chronological_split(series, fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)) -> Split:
    """Cut a series into past, recent past and future.

    Taught in lesson 01.

    Args:
        series: shape (time,) or (time, features); a pandas object stays one.
        fractions: shares of train, validation and test; they sum to 1.

    Returns:
        ``Split(train, validation, test)``; consecutive, nothing left out.

    Raises:
        ValueError: fractions that do not sum to 1, or a part that would be empty.
    """
    if len(fractions) != 3 or not np.isclose(sum(fractions), 1):
        raise ValueError(f"fractions is {fractions}; expected three shares that sum to 1, such as (0.7, 0.1, 0.2).")
    first = round(len(series) * fractions[0])
    second = round(len(series) * (fractions[0] + fractions[1]))
    parts = Split(series[:first], series[first:second], series[second:])
    for name, part in zip(Split._fields, parts, strict=True):
        if len(part) == 0:
            raise ValueError(f"The {name} part of {len(series)} values split by {fractions} is empty; use more data.")
    return parts


def standardise(parts: Split) -> Split:
    """A series in units of what is known of its past: the training part has mean 0 and standard deviation 1.

    Args:
        parts: a series, split by :func:`chronological_split`; each feature is scaled by itself.

    Raises:
        ValueError: a feature that does not vary in the training part.
    """
    train = np.asarray(parts.train, dtype=float)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    if np.any(deviation == 0):
        raise ValueError("A feature does not vary in the training part; leave it out, or train on a longer part.")
    return Split(*[(np.asarray(part) - mean) / deviation for part in parts])


def sliding_windows(series, window: int, horizon: int = 1, target=None) -> Windows:
    """All windows of a series, each with what follows it.

    Taught in lesson 01.

    Args:
        series: shape (time,) or (time, features), without NaN.
        window: time steps the network sees.
        horizon: the target is the value this many steps after the window's last one.
        target: series to predict, shape (time,); the first feature of ``series`` when not given.

    Returns:
        ``Windows(x, y)``: ``x`` of shape (windows, window, features), ``y`` of shape (windows,), both float32. Window
        ``i`` covers times ``i ... i + window - 1`` and its target stands at time ``i + window + horizon - 1``.

    Raises:
        ValueError: a window or horizon below 1, a series too short for one window, NaN or infinity in the series, a
            target of another length.
    """
    series = np.asarray(series, dtype=np.float32)
    series = series[:, None] if series.ndim == 1 else series  # (time, features)
    target = series[:, 0] if target is None else np.asarray(target, dtype=np.float32)
    if window < 1 or horizon < 1:
        raise ValueError(f"window is {window} and horizon {horizon}; expected at least 1 of each.")
    if len(series) < window + horizon:
        raise ValueError(
            f"A series of {len(series)} values is too short for a window of {window} and a horizon of {horizon}; "
            f"expected at least {window + horizon} values. Use a shorter window."
        )
    if len(target) != len(series):
        raise ValueError(f"target has {len(target)} values and series {len(series)}; expected as many.")
    for name, values in (("series", series), ("target", target)):
        if not np.isfinite(values).all():
            place = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
            raise ValueError(f"{name} holds NaN or infinity, first at position {place}; fill or drop it first.")
    x = np.lib.stride_tricks.sliding_window_view(series[: len(series) - horizon], window, axis=0)
    return Windows(np.ascontiguousarray(x.transpose(0, 2, 1)), target[window + horizon - 1 :])


def split_windows(parts: Split, window: int, horizon: int = 1, targets: Split | None = None) -> tuple[Windows, ...]:
    """Windows for train, validation and test whose targets lie in their own part.

    Taught in lesson 01.

    A validation or test window may reach back into the part before it: on the day of a forecast its past is known. No
    window reaches forward.

    Args:
        parts: a series, split by :func:`chronological_split`; scale it before with what is known from ``parts.train``.
        window, horizon: see :func:`sliding_windows`.
        targets: a series to predict that is split alike; the first feature of ``parts`` when not given.

    Returns:
        Three :class:`Windows`; the number of validation and test targets does not depend on ``window``.

    Raises:
        ValueError: see :func:`sliding_windows`.
    """
    targets = targets or parts
    past = window + horizon - 1  # values before a target
    result = []
    for i in range(3):
        before = 0 if i == 0 else past
        joined = [np.concatenate([np.asarray(part) for part in split[: i + 1]]) for split in (parts, targets)]
        start = max(0, len(joined[0]) - len(parts[i]) - before)
        target = joined[1][start:]
        result.append(sliding_windows(joined[0][start:], window, horizon, target if target.ndim == 1 else target[:, 0]))
    return tuple(result)


def as_changes(windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """The same inputs, and as target how much the value to come differs from the last one seen.

    Taught in lesson 03.

    Args:
        windows: with one target per window; the first feature is the series to forecast.

    Returns:
        ``x`` of shape (windows, time, features) and the change of shape (windows, 1).
    """
    return windows.x, (windows.y - windows.x[:, -1, 0])[:, None]


def text_stretches(numbers, length: int, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A text cut into stretches that do not overlap, and for each character the one that follows it.

    Args:
        numbers: the encoded text, shape (characters,).
        length: characters per stretch.
        most: keep at most this many stretches, taken evenly from all over the text; None keeps all.

    Returns:
        ``x`` and ``y``, each of shape (stretches, length).

    Raises:
        ValueError: fewer than ``length + 1`` characters.
    """
    numbers = np.asarray(numbers)
    count = (len(numbers) - 1) // length
    if count < 1:
        raise ValueError(f"The text has {len(numbers)} characters; a stretch of {length} and what follows needs more.")
    every = -(-count // (most or count))  # rounded up
    x, y = numbers[: length * count], numbers[1 : length * count + 1]
    return x.reshape(count, length)[::every], y.reshape(count, length)[::every]


def random_text_stretches(
    numbers, length: int, count: int, rng: np.random.Generator, *, begin: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches from anywhere in a text, drawn with replacement, and for each character the one that follows it.

    Args:
        numbers: the encoded text, shape (characters,).
        length: characters per stretch.
        count: how many stretches.
        rng: NumPy generator.
        begin: the character that every stretch begins with, such as a line break; any when not given.

    Returns:
        ``x`` and ``y``, each of shape (count, length).

    Raises:
        ValueError: fewer than ``length + 1`` characters, or none to begin with that so many follow.
    """
    numbers = np.asarray(numbers)
    if len(numbers) < length + 1:
        raise ValueError(f"The text has {len(numbers)} characters; a stretch of {length} and what follows needs more.")
    all_of_them = np.lib.stride_tricks.sliding_window_view(numbers, length + 1)
    if begin is not None:
        all_of_them = all_of_them[all_of_them[:, 0] == begin]
        if len(all_of_them) == 0:
            raise ValueError(f"No stretch of {length} characters and what follows begins with {begin}.")
    drawn = all_of_them[rng.integers(len(all_of_them), size=count)]  # (count, length + 1)
    return drawn[:, :-1], drawn[:, 1:]


def text_blocks(symbols, rows: int, length: int, updates: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A text in blocks that go on from one another, for :func:`utils.training.truncated.fit_truncated`.

    The text is cut into ``rows`` parts that are read side by side, ``length`` symbols at a time; after their end they
    begin again.

    Args:
        symbols: the encoded text, shape (time,).
        rows: parts read at once.
        length: symbols of a part in a block.
        updates: how many blocks.

    Yields:
        ``(x, y)``, each (rows, length): the symbols, and for each the one that follows.

    Raises:
        ValueError: a text too short for one block.
    """
    symbols = np.asarray(symbols)
    blocks = (len(symbols) // rows - 1) // length  # in one pass
    if blocks < 1:
        raise ValueError(f"The text has {len(symbols)} symbols; {rows} rows of {length} and what follows need more.")
    parts = symbols[: rows * (len(symbols) // rows)].reshape(rows, -1)  # (rows, time)
    for update in range(updates):
        start = update % blocks * length
        yield parts[:, start : start + length], parts[:, start + 1 : start + length + 1]
