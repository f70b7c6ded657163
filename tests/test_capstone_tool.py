"""``make capstone``: a learner's notebook in a process of its own, ended in time, and a report whatever happens."""

import os
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from tests.test_capstone import REPORT, Page
from tools import capstone, notebooks
from utils.capstone import handover, report, rubric, sealed

HONEST = """
from tests.submissions import echo, linear, memoryless
from utils import capstone

task = capstone.load("sea")
table = capstone.try_out(task, echo)
print(table.median().round(4).to_dict(), capstone.try_out(task, linear, 1)["MASE"].round(4).tolist(), 24)
claims = {"MASE": 0.203, "RMSE": 0.694}
capstone.hand_in(task, echo, baseline=linear, parts={"memory": memoryless}, claims=claims, step=lambda x: x)
"""


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    monkeypatch.setattr(sealed, "LEDGER", tmp_path / "openings.json")
    monkeypatch.setattr(sealed, "_here", set())
    monkeypatch.setattr(capstone, "FOLDER", tmp_path / "reports")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


def written(path, *cells):
    """A notebook of code cells; a cell that begins with "#" and a space is prose."""
    make = nbformat.v4
    made = [make.new_markdown_cell(c) if c.startswith("# ") else make.new_code_cell(c.strip()) for c in cells]
    notebook = make.new_notebook(cells=made)
    nbformat.write(notebook, path)
    return path


def test_an_honest_notebook_is_run_again_with_other_seeds_and_reported(tmp_path, capsys):
    path = written(tmp_path / "mine.ipynb", HONEST, f"# Report\n\n{REPORT}")
    stored = capstone.run(nbformat.read(path, 4), tmp_path, 0, 100)  # what the learner's own run leaves
    nbformat.write(stored, path)
    before = path.read_bytes()
    assert capstone.main([str(path)]) == 0
    said = capsys.readouterr().out
    assert "of 100 points: passed" in said, said  # though nothing is proved to be better, and it says so
    assert "✘ The difference is more than chance" in said
    assert "✔ Five seeds, none of them chosen" in said
    assert "✔ Every number in the text comes from a cell" in said
    assert "with five that were drawn now" in said
    assert path.read_bytes() == before
    page = (tmp_path / "reports" / "mine.html").read_text(encoding="utf-8")
    assert "five that were drawn now" in Page(page).text
    assert "opened for" not in said
    assert sealed.looks("sea", "rubric") == 1
    records = [capstone._handed_in(n) for n in (stored, capstone.run(stored, tmp_path, 7000, 100))]
    assert [record["seeds"] for record in records] == [[0, 1, 2, 3, 4], [7000, 7001, 7002, 7003, 7004]]


def test_the_blank_template_gets_a_kind_report(tmp_path, capsys):
    path = tmp_path / "mine.ipynb"
    path.write_bytes(capstone.TEMPLATE.read_bytes())
    assert capstone.main([str(path)]) == 1
    said = capsys.readouterr().out
    assert "Nothing was handed in." in said
    assert "`claims` has no numbers yet" in said
    assert "write `baseline` and `solve`" in said
    assert "Traceback" not in said
    assert "Nothing was handed in" in Page((tmp_path / "reports" / "mine.html").read_text(encoding="utf-8")).text


def test_a_cell_that_raises_is_named_without_a_traceback(tmp_path):
    path = written(tmp_path / "mine.ipynb", "from utils import capstone", "# prose", "value = 1\n1 / 0")
    result = capstone.judged(path)
    assert result.score is None
    assert "Code cell 2 (value = 1) raised ZeroDivisionError: division by zero" in result.notes[0]
    assert "Run All Cells" in result.notes[0]


