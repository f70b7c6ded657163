"""Drift: the index against its sum by hand and its noise against simulation, the monitor against published tables."""

import numpy as np
import pytest
from scipy import stats

from utils.serving.drift import LossMonitor, population_stability_index, stability_noise

RNG = np.random.default_rng(0)
REFERENCE = RNG.gamma(3, size=2000)


def texts_until_alarm(monitor: LossMonitor, losses) -> int:
    for texts, loss in enumerate(losses, 1):
        monitor.add(loss)
        if monitor.drifting:
            return texts
    return len(losses)


def test_the_index_is_its_sum():
    reference, current = [1, 1, 1, 2, 2, 2, 3, 3, 3, 3], [1, 2, 2, 3]
    p, q = np.array([3.5, 3.5, 4.5]) / 11.5, np.array([1.5, 2.5, 1.5]) / 5.5  # half a value more in each
    expected = sum((b - a) * np.log(b / a) for a, b in zip(p, q, strict=True))
    assert population_stability_index(reference, current, bins=3) == pytest.approx(expected)


def test_the_index_of_a_shift_is_its_square():
    """Of two normal distributions with unit deviation it is the square of the distance, cut into bins a little less."""
    current = np.random.default_rng(2).normal(0.5, size=200_000)
    index = population_stability_index(np.random.default_rng(1).normal(size=200_000), current, bins=100)
    assert index == pytest.approx(0.25, rel=0.03)


def test_the_index_of_equal_samples_is_nothing_and_an_empty_bin_leaves_it_finite():
    assert population_stability_index(REFERENCE, REFERENCE) == 0
    assert 1 < population_stability_index(REFERENCE, REFERENCE + 100) < 20


@pytest.mark.parametrize("n", [100, 2000])
def test_by_chance_the_index_exceeds_its_noise_as_often_as_said(n):
    rng = np.random.default_rng(3)
    drawn = [population_stability_index(rng.normal(size=4000), rng.normal(size=n)) for _ in range(1000)]
    above = np.mean(np.array(drawn) > stability_noise(4000, n, level=0.9))
    assert 0.07 < above < 0.13


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [1.0]), "reference holds 0 values"),
        (([1.0, 2.0], [np.nan]), "current holds 1 values, finite: 0"),
        (([1.0, 2.0], [1.0]), "bins is 10; expected 2 to 2"),
    ],
)
def test_the_index_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        population_stability_index(*arguments)


@pytest.mark.parametrize("arguments", [(0, 5), (5, 0)])
def test_the_noise_refuses(arguments):
    with pytest.raises(ValueError, match="expected at least 1, 1 and 2"):
        stability_noise(*arguments)


@pytest.mark.parametrize(("every", "limit"), [(168, 4), (465, 5)])
def test_limits_as_in_the_tables(every, limit):
    """Mean texts between false alarms at k = 0.5 (Montgomery, Statistical Quality Control)."""
    assert LossMonitor(REFERENCE, every=every).limit == pytest.approx(limit, abs=0.02)


def test_delays_as_in_the_tables():
    """A shift of one deviation is found after 8.38 texts on average, at k = 0.5 and a limit of 4 (the same table)."""
    rng = np.random.default_rng(4)
    reference = rng.normal(size=20_000)
    delays = [texts_until_alarm(LossMonitor(reference, every=168), rng.normal(1, size=200)) for _ in range(300)]
    assert np.mean(delays) == pytest.approx(8.38, rel=0.08)


def test_false_alarms_come_as_rarely_as_told_though_losses_are_not_normal():
    rng = np.random.default_rng(5)
    runs = [texts_until_alarm(LossMonitor(REFERENCE, every=100), rng.gamma(3, size=2000)) for _ in range(200)]
    assert np.mean(runs) == pytest.approx(100, rel=0.25)


def test_it_tells_of_losses_that_fall_too():
    monitor = LossMonitor(REFERENCE)
    assert texts_until_alarm(monitor, np.full(100, np.quantile(REFERENCE, 0.02))) < 10
    assert monitor.score >= 1


def test_one_mad_text_is_no_drift_and_an_alarm_ends_after_its_cause():
    monitor = LossMonitor(REFERENCE)
    monitor.add(1e9)
    assert 0 < monitor.score < 1
    for _ in range(1000):
        monitor.add(1e9)
    assert monitor.score == 2
    middle = float(np.median(REFERENCE))
    for _ in range(30):
        monitor.add(middle)
    assert not monitor.drifting
    monitor.reset()
    assert monitor.score == 0


def test_a_loss_becomes_the_normal_quantile_of_its_rank():
    monitor = LossMonitor(np.arange(99.0), slack=0.01)
    monitor.add(89.0)  # above 89 of 99, equal to one
    assert monitor.score * monitor.limit == pytest.approx(stats.norm.ppf(0.9) - 0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": [1.0] * 19}, "reference has 19 losses"),
        ({"reference": [1.0] * 50}, "of different texts"),
        ({"reference": [*range(50), np.inf]}, "reference holds 51 values, finite: 50"),
        ({"every": 1}, "every is 1 and slack 0.5"),
        ({"slack": 0}, "slack 0; expected"),
        ({"every": 3, "slack": 2}, "more texts"),
    ],
)
def test_the_monitor_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        LossMonitor(**{"reference": REFERENCE} | arguments)


def test_a_loss_that_is_none_is_refused():
    with pytest.raises(ValueError, match="The loss is nan"):
        LossMonitor(REFERENCE).add(np.nan)
