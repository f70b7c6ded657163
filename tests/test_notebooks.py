"""What every stored lesson must be: executed in order from its own code, clean, presentable, described."""

import base64
import io
import re

import nbformat
import numpy as np
import pytest
from nbval.kernel import RunningKernel
from scipy.io import wavfile

from tools import new, notebooks, pages

LESSONS = notebooks.lessons()
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def outputs(notebook):
    return [output for cell in notebooks.code_cells(notebook) for output in cell.outputs]


def test_there_are_lessons():
    assert LESSONS


def test_nothing_is_left_to_do(path):
    left = new.todos(path.name[:2])
    assert not left, "\n".join(left)


def test_executed_in_order_from_a_fresh_kernel(path, notebook):
    counts = [cell.execution_count for cell in notebooks.code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), f"run: make lessons LESSON={path.name[:2]}"


def test_stored_outputs_belong_to_the_stored_code(path, notebook):
    made_by = notebook.metadata.get(notebooks.HASH)
    assert made_by == notebooks.code_hash(notebook), f"run: make lessons LESSON={path.name[:2]}"


def test_a_changed_cell_is_noticed(notebook):
    notebooks.code_cells(notebook)[-1].source += "\n"
    assert notebook.metadata[notebooks.HASH] != notebooks.code_hash(notebook)


def test_no_errors_and_nothing_on_stderr(notebook):
    assert not [o for o in outputs(notebook) if o.output_type == "error" or o.get("name") == "stderr"]


def test_no_warning_of_a_library_is_stored(notebook):
    assert not [o for o in outputs(notebook) if "WARNING" in o.get("text", "")]


def test_code_cells_are_short(notebook):
    """What a reader sees has at most 25 lines; a figure, folded and in lines of 88 characters, may take more."""
    for cell in notebooks.code_cells(notebook):
        assert len(cell.source.splitlines()) <= (50 if notebooks.is_folded(cell) else 25), cell.source


def test_every_cell_has_a_slide_type(notebook):
    types = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
    assert set(types) <= SLIDE_TYPES
    assert types[0] == "slide"
    assert "notes" in types


def test_cells_are_folded_as_their_tags_say(path, notebook):
    before = [dict(cell.metadata) for cell in notebook.cells]
    notebooks.fold(notebook)
    assert [dict(cell.metadata) for cell in notebook.cells] == before, f"run: make lessons LESSON={path.name[:2]}"


def test_every_picture_has_alt_text(notebook):
    for output in outputs(notebook):
        if "image/png" in output.get("data", {}):
            assert len(output.metadata.get("image/png", {}).get("alt", "").split()) >= 5
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for alt, file in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text):
        assert len(alt.split()) >= 5, file
        assert (notebooks.NOTEBOOKS / file).exists(), file


def test_findings(path, notebook):
    records = [record for _, record in notebooks.findings(notebook)]
    assert len(records) >= {"01": 8}.get(path.name[:2], 4)
    assert all(record["holds"] for record in records)
    claims = [record["claim"] for record in records]
    assert len(set(claims)) == len(claims)
    called = "\n".join(cell.source for cell in notebooks.code_cells(notebook)).count("finding(")
    assert len(records) >= called


def test_small_and_without_traces_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert len(text) < 1.5e6
    assert not re.findall(r"(?:/home/|/root/|/work/|/tmp/|/Users/|C:\\\\)[^\"]{0,40}", text)


def test_sounds_are_small_and_can_be_heard(notebook):
    for output in outputs(notebook):
        page = output.get("data", {}).get("text/html", "")
        for data in re.findall(r'src="data:audio/wav;base64,([^"]*)"', page):
            rate, samples = wavfile.read(io.BytesIO(base64.b64decode(data)))
            assert rate == 8000
            assert samples.shape == (samples.size,)
            assert 0.1 < samples.size / rate <= 10
            assert np.abs(samples / 2**15).max() > 0.1
            assert np.std(samples / 2**15) > 0.01


def test_ends_with_its_summary_and_says_what_it_needs(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for needed in ("**Research question.**", "**You need**", "**Answer.**", "**Next.**"):
        assert needed in text
    assert re.search(r"^\| run, two cores \| \d+ \|$", notebook.cells[0].source, re.MULTILINE)  # kept by tools.pages
    for section in ("What the literature reports", "Common misconceptions", "Exercises", "Summary"):
        assert re.search(rf"^## .*{section}$", text, re.MULTILINE), section
    assert any(cell.source == "summary()" for cell in notebooks.code_cells(notebook)[-3:])


def test_no_history_is_shared_by_lessons_that_are_compared_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    kernel = RunningKernel("python3")
    try:
        kernel.await_idle(kernel.execute_cell_input("1"), timeout=60)
    finally:
        kernel.stop()
    assert (tmp_path / "profile_default").is_dir()
    # Where there is such a file and another kernel holds it, IPython says so in the output of whatever cell runs.
    assert not list(tmp_path.rglob("history.sqlite"))


def test_generated_pages_are_up_to_date():
    for file, content in pages.pages().items():
        assert file.read_bytes() == content, f"{file.name}: run python -m tools.pages"


def test_the_repository_has_one_address():
    url = pages.repository_url()
    for file in [*LESSONS, notebooks.REPOSITORY / "README.md"]:
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"https://github\.com/[\w.-]+/advanced_rnns", text)) <= {url}, file.name
