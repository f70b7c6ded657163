"""``python -m tools.capstone mine.ipynb``: run a learner's capstone notebook again and report on it.

The notebook runs in a process of its own, with other seeds than the learner's, and is ended with everything that it
started when its time is up. What comes back is JSON in the metadata of outputs: nothing is unpickled, and no code of
the notebook runs here.
"""

import argparse
import contextlib
import logging
import os
import random
import re
import secrets
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools import notebooks
from utils.capstone import handover, report, rubric, sealed, tracks
from utils.files import write_whole

LIMIT = 1800  # seconds that a notebook may run
MARK = "CAPSTONE_RUN"  # names, in the environment of its processes, the run that they belong to
FOLDER = notebooks.REPOSITORY / "build" / "capstone"
TEMPLATE = notebooks.NOTEBOOKS / "capstone_template.ipynb"
NEXT = (
    "Open the notebook, write `baseline` and `solve`, and run its cells from the top; the cell of hand_in() says what "
    "is missing. Then save it and say this again. Lesson 17 shows three solutions from beginning to end."
)
AGAIN = "Restart Kernel and Run All Cells shows the same. When it runs to its end, save it and say this again."


class Ended(Exception):
    """The notebook did not run to its end; the message says where and why."""


def run(notebook: nbformat.NotebookNode, folder: Path, seed_offset: int, limit: float) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run of its own.

    Args:
        notebook: is left as it is.
        folder: in which it runs.
        seed_offset: added to every seed.
        limit: seconds for all of it; then its kernel and every process that this has started are killed.

    Raises:
        Ended: a cell raised, or the time was up.
    """
    copy = nbformat.from_dict(notebook)
    for cell in notebooks.code_cells(copy):
        cell.outputs, cell.execution_count = [], None
    quiet = logging.getLogger(__name__)  # what goes wrong is said in the report
    quiet.disabled = True
    client = NotebookClient(
        copy,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        log=quiet,
    )
    late = threading.Event()
    token = secrets.token_hex(8)

    def end() -> None:
        late.set()
        _end_all(token)

    timer = threading.Timer(limit, end)
    timer.daemon = True
    place = [0]
    client.on_cell_execute = lambda cell, cell_index: place.append(cell_index)
    environment = os.environ | {"SEED_OFFSET": str(seed_offset), "UNWATCHED": "1", sealed.JUDGED: "1", MARK: token}
    search = os.pathsep.join(filter(None, [str(notebooks.REPOSITORY), os.environ.get("PYTHONPATH")]))
    timer.start()
    try:
        client.execute(env=environment | {"PYTHONPATH": search}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except CellExecutionError as error:
        raise Ended(f"Code cell {_number(copy, place[-1])} raised {error.ename}: {_one_line(error.evalue)}") from None
    except (DeadKernelError, CellTimeoutError, RuntimeError, OSError) as error:
        if late.is_set():
            said = f"It ran longer than {limit:g} seconds and was ended in code cell {_number(copy, place[-1])}. "
            raise Ended(said + "Train less, or give it more time: LIMIT=3600.") from None
        raise Ended(f"Its process ended in code cell {_number(copy, place[-1])}: {_one_line(error)}") from None
    finally:
        timer.cancel()
        _end_all(token)
    return copy


def judged(path: Path, limit: float = LIMIT) -> rubric.Report:
    """Run a notebook and judge what it hands in.

    Args:
        path: of the notebook.
        limit: seconds that it may run.

    Raises:
        SystemExit: there is no such notebook, or it is none.
    """
    notebook = _read(path)
    stored = _handed_in(notebook)
    if not any("capstone" in cell.source for cell in notebooks.code_cells(notebook)):
        return rubric.nothing_yet(f"It never uses utils.capstone. Begin with a copy of {TEMPLATE.name}. {NEXT}")
    offset = 0 if stored is None else random.SystemRandom().randrange(1000, 10**6)
    try:
        copy = run(notebook, path.resolve().parent, offset, limit)
    except Ended as ended:
        return rubric.nothing_yet(f"The notebook was run from the top, in a fresh process. {ended} {AGAIN}")
    fresh = _handed_in(copy)
    if fresh is None:
        said = " ".join(_said_by_hand_in(copy))
        return rubric.nothing_yet(
            f"The notebook ran to its end and handed in nothing. {said} {NEXT}".replace("  ", " ")
        )
    prose, program = _report_of(notebook), "\n".join([_texts(notebook), _texts(copy)])
    yours, again = (fresh, None) if stored is None else (stored, fresh)
    try:
        result = rubric.judge(yours, again, prose=prose, program=program)
        return _counted(result, handover.read(yours), again is not None)
    except handover.CannotBeHandedIn as error:
        return rubric.nothing_yet(f"The notebook handed in something that cannot be judged: {error} {NEXT}")


def _counted(result: rubric.Report, submission: handover.Submission, twice: bool) -> rubric.Report:
    """Note that the sealed part was opened, and say how often that makes."""
    sealed.note(submission.task, submission.of(handover.NETWORK)[0].sealed, "rubric")
    count = sealed.looks(submission.task, "rubric")
    notes = []
    if count > 1:
        rows = len(tracks.parts_of(submission.task)[2].y)
        notes.append(
            f"On this machine the sealed part of {submission.task!r} ({rows} rows) has now been opened for {count} "
            f"different solutions. If all were equally good, the best of them would still look "
            f"{sealed.inflation(count):.1f} standard deviations better than it is."
        )
    notes.append(
        "It ran twice: with your seeds, as stored in the notebook, and with five that were drawn now."
        if twice
        else "The notebook held no stored result, so it was run with the seeds 0 to 4 only. Save it after a run, and "
        "the rubric tries other seeds too."
    )
    return result._replace(notes=tuple(notes))


def _read(path: Path) -> nbformat.NotebookNode:
    if not path.is_file():
        raise SystemExit(
            f"There is no notebook {path}. Begin with a copy: cp notebooks/{TEMPLATE.name} mine.ipynb, then say "
            "make capstone NOTEBOOK=mine.ipynb"
        )
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever the file makes it
        raise SystemExit(f"{path} cannot be read as a notebook: {_one_line(error)}") from None


def _handed_in(notebook: nbformat.NotebookNode) -> dict | None:
    """The last record that stands in the outputs."""
    outputs = [output for cell in notebooks.code_cells(notebook) for output in cell.outputs]
    records = [output.get("metadata", {}).get(handover.METADATA) for output in outputs]
    return next((record for record in reversed(records) if record is not None), None)


def _said_by_hand_in(notebook: nbformat.NotebookNode) -> list[str]:
    """What the cells printed about what is missing."""
    printed = [output.get("text", "") for cell in notebooks.code_cells(notebook) for output in cell.outputs]
    lines = [line for text in printed for line in text.splitlines()]
    return [line.partition(": ")[2] for line in lines if line.startswith(("○ not handed", "✘ not handed"))]


def _report_of(notebook: nbformat.NotebookNode) -> str:
    """The text under a heading with the word "report", up to the next heading of its level or above."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.search(r"^(#+) [^\n]*\breport\b[^\n]*\n(.*)", text, re.IGNORECASE | re.MULTILINE | re.DOTALL)
    if not found:
        return ""
    return re.split(rf"^#{{1,{len(found[1])}}} ", found[2], flags=re.MULTILINE)[0]


def _texts(notebook: nbformat.NotebookNode) -> str:
    """Code and whatever the cells show as text."""
    shown = []
    for cell in notebooks.code_cells(notebook):
        shown.append(cell.source)
        for output in cell.outputs:
            shown += [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
    return "\n".join(shown)


def _number(notebook: nbformat.NotebookNode, index: int) -> str:
    """A code cell by its place among them and how it begins."""
    place = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    source = notebook.cells[index].source.strip().splitlines()
    return f"{place} ({source[0][:60] if source else 'empty'})"


def _one_line(error) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__


def _end_all(token: str) -> None:
    """End every process that carries the mark of this run in its environment: the kernel and whatever it started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == token:
                process.kill()
                found.append(process)
    psutil.wait_procs(found, timeout=5)


def main(arguments: list[str] | None = None) -> int:
    """Judge, print, write the page; 0 if the submission passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.capstone", description="Judge a capstone notebook.")
    parser.add_argument("notebook", nargs="?", default="", help="such as mine.ipynb")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that it may run")
    given = parser.parse_args(arguments)
    if not given.notebook:
        raise SystemExit(
            f"Say which notebook: make capstone NOTEBOOK=mine.ipynb. To begin: cp notebooks/{TEMPLATE.name} mine.ipynb"
        )
    path = Path(given.notebook)
    print(f"{path.name} runs in a process of its own, for at most {given.limit:g} seconds ...", flush=True)
    result = judged(path, given.limit)
    place = FOLDER / f"{path.stem}.html"
    write_whole(place, report.page(result, path.name))
    print(f"\n{report.text(result, path.name)}\nThe same as a page: {place}")
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
