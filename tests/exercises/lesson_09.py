"""Typical wrong answers to the exercises of lesson 09, each with words that its feedback must contain."""

import numpy as np


def _entropy(p, log=np.log2):
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -p * log(p) - (1 - p) * log(1 - p)


def _units(labels, bits, features, blocks=4, head=True):
    units = 1
    while bits * (blocks * units * (features + units + 1) + head * (units + 1)) < labels:
        units += 1
    return units


def _best(errors):
    return min(errors, key=lambda size: np.mean(errors[size]))


def _within(errors, spread, sort=True):
    best = _best(errors)
    limit = np.mean(errors[best]) + spread(errors[best])
    good = [size for size in errors if np.mean(errors[size]) <= limit]
    return min(good) if sort else good[0]


def _standard_error(values):
    return np.std(values, ddof=1) / np.sqrt(len(values))


def _stop(losses, patience, strict=True, first=1):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best] or (not strict and loss == losses[best]):
            best = epoch
        if epoch - best >= patience:
            break
    return epoch + first, best + first


def _worse_than_the_last(losses, patience):
    waited = 0
    for epoch in range(1, len(losses)):
        waited = waited + 1 if losses[epoch] >= losses[epoch - 1] else 0
        if waited >= patience:
            return epoch + 1, int(np.argmin(losses[: epoch + 1])) + 1
    return len(losses), int(np.argmin(losses)) + 1


def _never_anew(losses, patience):
    best = waited = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch:
            waited += 1
        if waited >= patience:
            break
    return epoch + 1, best + 1


WRONG = {
    "09 bits stored": [
        (lambda n, p: n * p, "stores nothing"),
        (lambda n, p: n * (2 * p - 1), "Use the entropy"),
        (lambda n, p: n * _entropy(p), "still missing"),
        (lambda n, p: n * (1 - _entropy(p, np.log)), "log2"),
        (lambda n, p: n, "expected"),
    ],
    "09 units for labels": [
        (lambda n, b, d: _units(n, b, d) - 1, "One unit more"),
        (lambda n, b, d: _units(n, b, d, head=False), "the head has parameters"),
        (lambda n, b, d: np.ceil(n / b), "those are the parameters"),
        (lambda n, b, d: _units(n, b, d, blocks=3), "3 of an LSTM's 4 blocks"),
        (lambda n, b, d: np.sqrt(n / b / 4), "units are whole"),
        (lambda n, b, d: 2 * _units(n, b, d), "expected"),
    ],
    "09 one standard error": [
        (_best, "Is a smaller one within"),
        (lambda errors: _within(errors, lambda values: np.std(values, ddof=1)), "divided by sqrt(n)"),
        (min, "the smallest size of all"),
        (lambda errors: _within(errors, _standard_error, sort=False), "any order"),
        (lambda errors: 5, "none of the sizes"),
        (max, "expected"),
    ],
    "09 early stopping": [
        (lambda losses, patience: _stop(losses, patience, first=0), "count epochs from 1"),
        (lambda losses, patience: _stop(losses, patience)[::-1], "first the epochs run"),
        (lambda losses, patience: (_stop(losses, patience)[0],) * 2, "not of the last one run"),
        (lambda losses, patience: (len(losses), int(np.argmin(losses)) + 1), "it should stop"),
        (lambda losses, patience: (_stop(losses, patience)[0], int(np.argmin(losses)) + 1), "nobody has seen"),
        (_worse_than_the_last, "no new best loss"),
        (_never_anew, "begin to wait anew"),
        (lambda losses, patience: _stop(losses, patience, strict=False), "too late"),
    ],
}
