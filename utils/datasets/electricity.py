"""A simulated electricity load of any length, written to disk and streamed from there: it never sits in memory.

Nothing here was measured in a real grid. A simulation has what no real series of this length has: no licence that
forbids handing it on, and a noise floor that is known, because the process behind it is.
"""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from utils.files import replacing, write_whole
from utils.runtime import tf

SECONDS_PER_STEP = 4  # as often as a control room reads its meters
STEPS_PER_MINUTE = 60 // SECONDS_PER_STEP
STEPS_PER_DAY = 24 * 60 * STEPS_PER_MINUTE
MEAN_LOAD = 1000.0  # MW
METER_NOISE = 4.0  # MW, standard deviation of each reading
DRIFT = {"calm": 0.3, "volatile": 6.0}  # MW per step, standard deviation of the drift
STAY = {"calm": 1800, "volatile": 600}  # steps, mean duration: two hours, forty minutes
DRIFT_MEMORY = 3600  # steps, time constant with which the drift returns to zero: four hours
CHUNK = 1_000_000  # steps simulated at a time


def write_load(path: str | Path, steps: int, seed: int = 0) -> Path:
    """Simulate a load and write it to disk, a chunk at a time.

    Taught in lesson 05.

    Every reading is the sum of four parts: the season (a year with a winter peak, a week with a quieter weekend, a day
    with a morning and an evening peak), a drift (an AR(1) with a time constant of four hours), and the noise of the
    meter. The drift has two regimes, calm and volatile, between which it switches at random moments; the durations are
    exponential. The constants of this module say how much of each.

    Args:
        path: the file; four bytes a step, float32, in megawatts. Beside it lies ``<path>.json``, which describes it.
        steps: how many readings, one every four seconds; 50 million are six years and 200 MB.
        seed: of the simulation; a lesson takes it from :func:`utils.runtime.seeds`, so that other seeds are other data.

    Returns:
        The path, once the file is complete: it is written under another name and then renamed.

    Raises:
        ValueError: fewer than one step.
        OSError: the disk has no room for it; says how much is needed.
    """
    path = Path(path)
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1.")
    path.parent.mkdir(parents=True, exist_ok=True)
    needed, free = 4 * steps, shutil.disk_usage(path.parent).free
    if needed > free:
        raise OSError(f"{steps:,} steps need {needed / 1e9:.2f} GB; {path.parent} has {free / 1e9:.2f} GB left.")
    with replacing(path) as part:
        with part.open("wb") as file:
            for readings, _ in simulate_load(steps, seed):
                readings.astype("<f4").tofile(file)
        _description(path).unlink(missing_ok=True)  # of an older file: it must not describe the new one
    write_whole(_description(path), json.dumps({"simulated": True, "unit": "MW", "steps": steps, "seed": seed}))
    return path


