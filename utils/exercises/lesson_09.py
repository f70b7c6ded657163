"""What the answers to the exercises of lesson 09 must do."""

import numpy as np

from utils.exercises import Wrong, array, call, number


def _entropy(p: float) -> float:
    """Bits of a coin that shows heads with probability p."""
    return 0.0 if p in (0, 1) else float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def _bits_stored(answer) -> None:
    """Labels times (1 - entropy of the accuracy)."""
    for labels, accuracy in [(100, 0.75), (1000, 0.5), (400, 1.0), (4000, 0.9)]:
        got = number(call(answer, labels, accuracy), "the number of bits")
        expected = labels * (1 - _entropy(accuracy))
        if np.isclose(got, expected, atol=1e-6):
            continue
        where = f"for {labels} labels and an accuracy of {accuracy:g} you return {got:.4g}"
        if np.isclose(got, labels * accuracy):
            raise Wrong(f"{where}: the labels it gets right. Guessing gets half of them right and stores nothing.")
        if np.isclose(got, labels * (2 * accuracy - 1)):
            raise Wrong(f"{where}: you counted what is above guessing in labels, not in bits. Use the entropy.")
        if np.isclose(got, labels * _entropy(accuracy)):
            raise Wrong(f"{where}: that is what is still missing. Stored is 1 bit a label less that.")
        if accuracy not in (0, 1) and np.isclose(got, labels * (1 - np.log(2) * _entropy(accuracy))):
            raise Wrong(f"{where}: the entropy is in nats there; bits take log2.")
        raise Wrong(f"{where}; expected {expected:.4g}.")


def _units_for_labels(answer) -> None:
    """The smallest LSTM with enough parameters, its head included."""

    def parameters(features, units, head=True, blocks=4):
        return blocks * units * (features + units + 1) + head * (units + 1)

    def smallest(labels, bits, features, **kwargs):
        return next(u for u in range(1, 10_000) if bits * parameters(features, u, **kwargs) >= labels)

    for labels, bits, features in [(1000, 1.5, 8), (20_000, 2.0, 8), (59, 1.0, 1), (13, 1.0, 1), (100, 5.0, 4)]:
        got = number(call(answer, labels, bits, features), "the number of units")
        expected = smallest(labels, bits, features)
        if got == expected:
            continue
        where = f"for {labels} labels, {bits:g} bits a parameter and {features} features you return {got:g}"
        if got != int(got) or got < 1:
            raise Wrong(f"{where}; units are whole, and at least 1.")
        if got == expected - 1:
            raise Wrong(f"{where}; that network still holds fewer bits than there are labels. One unit more.")
        if got == smallest(labels, bits, features, head=False):
            raise Wrong(f"{where}: the head has parameters as well, one weight a unit and a bias.")
        if got == np.ceil(labels / bits):
            raise Wrong(f"{where}: those are the parameters needed. How many units have as many?")
        for blocks in (1, 3):
            if got == smallest(labels, bits, features, blocks=blocks):
                raise Wrong(f"{where}: you counted {blocks} of an LSTM's 4 blocks (three gates and the candidate).")
        raise Wrong(f"{where}; expected {expected}.")


