"""``python -m tools.replicate [--offsets "1000 2000" | --week] [01 04]``: do the findings hold with other seeds?

Runs scratch copies of the lessons, as often as there are offsets, with every seed shifted; the stored notebooks stay as
they are. What held goes into ``findings/NN.csv`` (see ``tools.record``) after each run. Without offsets, five are drawn
that no code of the lesson has seen; ``--week`` takes one that follows from the date. Prints a table of the claims, the
nearest to their limits first, and ends with exit code 1 if one was refuted or not measured.
"""

import argparse
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

import nbformat

from tools import notebooks, record


def replicate(path: Path, offset: int) -> tuple[dict[str, dict], str | None]:
    """The findings of one lesson with shifted seeds.

    Args:
        path: the lesson.
        offset: what is added to every seed.

    Returns:
        ``(records, error)``: each claim's record, and the first error other than a refuted finding, or None.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(path, folder))
        run = notebooks.execute(copy, environment={"SEED_OFFSET": str(offset), "REPLICATE": "1"}, keep_going=True)
    errors = [
        f"{output.ename}: {output.evalue}"
        for cell in notebooks.code_cells(run.notebook)
        for output in cell.outputs
        if output.output_type == "error"
    ]
    return {found["claim"]: found for _, found in notebooks.findings(run.notebook)}, next(iter(errors), run.error)


def lesson(path: Path, offsets: list[int] | None) -> int:
    """Replicate one lesson, add to its record and print a table; returns how much was not as it should be.

    Raises:
        SystemExit: the stored outputs do not belong to the stored code.
    """
    number = path.name[:2]
    stored = nbformat.read(path, as_version=4)
    code = notebooks.code_hash(stored)
    if stored.metadata.get(notebooks.HASH) != code:
        raise SystemExit(f"{path.name} was changed after it ran. First: make lessons LESSON={number}")
    claims = [found["claim"] for _, found in notebooks.findings(stored)]
    drawn = offsets is None
    offsets = record.draw(number) if drawn else offsets
    print(f"\n{path.stem}, offsets {'drawn' if drawn else 'given'}: {', '.join(map(str, offsets))}", flush=True)
    spent, failures, results = record.spent(number, code), 0, {}
    for offset in offsets:
        results[offset], error = replicate(path, offset)
        failures += error is not None
        print(f"  offset {offset}: {'ran' if error is None else error}", flush=True)
        if offset in spent:
            print(
                "    not recorded: earlier code of this lesson ran there, so what holds now may have been chosen for it"
            )
        else:
            record.add(number, code, offset, results[offset], claims)
    rows = record.read(number)
    for claim in sorted(claims, key=lambda claim: record.standing(rows, claim, code).weakness):
        standing = record.standing(rows, claim, code)
        print(f"  {claim}  [held {standing}; margin {standing.shown}]" if standing.of else f"  {claim}")
        for offset in offsets:
            found = results[offset].get(claim)
            verdict = "NOT MEASURED" if found is None else "held" if found["holds"] else "REFUTED"
            failures += verdict != "held"
            figures = f"{record.measured(found)} (required {found['rule']})" if found else ""
            print(f"    {offset:>9}  {verdict:12}  {figures}", flush=True)
    return failures


def main(arguments: list[str]) -> int:
    """Replicate the lessons; returns how many findings were not held, and lessons stopped by an error.

    Raises:
        SystemExit: offsets that are not whole numbers, or an unknown lesson.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.replicate", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--offsets", default="", help="what to add to every seed; five new ones if none are given")
    which.add_argument("--week", action="store_true", help="the offset of this week, the same for all lessons")
    parser.add_argument("lessons", nargs="*", help="their numbers; all if none are given")
    given = parser.parse_args(arguments)
    if not all(offset.isdecimal() for offset in given.offsets.split()):
        raise SystemExit('Expected offsets as whole numbers: make replicate OFFSETS="1000 2000"')
    offsets = [int(offset) for offset in given.offsets.split()] or None
    if given.week:
        offsets = [record.of_the_week(date.today())]
    failures = sum(lesson(path, offsets) for path in notebooks.lessons(" ".join(given.lessons)))
    print(f"\n{f'{failures} not as they should be.' if failures else 'Every finding held.'}")
    return failures


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