def simulate_load(steps: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The simulation behind :func:`write_load`, chunk by chunk.

    Args:
        steps: how many readings in all.
        seed: of the simulation.

    Yields:
        ``(readings, volatile)``, each of shape (at most a million,): megawatts, and whether the drift was volatile.
    """
    rng = np.random.default_rng(seed)
    decay = np.exp(-1 / DRIFT_MEMORY)
    drift, volatile, left = np.zeros(1), False, rng.exponential(STAY["calm"])
    for start in range(0, steps, CHUNK):
        size = min(CHUNK, steps - start)
        regime, filled = np.empty(size, bool), 0
        while filled < size:
            stay = max(1, round(left))
            regime[filled : filled + stay] = volatile
            filled, left = filled + stay, 0.0
            if filled > size:
                left = filled - size  # goes on in the next chunk
            else:
                volatile = not volatile
                left = rng.exponential(STAY["volatile" if volatile else "calm"])
        shocks = rng.standard_normal(size) * np.where(regime, DRIFT["volatile"], DRIFT["calm"])
        wander, drift = lfilter([1.0], [1.0, -decay], shocks, zi=drift)
        yield season(np.arange(start, start + size)) + wander + METER_NOISE * rng.standard_normal(size), regime


def best_forecast(readings: np.ndarray, volatile: np.ndarray) -> np.ndarray:
    """The forecast of someone who knows the whole process: its constants, its calendar and the regime of every step.

    Taught in lesson 05.

    A Kalman filter for an AR(1) observed with noise (Kalman 1960). Its error is the noise floor: no forecast from past
    readings alone has a smaller expected square. Nobody who sees only the readings reaches it; see
    :func:`blind_forecast`.

    Args:
        readings, volatile: as :func:`simulate_load` yields them, from step 0 on, shape (n,).

    Returns:
        Shape (n,): the forecast of each reading from those before it, in megawatts.
    """
    calendar = season(np.arange(len(readings)))
    decay = np.exp(-1 / DRIFT_MEMORY)
    shock = np.where(volatile, DRIFT["volatile"], DRIFT["calm"]) ** 2
    mean = variance = 0.0
    forecasts = np.empty(len(readings))
    for t, reading in enumerate(readings - calendar):
        mean, variance = decay * mean, decay**2 * variance + shock[t]
        forecasts[t] = mean
        gain = variance / (variance + METER_NOISE**2)
        mean, variance = mean + gain * (reading - mean), (1 - gain) * variance
    return calendar + forecasts


def blind_forecast(readings: np.ndarray) -> np.ndarray:
    """The forecast of someone who knows the process, its constants and its calendar, but does not see the regimes.

    Taught in lesson 05.

    One Kalman filter for calm and one for volatile hours, mixed by how well each foretold the readings so far: the
    interacting multiple model filter (Blom and Bar-Shalom 1988). It is nearly the best forecast that the readings
    themselves allow; what can be learned from them lies between its error and that of :func:`best_forecast`.

    Args:
        readings: as :func:`simulate_load` yields them, from step 0 on, shape (n,).

    Returns:
        Shape (n,): the forecast of each reading from those before it, in megawatts.
    """
    calendar = season(np.arange(len(readings)))
    decay = math.exp(-1 / DRIFT_MEMORY)
    shock = [DRIFT["calm"] ** 2, DRIFT["volatile"] ** 2]
    leave = [1 / STAY["calm"], 1 / STAY["volatile"]]  # chance a step
    chance, mean, variance = [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]  # of each regime; of the drift if it is that one
    forecasts = np.empty(len(readings))
    for t, reading in enumerate((readings - calendar).tolist()):
        now, drift, spread, likely = [0.0] * 2, [0.0] * 2, [0.0] * 2, [0.0] * 2
        for j in range(2):  # of those who are in regime j now, some stayed in it and some come from the other
            stayed, came = chance[j] * (1 - leave[j]), chance[1 - j] * leave[1 - j]
            now[j] = stayed + came
            parts = ((j, stayed / now[j]), (1 - j, came / now[j]))
            middle = sum(part * mean[i] for i, part in parts)
            width = sum(part * (variance[i] + (mean[i] - middle) ** 2) for i, part in parts)
            drift[j], spread[j] = decay * middle, decay**2 * width + shock[j]
        forecasts[t] = now[0] * drift[0] + now[1] * drift[1]
        for j in range(2):
            total, error = spread[j] + METER_NOISE**2, reading - drift[j]
            likely[j] = now[j] * max(math.exp(-(error**2) / (2 * total)) / math.sqrt(total), 1e-300)
            mean[j], variance[j] = drift[j] + spread[j] / total * error, METER_NOISE**2 / total * spread[j]
        chance = [part / sum(likely) for part in likely]
    return calendar + forecasts


def season(step: np.ndarray) -> np.ndarray:
    """The part of the load that the calendar tells, in megawatts.

    Args:
        step: step numbers, shape (n,), in rising order; step 0 is midnight before the first Monday of a year.
    """
    minute = np.arange(step[0] // STEPS_PER_MINUTE, step[-1] // STEPS_PER_MINUTE + 2)
    day = minute / (24 * 60)
    year = 0.15 * np.cos(2 * np.pi * (day - 15) / 365.25)  # coldest in the middle of January
    from_weekend = np.abs((day - 6 + 3.5) % 7 - 3.5)  # days from the midnight between Saturday and Sunday
    week = -0.08 / (1 + np.exp(12 * (from_weekend - 1)))
    hours = -0.14 * np.cos(2 * np.pi * (day - 0.1)) - 0.07 * np.cos(4 * np.pi * (day - 0.08))
    return np.interp(step / STEPS_PER_MINUTE, minute, MEAN_LOAD * (1 + year + week + hours))


def stream_load(
    path: str | Path, streams: int, length: int, *, start: int = 0, rows: range | None = None, scale: float = 1.0
) -> "tf.data.Dataset":
    """Blocks of the series, read from disk one after the other.

    Taught in lesson 05.

    The series is cut into ``streams`` equal parts that are read side by side. Row ``i`` of a block goes on where row
    ``i`` of the block before ended, as training with a carried state needs it. No more than a few blocks are in memory.

    Args:
        path: a file of :func:`write_load`.
        streams: rows of a block.
        length: time steps of a block.
        start: how many blocks to leave out; a run that is resumed begins where it stopped, without reading the rest.
        rows: which rows of each block to read, such as ``range(0, 16)``; all when not given. A worker reads its share.
        scale: megawatts that become 1.

    Returns:
        A dataset of pairs of shape (rows, length, 1): the change from each reading to the next, in units of ``scale``
        megawatts, as input, and the change after that, as target.

    Raises:
        FileNotFoundError, ValueError: as :func:`describe_load`; a part too short for a block; a start past the end;
            rows that there are not.
        tf.errors.OpError: while reading; the file ends before what its description says.
    """
    rows = range(streams) if rows is None else rows
    blocks = count_blocks(path, streams, length)
    if not 0 <= start < blocks:
        raise ValueError(f"start is {start}; {path} gives {blocks} blocks, expected 0 to {blocks - 1}.")
    if not rows or not set(rows) <= set(range(streams)):
        raise ValueError(f"rows is {rows}; expected some of {range(streams)}.")
    part = describe_load(path)["steps"] // streams

    def changes() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        readings = np.empty((len(rows), length + 2), "<f4")
        with open(path, "rb", buffering=0) as file:
            for block in range(start, blocks):
                for i, row in enumerate(rows):
                    file.seek(4 * (row * part + block * length))
                    if file.readinto(readings[i]) < readings[i].nbytes:
                        raise EOFError(f"{path} ends within block {block} of row {row}; write it again.")
                change = np.diff(readings)[..., None] / np.float32(scale)  # (rows, length + 1, 1)
                yield change[:, :-1], change[:, 1:]

    shape = tf.TensorSpec((len(rows), length, 1), tf.float32)
    return tf.data.Dataset.from_generator(changes, output_signature=(shape, shape)).prefetch(2)


def count_blocks(path: str | Path, streams: int, length: int) -> int:
    """How many blocks :func:`stream_load` gives from its start to the end of the file."""
    if streams < 1 or length < 2:
        raise ValueError(f"streams is {streams} and length is {length}; expected at least 1 and 2.")
    steps = describe_load(path)["steps"]
    blocks = steps // streams // length - 1  # the last block needs two readings more
    if blocks < 1:
        raise ValueError(f"{steps:,} steps in {streams} parts are too few for two blocks of {length}.")
    return blocks


def describe_load(path: str | Path) -> dict:
    """What was simulated: ``{"simulated": True, "unit": "MW", "steps": ..., "seed": ...}``.

    Raises:
        FileNotFoundError: there is no such file; says how to make it.
        ValueError: the file does not hold what its description says.
    """
    path = Path(path)
    if not path.exists() or not _description(path).exists():
        raise FileNotFoundError(f"No load at {path}; write it first: write_load({str(path)!r}, steps=50_000_000).")
    description = json.loads(_description(path).read_text())
    if path.stat().st_size != 4 * description["steps"]:
        found = path.stat().st_size // 4
        raise ValueError(f"{path} holds {found:,} steps, expected {description['steps']:,}; write it again.")
    return description


def _description(path: Path) -> Path:
    return path.with_name(path.name + ".json")
