"""A lesson that is begun with ``make new``: well formed, and every TODO in it is named."""

import ast
import json
import subprocess
import sys

import nbformat
import pytest

from tools import minutes, new, notebooks


@pytest.fixture
def root(tmp_path):
    new.write("6", "Attention, learned", tmp_path)
    return tmp_path


def test_it_is_well_formed(root):
    path = root / "notebooks" / "06_attention_learned.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells[:4]] == ["06-title", "06-plan", "launch", notebooks.INSTALL_CELL]
    assert "06_attention_learned.ipynb" in notebook.cells[2].source
    assert all("slide_type" in cell.metadata["slideshow"] for cell in notebook.cells)
    for cell in notebooks.code_cells(notebook):
        assert cell.id == notebooks.INSTALL_CELL or ast.parse(cell.source)
    assert minutes.rows(notebook)["teach"] == "85 (55 talk, 30 exercises)"
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "`notebooks/solutions/06_attention_learned.py`" in text
    for name in new.EXERCISES:
        assert f'check("06 {name}", {name})' in text
        for file in ("notebooks/solutions/06_attention_learned.py", "utils/exercises/lesson_06.py"):
            assert f"def {name}(" in (root / file).read_text(encoding="utf-8")
        assert f"\n{name} = [" in (root / "tests/exercises/lesson_06.py").read_text(encoding="utf-8")


def test_the_style_checks_pass(root):
    config = str(notebooks.REPOSITORY / "pyproject.toml")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", config, str(root)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_todo_is_named_until_it_is_done(root):
    left = new.todos("06", root)
    assert "notebooks/06_attention_learned.ipynb, cell 06-smallest: TODO: ten lines of NumPy that show the idea" in left
    sources = [file.read_text(encoding="utf-8") for file in root.rglob("*") if file.is_file()]
    assert len(left) == sum(text.count("TODO") for text in sources)
    assert len({sentence.split(":")[0].split(",")[0] for sentence in left}) == 5  # files
    for file in root.rglob("*"):
        if file.is_file():
            file.write_text(file.read_text(encoding="utf-8").replace("TODO", "done"), encoding="utf-8")
    assert new.todos("06", root) == []


def test_it_stops_at_the_first_todo_that_is_code(root):
    run = notebooks.execute(root / "notebooks" / "06_attention_learned.ipynb")
    assert run.error == "NotImplementedError: TODO: ten lines of NumPy that show the idea"


def test_what_cannot_be_begun_is_named(root):
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    with pytest.raises(SystemExit, match=r"Lesson 06 is there: notebooks/06_attention_learned\.ipynb"):
        new.write("06", "Other", root)
    for number, title in (("", "Attention"), ("11", " "), ("eleven", "Attention")):
        with pytest.raises(SystemExit, match='make new LESSON=18 TITLE="Reservoirs"'):
            new.write(number, title, root)
    assert before == {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    assert json.loads(before[root / "notebooks" / "06_attention_learned.ipynb"])
