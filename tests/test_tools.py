"""Executing and listing lessons, on small notebooks made here."""

import contextlib
import copy
import re

import nbformat
import pytest

from tests.claims import misplaced
from tools import doctor, lessons, notebooks, pace, pages, record

MEASURE = pace.measure


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
    monkeypatch.setattr(record, "FOLDER", tmp_path / "findings")
    monkeypatch.setattr(pace, "measure", lambda: 20.0)  # it takes ten seconds; tested below
    monkeypatch.delenv("SEED_OFFSET", raising=False)
    return tmp_path


def test_lessons_are_run_in_place_with_a_table(folder, capsys):
    path = make(folder, SEEDED, "import os; print(os.environ['UNWATCHED'])")
    assert lessons.main("7") == 0
    stored = nbformat.read(path, as_version=4)
    assert stored.metadata[notebooks.HASH] == notebooks.code_hash(stored)
    assert [cell.execution_count for cell in notebooks.code_cells(stored)] == [1, 2, 3]
    assert stored.cells[-1].outputs[0].text == "1\n"
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


def test_the_tag_that_folds_is_mirrored_when_a_notebook_is_written(folder):
    path = make(folder, "plot()", "train()")
    notebook = nbformat.read(path, as_version=4)
    drawing, training = notebooks.code_cells(notebook)
    drawing.metadata = {"tags": ["hide-input", "other"], "jupyter": {"outputs_hidden": False}}
    training.metadata = {"tags": ["other"], "jupyter": {"source_hidden": True}, "cellView": "form"}
    for _ in range(2):
        notebooks.write(notebook, path)
        notebook = nbformat.read(path, as_version=4)
        drawing, training = notebooks.code_cells(notebook)
        assert drawing.metadata["jupyter"] == {"outputs_hidden": False, "source_hidden": True}
        assert drawing.metadata["cellView"] == "form"
        assert training.metadata == {"tags": ["other"]}
        assert (notebooks.is_folded(drawing), notebooks.is_folded(training)) == (True, False)
    drawing.metadata["tags"] = []
    notebooks.write(notebook, path)
    (drawing, _) = notebooks.code_cells(nbformat.read(path, as_version=4))
    assert drawing.metadata == {"tags": [], "jupyter": {"outputs_hidden": False}}


def test_a_lesson_that_stops_is_reported(folder, capsys):
    make(folder, "1 / 0", "print('never')")
    assert lessons.main(None) == 1
    assert "07_made_up.ipynb stopped: ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_bad_input_is_named(folder):
    make(folder, "1")
    with pytest.raises(SystemExit, match=r"No lesson 09; there is 07\. Example: make lessons LESSON=07"):
        lessons.main("09")


def test_page_of_findings_and_its_index(folder):
    path = make(folder, SEEDED)
    lessons.main(None)
    lesson = pages.read_lesson(path)
    page = pages.findings_page(lesson)
    cell = notebooks.code_cells(nbformat.read(path, as_version=4))[1]
    link = f"[07.1](../notebooks/07_made_up.ipynb#cell-id={cell.id})"
    claim = "The first seed is small<br>*published: 3 (Nobody 1999)*"
    assert f"| {claim} | 0 to 1 over 2 values | at most 1500 | not yet |  | {link} |" in page
    assert "**Question.** Why?" in page
    assert "Not replicated yet" in page
    assert "## Further" not in page
    withdrawn = "\n## Withdrawn and narrowed\n\n- *It works.* It did not.\n"
    assert pages.findings_page(lesson, f"As it was.\n{withdrawn}") == page + withdrawn
    index = pages.findings_index([lesson])
    assert "| [07 · Made up](findings/07.md) | Why? | So \\| so. | 1 | 0 |" in index


