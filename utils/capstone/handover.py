"""Handing in: a solution is called with data that the rubric chooses, and what it predicts is written down as JSON.

A **solution** is a function ``solve(train, validation, inputs, seed)``. It learns from ``train`` (and may choose, such
as when to stop, on ``validation``), draws whatever is left to chance from ``seed``, and returns a prediction for each
row of ``inputs``. So the rubric needs to believe nothing: it knows what a solution was given, and measures the
predictions by itself. No model is handed over, and nothing is pickled.
"""

import base64
import math
import random
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from IPython.display import display

from utils import runtime
from utils.capstone import sealed, tracks

VERSION = 1
SEEDS = 5
METADATA = "capstone"  # name, in the metadata of the output, of what was handed over
ORDER_SEEDS = 2  # trainings on shuffled order
NETWORK, BASELINE, ORDER, SCRAMBLED, WITHOUT = "network", "baseline", "order", "scrambled", "without "
LONGEST_TEXT = 400  # characters of a predicted text or sample that are kept
MOST_SAMPLES = 64

Solve = Callable[[tracks.Part, tracks.Part, np.ndarray, int], object]


class CannotBeHandedIn(Exception):
    """What was handed over does not have the form that was asked for; the message says how."""


class NothingYet(Exception):
    """The stub is still a stub."""


class Run(NamedTuple):
    """One training of a solution and what it predicted."""

    what: str  # NETWORK, BASELINE, ORDER, SCRAMBLED, or WITHOUT and the name of a part
    seed: int
    seconds: float  # of processor time
    validation: np.ndarray  # predictions
    sealed: np.ndarray
    moved: np.ndarray | None  # for the sealed rows once more, each at the place of the next; of the first run only


class Submission(NamedTuple):
    """What a notebook handed over."""

    task: str
    seeds: tuple[int, ...]
    claims: dict[str, float]
    parts: tuple[str, ...]
    runs: tuple[Run, ...]
    milliseconds: float | None  # of processor time for one answer
    samples: tuple[str, ...]
    looks: int  # at the sealed part, before this

    def of(self, what: str) -> list[Run]:
        """The runs of one kind."""
        return [run for run in self.runs if run.what == what]


def try_out(task: tracks.Task, solve: Solve, seeds: int = SEEDS) -> pd.DataFrame | None:
    """Train a solution with several seeds and measure it on the validation part, as often as you like.

    Taught in lesson 17.

    Args:
        task: of :func:`utils.capstone.load`.
        solve: the solution, see above.
        seeds: how many.

    Returns:
        One row for each seed: every measure of the task, and seconds of processor time. None for a stub.

    Raises:
        CannotBeHandedIn: the solution raised, or predicts in another form than the task wants.
    """

    def trial(seed: int) -> dict:
        predictions, seconds = _call(task, solve, _name(solve), task.train, task.validation, task.validation.x, seed)
        return {"seed": seed, **tracks.measure(task.name, predictions, task.validation.y), "seconds": seconds}

    try:
        rows = _side_by_side(trial, [{"seed": seed} for seed in runtime.seeds(seeds)])
    except NothingYet:
        print(f"○ not attempted yet: `{_name(solve)}` returns nothing. Write it, then run this again.")
        return None
    return pd.DataFrame(rows).set_index("seed")


def hand_in(
    task: tracks.Task,
    solve: Solve,
    *,
    baseline: Solve,
    parts: Mapping[str, Solve],
    claims: Mapping[str, float],
    step: Callable | None = None,
    samples: Sequence[str] = (),
) -> None:
    """Let the rubric's data loose on a solution and hand over what it predicts.

    Taught in lesson 17. Trains ``solve`` five times, with five seeds; three times more with the order shuffled and with
    targets that belong to other rows; five times for each part. What this cell shows carries the predictions.

    Args:
        task: of :func:`utils.capstone.load`.
        solve: the solution, see above.
        baseline: the best opponent without a network that you found, a function like ``solve``.
        parts: for each part of the solution that you say is worth having, a solution without it.
        claims: at least two measures of the task on the validation part, each the median of your five seeds, rounded
            as you like: ``{"MASE": 0.57, "RMSE": 1.9}``.
        step: answers one request, ``step(inputs[:1])``, as the exported network of lesson 14 would.
        samples: of a text generator: at least five texts of at least 200 characters.
    """
    try:
        record = measure(task, solve, baseline=baseline, parts=parts, claims=claims, step=step, samples=samples)
    except NothingYet as nothing:
        print(f"○ not handed in yet: {nothing}")
        return
    except CannotBeHandedIn as error:
        print(f"✘ not handed in: {error}")
        return
    trainings = sum(run["what"] != BASELINE for run in record["runs"])
    text = (
        f"Handed in: task {task.name!r}, {trainings} trainings. Save the notebook and say: make capstone NOTEBOOK=..."
    )
    display({"text/plain": text}, raw=True, metadata={METADATA: record})


