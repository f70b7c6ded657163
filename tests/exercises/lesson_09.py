"""Typical wrong answers to the exercises of lesson 09, each with words that its feedback must contain."""

import itertools

import numpy as np


def _entropy(p, log=np.log2):
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -p * log(p) - (1 - p) * log(1 - p)


def _units(labels, bits, features, blocks=4, head=True):
    units = 1
    while bits * (blocks * units * (features + units + 1) + head * (units + 1)) < labels:
        units += 1
    return units


def _missing(k, p):
    return _entropy(p) + (1 - p) * np.log2(k - 1)


def _widen(train, sizes, tolerance, before=True, against_first=False, absolute=False):
    errors = [train(sizes[0])]
    for i, size in enumerate(sizes[1:]):
        errors.append(train(size))
        old = errors[0 if against_first else -2]
        gain = (old - errors[-1]) / (1 if absolute else old)
        if gain < tolerance:
            return sizes[i] if before else size
    return sizes[-1]


def _train_all(train, sizes, tolerance):
    errors = dict(zip(sizes, [train(size) for size in sizes], strict=True))
    return _widen(errors.get, sizes, tolerance)


def _train_twice(train, sizes, tolerance):
    for small, large in itertools.pairwise(sizes):
        if train(large) > (1 - tolerance) * train(small):
            return small
    return sizes[-1]


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


bits_stored = [
    (lambda n, k, p: n * p, "stores nothing"),
    (lambda n, k, p: n * p * np.log2(k), "stores nothing"),
    (lambda n, k, p: n * (1 - _entropy(p)), "right for two classes"),
    (lambda n, k, p: n * (np.log2(k) - _entropy(p)), "which of the other classes"),
    (lambda n, k, p: n * _missing(k, p), "still missing"),
    (lambda n, k, p: n * np.log(2) * (np.log2(k) - _missing(k, p)), "log2"),
    (lambda n, k, p: n, "expected"),
]

units_for_labels = [
    (lambda n, b, d: _units(n, b, d) - 1, "One unit more"),
    (lambda n, b, d: _units(n, b, d, head=False), "the head has parameters"),
    (lambda n, b, d: np.ceil(n / b), "those are the parameters"),
    (lambda n, b, d: _units(n, b, d, blocks=3), "3 of an LSTM's 4 blocks"),
    (lambda n, b, d: np.sqrt(n / b / 4), "units are whole"),
    (lambda n, b, d: 2 * _units(n, b, d), "expected"),
]

widen = [
    (lambda train, sizes, tolerance: _widen(train, sizes, tolerance, before=False), "Return the one before"),
    (lambda train, sizes, tolerance: min(sizes, key=train), "the best of all"),
    (lambda train, sizes, tolerance: _widen(train, sizes, tolerance, absolute=True), "(before - now) / before"),
    (lambda train, sizes, tolerance: _widen(train, sizes, tolerance, against_first=True), "the best of all"),
    (_train_all, "is enough"),
    (_train_twice, "more than once"),
    (lambda train, sizes, tolerance: _widen(train, [1, *sizes], tolerance), "none of the sizes"),
]

early_stopping = [
    (lambda losses, patience: _stop(losses, patience, first=0), "count epochs from 1"),
    (lambda losses, patience: _stop(losses, patience)[::-1], "first the epochs run"),
    (lambda losses, patience: (_stop(losses, patience)[0],) * 2, "not of the last one run"),
    (lambda losses, patience: (len(losses), int(np.argmin(losses)) + 1), "it should stop"),
    (lambda losses, patience: (_stop(losses, patience)[0], int(np.argmin(losses)) + 1), "nobody has seen"),
    (_worse_than_the_last, "no new best loss"),
    (_never_anew, "begin to wait anew"),
    (lambda losses, patience: _stop(losses, patience, strict=False), "too late"),
]
