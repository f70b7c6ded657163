"""Every exercise of every lesson: its stub is greeted, its solution passes, its typical mistakes are named."""

import importlib
import re
import runpy
import sys
import warnings
from fractions import Fraction

import nbformat
import numpy as np
import pytest

from tools import notebooks
from utils.exercises import Wrong, array, call, check, checks_of, feedback, number

LESSONS = notebooks.lessons()


def asked_in(path) -> dict[str, str]:
    """For each exercise of a notebook the name of what is handed to ``check``."""
    notebook = nbformat.read(path, as_version=4)
    sources = "\n".join(cell.source for cell in notebooks.code_cells(notebook))
    return dict(re.findall(r'check\("([^"]+)", (\w+)\)', sources))


def solutions(path) -> dict:
    return runpy.run_path(str(path.parent / "solutions" / f"{path.stem}.py"))


def wrong_answers(path) -> dict[str, list]:
    """The public lists of the module."""
    module = importlib.import_module(f"tests.exercises.lesson_{path.name[:2]}")
    return {name: value for name, value in vars(module).items() if isinstance(value, list) and name[0] != "_"}


EXERCISES = [(path, name) for path in LESSONS for name in checks_of(path.name[:2])]
MISTAKES = [
    (name, answer, words)
    for path, name in EXERCISES
    for answer, words in wrong_answers(path).get(checks_of(path.name[:2])[name].__name__, [])
]


@pytest.mark.parametrize(("path", "name"), EXERCISES, ids=lambda value: value if isinstance(value, str) else "")
def test_solution_passes_and_a_stub_is_greeted(path, name):
    answer = solutions(path)[checks_of(path.name[:2])[name].__name__]
    assert feedback(name, answer) == ("right", f"✔ {name}: right.")
    stubs = {dict: lambda answer: dict.fromkeys(answer, ...), set: lambda answer: ...}
    stub = stubs.get(type(answer), lambda answer: lambda *arguments: ...)(answer)
    for untouched in (stub, ..., None):
        status, text = feedback(name, untouched)
        assert status == "not attempted", text
        assert "not attempted yet" in text


@pytest.mark.parametrize(("name", "answer", "words"), MISTAKES, ids=[f"{name}-{words}" for name, _, words in MISTAKES])
def test_mistake_is_named(name, answer, words):
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        status, text = feedback(name, answer)
    assert (status, words in text) == ("wrong", True), text
    assert not leaked, [str(warning.message) for warning in leaked]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_has_what_an_exercise_needs(path):
    """The check, what the learner writes, the solution and the wrong answers have one name."""
    checks = {name: check.__name__ for name, check in checks_of(path.name[:2]).items()}
    assert len(checks) >= 3
    assert asked_in(path) == checks
    assert set(checks.values()) <= set(solutions(path))
    assert set(checks.values()) == set(wrong_answers(path))
    for name, mistakes in wrong_answers(path).items():
        assert len(mistakes) >= 2, name


def test_an_answer_may_change_its_arguments():
    def in_place(delta, h, h_before, u):
        delta *= 1 - h**2
        return h_before.T @ delta, delta @ u.T

    assert feedback("00 step back", in_place)[0] == "right"
    assert feedback("00 both ways", "a, c, e")[0] == "right"


def test_check_prints_and_an_unknown_exercise_lists_the_known(capsys):
    check("01 forget bias", ...)
    assert "not attempted yet" in capsys.readouterr().out
    with pytest.raises(
        ValueError, match=r"no exercise '01 nothing'; utils/exercises/lesson_01\.py has '01 matched units'"
    ):
        check("01 nothing", 3)
    with pytest.raises(ValueError, match=r"no exercise 'no such'; utils/exercises/lesson_no\.py has none"):
        check("no such", 3)
    with pytest.raises(ValueError, match=r"no exercise '\.\.'; utils/exercises/lesson_\.\.\.py has none"):
        check("..", 3)


def test_a_missing_library_is_not_taken_for_a_missing_exercise(monkeypatch):
    monkeypatch.delitem(sys.modules, "utils.exercises.lesson_01", raising=False)
    monkeypatch.setitem(sys.modules, "utils.evaluation.baselines", None)  # as if it could not be imported
    monkeypatch.delattr("utils.evaluation.baselines", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"utils\.evaluation\.baselines"):
        check("01 forget bias", ...)


def test_answers_of_the_wrong_kind_get_a_sentence():
    with pytest.raises(Wrong, match=r"expected a function, got 3"):
        call(3)
    with pytest.raises(Wrong, match=r"raised ZeroDivisionError when called with 1, an array of shape \(2,\)"):
        call(lambda a, b: 1 / 0, 1, np.zeros(2))
    for value in ("1", [1], np.zeros(2), True):
        with pytest.raises(Wrong, match="should be a number"):
            number(value, "it")
    for value in (float("nan"), 10**400):
        with pytest.raises(Wrong, match="expected a finite number"):
            number(value, "it")
    assert number(Fraction(7), "it") == 7
    with pytest.raises(Wrong, match=r"it should be an array of numbers, got 'abc'"):
        array("abc", (3,), "it")
    with pytest.raises(Wrong, match=r"it should have shape \(3,\), got \(2,\)"):
        array([1, 2], (3,), "it")
    with pytest.raises(Wrong, match="NaN"):
        array([1, np.nan], (2,), "it")
    with pytest.raises(Wrong, match="it holds complex numbers"):
        array([1, 1j], (2,), "it")
    np.testing.assert_array_equal(array([1 + 0j, 2], (2,), "it"), [1, 2])
    assert number(np.float32(2), "it") == number(np.array([2]), "it") == 2


def test_all_lessons_with_exercises_are_checked_here():
    modules = {path.stem for path in (notebooks.REPOSITORY / "utils" / "exercises").glob("lesson_*.py")}
    assert modules == {f"lesson_{path.name[:2]}" for path in LESSONS}
