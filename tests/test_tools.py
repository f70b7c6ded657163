"""Executing, replicating and listing lessons, on small notebooks made here."""

import nbformat
import pytest

from tools import doctor, lessons, notebooks, pages, replicate


def make(folder, *sources: str, name: str = "07_made_up.ipynb"):
    cells = [nbformat.v4.new_markdown_cell("# 07 · Made up\n\n**Research question.** Why?\n\n**Answer.** So | so.")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    path = folder / name
    notebooks.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


SEEDED = """
from utils import runtime
from utils.findings import finding
finding("The first seed is small", runtime.seeds(2), at_most=1500, published="3", source="Nobody 1999")
print("after")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    monkeypatch.delenv("SEED_OFFSET", raising=False)
    return tmp_path


def test_lessons_are_run_in_place_with_a_table(folder, capsys):
    path = make(folder, SEEDED, "import os; print('PYTEST_CURRENT_TEST' in os.environ)")
    assert lessons.main("7") == 0
    stored = nbformat.read(path, as_version=4)
    assert stored.metadata[notebooks.HASH] == notebooks.code_hash(stored)
    assert [cell.execution_count for cell in notebooks.code_cells(stored)] == [1, 2]
    assert stored.cells[2].outputs[0].text == "True\n"
    table = capsys.readouterr().out
    assert "07_made_up" in table
    assert "1 of 1" in table


def test_a_lesson_that_stops_is_reported(folder, capsys):
    make(folder, "1 / 0", "print('never')")
    assert lessons.main(None) == 1
    assert "07_made_up.ipynb stopped: ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_replicate_tabulates_and_leaves_the_stored_notebook_alone(folder, capsys):
    path = make(folder, SEEDED)
    lessons.main(None)
    before = path.read_bytes()
    assert replicate.main("1000 2000", None) == 1
    assert path.read_bytes() == before
    table = capsys.readouterr().out
    assert "1000  held" in table
    assert "2000  REFUTED       2,000 to 2,001 over 2 values (required at most 1500)" in table
    assert "1 not as they should be" in table


def test_replicate_counts_errors_and_what_was_not_measured(folder, capsys):
    make(folder, "from utils import runtime\nassert runtime.seed_offset() < 50, 'boom'\n" + SEEDED)
    lessons.main(None)
    capsys.readouterr()
    assert replicate.main("10 100", None) == 2
    table = capsys.readouterr().out
    assert "offset 100: AssertionError: boom" in table
    assert "10  held" in table
    assert "100  NOT MEASURED" in table


def test_bad_input_is_named(folder):
    make(folder, "1")
    with pytest.raises(SystemExit, match=r"No lesson 09; there is 07\. Example: make lessons LESSON=07"):
        lessons.main("09")
    for offsets in ("", "-5", "a b"):
        with pytest.raises(SystemExit, match="Expected offsets as whole numbers"):
            replicate.main(offsets, None)


def test_page_of_answers(folder):
    path = make(folder, SEEDED)
    lessons.main(None)
    lesson = pages.read_lesson(path)
    page = pages.findings_page([lesson])
    cell = notebooks.code_cells(nbformat.read(path, as_version=4))[0]
    link = f"[07.1](notebooks/07_made_up.ipynb#cell-id={cell.id})"
    assert f"| The first seed is small | 0 to 1 over 2 values | at most 1500 | 3 (Nobody 1999) | {link} |" in page
    assert "**Question.** Why?" in page
    frame = "<!-- clone -->\nold\n<!-- /clone -->\n<!-- lessons -->\nold\n<!-- /lessons -->\nkept\n"
    text = pages.readme([lesson], frame)
    assert "old" not in text
    assert text.endswith("<!-- /lessons -->\nkept\n")
    assert "[07 · Made up](notebooks/07_made_up.ipynb) | Why? | So \\| so. | [1](FINDINGS.md#07--made-up)" in text
    assert f"git clone {pages.repository_url()}" in text
    with pytest.raises(ValueError, match="0 parts <!-- lessons -->"):
        pages.readme([lesson], "<!-- clone -->\n<!-- /clone -->\n")


def test_a_lesson_without_an_answer_is_named(folder):
    path = folder / "08_none.ipynb"
    notebooks.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title")]), path)
    with pytest.raises(ValueError, match=r"08_none\.ipynb has no line that begins with '\*\*Research question"):
        pages.read_lesson(path)


def test_doctor_passes_here_and_says_what_to_do_elsewhere(capsys, monkeypatch):
    assert doctor.main() == 0
    assert capsys.readouterr().out.count("[OK]") == len(doctor.CHECKS)
    monkeypatch.setattr(doctor, "DISK", 1e18)
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "0.1")
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert "[FAIL] disk" in out
    assert "[FAIL] libraries: missing or too old: tensorflow>=2.20 (found 0.1)" in out
    assert "make lab" in out
