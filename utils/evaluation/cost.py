"""What a model costs: seconds and memory of a training step. The figures belong to the machine; compare ratios."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil

from utils import runtime
from utils.datasets.electricity import stream_load
from utils.models.recurrent import build_recurrent
from utils.private import peak_memory
from utils.training.fit import fit
from utils.training.truncated import fit_truncated


def seconds_per_step(
    work: Mapping[str, tuple], *, steps: int = 5, repeats: int = 5, batch_size: int = 64, **kwargs
) -> dict[str, float]:
    """Wall-clock time of one training step, compiling left out.

    The models take turns, so that a machine that slows down slows all of them, and the median of the turns counts. The
    worker processes of the studies are waited for first.

    Args:
        work: for each name a pair ``(model, (x, y))``, data as :func:`utils.training.fit.fit` takes it; at least
            ``steps * batch_size`` sequences. The models are trained by it.
        steps: training steps per turn.
        repeats: turns of each model.
        batch_size: sequences per step.
        kwargs: loss and optimizer, see :func:`utils.training.fit.fit`.

    Returns:
        Seconds per step by name.

    Raises:
        ValueError: too few sequences for the steps.
    """
    for name, (_, (_, y)) in work.items():
        if len(y) < steps * batch_size:
            raise ValueError(f"{name} has {len(y)} sequences; {steps} steps of {batch_size} need {steps * batch_size}.")
    runtime.wait_for_workers()
    times = {name: [] for name in work}
    for turn in range(repeats + 1):
        for name, (model, (x, y)) in work.items():
            first = tuple(part[: steps * batch_size] for part in (x if isinstance(x, tuple) else (x,)))
            started = time.perf_counter()
            fit(model, (first, y[: steps * batch_size]), batch_size=batch_size, **kwargs)
            if turn > 0:  # the first turn compiles
                times[name].append((time.perf_counter() - started) / steps)
    return {name: statistics.median(values) for name, values in times.items()}


def training_memory(points: Sequence[Mapping], *, batch_size: int = 64) -> list[int]:
    """Bytes by which a process grows during the first training step of each model: what is kept for the way back.

    Each model gets a process of its own, since TensorFlow keeps the memory of a finished step for the next one. There
    the same model takes a step on a few time steps first, which pays for starting TensorFlow and most of compiling.

    Args:
        points: for each model the arguments of :func:`utils.models.recurrent.build_recurrent`, among them ``features``
            and ``sequence_length``.
        batch_size: sequences per step.

    Returns:
        Bytes, one number per point.

    Raises:
        ValueError: a point without ``features`` or ``sequence_length``.
        RuntimeError: a process failed; the message ends with what it said.
    """
    for point in points:
        if not point.get("features") or not point.get("sequence_length"):
            raise ValueError(f"The point {dict(point)} needs both features and sequence_length.")
    runtime.wait_for_workers()
    with ThreadPoolExecutor(runtime.workers()) as pool:
        return list(
            pool.map(lambda point: _in_own_process("step", {"point": dict(point), "batch_size": batch_size}), points)
        )


def streaming_memory(points: Sequence[Mapping]) -> list[int]:
    """The most memory, in bytes, that a process takes which learns a load from disk.

    Args:
        points: for each process the arguments of :func:`train_on_stream`.

    Returns:
        Bytes, one number per point, of the whole process: Python and TensorFlow are about 0.6e9 of them.

    Raises:
        RuntimeError: a process failed; the message ends with what it said.
    """
    runtime.wait_for_workers()
    with ThreadPoolExecutor(runtime.workers()) as pool:
        return list(pool.map(lambda point: _in_own_process("stream", dict(point)), points))


def train_on_stream(
    path: str, *, streams: int = 64, length: int = 64, units: int = 16, train_every: int = 1, blocks: int | None = None
) -> int:
    """Read a load from disk, train an LSTM on its blocks with a carried state; returns the most memory taken, in bytes.

    Args:
        path: a file of :func:`utils.datasets.electricity.write_load`.
        streams, length: shape of a block, see :func:`utils.datasets.electricity.stream_load`.
        units: of the LSTM.
        train_every: train on one block of so many; the others are read only.
        blocks: how many to read; all of the file when not given.
    """
    blocks_read = stream_load(path, streams, length, scale=10).take(-1 if blocks is None else blocks)
    trained_on = (block for number, block in enumerate(blocks_read) if number % train_every == 0)
    fit_truncated(build_recurrent("LSTM", units, features=1, every_step=True), trained_on)
    return peak_memory()


def _in_own_process(measurement: str, arguments: dict) -> int:
    command = [sys.executable, "-m", "utils.evaluation.cost", measurement, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=runtime.REPOSITORY)
    if done.returncode:
        raise RuntimeError(f"Measuring {arguments} failed: {done.stderr[-1000:]}")
    return int(done.stdout.split()[-1])


def _first_step(point: dict, batch_size: int, warm_up: int = 10) -> int:
    """Growth of this process in bytes, at most, during the step after a short one of ``warm_up`` time steps."""
    for length in (warm_up, point["sequence_length"]):
        x = np.ones((batch_size, length, point["features"]), "float32")
        model = build_recurrent(**{**point, "sequence_length": length})
        before = psutil.Process().memory_info().rss
        fit(model, (x, np.ones((batch_size, 1), "float32")), batch_size=batch_size)
    return peak_memory() - before


if __name__ == "__main__":
    measure = {"step": _first_step, "stream": train_on_stream}[sys.argv[1]]
    print(measure(**json.loads(sys.argv[2])))