def test_pages_say_how_often_a_claim_held_and_what_was_closest_to_its_limit(folder):
    source = "from utils.findings import finding\n"
    source += "".join(f"finding('Claim {i} of *many*', {i}, at_least=10)\n" for i in range(11, 19))
    path = make(folder, source, "from utils.findings import finding\nfinding('Beyond', 10.5, at_most=20)")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(2, nbformat.v4.new_markdown_cell("### Further: more\n\nAs above."))
    notebooks.write(notebook, path)
    lessons.main(None)
    lesson = pages.read_lesson(path)
    claims = [found["claim"] for _, found in lesson.findings]
    for offset in range(1000, 6000, 1000):
        found = {c: {"measured": [12 + i], "rule": "at least 10", "holds": True} for i, c in enumerate(claims)}
        found[claims[3]] |= {"measured": [10 + offset / 10_000]}
        found["Beyond"]["rule"] = "at most 20"
        record.add("07", lesson.code, offset, found, claims)
    page = pages.findings_page(lesson)
    assert "shifted by 1,000, 2,000, 3,000, 4,000, 5,000 ([record](07.csv))" in page
    closest = re.search(r"## Closest to their limits\n\n(.*?)\n\n", page, re.DOTALL)[1].splitlines()
    assert [line[:7] for line in closest] == ["- [07.9", "- [07.4", "- [07.1", "- [07.2", "- [07.3"]
    assert closest[2].endswith(r") Claim 11 of \*many\*: 2 steps")
    core, further = page.split("## Core")[1].split("## Further")
    assert core.count("[07.") == 8
    assert "| Beyond | 10.5 | at most 20 | 5 of 5 | 0 steps | [07.9](" in further
    assert "| Claim 14 of *many* | 14 | at least 10 | 5 of 5 | 1% |" in core
    assert "| 9 | 9 |" in pages.findings_index([lesson])
    found[claims[3]] |= {"measured": [9.5], "holds": False}
    record.add("07", lesson.code, 1000, found, claims)
    assert "| 4 of 5 | -5% |" in pages.findings_page(lesson)
    assert "| 9 | 8 |" in pages.findings_index([lesson])


def test_each_lesson_has_its_own_findings(folder):
    paths = [
        make(folder, SEEDED.replace("The first", f"In {n} the first"), name=f"{n}_made_up.ipynb") for n in ("07", "08")
    ]
    lessons.main(None)
    for path, lesson in zip(paths, map(pages.read_lesson, paths), strict=True):
        text = pages.findings_page(lesson)
        assert misplaced(text.replace("../notebooks", "."), folder) == []
        assert f"In {path.name[:2]} the first" in text
    other = text.replace("08_made_up", "07_made_up")
    assert misplaced(other.replace("../notebooks", "."), folder) == ["In 08 the first seed is small"]


def test_table_of_lessons(folder):
    path = make(folder, SEEDED)
    lessons.main(None)
    lesson = pages.read_lesson(path)
    frame = "<!-- clone -->\nold\n<!-- /clone -->\n<!-- lessons -->\nold\n<!-- /lessons -->\nkept\n"
    text = pages.readme([lesson], frame)
    assert "old" not in text
    assert text.endswith("<!-- /lessons -->\nkept\n")
    assert "[07 · Made up](./notebooks/07_made_up.ipynb) | Why? | So \\| so. | [1](./findings/07.md)" in text
    assert f"git clone {pages.repository_url()}" in text
    with pytest.raises(ValueError, match="0 parts <!-- lessons -->"):
        pages.readme([lesson], "<!-- clone -->\n<!-- /clone -->\n")


def test_run_times_are_those_of_the_stored_outputs(folder):
    path = make(folder, "import time; time.sleep(1.1)")
    lessons.main(None)
    notebook = nbformat.read(path, as_version=4)
    assert 1 <= notebook.metadata[notebooks.TIMES]["slowest_cell"] <= notebook.metadata[notebooks.TIMES]["lesson"]
    notebook.cells[
        0
    ].source += "\n\n| | minutes |\n|---|---|\n| read | 40 |\n| teach | 1 |\n| run, two cores | 1 |\n\nMore"
    notebook.cells.append(nbformat.v4.new_markdown_cell("## Further\n\n" + "word " * 599))
    notebook.cells.append(nbformat.v4.new_markdown_cell("Plan in minutes: all (1) 60, exercises 30."))
    notebook.metadata[notebooks.TIMES] = {"lesson": 61, "slowest_cell": 12}
    notebook = pages.renew_lesson(notebook, path)
    rows = "|---|---|\n| read, core | 0 |\n| read, further | 3 |\n| teach | 90 (60 talk, 30 exercises) |\n"
    assert notebook.cells[0].source.endswith(f"{rows}| run, two cores | 2 |\n\nMore")
    assert pages.renew_lesson(notebook.copy(), path).cells[0].source == notebook.cells[0].source
    notebooks.write(notebook, path)
    text = pages.run_times([pages.read_lesson(path)], "<!-- times -->\n<!-- /times -->\n")
    row = "| [07 · Made up](../notebooks/07_made_up.ipynb) | 0 | 3 | 90 (60 talk, 30 exercises) | 61\\* | 12\\* |"
    assert row in text
    notebook.metadata[notebooks.TIMES] = {"lesson": 155, "slowest_cell": 30, "step": 25.0}  # as at 10: 62, 12
    notebook = pages.renew_lesson(notebook, path)
    assert "| run, two cores | 2 |" in notebook.cells[0].source
    notebooks.write(notebook, path)
    text = pages.run_times([pages.read_lesson(path)], text)
    assert row.replace("| 61\\* | 12\\* |", "| 62 | 12 |") in text


