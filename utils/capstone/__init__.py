"""The capstone: build a sequence model, measure it, and defend it before a rubric that believes predictions only.

Four calls are all there is to learn. ::

    task = capstone.load("temperature")
    capstone.try_out(task, solve)  # on the validation part, as often as you like
    capstone.hand_in(task, solve, baseline=..., parts=..., claims=...)
    capstone.open_sealed(task, predictions)  # you may; it is counted

Then ``make capstone NOTEBOOK=mine.ipynb`` runs the notebook again and reports. :mod:`utils.capstone.tracks` has the
tasks, :mod:`utils.capstone.handover` says what is handed over, :mod:`utils.capstone.rubric` what is looked at.
"""

from utils.capstone.handover import hand_in, try_out
from utils.capstone.sealed import open_sealed
from utils.capstone.tracks import load

__all__ = ["hand_in", "load", "open_sealed", "try_out"]
