"""What a forecast is worth: errors, skill against a baseline, and intervals that say how far to trust either."""

import numpy as np
from scipy import special, stats


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


def bits_per_character(probabilities) -> float:
    """Mean of -log2 of the probability that a model gave to each character that came; 1 nat is 1.44 bits.

    Args:
        probabilities: of the characters that came, any shape, above 0 and at most 1.

    Raises:
        ValueError: no probabilities, or one outside (0, 1]: a model that calls possible text impossible has no score.
    """
    probabilities = np.asarray(probabilities, dtype=float)
    if probabilities.size == 0 or not np.all((probabilities > 0) & (probabilities <= 1)):
        given = f"{probabilities.min()} to {probabilities.max()}" if probabilities.size else "none"
        raise ValueError(f"The probabilities are {given}; expected values above 0 and at most 1, one per character.")
    return float(-np.mean(np.log2(probabilities)))


def probability_of(logits, targets) -> np.ndarray:
    """The probability that a model gave to each class that came: softmax, then the target's entry.

    Args:
        logits: shape (..., classes).
        targets: whole numbers, shape (...).

    Raises:
        ValueError: shapes that do not fit each other, or a target that is not a class.
    """
    logits, targets = np.asarray(logits, dtype=float), np.asarray(targets)
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"Logits of shape {logits.shape} need targets of shape {logits.shape[:-1]}, got {targets.shape}."
        )
    classes = logits.shape[-1]
    if targets.size and not (targets.min() >= 0 and targets.max() < classes):
        raise ValueError(f"Targets are {targets.min()} to {targets.max()}; with {classes} classes: 0 to {classes - 1}.")
    return np.take_along_axis(special.softmax(logits, axis=-1), targets[..., None], axis=-1)[..., 0]


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


def half_solved_length(lengths, solved) -> float:
    """The length at which half of the runs still succeed: where their share first falls below 1/2.

    Between the last length with at least half and the first with fewer, the share is taken to be linear in the
    logarithm of the length.

    Args:
        lengths: of each run, above 0.
        solved: whether that run succeeded, as many.

    Returns:
        The length; infinity if at least half succeed at every length, 0 if fewer than half do at the shortest.

    Raises:
        ValueError: lists of different length or empty, or a length of 0 or below.
    """
    lengths, solved = np.asarray(lengths, dtype=float), np.asarray(solved, dtype=bool)
    if lengths.shape != solved.shape or lengths.size == 0 or lengths.min() <= 0:
        raise ValueError(f"{lengths.size} lengths and {solved.size} results; expected as many, with lengths above 0.")
    tried = np.unique(lengths)
    share = np.array([solved[lengths == length].mean() for length in tried])
    if np.all(share >= 0.5):
        return np.inf
    first = int(np.argmax(share < 0.5))
    if first == 0:
        return 0.0
    around = [first, first - 1]  # np.interp wants the shares to rise
    return float(np.exp(np.interp(0.5, share[around], np.log(tried[around]))))


def _pair(actual, forecast) -> tuple[np.ndarray, np.ndarray]:
    actual, forecast = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if actual.shape != forecast.shape or actual.size == 0:
        raise ValueError(f"actual has shape {actual.shape}, forecast {forecast.shape}; expected equal and not empty.")
    if not (np.isfinite(actual).all() and np.isfinite(forecast).all()):
        raise ValueError("actual or forecast holds NaN or infinity.")
    return actual, forecast
