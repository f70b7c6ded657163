"""Reference answers to the exercises of lesson 04. Try first: the check cells tell you what is missing."""

import numpy as np


def shortest_good_window(errors: dict[int, list[float]]) -> int:
    """A longer window costs time; 2% is less than what the seed does."""
    medians = {window: np.median(values) for window, values in errors.items()}
    limit = 1.02 * min(medians.values())
    return min(window for window, median in medians.items() if median <= limit)


def pad_after(sequences: list[list[int]]) -> np.ndarray:
    """An array of zeros, with each sequence written to the front of its row."""
    padded = np.zeros((len(sequences), max(len(s) for s in sequences)), dtype=int)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def masked_mean(losses, lengths) -> float:
    """The sum over real steps, divided by their number."""
    losses = np.asarray(losses)
    real = np.arange(losses.shape[1]) < np.asarray(lengths)[:, None]  # (sequences, time)
    return float(losses[real].mean())


def read_in_pieces(step, x, size: int) -> np.ndarray:
    """The state outlives the piece."""
    state, outputs = None, []
    for start in range(0, len(x), size):
        piece, state = step(x[start : start + size], state)
        outputs.append(piece)
    return np.concatenate(outputs)
