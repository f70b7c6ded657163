"""The same experiment over a grid of settings and several seeds, in parallel processes, as one tidy table."""

import functools
import gc
import inspect
import itertools
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence

import cloudpickle
import joblib
import pandas as pd
from tqdm import tqdm

from utils import private, runtime
from utils.training.divergence import Diverged, collected

private.hush_replaced_workers()

FEW_SEEDS = 3  # their training takes about as long as compiling the model does


class TrialFailed(RuntimeError):
    """A trial of a study raised; the message names its grid point and its seed."""


def study(
    trial: Callable[..., Mapping],
    grid: Mapping[str, Sequence] | Sequence[Mapping],
    seeds: int | Sequence[int] = 5,
    *,
    workers: int | None = None,
) -> pd.DataFrame:
    """Run ``trial(**point, seed=s)`` for every point of the grid and every seed.

    The trials run in worker processes that stay alive between studies, so that TensorFlow is imported and each
    architecture compiled once per process. Python, NumPy and Keras are seeded with ``s`` before each trial: the table
    is the same, bit for bit, however many workers share the work. On a Dask cluster:
    ``with joblib.parallel_config(backend="dask"): study(...)``.

    Args:
        trial: the experiment; returns a mapping of named results, such as ``{"rmse": 0.4}``.
        grid: for each argument of the trial the values to try (all combinations are run), or a list of points.
        seeds: how many seeds (shifted by ``SEED_OFFSET``, see :func:`utils.runtime.seeds`), or the seeds themselves.
        workers: processes to use; as many as :func:`utils.runtime.workers` says when not given.

    Returns:
        One row per trial: the columns of the grid, ``seed``, what the trial returned, and ``seconds``.

    Raises:
        ValueError: no seeds; a grid that is empty or holds a bare string; a trial that does not take the grid's names.
        TrialFailed: a trial raised or returned no mapping. The study stops.

    Warns:
        Diverged: the loss became NaN or infinite in some trials; one warning for all of them, from this process.
    """
    points = _points(grid)
    seeds = runtime.seeds(seeds) if isinstance(seeds, int) else list(seeds)
    if not seeds:
        raise ValueError("seeds is empty; expected a number such as 5, or a list such as [0, 1, 2, 3, 4].")
    for point in points:
        _check_signature(trial, point)
    runtime.wait_for_workers()
    # The trial travels as bytes: a worker must have started TensorFlow before unpickling something that imports it.
    pickled = cloudpickle.dumps(trial)
    workers = workers or runtime.workers()
    jobs = [joblib.delayed(_run_all)(pickled, share) for share in _shares(points, seeds, workers)]
    parallel = joblib.Parallel(workers, return_as="generator", batch_size=1)
    rows, notes = {}, {}
    with tqdm(
        total=len(points) * len(seeds),
        desc=getattr(trial, "__name__", "study"),
        unit="trial",
        file=sys.stdout,
        leave=False,
        disable=not runtime.watched(),
    ) as bar:
        for results, said in parallel(jobs):
            rows |= results
            notes |= said
            bar.update(len(results))
    if notes:
        first = min(notes)
        setting = {**points[first[0]], "seed": seeds[first[1]]}
        warnings.warn(
            f"In {len(notes)} of {len(rows)} trials training diverged. The first, {_place(setting)}: {notes[first]}",
            Diverged,
            stacklevel=2,
        )
    return pd.DataFrame([rows[place] for place in sorted(rows)])


def _shares(points: list[dict], seeds: list[int], workers: int) -> list[list[tuple]]:
    """The trials ``(place in the table, point, seed)``, in the shares in which workers take them.

    A worker that takes all seeds of a point compiles that point's model once, and no other worker has to. The last
    points, one per worker, are shared out trial by trial, so that all workers end at about the same time. With few
    seeds that would cost more in compilation than it saves: then only points that do not go round are shared out.
    """
    trials = [[((i, j), point, seed) for j, seed in enumerate(seeds)] for i, point in enumerate(points)]
    shared = len(points) % workers if len(seeds) <= FEW_SEEDS else min(workers, len(points))
    whole = len(points) - shared
    return trials[:whole] + [[trial] for together in zip(*trials[whole:], strict=True) for trial in together]


def _points(grid: Mapping[str, Sequence] | Sequence[Mapping]) -> list[dict]:
    """The points of a grid, in the order of its columns."""
    if not isinstance(grid, Mapping):
        points = [dict(point) for point in grid]
    else:
        for name, values in grid.items():
            if isinstance(values, str) or not hasattr(values, "__iter__"):
                raise ValueError(f"grid[{name!r}] is {values!r}; expected a list of values, such as [{values!r}].")
        points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    if not points:
        raise ValueError("The grid has no points: one of its lists of values is empty.")
    return points


def _check_signature(trial: Callable, point: Mapping) -> None:
    try:
        inspect.signature(trial).bind(**point, seed=0)
    except TypeError as error:
        name = getattr(trial, "__name__", "the trial")
        raise ValueError(
            f"{name} cannot be called as {name}({', '.join(f'{key}=...' for key in point)}, seed=...): {error}. "
            "Its arguments must be the names in the grid, and seed."
        ) from None


def _run_all(pickled: bytes, trials: list[tuple]) -> tuple[dict[tuple, dict], dict[tuple, str]]:
    """The rows of a share of the trials, in whichever process it landed; and what was said of divergence in them."""
    rows, notes = {}, {}
    for place, point, seed in trials:
        with collected() as said:
            rows[place] = _run(pickled, point, seed)
        if said:
            notes[place] = said[0]
    return rows, notes


def _place(setting: Mapping) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in setting.items())


def _run(pickled: bytes, point: dict, seed: int) -> dict:
    """One trial."""
    runtime.set_seed(seed)
    place = _place({**point, "seed": seed})
    started = time.perf_counter()
    try:
        results = _unpickle(pickled)(**point, seed=seed)
    except Exception as error:
        raise TrialFailed(f"The trial at {place} raised {type(error).__name__}: {error}") from error
    finally:
        gc.collect()
        private.return_memory()
    seconds = time.perf_counter() - started
    if not isinstance(results, Mapping):
        raise TrialFailed(f"The trial at {place} returned {results!r}; expected a dict of named results.")
    taken = sorted(set(results) & {*point, "seed", "seconds"})
    if taken:
        raise TrialFailed(f"The trial at {place} returned {taken}, which the table already uses; rename the result.")
    return {**point, "seed": seed, **results, "seconds": seconds}


@functools.lru_cache(maxsize=2)
def _unpickle(pickled: bytes) -> Callable[..., Mapping]:
    """The trial, unpickled once per process and study."""
    return cloudpickle.loads(pickled)