def _one_standard_error(answer) -> None:
    """The smallest size whose mean is at most the best mean plus the best's standard error."""
    cases = [
        {4: [1.00, 1.02, 0.98, 1.0], 8: [0.90, 0.94, 0.86, 0.90], 16: [0.89, 0.93, 0.85, 0.89], 32: [0.95] * 4},
        {2: [0.70, 0.74], 8: [0.50, 0.51], 32: [0.40, 0.41], 128: [0.403, 0.405]},
        {16: [0.61, 0.63, 0.59], 4: [0.61, 0.65, 0.57], 64: [0.55, 0.66, 0.59]},  # not in order
        {4: [0.425, 0.425, 0.425, 0.425], 8: [0.35, 0.45, 0.40, 0.40], 16: [0.41] * 4},  # one SD is not one SE
    ]
    for errors in cases:
        got = number(call(answer, {size: list(values) for size, values in errors.items()}), "the size")
        means = {size: np.mean(values) for size, values in errors.items()}
        best = min(means, key=means.get)
        sd = np.std(errors[best], ddof=1)
        limit = means[best] + sd / np.sqrt(len(errors[best]))
        expected = min(size for size in errors if means[size] <= limit)
        if got == expected:
            continue
        where = f"for {errors} you return {got:g}"
        if got not in errors:
            raise Wrong(f"{where}, which is none of the sizes.")
        if got == best:
            raise Wrong(f"{where}: the size with the smallest mean. Is a smaller one within a standard error of it?")
        if got == min(size for size in errors if means[size] <= means[best] + sd):
            raise Wrong(f"{where}: you allowed one standard deviation; the standard error is that divided by sqrt(n).")
        if got == min(errors):
            raise Wrong(f"{where}: the smallest size of all; its mean is {means[got]:.4g}, the limit {limit:.4g}.")
        if got == next(size for size in errors if means[size] <= limit):
            raise Wrong(f"{where}: the first in the dictionary that qualifies; the sizes may come in any order.")
        raise Wrong(f"{where}; its mean is {means[got]:.4g}, the limit {limit:.4g}; expected {expected}.")


def _early_stopping(answer) -> None:
    """How many epochs are run, and which had the best weights, both counted from 1."""
    cases = [
        ([3.0, 2.5, 2.4, 2.6, 2.7, 2.3], 2, (5, 3)),
        ([3.0, 2.5, 2.4, 2.6, 2.7, 2.3], 3, (6, 6)),
        ([2.0, 2.1, 2.2], 1, (2, 1)),
        ([2.0, 1.9, 1.8], 2, (3, 3)),
        ([2.0, 1.5, 1.5, 1.5, 1.5], 2, (4, 2)),  # equal is not better
        ([3.0, 3.1, 2.9, 3.0, 2.8, 3.0, 3.0], 2, (7, 5)),  # waiting starts anew after each best
        ([3.0, 2.5, 2.8, 2.7, 2.6], 2, (4, 2)),  # better than the one before is not a new best
    ]
    for losses, patience, (run, best) in cases:
        got = array(call(answer, list(losses), patience), (2,), "the pair (epochs run, best epoch)").tolist()
        if got == [run, best]:
            continue
        where = f"for losses {losses} and a patience of {patience} you return {got[0]:g} and {got[1]:g}"
        if got == [run - 1, best - 1]:
            raise Wrong(f"{where}: count epochs from 1.")
        if got == [best, run]:
            raise Wrong(f"{where}: first the epochs run, then the best one.")
        if got == [run, run] or got[1] == run != best:
            raise Wrong(f"{where}: the weights to keep are those of the best epoch, not of the last one run.")
        if got[0] > run and losses.count(losses[best - 1]) > 1:
            raise Wrong(f"{where}: too late. An epoch whose loss only equals the best is not better.")
        if got[0] == len(losses) != run:
            raise Wrong(f"{where}: it should stop after {patience} epochs in a row that bring no new best loss.")
        if got[1] == int(np.argmin(losses)) + 1 != best:
            raise Wrong(f"{where}: epoch {got[1]:g} comes after training has stopped; nobody has seen its loss.")
        if got[0] < run:
            raise Wrong(f"{where}: too early. Compare with the best so far, and begin to wait anew after each best.")
        if got[0] > run:
            raise Wrong(f"{where}: too late. Compare each loss with the best so far, not with the one before.")
        raise Wrong(f"{where}; expected {run} and {best}.")


CHECKS = {
    "09 bits stored": _bits_stored,
    "09 units for labels": _units_for_labels,
    "09 one standard error": _one_standard_error,
    "09 early stopping": _early_stopping,
}
