"""The simulated load: written as simulated, streamed as written, and its noise floor that of control theory."""

import itertools
import json

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are
from scipy.signal import lfilter

from utils.datasets import electricity
from utils.runtime import tf


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return electricity.write_load(tmp_path_factory.mktemp("load") / "load.bin", 10_000, seed=3)


def test_the_file_holds_the_simulation(path):
    simulated = np.concatenate([readings for readings, _ in electricity.simulate_load(10_000, seed=3)])
    np.testing.assert_array_equal(np.fromfile(path, "<f4"), simulated.astype("<f4"))
    assert json.loads(path.with_name("load.bin.json").read_text()) == {
        "simulated": True,
        "unit": "MW",
        "steps": 10_000,
        "seed": 3,
    }


def test_chunks_leave_no_seam(monkeypatch):
    """The calendar, the regimes and the drift go on over the edge of a chunk."""
    monkeypatch.setattr(electricity, "METER_NOISE", 0.0)
    monkeypatch.setattr(electricity, "CHUNK", 10_000)
    parts = list(electricity.simulate_load(200_000, seed=1))
    assert [len(readings) for readings, _ in parts] == [10_000] * 20
    readings, regimes = (np.concatenate(part) for part in zip(*parts, strict=True))
    seams = np.diff(readings)[9_999::10_000]
    assert np.abs(seams).max() < 5 * electricity.DRIFT["volatile"]
    assert (regimes[9_999:-1:10_000] != regimes[10_000::10_000]).sum() <= 2  # an edge is no reason to switch
    durations = np.diff(np.flatnonzero(np.diff(regimes.astype(int))))
    assert 700 < durations.mean() < 1700  # 600 and 1800 in turns


def test_the_season_repeats_each_week_and_has_no_jumps():
    week = 7 * electricity.STEPS_PER_DAY
    calendar = electricity.season(np.arange(2 * week))
    assert np.abs(np.diff(calendar)).max() < 0.2
    np.testing.assert_allclose(calendar[week:], calendar[:week], atol=25)  # the year moves on
    working, weekend = (
        calendar[: 5 * electricity.STEPS_PER_DAY].mean(),
        calendar[5 * electricity.STEPS_PER_DAY : week].mean(),
    )
    assert 50 < working - weekend < 110


@pytest.mark.parametrize("regime", ["calm", "volatile"])
def test_the_noise_floor_is_that_of_the_riccati_equation(regime):
    """In one regime the filter's error settles where SciPy's solution of the algebraic Riccati equation puts it."""
    rng = np.random.default_rng(0)
    n, decay, shock = 60_000, np.exp(-1 / electricity.DRIFT_MEMORY), electricity.DRIFT[regime]
    drift = lfilter([1.0], [1.0, -decay], shock * rng.standard_normal(n))
    readings = electricity.season(np.arange(n)) + drift + electricity.METER_NOISE * rng.standard_normal(n)
    errors = (readings - electricity.best_forecast(readings, np.full(n, regime == "volatile")))[2000:]
    one = np.ones((1, 1))
    variance = solve_discrete_are(decay * one, one, shock**2 * one, electricity.METER_NOISE**2 * one).item()
    assert np.mean(errors**2) == pytest.approx(variance + electricity.METER_NOISE**2, rel=0.03)
    assert abs(np.corrcoef(errors[1:], errors[:-1])[0, 1]) < 0.02  # nothing left to forecast


def test_the_best_forecast_is_the_conditional_mean_where_regimes_change():
    """The filter equals E[reading | readings before], from the covariance matrix of all readings at once."""
    rng = np.random.default_rng(5)
    volatile = np.repeat([False, True, False, True], [20, 15, 1, 24])
    n, decay = len(volatile), np.exp(-1 / electricity.DRIFT_MEMORY)
    shocks = np.where(volatile, electricity.DRIFT["volatile"], electricity.DRIFT["calm"])
    spread = np.tril(decay ** np.subtract.outer(np.arange(n), np.arange(n)).clip(0))  # drift = spread @ shocks
    covariance = spread @ np.diag(shocks**2) @ spread.T + electricity.METER_NOISE**2 * np.eye(n)
    deviations = np.linalg.cholesky(covariance) @ rng.standard_normal(n)
    expected = [covariance[t, :t] @ np.linalg.solve(covariance[:t, :t], deviations[:t]) for t in range(n)]
    calendar = electricity.season(np.arange(n))
    np.testing.assert_allclose(
        electricity.best_forecast(calendar + deviations, volatile) - calendar, expected, atol=1e-8
    )


