"""Reference answers to the exercises of lesson 01. Try first: the check cells tell you what is missing."""

import numpy as np
from sklearn.metrics import root_mean_squared_error as rmse

from utils.datasets.climate import load_sunspots
from utils.datasets.windows import chronological_split, split_windows
from utils.evaluation import baselines


def matched_units(features: int, gru_units: int) -> int:
    """The largest LSTM with no more parameters than the GRU: raise the units until the budget is spent."""
    budget = 3 * gru_units * (features + gru_units + 2)
    units = 1
    while 4 * (units + 1) * (features + (units + 1) + 1) <= budget:
        units += 1
    return units


def forget_bias(half_life: float) -> float:
    """f ** half_life = 1/2 gives f = 2 ** (-1 / half_life); the inverse of the sigmoid is ln(f / (1 - f))."""
    f = 2 ** (-1 / half_life)
    return np.log(f / (1 - f))


def relative_rmse(history, test, forecast) -> float:
    """Today's value is the forecast for tomorrow; on the first test day "today" is the last day of the history."""
    persistence = np.append(history[-1], test[:-1])
    return np.sqrt(np.mean((test - forecast) ** 2)) / np.sqrt(np.mean((test - persistence) ** 2))


# Two solar cycles and a little more; a guess that two cycles tell about the third leaves, say, 0.6 of the error.
window = 24
parts = chronological_split(load_sunspots().to_numpy())
history = np.concatenate([parts.train, parts.validation])
train, _, test = split_windows(parts, window)
naive = rmse(parts.test, baselines.persistence(history, parts.test))
sunspots = {
    "window": window,
    "predicted": 0.6,
    "linear": rmse(parts.test, baselines.linear_on_windows(train, test.x)) / naive,
    "seasonal naive": rmse(parts.test, baselines.seasonal_naive(history, parts.test, 11)) / naive,
}
