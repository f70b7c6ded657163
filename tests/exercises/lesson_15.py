"""Typical wrong answers to the exercises of lesson 15, each with words that its feedback must contain."""

import itertools

import numpy as np


def _reads_the_text(letters, reporter, editor, h, g):
    said = []
    for letter in letters:
        h, g = reporter(letter, h), editor(letter, g)
        said.append(g)
    return said


def _slips(letters, reporter, editor, h, g):
    return [h := reporter(letter, h) for letter in letters]


def _one_notebook(letters, reporter, editor, h, g):
    said = []
    for letter in letters:
        h = editor(reporter(letter, h), h)
        said.append(h)
    return said


team = [
    (_reads_the_text, "must read the reporter's slips"),
    (lambda letters, reporter, editor, h, g: [editor(reporter(x, h), g) for x in letters], "begin anew"),
    (_slips, "return what the editor makes"),
    (_one_notebook, "Two states are carried"),
    (lambda letters, reporter, editor, h, g: (letters, h), "you return a tuple"),
]


def _picked(p, new, earlier, k, alpha, penalty=lambda c: c.max(axis=1), norm=True, sign=-1):
    among = np.argsort(-p)[:k]
    if norm:
        new, earlier = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (new, earlier))
    scores = (1 - alpha) * p + sign * alpha * penalty(new @ earlier.T)
    return among[np.argmax(scores[among])]


pick = [
    (lambda *given: _picked(*given, norm=False), "divide by the norms"),
    (lambda *given: _picked(*given, penalty=lambda c: c.mean(axis=1)), "mean cosine"),
    (lambda *given: _picked(*given, penalty=lambda c: c[:, -1]), "the last state only"),
    (lambda *given: _picked(*given, sign=1), "reward what looks alike"),
    (lambda p, new, earlier, k, alpha: _picked(p, new, earlier, len(p), alpha), "not among the"),
    (lambda p, *given: np.argmax(p), "expected 7"),
]


def _pairs(a, b):
    return [(a[i] < a[j]) == (b[i] < b[j]) for i, j in itertools.combinations(range(len(a)), 2)]


agreement = [
    (lambda a, b: np.mean(_pairs(a, b)), "share of pairs that agree"),
    (lambda a, b: 2 * sum(_pairs(a, b)) - len(_pairs(a, b)), "divide by the 3 pairs"),
    (lambda a, b: np.corrcoef(a, b)[0, 1], "correlation of the scores"),
    (lambda a, b: 1.0, "expected -1"),
]


def _chosen(cells=("GRU", "GRU", "LSTM"), units=20, predicted=7000, weights=7201):
    return {"cells": cells, "units": units, "predicted": predicted, "weights": weights}


equal_weights = [
    (_chosen(weights=7180), "The head counts"),
    (_chosen(units=24, weights=10273), "grow about with the square"),
    (_chosen(cells=("LSTM",) * 3), "at least two kinds"),
    (_chosen(cells="GRU-LSTM"), "in a tuple"),
    (_chosen(cells=("GRU", "LSTM")), "three layers"),
    (_chosen(weights=7000), "count_params"),
    ([20], "expected a dict"),
]
