"""Typical wrong answers to the exercises of lesson 01, each with words that its feedback must contain."""

import numpy as np


def _relative(history, test, forecast, baseline):
    return np.sqrt(np.mean((test - forecast) ** 2) / np.mean((test - baseline) ** 2))


WRONG = {
    "01 matched units": [
        (lambda features, gru_units: int(0.75 * gru_units), "too few"),
        (lambda features, gru_units: gru_units, "parameters more than the GRU"),
        (lambda features, gru_units: 0.86 * gru_units, "round down"),
        (lambda features, gru_units: "14", "should be a number"),
        (lambda features: 3, "raised TypeError"),
        (13, "expected a function"),
    ],
    "01 forget bias": [
        (lambda half_life: 0.5 ** (1 / half_life), "invert the sigmoid"),
        (lambda half_life: -np.log(1 / (2 ** (1 / half_life) - 1)), "sign is turned round"),
        (lambda half_life: np.log(half_life), "of the state is left"),
        (lambda half_life: np.array([1.0, 2.0]), "should be a number"),
        (lambda half_life: float("nan"), "finite"),
    ],
    "01 relative error": [
        (lambda h, t, f: _relative(h, t, f, np.append(h[-1], t[:-1])) ** 2, "take the root"),
        (lambda h, t, f: 1 / _relative(h, t, f, np.append(h[-1], t[:-1])), "wrong way round"),
        (lambda h, t, f: _relative(h, t, f, h.mean()), "mean of the history"),
        (lambda h, t, f: _relative(h, t, f, np.roll(t, 1)), "np.roll"),
        (lambda h, t, f: _relative(h, t, f, h[-1]), "moves on by a day"),
        (lambda h, t, f: _relative(h, t[1:], f[1:], t[:-1]), "left out the first test day"),
        (lambda h, t, f: 0.1, "check each by hand"),
    ],
    "01 sunspots": [
        ({"seasonal naive": 37.87, "linear": 0.627}, "divide it by that of persistence"),
        ({"seasonal naive": 1.138, "linear": 0.1}, "windows of 24 years"),
        ({"seasonal naive": 1.3166, "linear": 0.627}, "12 steps"),
        ({"naive": 1.1}, "keys"),
        ([1.1, 0.6], "expected a dict"),
        ({"seasonal naive": "1.1", "linear": 0.627}, "should be a number"),
    ],
}