def measure(
    task: tracks.Task,
    solve: Solve,
    *,
    baseline: Solve,
    parts: Mapping[str, Solve],
    claims: Mapping[str, float],
    step: Callable | None = None,
    samples: Sequence[str] = (),
) -> dict:
    """What :func:`hand_in` hands over, as a dictionary that JSON can hold; arguments as there.

    Raises:
        NothingYet: a function is still a stub; says which.
        CannotBeHandedIn: a function raised or predicts in another form, or claims are no numbers.
    """
    looked = sealed.looks(task.name)
    seeds = runtime.seeds(SEEDS)
    claims = _claims(task, claims)
    if not isinstance(parts, Mapping) or not all(isinstance(name, str) and name.strip() for name in parts):
        raise CannotBeHandedIn("`parts` should be a dictionary: the name of a part, and a solution without it.")
    functions = {NETWORK: solve, BASELINE: baseline, ORDER: solve, SCRAMBLED: solve}
    functions |= {WITHOUT + name: without for name, without in parts.items()}
    counts = {BASELINE: 1, ORDER: ORDER_SEEDS, SCRAMBLED: 1}
    jobs = [{"what": what, "seed": seed} for what in functions for seed in seeds[: counts.get(what, SEEDS)]]

    def trial(what: str, seed: int) -> dict:
        return _run(task, what, functions[what], seed)

    runs = _side_by_side(trial, jobs)
    return {
        "version": VERSION,
        "task": task.name,
        "seeds": seeds,
        "claims": claims,
        "parts": list(parts),
        "runs": runs,
        "milliseconds": None if step is None else _milliseconds(task, step),
        "samples": [str(text)[:LONGEST_TEXT] for text in list(samples)[:MOST_SAMPLES]],
        "looks": looked,
    }


def read(record) -> Submission:
    """What a notebook handed over, taken from JSON that is not to be trusted.

    Args:
        record: the object that stood in the metadata of an output.

    Raises:
        CannotBeHandedIn: it is of another kind or version, or holds anything that its task does not have.
    """
    try:
        if record["version"] != VERSION:
            raise CannotBeHandedIn(f"it is in version {record['version']!r}; run the notebook with this course again.")
        name = str(record["task"])
        _, validation, kept, _ = tracks.parts_of(name)
        sizes = {"validation": len(validation.x), "sealed": len(kept.x), "moved": len(kept.x)}
        runs = []
        for run in record["runs"]:
            arrays = {part: _unpack(name, run[part], rows) for part, rows in sizes.items() if run.get(part) is not None}
            runs.append(Run(str(run["what"]), int(run["seed"]), _finite(run["seconds"]), **{"moved": None} | arrays))
        milliseconds = record["milliseconds"]
        return Submission(
            name,
            tuple(int(seed) for seed in record["seeds"]),
            {str(measure): _finite(value) for measure, value in record["claims"].items()},
            tuple(str(part) for part in record["parts"]),
            tuple(runs),
            None if milliseconds is None else _finite(milliseconds),
            tuple(str(text)[:LONGEST_TEXT] for text in record["samples"][:MOST_SAMPLES]),
            int(record["looks"]),
        )
    except CannotBeHandedIn:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else ""
        raise CannotBeHandedIn(f"what was handed over cannot be read ({type(error).__name__}: {said}).") from None


def _side_by_side(trial: Callable[..., dict], jobs: list[dict]) -> list[dict]:
    """What a trial returns for each job: the first here, so that a fault shows at once, the others in the workers.

    Workers are used where a notebook has started TensorFlow, since without a network nothing takes long.

    Raises:
        NothingYet, CannotBeHandedIn: the trial raised it.
    """
    results = [trial(**jobs[0])]
    if not jobs[1:] or "tensorflow" not in sys.modules or runtime.workers() == 1:
        return results + [trial(**job) for job in jobs[1:]]
    from utils.training.study import study  # here: it needs TensorFlow

    def training(job: dict, seed: int) -> dict:  # its name stands at the progress bar
        try:
            return {"result": trial(**job), "error": None}
        except (NothingYet, CannotBeHandedIn) as error:
            return {"result": None, "error": (type(error).__name__, str(error))}

    for row in study(training, {"job": jobs[1:]}, seeds=[0]).to_dict("records"):
        if isinstance(row["error"], tuple):
            kind, said = row["error"]
            raise {"NothingYet": NothingYet, "CannotBeHandedIn": CannotBeHandedIn}[kind](said)
        results.append(row["result"])
    return results


