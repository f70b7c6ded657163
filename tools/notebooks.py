"""Read, execute and write the lessons; know what is stored in them."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from utils.files import write_whole

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = REPOSITORY / "notebooks"
CELL_TIMEOUT = 600  # seconds; a lesson's cell takes at most 40 on two fast cores
INSTALL_CELL = (
    "install"  # id of the cell that acts on Colab only; `tools.pages` writes it, with the repository's address
)
TIMES = "seconds"  # name, in the notebook's metadata, of what running it took: whole, slowest cell, step (tools.pace)
FOLDED = "hide-input"  # tag of cells that only draw or only state findings
HASH = "code_sha256"  # name, in the notebook's metadata, of the hash of the code that made its outputs
OUTPUTS_HASH = "outputs_sha256"  # and of the hash of those outputs
# Lessons not yet brought to the pattern of CONTRIBUTING.md: a core of at most 45 minutes and 12 findings, and what else
# the tests ask of a lesson that is not named here. This list may only shrink.
PENDING = {"03", "04", "05", "08", "09", "10"}


def lessons(selection: str | None = None) -> list[Path]:
    """The lessons in order, or those whose number is in ``selection`` ("01" or "01 04").

    Raises:
        SystemExit: no such lesson; says which there are.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not selection:
        return found
    numbers = [number.zfill(2) for number in selection.split()]
    missing = [number for number in numbers if not any(path.name.startswith(number + "_") for path in found)]
    if missing:
        there = ", ".join(path.name[:2] for path in found)
        raise SystemExit(
            f"No lesson {', '.join(missing)}; there is {there}. Example: make lessons LESSON={found[0].name[:2]}"
        )
    return [path for path in found if path.name[:2] in numbers]


def code_hash(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 of the sources of all code cells, in order, but for the one that acts on Colab only."""
    digest = hashlib.sha256()
    for cell in code_cells(notebook):
        if cell.id == INSTALL_CELL:
            continue
        digest.update(cell.source.encode() + b"\0")
    return digest.hexdigest()


def output_hash(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 of what the code cells show and record, in order: text, cards, pictures, alt texts, records of findings.

    As :func:`code_hash`, without the cell that acts on Colab only. It changes with an output edited by hand.
    """
    digest = hashlib.sha256()
    for cell in code_cells(notebook):
        if cell.id == INSTALL_CELL:
            continue
        for output in cell.outputs:
            shown = {name: value for name, value in output.items() if name != "execution_count"}
            digest.update(json.dumps(shown, sort_keys=True).encode() + b"\0")
        digest.update(b"\0")
    return digest.hexdigest()


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def fold(notebook: nbformat.NotebookNode) -> None:
    """Fold the code of the cells tagged ``hide-input``, and of no other, in JupyterLab and on Colab as well.

    They only draw or only state findings: a reader first sees the figure or the finding, and the code at a click. Site
    and decks go by the tag itself.
    """
    for cell in code_cells(notebook):
        jupyter = cell.metadata.get("jupyter", {})
        if is_folded(cell):
            cell.metadata["jupyter"] = {**jupyter, "source_hidden": True}
            cell.metadata["cellView"] = "form"
        else:
            jupyter.pop("source_hidden", None)
            if not jupyter:
                cell.metadata.pop("jupyter", None)
            cell.metadata.pop("cellView", None)


def is_folded(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell carries the tag ``hide-input``."""
    return FOLDED in cell.metadata.get("tags", [])


def findings(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, dict]]:
    """``(cell id, record)`` of every finding stored in the outputs, in order; see :func:`utils.findings.finding`."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "finding" in output.get("metadata", {}):
                yield cell.id, output.metadata["finding"]


@dataclass
class Run:
    """What came of executing one lesson."""

    path: Path
    notebook: nbformat.NotebookNode
    seconds: float
    error: str | None = None
    cell_seconds: dict[int, float] = field(default_factory=dict)  # index of a code cell -> seconds


def execute(
    path: Path,
    notebook: nbformat.NotebookNode | None = None,
    *,
    environment: dict[str, str] | None = None,
    keep_going: bool = False,
    timeout: int = CELL_TIMEOUT,
) -> Run:
    """Run one lesson top to bottom in a fresh kernel; the file is not touched.

    Args:
        path: where the notebook stands.
        notebook: what to run, if not what the file holds.
        environment: variables for the kernel, on top of this process's own.
        keep_going: run the cells after one that raised as well.
        timeout: seconds that a cell may take.
    """
    notebook = notebook or nbformat.read(path, as_version=4)
    started = time.perf_counter()
    run = Run(path, notebook, 0.0)
    cells = []

    def on_start(cell, cell_index):
        cells.append((cell_index, time.perf_counter()))

    def on_done(cell, cell_index, execute_reply):
        run.cell_seconds[cell_index] = time.perf_counter() - cells[-1][1]

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        allow_errors=keep_going,
        record_timing=False,
        # The kernels that test the lessons do not watch file descriptors 1 and 2 either: outputs are stored as tested.
        extra_arguments=["--IPKernelApp.capture_fd_output=False"],
        on_cell_start=on_start,
        on_cell_executed=on_done,
    )
    environment = {**os.environ, "UNWATCHED": "1", **(environment or {})}
    try:
        # What the kernel process writes past its channels (notes on its own start and end) is of no use to a reader.
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        run.error = f"{error.ename}: {error.evalue}"
    run.seconds = time.perf_counter() - started
    notebook.metadata[HASH] = code_hash(notebook)
    notebook.metadata[OUTPUTS_HASH] = output_hash(notebook)
    slowest = max(run.cell_seconds.values(), default=0)
    notebook.metadata[TIMES] = {"lesson": round(run.seconds), "slowest_cell": round(slowest)}
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    return run


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all, its cells folded as their tags say."""
    fold(notebook)
    nbformat.validate(notebook)
    write_whole(path, nbformat.writes(notebook) + "\n")