def runs(pid: int) -> bool:
    """Whether there is such a process; one that has ended may wait for somebody to ask how."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


CHILD = """
import subprocess, sys
from utils import capstone
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
open("child", "w").write(str(child.pid))
"""


def test_a_notebook_that_does_not_end_is_ended_with_what_it_started(tmp_path):
    path = written(tmp_path / "mine.ipynb", CHILD, "while True:\n    pass")
    begun = time.monotonic()
    result = capstone.judged(path, limit=10)
    assert time.monotonic() - begun < 60
    assert "longer than 10 seconds and was ended in code cell 2 (while True:)" in result.notes[0]
    assert not runs(int((tmp_path / "child").read_text()))


def test_a_notebook_that_ends_leaves_no_process_behind(tmp_path):
    path = written(tmp_path / "mine.ipynb", CHILD)
    assert "handed in nothing" in capstone.judged(path).notes[0]
    assert not runs(int((tmp_path / "child").read_text()))


def test_a_kernel_that_dies_is_reported(tmp_path):
    path = written(tmp_path / "mine.ipynb", "from utils import capstone\nimport os\nos._exit(3)")
    assert "Its process ended in code cell 1" in capstone.judged(path).notes[0]


def test_a_notebook_without_the_capstone_is_not_even_run(tmp_path):
    path = written(tmp_path / "mine.ipynb", "open('ran', 'w')")
    assert "Begin with a copy of capstone_template.ipynb" in capstone.judged(path).notes[0]
    assert not (tmp_path / "ran").exists()


def test_what_is_no_notebook_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="There is no notebook"):
        capstone.main([str(tmp_path / "none.ipynb")])
    (tmp_path / "text.ipynb").write_text("not JSON")
    with pytest.raises(SystemExit, match="cannot be read as a notebook"):
        capstone.main([str(tmp_path / "text.ipynb")])
    with pytest.raises(SystemExit, match="Say which notebook"):
        capstone.main([""])


@pytest.mark.parametrize("record", [{"version": 1}, "text", {"version": 1, "task": "sea", "runs": 3}])
def test_a_forged_record_is_reported_and_not_believed(tmp_path, monkeypatch, record):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("# shows something in place of capstone")])
    monkeypatch.setattr(capstone, "run", lambda notebook, *_: forged(notebook))

    def forged(notebook):
        copy = nbformat.from_dict(notebook)
        output = nbformat.v4.new_output("display_data", {"text/plain": ""}, metadata={handover.METADATA: record})
        copy.cells[0].outputs = [output]
        return copy

    nbformat.write(notebook, tmp_path / "mine.ipynb")
    result = capstone.judged(tmp_path / "mine.ipynb")
    assert "cannot be judged" in result.notes[0]
    assert rubric.nothing_yet("x").accepted is False
    assert report.headline(result) == "Nothing was handed in."


def test_the_report_is_the_text_under_its_heading():
    make = nbformat.v4.new_markdown_cell
    cells = [make("# Mine\n\n1 and 2"), make("## 6 · Report\n\nIt has 3.\n\n### More\n\nand 4"), make("## After\n\n5")]
    text = capstone._report_of(nbformat.v4.new_notebook(cells=cells))
    assert [digit for digit in text if digit.isdigit()] == ["3", "4"]
    assert capstone._report_of(nbformat.v4.new_notebook(cells=cells[:1])) == ""


def test_the_template_is_no_lesson_stores_nothing_and_uses_the_four_calls():
    assert capstone.TEMPLATE not in notebooks.lessons()
    notebook = nbformat.read(capstone.TEMPLATE, as_version=4)
    assert not any(cell.outputs or cell.execution_count for cell in notebooks.code_cells(notebook))
    source = "\n".join(cell.source for cell in notebook.cells)
    assert {"capstone.load", "capstone.try_out", "capstone.hand_in"} <= set(source.replace("(", " ").split())
    assert "Report" in source


def test_the_capstone_needs_no_tensorflow(tmp_path):
    program = (
        "import sys\nfrom utils import capstone\nfrom utils.capstone import rubric, report\ncapstone.load('sea')\n"
    )
    program += "sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ, cwd=notebooks.REPOSITORY, timeout=120)
    assert done.returncode == 0
