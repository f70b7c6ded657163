"""How well a score finds what is abnormal in a series: point by point, and with the adjustment that flatters it.

Taught in lesson 06.
"""

import numpy as np
from sklearn.metrics import precision_recall_curve


def best_f1(labels, scores) -> float:
    """The highest F1 over all thresholds of a score: the harmonic mean of the shares of alarms and anomalies got right.

    Args:
        labels: whether each point is abnormal, shape (time,), some and not all.
        scores: the higher, the more suspicious, shape (time,).

    Raises:
        ValueError: (here and below) shapes that differ, scores that are not finite, or labels that are all alike.
    """
    labels, scores = _pair(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)))


def best_adjusted_f1(labels, scores) -> float:
    """The highest F1 after *point adjustment*: one alarm inside an anomaly counts as an alarm at each of its points.

    From Xu et al. (2018), and common since. Kim et al. (2022) show how close to the best a score drawn at random comes:
    see :func:`random_band`.
    """
    labels, scores = _pair(labels, scores)
    adjusted = scores.astype(float).copy()
    for start, end in segments(labels):
        adjusted[start:end] = scores[start:end].max()
    return best_f1(labels, adjusted)


def segments(labels) -> list[tuple[int, int]]:
    """Where each anomaly begins and the first point after it.

    Args:
        labels: whether each point is abnormal, shape (time,).
    """
    steps = np.diff(np.concatenate([[0], np.asarray(labels, dtype=bool).astype(int), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def random_band(labels, measure=best_f1, draws: int = 200, seed: int = 0) -> tuple[float, float]:
    """What a score drawn at random reaches with these labels in 95 of 100 draws: what every detector has to beat.

    Args:
        labels: whether each point is abnormal, shape (time,).
        measure: :func:`best_f1` or :func:`best_adjusted_f1`.
        draws: how many random scores, at least 20.
        seed: of NumPy's generator.

    Returns:
        The 2.5th and 97.5th percentile.

    Raises:
        ValueError: fewer than 20 draws.
    """
    if draws < 20:
        raise ValueError(f"draws is {draws}; expected at least 20, of which one in forty lies beyond each end.")
    rng = np.random.default_rng(seed)
    reached = [measure(labels, rng.random(len(labels))) for _ in range(draws)]
    low, high = np.quantile(reached, [0.025, 0.975])
    return float(low), float(high)


def _pair(labels, scores) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels, dtype=bool), np.asarray(scores)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise ValueError(f"labels has shape {labels.shape}, scores {scores.shape}; expected both (time,).")
    if not np.isfinite(scores).all():
        raise ValueError("The scores hold NaN or infinity; give points without a score the lowest one.")
    if labels.all() or not labels.any():
        raise ValueError(f"{int(labels.sum())} of {len(labels)} points are abnormal; expected some and not all.")
    return labels, scores
