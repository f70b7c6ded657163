"""The sealed part: its answers, and a ledger of how often they were looked at.

It is a seal, not a lock: all data lie on this machine, and whoever wants to can read them. What the ledger is for is
you, who want to know how far to trust your own result: the best of k looks at a sealed part is better than the truth by
chance alone, see :func:`inflation`.
"""

import hashlib
import json
import os

import numpy as np
from scipy import integrate, stats

from utils.capstone import tracks
from utils.files import write_whole
from utils.runtime import REPOSITORY

LEDGER = REPOSITORY / "build" / "capstone" / "openings.json"
JUDGED = "CAPSTONE_JUDGED"  # set while the rubric runs a notebook: what it replays has been written down before
_here: set[str] = set()  # looks of this process


def open_sealed(task: tracks.Task, predictions) -> dict[str, float]:
    """How good predictions are on the sealed part. You may look; it is counted.

    Taught in lesson 17. Who looks before handing in, and chooses by what was seen, has no sealed part left.

    Args:
        task: of :func:`utils.capstone.load`.
        predictions: for ``task.inputs``.

    Returns:
        Every measure of the task.

    Raises:
        ValueError: predictions that are not in the form of the task.
    """
    try:
        predictions = tracks.checked(task.name, predictions, len(task.inputs))
    except ValueError as error:
        raise ValueError(f"The predictions for the sealed part cannot be used: {error}") from None
    note(task.name, predictions, "notebook")
    print(f"Sealed part of {task.name!r}: opened {looks(task.name)} times from notebooks on this machine.")
    return tracks.measure(task.name, predictions, tracks.parts_of(task.name)[2].y)


def note(name: str, predictions: np.ndarray, who: str) -> None:
    """Write a look into the ledger; the same predictions count once.

    Args:
        name: of the task.
        predictions: that were compared with the answers.
        who: "notebook" or "rubric".
    """
    look = f"{name} {who} {hashlib.sha256(repr(np.asarray(predictions).tolist()).encode()).hexdigest()[:16]}"
    _here.add(look)
    if os.environ.get(JUDGED) != "1":
        write_whole(LEDGER, json.dumps(sorted(_written() | {look}), indent=1) + "\n")


def looks(name: str, who: str = "notebook") -> int:
    """How many different predictions have been compared with the answers of a task."""
    known = _here if os.environ.get(JUDGED) == "1" else _here | _written()
    return sum(look.startswith(f"{name} {who} ") for look in known)


def inflation(tries: int) -> float:
    """How far the best of so many tries is above the mean, in standard deviations, if all are equally good.

    Taught in lesson 17. The expected maximum of independent normal variables: the integral of x times the density of
    the largest, k Phi(x)^(k-1) phi(x).

    Raises:
        ValueError: fewer than one try.
    """
    if tries < 1:
        raise ValueError(f"tries is {tries}; expected at least 1.")
    if tries == 1:
        return 0.0
    density = lambda x: x * tries * stats.norm.cdf(x) ** (tries - 1) * stats.norm.pdf(x)  # noqa: E731
    return float(integrate.quad(density, -10, 10)[0])


def _written() -> set[str]:
    try:
        found = json.loads(LEDGER.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or not ours
        return set()
    return {look for look in found if isinstance(look, str)} if isinstance(found, list) else set()
