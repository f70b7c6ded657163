"""Scores of anomaly detection against arithmetic by hand and against a search over all thresholds."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from utils.evaluation.anomaly import best_adjusted_f1, best_f1, random_band, segments


def _labels(length: int, *parts: tuple[int, int]) -> np.ndarray:
    labels = np.zeros(length, dtype=bool)
    for start, end in parts:
        labels[start:end] = True
    return labels


@pytest.mark.parametrize("seed", range(5))
def test_the_best_threshold_is_found(seed):
    rng = np.random.default_rng(seed)
    labels, scores = _labels(60, (5, 9), (30, 42)), rng.random(60)
    assert best_f1(labels, scores) == pytest.approx(max(f1_score(labels, scores >= t) for t in scores))

    def adjusted(threshold):
        alarms = scores >= threshold
        for start, end in ((5, 9), (30, 42)):
            alarms[start:end] = alarms[start:end].any()
        return f1_score(labels, alarms)

    assert best_adjusted_f1(labels, scores) == pytest.approx(max(adjusted(t) for t in scores))


def test_one_alarm_in_an_anomaly_is_enough_after_adjustment():
    labels = _labels(1000, (400, 500))
    scores = np.zeros(1000)
    scores[450] = 1
    assert best_adjusted_f1(labels, scores) == 1
    assert best_f1(labels, scores) == pytest.approx(2 * 0.1 / 1.1)  # as good as alarms everywhere


def test_segments_by_hand():
    assert segments([1, 1, 0, 0, 1, 0, 1]) == [(0, 2), (4, 5), (6, 7)]
    assert segments([0, 0]) == []


def test_the_band_of_chance_holds_a_random_score_in_19_of_20():
    labels = _labels(500, (100, 150), (300, 320))
    low, high = random_band(labels, best_adjusted_f1)
    reached = [best_adjusted_f1(labels, np.random.default_rng(1000 + i).random(500)) for i in range(200)]
    assert 0.9 <= np.mean([low <= value <= high for value in reached]) <= 0.99
    assert random_band(labels)[1] < low  # without adjustment chance reaches far less


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], [0.1, 0.2, 0.3], r"expected both \(time,\)"),
        ([0, 1], [0.1, np.nan], "NaN or infinity"),
        ([0, 0], [0.1, 0.2], "0 of 2 points are abnormal"),
        ([1, 1], [0.1, 0.2], "2 of 2 points are abnormal"),
    ],
)
def test_what_cannot_be_scored_is_refused(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        best_f1(labels, scores)


def test_too_few_draws_are_refused():
    with pytest.raises(ValueError, match="draws is 5"):
        random_band([0, 1], draws=5)
