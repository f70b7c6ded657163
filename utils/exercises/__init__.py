"""``check(name, answer)``: instant feedback on an exercise, in words.

What the answers of lesson NN must do stands in ``lesson_NN.py`` beside this file: one function per exercise, which
raises :class:`Wrong` with a sentence that says what came, what was expected and what to think about. It is called as
what the learner writes, and so are the reference answer in ``notebooks/solutions`` and the list of wrong answers in
``tests/exercises``; the name of the exercise stands in :func:`exercise` alone.
"""

import importlib
import math
import warnings
from collections.abc import Callable
from numbers import Real

import numpy as np

_CHECKS: dict[str, Callable] = {}  # of the lessons asked for so far


class Wrong(Exception):
    """An answer is wrong; the message tells the learner in what way."""


class NotAttempted(Exception):
    """The stub is still a stub."""


def check(name: str, answer) -> None:
    """Print whether an answer is right, and if not, what is wrong with it; an untouched stub is greeted.

    Args:
        name: the exercise, beginning with the number of its lesson, such as ``"01 matched units"``.
        answer: what the exercise asks for, mostly a function.

    Raises:
        ValueError: no such exercise; lists those of the lesson.
    """
    print(feedback(name, answer)[1])


def feedback(name: str, answer) -> tuple[str, str]:
    """``("right" | "wrong" | "not attempted", what to tell the learner)``; see :func:`check`."""
    checks = checks_of(name[:2])
    if name not in checks:
        known = ", ".join(map(repr, checks)) or "none"
        raise ValueError(f"There is no exercise {name!r}; utils/exercises/lesson_{name[:2]}.py has {known}.")
    try:
        if answer is None or answer is ...:
            raise NotAttempted
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is told in our words, not by NumPy
            checks[name](answer)
    except NotAttempted:
        return "not attempted", f"○ {name}: not attempted yet. Replace the ... above and run both cells again."
    except Wrong as wrong:
        return "wrong", f"✘ {name}: {wrong}"
    return "right", f"✔ {name}: right."


def exercise(name: str) -> Callable:
    """Decorator: the function checks the answers to the exercise of this name, such as ``"01 matched units"``."""

    def register(function: Callable) -> Callable:
        _CHECKS[name] = function
        return function

    return register


def checks_of(lesson: str) -> dict[str, Callable]:
    """The checks of a lesson such as ``"01"``, by the name of the exercise; none where there is no such lesson."""
    module = f"{__name__}.lesson_{lesson}"
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(f"{__name__}.lesson_"):
            raise  # a library is missing, not the lesson
    return {name: check for name, check in _CHECKS.items() if name[:2] == lesson}


def call(function, *arguments):
    """What the learner's function returns.

    Raises:
        NotAttempted: it returns nothing, or ``...``.
        Wrong: it is no function, or it raised.
    """
    if not callable(function):
        raise Wrong(f"expected a function, got {_describe(function)}. Pass the function itself, without calling it.")
    try:
        result = function(*arguments)
    except Wrong:  # raised by a function that the check handed to the answer
        raise
    except Exception as error:
        shown = ", ".join(map(_describe, arguments))
        raise Wrong(f"your function raised {type(error).__name__} when called with {shown}: {error}") from None
    if result is None or result is ...:
        raise NotAttempted
    return result


def number(value, what: str) -> float:
    """The value as a number.

    Raises:
        Wrong: it is none, or not finite.
    """
    if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1:
        value = np.asarray(value).item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise Wrong(f"{what} should be a number, got {_describe(value)}.")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise Wrong(f"{what} is {result}; expected a finite number.")
    return result


def array(value, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The value as an array of numbers of the given shape.

    Raises:
        Wrong: it is none, has another shape, or holds complex numbers, NaN or infinity.
    """
    try:
        result = np.real_if_close(value)
        if np.iscomplexobj(result):
            raise Wrong(f"{what} holds complex numbers; expected real ones.")
        result = np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"{what} should be an array of numbers, got {_describe(value)}.") from None
    if result.shape != shape:
        raise Wrong(f"{what} should have shape {shape}, got {result.shape}.")
    if not np.isfinite(result).all():
        raise Wrong(f"{what} holds NaN or infinity.")
    return result


def _describe(value) -> str:
    """A short name of a value, for a sentence."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