def test_the_pace_of_this_machine_can_be_measured():
    assert 0.1 < MEASURE() < 10_000  # milliseconds


def test_launch_cells_are_put_in_once_and_do_not_change_what_the_outputs_belong_to(folder):
    path = make(folder, "1 + 1")
    without = notebooks.code_hash(nbformat.read(path, as_version=4))
    notebook = pages.renew_lesson(nbformat.read(path, as_version=4), path)
    assert [cell.id for cell in notebook.cells[1:3]] == ["launch", notebooks.INSTALL_CELL]
    assert "blob/main/notebooks/07_made_up.ipynb" in notebook.cells[1].source
    assert notebooks.code_hash(notebook) == without
    notebook.cells[2].source = "old"
    again = pages.renew_lesson(notebook, path)
    assert len(again.cells) == 4
    assert pages.repository_url() in again.cells[2].source


def test_lessons_then_pages_leaves_a_new_lesson_executed_in_order(folder):
    path = make(folder, "1 + 1", "2 + 2")
    lessons.main(None)
    notebook = pages.renew_lesson(nbformat.read(path, as_version=4), path)
    code = notebooks.code_cells(notebook)
    assert [cell.id for cell in notebook.cells[1:3]] == ["launch", notebooks.INSTALL_CELL]
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    assert notebook.metadata[notebooks.HASH] == notebooks.code_hash(notebook)


DRAWN = """
import matplotlib.pyplot as plt
from utils import plotting
plotting.show(plt.figure(), "Nothing is to be seen in this figure")
"""


EDITS = {
    "text": lambda output: output.update(text=output.text.replace("after", "before")),
    "a measured value": lambda output: output.metadata["finding"].update(measured=[0.0, 2.0]),
    "what was published": lambda output: output.metadata["finding"].update(published="4"),
    "a card": lambda output: output.data.update({"text/html": output.data["text/html"].replace("small", "large")}),
    "a picture": lambda output: output.data.update({"image/png": output.data["image/png"].replace("A", "B", 1)}),
    "alt text": lambda output: output.metadata["image/png"].update(alt="Something is to be seen in this figure"),
}


def test_an_edited_output_is_noticed(folder):
    path = make(folder, SEEDED, DRAWN)
    lessons.main(None)
    stored = nbformat.read(path, as_version=4)
    made = stored.metadata[notebooks.OUTPUTS_HASH]
    assert made == notebooks.output_hash(stored)
    for name, edit in EDITS.items():
        notebook = copy.deepcopy(stored)
        edited = 0
        for output in [output for cell in notebooks.code_cells(notebook) for output in cell.outputs]:
            with contextlib.suppress(KeyError, AttributeError):  # another kind of output
                edit(output)
                edited += 1
        assert edited, name
        assert notebooks.output_hash(notebook) != made, name
    stored.cells[2].outputs = [nbformat.v4.new_output("stream", text="of the cell that acts on Colab only")]
    assert notebooks.output_hash(stored) == made


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


def test_what_is_installed_on_colab_is_what_a_learner_needs():
    needed = (notebooks.REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    assert set(" ".join(pages.NOT_ON_COLAB).split()) <= set(re.findall(r"^([\w-]+)", needed, re.MULTILINE))


def test_a_lesson_without_an_answer_is_named(folder):
    path = folder / "08_none.ipynb"
    notebooks.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title")]), path)
    with pytest.raises(ValueError, match=r"08_none\.ipynb has no line that begins with '\*\*Research question"):
        pages.read_lesson(path)


def test_doctor_passes_here_and_says_what_to_do_elsewhere(capsys, monkeypatch):
    assert doctor.main() == 0
    out = capsys.readouterr().out
    assert out.count("[OK]") == len(doctor.CHECKS)
    assert out.endswith("Ready: lesson 00 will run.\n")
    monkeypatch.setattr(doctor, "DISK", 1e18)
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "0.1")
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert f"Not ready: 2 of {len(doctor.CHECKS)} checks failed." in out
    assert "[FAIL] disk" in out
    assert "[FAIL] libraries: missing or too old: tensorflow>=2.20 (found 0.1)" in out
    assert "make lab" in out
