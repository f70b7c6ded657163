"""``python -m tools.lessons [01 04]``: run lessons in place and end with a table of how long they took."""

import sys

import nbformat

from tools import notebooks, pace, pages


def main(selection: str | None) -> int:
    """Execute the lessons; returns the number of those that stopped with an error."""
    runs = []
    before = pace.measure()
    for path in notebooks.lessons(selection):
        print(f"{path.name} ...", flush=True)
        # With the cells that every lesson begins with: put in later they would stand there unexecuted.
        run = notebooks.execute(path, pages.add_launch_cells(nbformat.read(path, as_version=4), path))
        after = pace.measure()  # of the minutes in between: a machine that is shared is now faster, now slower
        run.notebook.metadata[notebooks.TIMES]["step"] = round((before + after) / 2, 1)
        before = after
        notebooks.write(run.notebook, path)
        runs.append(run)
    print(f"\nms: what a fixed training step took here at the time; {pace.STEP:.0f} on a quiet machine with two cores.")
    print(f"{'lesson':44} {'seconds':>8} {'ms':>5} {'slowest cell':>14} {'findings confirmed':>20}")
    for run in runs:
        slowest = max(run.cell_seconds, key=run.cell_seconds.get, default=0)
        records = [record for _, record in notebooks.findings(run.notebook)]
        confirmed = f"{sum(record['holds'] for record in records)} of {len(records)}"
        cell = f"{run.cell_seconds.get(slowest, 0):.0f} s (#{slowest})"
        step = run.notebook.metadata[notebooks.TIMES]["step"]
        print(f"{run.path.stem:44} {run.seconds:8.0f} {step:>5} {cell:>14} {confirmed:>20}")
    failed = [run for run in runs if run.error]
    for run in failed:
        print(f"\n{run.path.name} stopped: {run.error}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(min(1, main(" ".join(sys.argv[1:]))))
