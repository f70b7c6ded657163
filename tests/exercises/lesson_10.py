"""Typical wrong answers to the exercises of lesson 10, each with words that its feedback must contain."""

import numpy as np


def _logit(p):
    return np.log(p / (1 - p))


def _in_place(x, k, rng):
    x[:, : x.shape[1] - k] = rng.permuted(x[:, : x.shape[1] - k], axis=1)
    return x


def _same_order(x, k, rng):
    cut = x.shape[1] - k
    return np.concatenate([x[:, rng.permutation(cut)], x[:, cut:]], axis=1)


def _minus_zero(x, k, rng):
    x = x.copy()
    x[:, :-k] = rng.permuted(x[:, :-k], axis=1)
    return x


def _the_end(x, k, rng):
    return np.concatenate([x[:, : x.shape[1] - k], rng.permuted(x[:, x.shape[1] - k :], axis=1)], axis=1)


def _between_rows(x, k, rng):
    cut = x.shape[1] - k
    return np.concatenate([rng.permuted(x[:, :cut].ravel()).reshape(-1, cut), x[:, cut:]], axis=1)


def _weights(query, states, shift=True):
    scores = states @ query
    weights = np.exp(scores - scores.max() * shift)
    return weights / weights.sum()


bias_for_half_life = [
    (lambda steps: 0.5 ** (1 / steps), "Which number has that sigmoid"),
    (lambda steps: -_logit(0.5 ** (1 / steps)), "the sign is turned"),
    (lambda steps: np.log(max(steps - 1, 1)), "1/e of the content"),
    (lambda steps: _logit(np.exp(-1 / steps)), "leaves 1/e"),
    (lambda steps: 1.0, "that leaves"),
]

shuffle_before = [
    (_in_place, "work on a copy"),
    (_same_order, "every row has the same order"),
    (_minus_zero, "x[:, :-0] is empty"),
    (_the_end, "should stay as they are"),
    (_between_rows, "from one row to another"),
    (lambda x, k, rng: x.copy(), "nothing was shuffled"),
    (lambda x, k, rng: np.concatenate([0 * x[:, : x.shape[1] - k], x[:, x.shape[1] - k :]], 1), "no longer holds"),
]

join = [
    (lambda a, b: (a[0] + b[0], a[1] + b[1]), "kept twice is multiplied"),
    (lambda a, b: (a[0] * b[0], a[0] * b[1] + a[1]), "the order is turned"),
    (lambda a, b: (a[0] * b[0], a[1] + b[1]), "kept only in part"),
    (lambda a, b: (a[0] * b[0], b[1]), "is lost"),
    (lambda a, b: b, "not the product"),
    (lambda a, b: a[0] * b[0], "return a pair"),
    (lambda a, b: (a[0] * b[0], a[1] * b[1]), "new is wrong"),
]

attend = [
    (lambda query, states: states.mean(axis=0), "the plain mean"),
    (lambda query, states: (states @ query) @ states, "the products themselves"),
    (lambda query, states: states[np.argmax(states @ query)], "the best state alone"),
    (lambda query, states: np.exp(states @ query) @ states, "do not sum to 1"),
    (_weights, "one number per state"),
    (lambda query, states: _weights(query, states, shift=False) @ states, "subtract the largest"),
    (lambda query, states: query, "softmax(states @ query)"),
]