def test_the_blind_forecast_is_the_conditional_mean_over_all_regimes(monkeypatch):
    """E[reading | readings before], summed over every path of regimes; where regimes last, it is the informed one."""
    monkeypatch.setattr(electricity, "STAY", {"calm": 4, "volatile": 3})
    rng = np.random.default_rng(2)
    n, decay = 9, np.exp(-1 / electricity.DRIFT_MEMORY)
    calendar = electricity.season(np.arange(n))
    deviations = np.cumsum(rng.normal(scale=3, size=n)) + rng.normal(scale=4, size=n)
    spread = np.tril(decay ** np.subtract.outer(np.arange(n), np.arange(n)).clip(0))
    sd, leave = np.array(list(electricity.DRIFT.values())), 1 / np.array(list(electricity.STAY.values()))
    weight, total = np.zeros(n), np.zeros(n)
    for path in itertools.product((0, 1), repeat=n):
        before = (0, *path[:-1])
        chances = [leave[a] if a != b else 1 - leave[a] for a, b in zip(before, path, strict=True)]
        covariance = spread @ np.diag(sd[list(path)] ** 2) @ spread.T + electricity.METER_NOISE**2 * np.eye(n)
        for t in range(n):
            seen, past = covariance[:t, :t], deviations[:t]
            forecast = covariance[t, :t] @ np.linalg.solve(seen, past)
            likely = np.prod(chances) * np.exp(-past @ np.linalg.solve(seen, past) / 2) / np.sqrt(np.linalg.det(seen))
            weight[t] += likely
            total[t] += likely * forecast
    found = electricity.blind_forecast(calendar + deviations) - calendar
    np.testing.assert_allclose(found, total / weight, atol=0.35)  # it mixes two filters, not 512 paths
    assert np.abs(total / weight).max() > 2


def test_the_blind_forecast_comes_close_to_the_informed_one():
    readings, volatile = (part[:60_000] for part in next(electricity.simulate_load(1_000_000, 3)))
    informed = np.mean((readings - electricity.best_forecast(readings, volatile)) ** 2)
    assert 1 < np.mean((readings - electricity.blind_forecast(readings)) ** 2) / informed < 1.02


def test_the_regimes_told_are_those_simulated(monkeypatch):
    """Without the meter's noise every change within a volatile step is large, the first of them included."""
    monkeypatch.setattr(electricity, "METER_NOISE", 0.0)
    monkeypatch.setattr(electricity, "DRIFT", {"calm": 0.0, "volatile": 6.0})
    readings, volatile = next(electricity.simulate_load(20_000, seed=1))
    changes = np.abs(np.diff(readings - electricity.season(np.arange(len(readings)))))
    first = np.flatnonzero(volatile[1:] & ~volatile[:-1])[0]
    assert changes[:first].max() < 1e-6 < 1e-3 < changes[first]


@pytest.mark.parametrize("start", [0, 3])
@pytest.mark.parametrize("rows", [None, range(2, 4)])
def test_streams_are_contiguous_parts_of_the_file(path, start, rows):
    series, length, streams = np.fromfile(path, "<f4"), 100, 4
    part = len(series) // streams
    stream = electricity.stream_load(path, streams, length, start=start, rows=rows, scale=4.0)
    blocks = list(stream.as_numpy_iterator())
    assert len(blocks) == electricity.count_blocks(path, streams, length) - start
    for number, (x, y) in enumerate(blocks, start):
        assert x.shape == y.shape == (len(rows or range(streams)), length, 1)
        for i, row in enumerate(rows or range(streams)):
            change = np.diff(series[row * part + number * length :][: length + 2]) / 4
            np.testing.assert_array_equal(x[i, :, 0], change[:-1])
            np.testing.assert_array_equal(y[i, :, 0], change[1:])


def test_a_file_that_is_cut_while_it_is_read_is_named(path, tmp_path):
    """Nothing of the block before is handed out in place of what is missing."""
    cut = tmp_path / "load.bin"
    for name in ("load.bin", "load.bin.json"):
        (tmp_path / name).write_bytes(path.with_name(name).read_bytes())
    stream = electricity.stream_load(cut, 4, 100)
    cut.write_bytes(cut.read_bytes()[:-5000])
    with pytest.raises(tf.errors.OpError, match=r"load\.bin ends within block 12 of row 3"):
        list(stream)


def test_bad_input_is_named(path, tmp_path):
    with pytest.raises(ValueError, match="steps is 0"):
        electricity.write_load(tmp_path / "load.bin", 0)
    with pytest.raises(OSError, match="need 4000"):
        electricity.write_load(tmp_path / "load.bin", 10**12)
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match="write it first"):
        electricity.stream_load(tmp_path / "load.bin", 4, 100)
    with pytest.raises(ValueError, match="10,000 steps in 100 parts are too few"):
        electricity.stream_load(path, 100, 100)
    with pytest.raises(ValueError, match=r"start is 24; .* gives 24 blocks"):
        electricity.stream_load(path, 4, 100, start=24)
    with pytest.raises(ValueError, match="rows is range"):
        electricity.stream_load(path, 4, 100, rows=range(3, 5))
    cut = tmp_path / "cut.bin"
    cut.write_bytes(path.read_bytes()[:-400])
    cut.with_name("cut.bin.json").write_text(path.with_name("load.bin.json").read_text())
    with pytest.raises(ValueError, match="holds 9,900 steps, expected 10,000"):
        electricity.describe_load(cut)


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = electricity.write_load(tmp_path / "load.bin", 1000)
    before = path.read_bytes()

    def fails(*_):
        yield np.zeros(10), None
        raise KeyboardInterrupt

    monkeypatch.setattr(electricity, "simulate_load", fails)
    with pytest.raises(KeyboardInterrupt):
        electricity.write_load(path, 2000)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["load.bin", "load.bin.json"]
