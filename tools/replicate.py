"""``python -m tools.replicate "1000 2000" [01]``: do the findings hold with other seeds?

Runs scratch copies of the lessons, as often as there are offsets, with every seed shifted; the stored notebooks stay as
they are. Ends with exit code 1 if a finding was refuted or not measured.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from tools import notebooks
from utils.findings import summarise


def replicate(path: Path, offset: str) -> tuple[dict[str, dict], str | None]:
    """The findings of one lesson with shifted seeds.

    Args:
        path: the lesson.
        offset: what is added to every seed, a whole number.

    Returns:
        ``(records, error)``: each claim's record, and the first error other than a refuted finding, or None.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(path, folder))
        run = notebooks.execute(copy, environment={"SEED_OFFSET": offset, "REPLICATE": "1"}, keep_going=True)
    errors = [
        f"{output.ename}: {output.evalue}"
        for cell in notebooks.code_cells(run.notebook)
        for output in cell.outputs
        if output.output_type == "error"
    ]
    return {record["claim"]: record for _, record in notebooks.findings(run.notebook)}, next(iter(errors), run.error)


def main(offsets: str, selection: str | None) -> int:
    """Print a table of findings against offsets; returns how many were not held, and lessons stopped by an error."""
    offsets = offsets.split()
    if not offsets or not all(offset.isdecimal() for offset in offsets):
        raise SystemExit('Expected offsets as whole numbers: make replicate OFFSETS="1000 2000"')
    failures = 0
    for path in notebooks.lessons(selection):
        stored = nbformat.read(path, as_version=4)
        claims = [record["claim"] for _, record in notebooks.findings(stored)]
        print(f"\n{path.stem}", flush=True)
        results = {}
        for offset in offsets:
            results[offset], error = replicate(path, offset)
            failures += error is not None
            print(f"  offset {offset}: {'ran' if error is None else error}", flush=True)
        for claim in claims:
            print(f"  {claim}")
            for offset in offsets:
                record = results[offset].get(claim)
                verdict = "NOT MEASURED" if record is None else "held" if record["holds"] else "REFUTED"
                failures += verdict != "held"
                figures = "" if record is None else f"{summarise(record['measured'])} (required {record['rule']})"
                print(f"    {offset:>6}  {verdict:12}  {figures}", flush=True)
    print(f"\n{f'{failures} not as they should be.' if failures else 'Every finding held.'}")
    return failures


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    sys.exit(min(1, main(sys.argv[1], " ".join(sys.argv[2:]))))
