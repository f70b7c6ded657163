"""`make studies`: the long studies of a lesson run in a scratch copy, up to the last one and no further."""

import nbformat
import pandas as pd
import pytest

from tools import notebooks, studies

STUDY = """
from pathlib import Path
from utils.training import study
study.STORED = Path({folder!r})

def doubled(value, seed):
    return {{"doubled": 2 * value}}

study.stored_study("07_doubled", doubled, {{"value": [3, 1]}}, seeds=2)
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a lesson 07 of these cells."""
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    monkeypatch.delenv("STUDIES", raising=False)

    def write(*sources):
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        path = tmp_path / "07_made_up.ipynb"
        notebooks.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return write


def test_runs_up_to_the_last_stored_study_and_leaves_the_lesson_alone(write, tmp_path, capsys):
    path = write(STUDY.format(folder=str(tmp_path / "tables")), "raise SystemError('not to be run')")
    before = path.read_bytes()
    assert studies.main("07") == 0
    assert "07_made_up.ipynb: ran in" in capsys.readouterr().out
    assert path.read_bytes() == before
    table = pd.read_csv(tmp_path / "tables" / "07_doubled.csv", comment="#")
    assert table["doubled"].tolist() == [6, 6, 2, 2]


def test_says_what_stopped_it(write, capsys):
    write("1 / 0", "stored_study(...)")
    assert studies.main("07") == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_says_which_lesson_it_needs(write):
    with pytest.raises(SystemExit, match="LESSON=08"):
        studies.main("")
    write("1 + 1")
    with pytest.raises(SystemExit, match="Nothing to run"):
        studies.main("07")
