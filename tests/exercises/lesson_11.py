"""Typical wrong answers to the exercises of lesson 11, each with words that its feedback must contain."""

import numpy as np
from scipy import sparse


def _pmi(counts):
    p = counts / counts.sum()
    return np.log(p / np.outer(p.sum(axis=1), p.sum(axis=0)))


def _of_ones(counts):
    shares = counts.sum(axis=1) / counts.sum()
    return np.maximum(np.log(np.maximum(counts, 1) / counts.sum() / np.outer(shares, shares)), 0)


acquaintance = [
    (_pmi, "never met"),
    (lambda counts: np.where(counts > 0, np.nan_to_num(_pmi(counts), neginf=0), 0), "below 0"),
    (lambda counts: np.maximum(_pmi(counts), 0) / np.log(2), "base 2"),
    (lambda counts: np.log1p(counts), "sum of the row"),
    (lambda counts: np.maximum(_pmi(np.where(counts == 0, 1, counts)), 0), "as if they had met once"),
    (lambda counts: _of_ones(counts), "as if they had met once"),
    (lambda counts: sparse.csr_array(np.nan_to_num(np.maximum(_pmi(counts), 0))), "toarray"),
    (lambda counts: np.maximum(_pmi(counts) + np.log(counts.sum()), 0), "counts by shares"),
]


def _answer(vectors, a, b, c, left_out, before=True, cosine=True):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    start = unit if before else vectors
    likeness = (unit if cosine else vectors) @ (start[b] - start[a] + start[c])
    likeness[left_out] = -np.inf
    return int(likeness.argmax())


def _deleted(vectors, a, b, c, rule):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = unit @ (unit[b] - unit[a] + unit[c])
    return int((np.delete(likeness, [a, b, c]) if rule else likeness).argmax())


def _ruled(a, b, c, rule):
    return [a, b, c] if rule else []


ask = [
    (lambda vectors, a, b, c, rule: _answer(vectors, a, b, c, [a, b, c]), "without the rule they may be named"),
    (lambda vectors, a, b, c, rule: _answer(vectors, a, b, c, []), "it is left out"),
    (lambda vectors, a, b, c, rule: _answer(vectors, a, b, c, _ruled(a, b, c, rule), before=False), "length 1"),
    (lambda vectors, a, b, c, rule: _answer(vectors, a, b, c, _ruled(a, b, c, rule), cosine=False), "by cosine"),
    (lambda vectors, a, b, c, rule: _answer(vectors, b, a, c, _ruled(a, b, c, rule)), "sign is swapped"),
    (_deleted, "shifted"),
]


def _in_their_order(vocabulary, words, vectors):
    return np.vstack([np.zeros(3), vectors])[: len(vocabulary) + 1]


def _unpadded(vocabulary, words, vectors):
    return np.array([vectors[words.index(w)] if w in words else np.zeros(3) for w in vocabulary])


def _by_chance(vocabulary, words, vectors):
    return np.vstack([np.zeros(3), [vectors[words.index(w)] if w in words else np.ones(3) for w in vocabulary]])


table_for = [
    (_in_their_order, "by its name"),
    (_unpadded, "row 0 is for padding"),
    (_by_chance, "has no vector"),
    (lambda vocabulary, words, vectors: np.vstack([_unpadded(vocabulary, words, vectors), np.ones(3)]), "zeros"),
]

_PAIRS = [("rich", "riches"), ("wise", "wisdom"), ("strong", "strength"), ("holy", "holiness")]
_PAIRS += [("glad", "gladness"), ("dark", "darkness"), ("righteous", "righteousness")]


def _relation(pairs=_PAIRS, predicted="offset", offset=0.0, neighbour=0.0):
    return {"pairs": pairs, "predicted": predicted, "offset": offset, "neighbour": neighbour}


own_relation = [
    (_relation(offset=0.9), "are right"),
    (_relation(_PAIRS[:4]), "at least six"),
    (_relation([*_PAIRS, ("dinosaur", "dinosaurs")]), "fewer than ten times"),
    (_relation([*_PAIRS, ("king", "king")]), "with itself"),
    (_relation([*_PAIRS, ("king", "kings")]), "lesson's lists"),
    (_relation([*_PAIRS, ("Egypt", "egyptian")]), "small letters"),
    (_relation([("king", other) for _, other in _PAIRS]), "'king' stands in 7 of 7"),
    (_relation(predicted="both"), "expected 'offset' or 'neighbour'"),
    (_relation(offset=40), "between 0 and 1"),
    ([0.5], "expected a dict"),
]
