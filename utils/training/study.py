"""The same experiment over a grid of settings and several seeds, in parallel processes, as one tidy table."""

import ast
import functools
import gc
import hashlib
import inspect
import itertools
import json
import os
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Mapping, Sequence

import cloudpickle
import joblib
import pandas as pd
from tqdm import tqdm

from utils import private, runtime
from utils.files import write_whole
from utils.training.divergence import Diverged, collected

private.hush_replaced_workers()

STORED = runtime.REPOSITORY / "notebooks" / "studies"  # the tables of stored studies
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


def stored_study(
    name: str,
    trial: Callable[..., Mapping],
    grid: Mapping[str, Sequence] | Sequence[Mapping],
    seeds: int | Sequence[int] = 5,
) -> pd.DataFrame:
    """The table of a study that is too long for a lesson: run once by ``make studies``, read from then on.

    Its seeds are 0, 1, 2, ... whatever ``SEED_OFFSET`` says, so that nothing read here proves a finding again: a lesson
    shows such a table beside what it measures itself. Taught in lesson 08.

    Args:
        name: of the file ``notebooks/studies/NAME.csv``, such as ``"08_longer"``.
        trial: as for :func:`study`.
        grid: as for :func:`study`.
        seeds: how many, or which.

    Returns:
        What :func:`study` returned when it ran, without ``seconds``.

    Raises:
        ValueError: nothing stored, or what is stored came from another trial, grid or seeds (the trial's own source is
            compared, not that of the functions it calls).
    """
    seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    path = STORED / f"{name}.csv"
    origin = _origin(trial, _points(grid), seeds)
    if os.environ.get("STUDIES") == "1":
        table = study(trial, grid, seeds).drop(columns="seconds")
        write_whole(path, f"# {origin}\n" + table.to_csv(index=False, float_format="%.5g", lineterminator="\n"))
    again = f"Run it, once: make studies LESSON={name[:2]}"
    if not path.exists():
        raise ValueError(f"The study {name!r} has not been run: there is no {path.name} in {path.parent.name}. {again}")
    with path.open(encoding="utf-8") as file:
        stored = file.readline().removeprefix("# ").strip()
        if stored != origin:
            raise ValueError(f"The study {name!r} was run with another trial, grid or seeds than asked for. {again}")
        return pd.read_csv(file)


def _origin(trial: Callable, points: list[dict], seeds: list[int]) -> str:
    """What a stored table belongs to, as 16 characters: the trial (not its layout), the points, the seeds."""
    code = ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(trial))))
    said = json.dumps([code, points, seeds], sort_keys=True, default=repr)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


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
