"""Typical wrong answers to the exercises of lesson 04, each with words that its feedback must contain."""

import numpy as np


def _pieces(carry=True, drop_last=False, whole=False):
    def read(step, x, size):
        if whole:
            return step(x, None)[0]
        state, outputs = None, []
        stop = len(x) // size * size if drop_last else len(x)
        for i in range(0, stop, size):
            piece, after = step(x[i : i + size], state)
            state = after if carry else None
            outputs.append(piece)
        return np.concatenate(outputs)

    return read


def _first_piece_only(step, x, size):
    return step(x[:size], None)[0]


def _pad_before(sequences):
    longest = max(map(len, sequences))
    return [[0] * (longest - len(s)) + s for s in sequences]


def _in_place(sequences):
    longest = max(map(len, sequences))
    for sequence in sequences:
        sequence += [0] * (longest - len(sequence))
    return sequences


def _mean_of_means(losses, lengths):
    return np.mean([row[:n].mean() for row, n in zip(losses, lengths, strict=True)])


def _zeroed(losses, lengths):
    return np.mean(np.where(np.arange(losses.shape[1]) < np.array(lengths)[:, None], losses, 0))


WRONG = {
    "04 count windows": [
        (lambda n, window, horizon: n - window - horizon, "off by one"),
        (lambda n, window, horizon: n - window + 1, "horizon is missing"),
        (lambda n, window, horizon: n // window, "windows overlap"),
        (lambda n, window, horizon: n - window - horizon + 1 if n > 20 else -1, "gives 0 examples"),
    ],
    "04 pad after": [
        (_pad_before, "zeros stand before"),
        (_in_place, "changed the lists"),
        (lambda sequences: [(s + [9] * 4)[:4] for s in sequences], "expected [5, 6, 7, 0]"),
        (lambda sequences: np.zeros((2, 2)), "should have shape"),
    ],
    "04 masked mean": [
        (lambda losses, lengths: losses.mean(), "still in it"),
        (_zeroed, "still counted"),
        (_mean_of_means, "mean of the sequences' means"),
        (lambda losses, lengths: 0.0, "divided by their number"),
    ],
    "04 read in pieces": [
        (_pieces(carry=False), "empty state"),
        (_pieces(drop_last=True), "shorter piece is missing"),
        (_pieces(whole=True), "expected [5, 5]"),
        (_first_piece_only, "should have shape"),
    ],
}
