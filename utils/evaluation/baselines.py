"""Simple forecasts that a network has to beat. All of them see the past only: entry t is made from values before t."""

import numpy as np
from sklearn.linear_model import LinearRegression
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.holtwinters import SimpleExpSmoothing


def persistence(history, test) -> np.ndarray:
    """Tomorrow equals today.

    Args:
        history: the series up to the test part, shape (time,).
        test: the part to forecast one step ahead, shape (steps,).

    Returns:
        Forecasts of shape (steps,).

    Raises:
        ValueError: (here and below) a history too short.
    """
    return seasonal_naive(history, test, season=1)


def seasonal_naive(history, test, season: int) -> np.ndarray:
    """The value one season ago; arguments as in :func:`persistence`."""
    if season < 1 or len(history) < season:
        raise ValueError(f"history has {len(history)} values; expected at least one season of {season}.")
    series = np.concatenate([np.asarray(history, dtype=float), np.asarray(test, dtype=float)])
    return series[len(history) - season : len(series) - season]


def exponential_smoothing(history, test) -> np.ndarray:
    """Exponentially weighted mean of the past (EWMA), its weight chosen on the history by statsmodels."""
    history, test = np.asarray(history, dtype=float), np.asarray(test, dtype=float)
    _need(history, 3)
    fixed = {"initialization_method": "known", "initial_level": history[0]}
    level = SimpleExpSmoothing(history, **fixed).fit().params["smoothing_level"]
    series = np.concatenate([history, test])
    return SimpleExpSmoothing(series, **fixed).fit(smoothing_level=level, optimized=False).fittedvalues[len(history) :]


def autoregression(history, test, lags: int) -> np.ndarray:
    """Linear in the last ``lags`` values, with an intercept, fitted to the history by statsmodels' least squares."""
    history, test = np.asarray(history, dtype=float), np.asarray(test, dtype=float)
    _need(history, 2 * lags + 2)
    fitted = AutoReg(history, lags=lags).fit()
    series = np.concatenate([history, test])
    return AutoReg(series, lags=lags).predict(fitted.params, start=len(history), end=len(series) - 1)


def linear_on_windows(train, x) -> np.ndarray:
    """Least squares on whole windows: what a network gets to see, without the network.

    Args:
        train: ``Windows(x, y)`` to fit, see :mod:`utils.datasets.windows`.
        x: windows to forecast from, shape (windows, time, features).

    Returns:
        Forecasts of shape (windows,).
    """
    model = LinearRegression().fit(train.x.reshape(len(train.x), -1), train.y)
    return model.predict(x.reshape(len(x), -1))


def _need(history: np.ndarray, values: int) -> None:
    if len(history) < values:
        raise ValueError(f"history has {len(history)} values; expected at least {values}.")
