"""``python -m tools.studies 08``: run the long studies of a lesson, whose tables it only reads (`stored_study`).

Runs a scratch copy of the lesson up to its last stored study with ``STUDIES=1``; the stored notebook stays as it is.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from tools import notebooks

TIMEOUT = 3600  # seconds, for a cell that runs such a study
CALL = "stored_study("


def main(selection: str) -> int:
    """Run the stored studies of the lessons; returns how many lessons stopped with an error.

    Raises:
        SystemExit: no lesson named, or none of them has a stored study.
    """
    if not selection:
        raise SystemExit("Which lesson? Example: make studies LESSON=08")
    failed, ran = 0, 0
    for path in notebooks.lessons(selection):
        notebook = nbformat.read(path, as_version=4)
        last = max(
            (i for i, cell in enumerate(notebook.cells) if CALL in cell.source and cell.cell_type == "code"),
            default=None,
        )
        if last is None:
            print(f"{path.name} has no stored study.")
            continue
        notebook.cells = notebook.cells[: last + 1]
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copy(path, folder))
            run = notebooks.execute(copy, notebook, environment=os.environ | {"STUDIES": "1"}, timeout=TIMEOUT)
        ran += 1
        failed += run.error is not None
        print(f"{path.name}: {run.error or f'ran in {run.seconds:.0f} s'}")
    if not ran:
        raise SystemExit("Nothing to run.")
    return failed


if __name__ == "__main__":
    sys.exit(min(1, main(" ".join(sys.argv[1:]))))
