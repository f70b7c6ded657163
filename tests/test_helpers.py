"""Helpers say which lesson teaches them, and that lesson does; what no lesson uses is not kept."""

import ast
import re

import nbformat
import pytest

from tools import notebooks

UTILS = notebooks.REPOSITORY / "utils"
LESSONS = {path.name[:2]: path for path in notebooks.lessons()}


def public(path):
    """The functions and classes of a module that have no underscore in front."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node for node in nodes if isinstance(node, kinds) and not node.name.startswith("_")]


def words_of(paths) -> set[str]:
    return {word for path in paths for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}


def sources(path) -> str:
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


NOTES = [
    (node.name, lesson, alias or node.name)
    for path in sorted(UTILS.rglob("*.py"))
    for node in public(path)
    for lesson, alias in re.findall(r"Taught in\s+lesson (\d\d)(?:, as ``(\w+)``)?", ast.get_docstring(node) or "")
]


@pytest.mark.parametrize(("helper", "lesson", "name"), NOTES, ids=lambda value: value)
def test_the_lesson_named_by_a_helper_teaches_it(helper, lesson, name):
    assert lesson in LESSONS, f"{helper} names lesson {lesson}, which is not there"
    assert re.search(rf"\b{name}\b", sources(LESSONS[lesson])), f"lesson {lesson} has no {name}"


def test_some_helpers_are_taught():
    assert len(NOTES) > 20
    assert len({lesson for _, lesson, _ in NOTES}) >= 6


# The other half of reference cells of which lessons use the forward pass; Keras is held against both.
REFERENCE = {"lstm_backward", "gru_backward"}


@pytest.mark.parametrize("room", ["datasets", "models", "evaluation"])
def test_every_helper_is_used(room):
    """In a lesson, an exercise, the guide or another module; tests do not count."""
    used = {word for path in LESSONS.values() for word in re.findall(r"\w+", sources(path))}
    folders = [notebooks.REPOSITORY / "notebooks" / "solutions", notebooks.REPOSITORY / "tools"]
    used |= words_of(path for folder in folders for path in folder.rglob("*.py"))
    used |= words_of((notebooks.REPOSITORY / "site").rglob("*.md"))
    for path in sorted((UTILS / room).glob("*.py")):
        others = words_of(other for other in UTILS.rglob("*.py") if other != path)
        text = path.read_text(encoding="utf-8")
        for node in public(path):
            inside = len(re.findall(rf"\b{node.name}\b", re.sub(r'""".*?"""', "", text, flags=re.S))) > 1
            assert node.name in used | others | REFERENCE or inside, f"{path.name}: nothing uses {node.name}"
