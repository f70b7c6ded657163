"""Typical wrong answers to the exercises of lesson 01, each with words that its feedback must contain."""

import numpy as np
from sklearn.metrics import root_mean_squared_error as rmse

from utils.datasets.climate import load_sunspots
from utils.datasets.windows import chronological_split, split_windows
from utils.evaluation import baselines


def _relative(history, test, forecast, baseline):
    return np.sqrt(np.mean((test - forecast) ** 2) / np.mean((test - baseline) ** 2))


def _sunspots() -> dict[str, float]:
    """What the usual slips lead to in exercise 4."""
    parts = chronological_split(load_sunspots().to_numpy())
    history = np.concatenate(parts[:2])
    train, _, test = split_windows(parts, window=24)
    naive = rmse(parts.test, baselines.persistence(history, parts.test))
    linear = rmse(parts.test, baselines.linear_on_windows(train, test.x)) / naive
    return {
        "linear": linear,
        "linear in sunspots": linear * naive,
        "linear, seen": rmse(train.y, baselines.linear_on_windows(train, train.x)) / naive,
        "eleven": rmse(parts.test, baselines.seasonal_naive(history, parts.test, 11)) / naive,
        "twelve": rmse(parts.test, baselines.seasonal_naive(history, parts.test, 12)) / naive,
    }


SUNSPOTS = _sunspots()

matched_units = [
    (lambda features, gru_units: int(0.75 * gru_units), "too few"),
    (lambda features, gru_units: gru_units, "parameters more than the GRU"),
    (lambda features, gru_units: 0.86 * gru_units, "round down"),
    (lambda features, gru_units: {16: 13, 32: 27, 100: 86}[gru_units], "second bias of the GRU"),
    (lambda features, gru_units: "14", "should be a number"),
    (lambda features: 3, "raised TypeError"),
    (13, "expected a function"),
]

forget_bias = [
    (lambda half_life: 0.5 ** (1 / half_life), "invert the sigmoid"),
    (lambda half_life: -np.log(1 / (2 ** (1 / half_life) - 1)), "sign is turned round"),
    (lambda half_life: np.log(half_life), "of the state is left"),
    (lambda half_life: np.array([1.0, 2.0]), "should be a number"),
    (lambda half_life: float("nan"), "finite"),
]

relative_rmse = [
    (lambda h, t, f: _relative(h, t, f, np.append(h[-1], t[:-1])) ** 2, "take the root"),
    (lambda h, t, f: 1 / _relative(h, t, f, np.append(h[-1], t[:-1])), "wrong way round"),
    (lambda h, t, f: _relative(h, t, f, h.mean()), "mean of the history"),
    (lambda h, t, f: _relative(h, t, f, np.roll(t, 1)), "np.roll"),
    (lambda h, t, f: _relative(h, t, f, h[-1]), "moves on by a day"),
    (lambda h, t, f: _relative(h, t[1:], f[1:], t[:-1]), "left out the first test day"),
    (lambda h, t, f: np.sqrt(np.mean((t - f) ** 2)) / np.sqrt(np.mean((t[1:] - t[:-1]) ** 2)), "over one less"),
    (lambda h, t, f: np.abs(t - f).mean() / np.abs(t - np.append(h[-1], t[:-1])).mean(), "mean absolute errors"),
    (lambda h, t, f: np.sqrt(np.mean((t - f) ** 2)), "forecast alone"),
    (lambda h, t, f: 0.1, "check each by hand"),
]


def _answer(**changed) -> dict:
    """A right answer to exercise 4 with a window of 24 years, but for what is changed."""
    right = {"window": 24, "predicted": 0.7, "linear": SUNSPOTS["linear"], "seasonal naive": SUNSPOTS["eleven"]}
    return right | {name.replace("_", " "): value for name, value in changed.items()}


sunspots = [
    (_answer(linear=SUNSPOTS["linear in sunspots"]), "divide it by that"),
    (_answer(linear=SUNSPOTS["linear, seen"]), "forecast the test windows"),
    (_answer(seasonal_naive=SUNSPOTS["twelve"]), "12 steps"),
    (_answer(linear=0.1), "windows of 24 years"),
    (_answer(window=40), "windows of 40 years"),
    (_answer(window=2), "from 5 to 60"),
    (_answer(predicted=30), "relative to persistence"),
    (_answer(predicted=...), "'predicted' is still missing"),
    (_answer(linear=...), "'linear' is still missing"),
    ({"naive": 1.1}, "keys"),
    ([1.1, 0.6], "expected a dict"),
    (_answer(seasonal_naive="1.1"), "should be a number"),
]