def _run(task: tracks.Task, what: str, function: Solve, seed: int) -> dict:
    """Train and predict once, with the data that this kind of run is about."""
    train, validation, inputs = task.train, task.validation, task.inputs
    rng = np.random.default_rng([17, seed])
    if what == ORDER:
        train, validation = (part._replace(x=tracks.in_another_order(part.x, rng)) for part in (train, validation))
        inputs = tracks.in_another_order(inputs, rng)
    elif what == SCRAMBLED:
        train, validation = (tracks.track_of(task.name).scrambled(part, rng) for part in (train, validation))
    asked = [validation.x, inputs]
    first = what == NETWORK and seed == runtime.seeds(1)[0]
    if first:
        asked.append(np.roll(inputs, 1, axis=0))
    name = {NETWORK: "solve", ORDER: "solve", SCRAMBLED: "solve", BASELINE: "baseline"}.get(what, f"parts: {what}")
    predictions, seconds = _call(task, function, name, train, validation, np.concatenate(asked), seed)
    pieces = np.split(predictions, np.cumsum([len(part) for part in asked])[:-1])
    keys = ("validation", "sealed", "moved")
    return {"what": what, "seed": seed, "seconds": round(seconds, 3)} | {
        key: _pack(piece) for key, piece in zip(keys, pieces, strict=False)
    }


def _call(task: tracks.Task, function: Solve, name: str, train, validation, inputs, seed: int):
    """``(predictions, seconds of processor time)``; whatever is left to chance follows from the seed."""
    if function is None or function is ...:
        raise NothingYet(f"`{name}` is still to be written.")
    if not callable(function):
        raise CannotBeHandedIn(
            f"`{name}` should be a function, got {type(function).__name__}; leave the brackets away."
        )
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)
    begun = time.process_time()
    try:
        given = function(*(tracks.Part(part.x.copy(), part.y.copy()) for part in (train, validation)), inputs, seed)
    except NothingYet:
        raise
    except Exception as error:
        said = str(error).splitlines()[0][:300] if str(error) else ""
        raise CannotBeHandedIn(
            f"`{name}` raised {type(error).__name__} with seed {seed} and {len(inputs)} inputs: {said}. It has to work "
            "for any inputs of the form of task.inputs, and to use nothing but what it is given."
        ) from error
    if given is None or given is ...:
        raise NothingYet(f"`{name}` returns nothing.")
    try:
        return tracks.checked(task.name, given, len(inputs)), time.process_time() - begun
    except ValueError as error:
        raise CannotBeHandedIn(f"`{name}` returned something else than was asked for: {error}") from None


def _name(function) -> str:
    return getattr(function, "__name__", "solve")


def _claims(task: tracks.Task, claims) -> dict[str, float]:
    claims = claims.to_dict() if isinstance(claims, pd.Series) else claims
    if not isinstance(claims, Mapping) or any(value is ... for value in claims.values()):
        raise NothingYet("`claims` has no numbers yet; try_out(task, solve).median() tells them.")
    for name, value in claims.items():
        if name not in task.measures:
            raise CannotBeHandedIn(
                f"`claims` names {name!r}; the measures of {task.name!r}: {', '.join(task.measures)}."
            )
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
            raise CannotBeHandedIn(f"`claims` has {value!r} for {name!r}; expected a number.")
    return {name: float(value) for name, value in claims.items()}


def _milliseconds(task: tracks.Task, step: Callable, times: int = 30) -> float:
    """The median processor time of one answer, after three that warm up."""
    taken = []
    try:
        for i in range(times + 3):
            row = task.inputs[i % len(task.inputs) :][:1]
            begun = time.process_time()
            step(row)
            taken.append(time.process_time() - begun)
    except Exception as error:
        raise CannotBeHandedIn(
            f"`step` raised {type(error).__name__} when given one input, an array of shape {row.shape}: {error}"
        ) from error
    return round(1000 * float(np.median(taken[3:])), 3)


def _pack(predictions: np.ndarray) -> dict | list[str]:
    """Predictions as JSON: texts as they are, numbers as compressed bytes."""
    if predictions.dtype == object:
        return [text[:LONGEST_TEXT] for text in predictions]
    kind = "<f2" if predictions.ndim == 2 else "<f4"  # of probabilities three digits are enough
    return {"type": kind, "data": base64.b64encode(zlib.compress(predictions.astype(kind).tobytes())).decode()}


def _unpack(name: str, packed, rows: int) -> np.ndarray:
    if isinstance(packed, list):
        return tracks.checked(name, packed, rows)
    shape = (rows, tracks.SYMBOLS) if name == "letters" else (rows,)
    kind = {"<f2": "<f2", "<f4": "<f4"}[packed["type"]]
    size = math.prod(shape) * np.dtype(kind).itemsize
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(base64.b64decode(packed["data"], validate=True), size + 1)  # and never more
    except zlib.error as error:
        raise ValueError(f"its numbers are damaged: {error}") from None
    if len(data) != size:
        raise ValueError(f"it should hold {math.prod(shape)} numbers for {rows} rows")
    return tracks.checked(name, np.frombuffer(data, kind).reshape(shape).astype(np.float32), rows)


def _finite(value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)
