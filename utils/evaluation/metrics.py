"""What a forecast is worth: errors, skill against a baseline, and intervals that say how far to trust either."""

import numpy as np
from scipy import stats


def rmse(actual, forecast) -> float:
    """Root mean squared error, in the unit of the series.

    Raises:
        ValueError: (here and below) arrays of different shape, empty, or with NaN or infinity.
    """
    actual, forecast = _pair(actual, forecast)
    return float(np.sqrt(np.mean((actual - forecast) ** 2)))


def mae(actual, forecast) -> float:
    """Mean absolute error, in the unit of the series."""
    actual, forecast = _pair(actual, forecast)
    return float(np.mean(np.abs(actual - forecast)))


def mase(actual, forecast, training, season: int = 1) -> float:
    """MAE over the in-sample MAE of the seasonal naive forecast: the MASE of Hyndman and Koehler (2006).

    Args:
        actual, forecast: shape (time,).
        training: the series the model was trained on, longer than ``season``.
        season: steps in a season; 1 compares with persistence.
    """
    training = np.asarray(training, dtype=float)
    if len(training) <= season:
        raise ValueError(f"training has {len(training)} values; expected more than one season of {season}.")
    scale = np.mean(np.abs(training[season:] - training[:-season]))
    if not scale > 0:
        raise ValueError("The training series repeats exactly, so its naive error is 0 and scales nothing.")
    return mae(actual, forecast) / float(scale)


def r2(actual, forecast) -> float:
    """Share of the variance around the test mean that is explained; near 1 for any forecast of a wandering series."""
    actual, forecast = _pair(actual, forecast)
    return float(1 - np.sum((actual - forecast) ** 2) / np.sum((actual - actual.mean()) ** 2))


def out_of_sample_r2(actual, forecast, benchmark) -> float:
    """Share of the benchmark's squared error that the forecast removes; 0 is no better. Campbell and Thompson (2008).

    Args:
        actual, forecast: shape (time,).
        benchmark: a rival forecast, shape (time,), or one number such as the mean of the training part.
    """
    actual, forecast = _pair(actual, forecast)
    benchmark = np.broadcast_to(np.asarray(benchmark, dtype=float), actual.shape)
    return float(1 - np.sum((actual - forecast) ** 2) / np.sum((actual - benchmark) ** 2))


def hit_rate(actual, forecast) -> float:
    """Share of steps whose sign is forecast right; steps that are exactly 0 are left out."""
    actual, forecast = _pair(actual, forecast)
    moved = actual != 0
    return float(np.mean(np.sign(actual[moved]) == np.sign(forecast[moved])))


def binomial_band(n: int, probability: float = 0.5, confidence: float = 0.95) -> tuple[float, float]:
    """Where the share of successes in ``n`` independent guesses falls with the given confidence, by chance alone."""
    low, high = stats.binom.interval(confidence, n, probability)
    return float(low) / n, float(high) / n


def bootstrap_interval(values, statistic=np.mean, confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Bias-corrected bootstrap interval of a statistic of independent values, such as one result per seed.

    Raises:
        ValueError: fewer than two values.
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        raise ValueError(f"A bootstrap interval of {values.size} value(s) says nothing; expected at least 2.")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    rng = np.random.default_rng(seed)
    interval = stats.bootstrap((values,), statistic, confidence_level=confidence, rng=rng).confidence_interval
    return float(interval.low), float(interval.high)


def _pair(actual, forecast) -> tuple[np.ndarray, np.ndarray]:
    actual, forecast = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if actual.shape != forecast.shape or actual.size == 0:
        raise ValueError(f"actual has shape {actual.shape}, forecast {forecast.shape}; expected equal and not empty.")
    if not (np.isfinite(actual).all() and np.isfinite(forecast).all()):
        raise ValueError("actual or forecast holds NaN or infinity.")
    return actual, forecast
