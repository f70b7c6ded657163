"""Lessons go on where a library that is not everybody's is missing, and say what they leave out."""

import os

import nbformat
import pytest

from tools import notebooks

# The lesson as it stands, with one pass of training in place of many: what matters here is that every cell runs.
HURRY = """
def learn(*arguments, _learn=learn, **kwargs):
    return _learn(*arguments, **kwargs | {"epochs": 1})


def fit_language_model(*arguments, _fit=fit_language_model, **kwargs):
    return _fit(*arguments, **kwargs | {"updates": 10})
"""


@pytest.mark.parametrize(
    ("missing", "said", "left_out"),
    [
        ("espeakng_loader", "espeakng-loader is not installed", ("snapshots", "CTC", "In none of the other six")),
        ("music21", "music21 is not installed", ("On tunes", "In translation and music", "In none of the other six")),
    ],
)
def test_the_lesson_goes_on_and_says_what_it_leaves_out(missing, said, left_out, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{missing!r}] = None\n", encoding="utf-8")
    path = next(notebooks.NOTEBOOKS.glob("06_*.ipynb"))
    lesson = nbformat.read(path, as_version=4)
    place = 1 + next(i for i, cell in enumerate(lesson.cells) if cell.source.startswith("RATES = "))
    lesson.cells.insert(place, nbformat.v4.new_code_cell(HURRY))
    search = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    run = notebooks.execute(path, lesson, environment={"PYTHONPATH": search, "REPLICATE": "1"})
    assert run.error is None
    printed = [output.text for cell in notebooks.code_cells(lesson) for output in cell.outputs if "text" in output]
    assert any(said in text for text in printed)
    claims = [found["claim"] for _, found in notebooks.findings(lesson)]
    assert 7 <= len(claims) < 14
    assert not [claim for claim in claims if any(words in claim for words in left_out)]


@pytest.mark.parametrize(
    ("missing", "said", "left"),
    [
        ("tf2onnx", "tf2onnx is not installed", ["NumPy and every", "Every exported step", "What Keras exports"]),
        ("ai_edge_litert", "ai-edge-litert is not installed", ["NumPy and every", "Every exported step"]),
    ],
)
def test_lesson_16_exports_to_the_formats_that_are_there(missing, said, left, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{missing!r}] = None\n", encoding="utf-8")
    path = next(notebooks.NOTEBOOKS.glob("16_*.ipynb"))
    lesson = nbformat.read(path, as_version=4)
    places = {
        name: next(i for i, cell in enumerate(lesson.cells) if name in cell.source)
        for name in ("### The card", "the handbook in another language\n", "is a pruned network faster?")
    }
    setup, first, last = places.values()
    clerk = [cell for cell in lesson.cells if "clerk = build_language_model(" in cell.source]
    lesson.cells = lesson.cells[:setup] + clerk + lesson.cells[first:last]  # what is needed, and the section itself
    search = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    run = notebooks.execute(path, lesson, environment={"PYTHONPATH": search})
    assert run.error is None
    printed = [output.text for cell in notebooks.code_cells(lesson) for output in cell.outputs if "text" in output]
    assert any(said in text for text in printed)
    claims = [found["claim"] for _, found in notebooks.findings(lesson)]
    assert len(claims) == len(left)
    assert all(claim.startswith(words) for claim, words in zip(claims, left, strict=True))


# Of lesson 14: no training at all, and only as much measuring as it takes to reach the formats.
UNTRAINED = """
def fit(model, *arguments, **kwargs):
    return {}


def fit_language_model(model, *arguments, **kwargs):
    return {}
"""


def test_lesson_14_exports_to_the_formats_whose_libraries_are_there(tmp_path):
    gone = ["onnx", "tf2onnx", "ai_edge_litert"]
    lines = ["import sys", *(f"sys.modules[{module!r}] = None" for module in gone)]
    (tmp_path / "sitecustomize.py").write_text("\n".join(lines), encoding="utf-8")
    path = next(notebooks.NOTEBOOKS.glob("14_*.ipynb"))
    lesson = nbformat.read(path, as_version=4)
    headings = [i for i, cell in enumerate(lesson.cells) if cell.source.startswith("## ")]
    numbered = {lesson.cells[i].source.split()[1]: i for i in headings}
    here = [cell for cell in lesson.cells[numbered["7"] : numbered["8"]] if cell.cell_type == "code"]
    begun = [cell for cell in lesson.cells[: numbered["3"]] if cell.cell_type == "code"]
    place = 1 + next(i for i, cell in enumerate(begun) if "fit_language_model" in cell.source)
    lesson.cells = [*begun[:place], nbformat.v4.new_code_cell(UNTRAINED), *begun[place:], *here]
    search = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    run = notebooks.execute(path, lesson, environment={"PYTHONPATH": search, "REPLICATE": "1"})
    assert run.error is None
    printed = "".join(output.text for cell in here for output in cell.outputs if "text" in output)
    for package in ("onnx", "ai-edge-litert"):
        assert f"{package} is not installed" in printed
    assert "requirements-production.txt" in printed
    claims = {found["claim"]: found for _, found in notebooks.findings(lesson)}
    agree = next(found for claim, found in claims.items() if "logits of Keras" in claim)
    assert len(agree["measured"]) == 1  # SavedModel
    assert agree["holds"]
