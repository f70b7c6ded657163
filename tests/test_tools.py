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
    path = make(folder, SEEDED, "import os; print(os.environ['UNWATCHED'])")
    assert lessons.main("7") == 0
    stored = nbformat.read(path, as_version=4)
    assert stored.metadata[notebooks.HASH] == notebooks.code_hash(stored)
    assert [cell.execution_count for cell in notebooks.code_cells(stored)] == [1, 2]
    assert stored.cells[2].outputs[0].text == "1\n"
    table = capsys.readouterr().out
    assert "07_made_up" in table
    assert "1 of 1" in table


def test_outputs_are_stored_as_they_are_tested(folder, monkeypatch):
    """Under nbval the kernel inherits PYTEST_CURRENT_TEST: no progress bar, and nothing that is written past Python."""
    source = """
import os
from utils import runtime
from utils.runtime import tf
runtime.start()
os.write(1, b"native line")
os.write(2, b"native line")
tf.function(lambda x: x * 2, jit_compile=True)(tf.ones(3))
tf.distribute.MirroredStrategy(["CPU:0"])
runtime.watched()
"""
    path = make(folder, source)
    outputs = {}
    for name in ("stored", "tested"):
        monkeypatch.delenv("PYTEST_CURRENT_TEST")
        environment = {} if name == "stored" else {"PYTEST_CURRENT_TEST": "here"}
        outputs[name] = notebooks.execute(path, environment=environment).notebook.cells[1].outputs
        monkeypatch.setenv("PYTEST_CURRENT_TEST", "back")
    assert outputs["stored"] == outputs["tested"]
    texts = [output.get("text", output.get("data")) for output in outputs["stored"]]
    assert [output.output_type for output in outputs["stored"]] == ["stream", "execute_result"], texts
    assert texts[0].startswith("Running on: ")
    assert texts[1] == {"text/plain": "False"}


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
    claim = "The first seed is small<br>*published: 3 (Nobody 1999)*"
    assert f"| {claim} | 0 to 1 over 2 values | at most 1500 | {link} |" in page
    assert "**Question.** Why?" in page
    frame = "<!-- clone -->\nold\n<!-- /clone -->\n<!-- lessons -->\nold\n<!-- /lessons -->\nkept\n"
    text = pages.readme([lesson], frame)
    assert "old" not in text
    assert text.endswith("<!-- /lessons -->\nkept\n")
    assert "[07 · Made up](./notebooks/07_made_up.ipynb) | Why? | So \\| so. | [1](./FINDINGS.md#07--made-up)" in text
    assert f"git clone {pages.repository_url()}" in text
    with pytest.raises(ValueError, match="0 parts <!-- lessons -->"):
        pages.readme([lesson], "<!-- clone -->\n<!-- /clone -->\n")


def test_run_times_are_those_of_the_stored_outputs(folder):
    path = make(folder, "import time; time.sleep(1.1)")
    lessons.main(None)
    notebook = nbformat.read(path, as_version=4)
    assert 1 <= notebook.metadata[notebooks.TIMES]["slowest_cell"] <= notebook.metadata[notebooks.TIMES]["lesson"]
    notebook.cells[0].source += "\n\n| read | 40 |\n| teach | 90 (60 talk, 30 exercises) |"
    notebook.metadata[notebooks.TIMES] = {"lesson": 61, "slowest_cell": 12}
    notebooks.write(notebook, path)
    notebook.cells[0].source += "\n| run, two cores | 1 |"
    assert "| run, two cores | 2 |" in pages.renew_lesson(notebook, path).cells[0].source
    text = pages.run_times([pages.read_lesson(path)], "<!-- times -->\n<!-- /times -->\n")
    row = "| [07 · Made up](../notebooks/07_made_up.ipynb) | 40 | 90 (60 talk, 30 exercises) | 61 | 12 |"
    assert row in text


def test_launch_cells_are_put_in_once_and_do_not_change_what_the_outputs_belong_to(folder):
    path = make(folder, "1 + 1")
    lessons.main(None)
    notebook = pages.renew_lesson(nbformat.read(path, as_version=4), path)
    assert [cell.id for cell in notebook.cells[1:3]] == ["launch", notebooks.INSTALL_CELL]
    assert "blob/main/notebooks/07_made_up.ipynb" in notebook.cells[1].source
    assert notebook.metadata[notebooks.HASH] == notebooks.code_hash(notebook)
    notebook.cells[2].source = "old"
    again = pages.renew_lesson(notebook, path)
    assert len(again.cells) == 4
    assert pages.repository_url() in again.cells[2].source


def test_on_colab_the_install_cell_fetches_the_course(folder, tmp_path):
    """With a folder named google.colab in place of Colab's own module, and this repository in place of its address."""
    fake, elsewhere = tmp_path / "fake", tmp_path / "content"
    (fake / "google" / "colab").mkdir(parents=True)
    elsewhere.mkdir()
    path = make(folder, "import google.colab")
    notebook = pages.renew_lesson(nbformat.read(path, as_version=4), path)
    colab, install = notebook.cells[3], notebook.cells[2]
    install.source = install.source.replace(pages.repository_url(), str(notebooks.REPOSITORY))
    install.source = install.source.replace("/content/", f"{elsewhere}/")
    look = "import utils, subprocess\nfrom utils.datasets.climate import load_hourly_temperature\n"
    look += "print(utils.__file__, len(load_hourly_temperature()))\n"
    look += "!python -c 'import utils; print(utils.__file__)'"
    notebook.cells = [colab, install, install.copy(), nbformat.v4.new_code_cell(look)]  # run twice: fetched once
    notebook.cells[2].id = "again"
    run_in = elsewhere / "lesson.ipynb"
    notebooks.write(notebook, run_in)
    run = notebooks.execute(run_in, environment={"PYTHONPATH": str(fake)})
    assert run.error is None
    course = f"{elsewhere}/{pages.repository_url().rsplit('/', 1)[1]}"
    printed = "".join(output.text for output in run.notebook.cells[3].outputs).split()
    assert printed == [f"{course}/utils/__init__.py", "8730", f"{course}/utils/__init__.py"]


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
