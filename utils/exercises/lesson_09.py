"""What the answers to the exercises of lesson 09 must do."""

import numpy as np

from utils.exercises import Wrong, array, call, exercise, number


def _entropy(p: float) -> float:
    """Bits of a coin that shows heads with probability p."""
    return 0.0 if p in (0, 1) else float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


@exercise("09 bits stored")
def bits_stored(answer) -> None:
    """Labels times what a label tells, less what the accuracy leaves open."""
    for labels, classes, accuracy in [(100, 2, 0.75), (1000, 4, 0.25), (400, 8, 1.0), (4000, 5, 0.9), (50, 2, 1.0)]:
        got = number(call(answer, labels, classes, accuracy), "the number of bits")
        p, spread = accuracy, (1 - accuracy) * np.log2(classes - 1)
        expected = labels * (np.log2(classes) - _entropy(p) - spread)
        if np.isclose(got, expected, atol=1e-6):
            continue
        where = f"for {labels} labels of {classes} classes and an accuracy of {p:g} you return {got:.4g}"
        if np.isclose(got, labels * p) or np.isclose(got, labels * p * np.log2(classes)):
            raise Wrong(f"{where}: what it gets right. By guessing it gets some of that right and stores nothing.")
        if np.isclose(got, labels * (1 - _entropy(p))):
            raise Wrong(f"{where}: that is right for two classes. A label of {classes} tells log2({classes}) bits.")
        if np.isclose(got, labels * (np.log2(classes) - _entropy(p))):
            raise Wrong(f"{where}: where it is wrong, it is also open which of the other classes it is.")
        if np.isclose(got, labels * (_entropy(p) + spread)):
            raise Wrong(f"{where}: that is what is still missing. Stored is the rest.")
        if np.isclose(got, labels * (np.log(classes) + np.log(2) * (expected / labels - np.log2(classes)))):
            raise Wrong(f"{where}: that is in nats; bits take log2.")
        raise Wrong(f"{where}; expected {expected:.4g}.")


@exercise("09 units for labels")
def units_for_labels(answer) -> None:
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


@exercise("09 widen")
def widen(answer) -> None:
    """From small to large, as long as the error falls by the tolerance; each size trained once at most."""
    cases = [
        ({4: 1.0, 8: 0.8, 16: 0.79, 32: 0.5}, 0.05, 8),  # the search does not see what comes after a pause
        ({2: 0.9, 8: 0.5, 32: 0.3}, 0.05, 32),
        ({2: 0.5, 8: 0.6, 32: 0.3}, 0.05, 2),
        ({16: 0.40, 64: 0.37, 256: 0.30}, 0.10, 16),  # 0.03 less, which is 7.5%
        ({4: 4.0, 8: 3.85, 16: 3.0}, 0.05, 4),  # 0.15 less, which is 3.75%
        ({4: 4.0, 8: 3.0, 16: 2.8}, 0.1, 8),  # 30% below the first, 6.7% below the one before
        ({64: 0.5}, 0.05, 64),
    ]
    for errors, tolerance, expected in cases:
        trained = []

        def train(size, errors=errors, trained=trained):
            if size not in errors:
                raise Wrong(f"you train size {size!r}, which is none of the sizes {list(errors)}.")
            trained.append(size)
            return errors[size]

        got = number(call(answer, train, list(errors), tolerance), "the size")
        where = f"for errors {errors} and a tolerance of {tolerance:g} you return {got:g}"
        sizes = list(errors)
        last = sizes[min(sizes.index(expected) + 1, len(sizes) - 1)]
        if got == last != expected:
            raise Wrong(f"{where}: the size that no longer paid. Return the one before it.")
        if got != expected and got == min(errors, key=errors.get):
            raise Wrong(
                f"{where}: the best of all. But the size after {expected} gains too little, (before - now) / before, "
                "and there the search stops."
            )
        if got != expected:
            raise Wrong(
                f"{where}; expected {expected}. A gain is (before - now) / before, each size with the one before."
            )
        if len(trained) > len(set(trained)):
            raise Wrong(f"{where}, and trained {trained}: some size more than once. Keep the error.")
        if trained != sizes[: sizes.index(last) + 1]:
            raise Wrong(f"{where}, but trained {trained}; {sizes[: sizes.index(last) + 1]} is enough.")


@exercise("09 early stopping")
def early_stopping(answer) -> None:
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
