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


def _last_of_each_piece(step, x, size):
    return [step(x[i : i + size], None)[0][-1] for i in range(0, len(x), size)]


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


def _longest_good(errors):
    medians = {window: np.median(values) for window, values in errors.items()}
    return max(window for window, median in medians.items() if median <= 1.02 * min(medians.values()))


def _by_mean(errors):
    means = {window: np.mean(values) for window, values in errors.items()}
    return min(window for window, mean in means.items() if mean <= 1.02 * min(means.values()))


def _outputs_as_state(step, x, size):
    state, outputs = None, []
    for i in range(0, len(x), size):
        piece, _ = step(x[i : i + size], state)
        state = piece[-1]
        outputs.append(piece)
    return np.concatenate(outputs)


shortest_good_window = [
    (lambda errors: min(errors, key=lambda w: np.median(errors[w])), "smallest median"),
    (lambda errors: min(errors, key=lambda w: min(errors[w])), "best single seed"),
    (_by_mean, "Compare medians"),
    (_longest_good, "not the shortest"),
    (lambda errors: min(errors), "more than 2% above"),
    (lambda errors: 0.8, "none of the windows"),
]

pad_after = [
    (_pad_before, "zeros stand before"),
    (_in_place, "changed the lists"),
    (lambda sequences: [(s + [9] * 4)[:4] for s in sequences], "expected [5, 6, 7, 0]"),
    (lambda sequences: np.zeros((2, 2)), "should have shape"),
    (lambda sequences: [s[:1] + [0] * (1 - len(s)) for s in sequences], "it was cut"),
    (lambda sequences: [s + [0] * (4 - len(s)) for s in sequences], "dtype=int"),
]

masked_mean = [
    (lambda losses, lengths: losses.mean(), "still in it"),
    (_zeroed, "still counted"),
    (_mean_of_means, "mean of the sequences' means"),
    (lambda losses, lengths: 0.0, "divided by their number"),
    (lambda losses, lengths: losses[np.arange(4) <= lengths[:, None]].mean(), "one step too many"),
    (lambda losses, lengths: losses[np.arange(4) < lengths[:, None]].sum() / 2, "number of sequences"),
]

read_in_pieces = [
    (_pieces(carry=False), "empty state"),
    (_pieces(drop_last=True), "shorter piece is missing"),
    (_pieces(whole=True), "expected [5, 5]"),
    (_outputs_as_state, "differ from those of the whole"),
    (_last_of_each_piece, "only the last output"),
    (_first_piece_only, "should have shape"),
]
