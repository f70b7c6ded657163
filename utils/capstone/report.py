"""The report of the rubric: in the terminal, and as one HTML file that needs nothing beside itself."""

import html
import textwrap

from utils.capstone.rubric import OPEN, PASS, RIGHT, WRONG, Report, Verdict

MARKS = {RIGHT: "✔", WRONG: "✘", OPEN: "○"}
SPOKEN = {RIGHT: "holds", WRONG: "does not hold", OPEN: "nothing there yet"}
TITLE = "Capstone report"

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --soft: #f2f4f5; --line: #c4cacd; --quiet: #4c5558;
  --right: #00694c; --wrong: #a83e00; --open: #5b4a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --paper: #16191b; --soft: #22272a; --line: #4a5357;
  --quiet: #b3bcc0; --right: #4fd3aa; --wrong: #ff9c66; --open: #e6c84f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 0.25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
.quiet { color: var(--quiet); }
.headline { background: var(--soft); border-left: 0.4rem solid var(--line); padding: 0.75rem 1rem; margin: 1rem 0;
  font-size: 1.15rem; }
.headline.right { border-color: var(--right); }
.headline.wrong { border-color: var(--wrong); border-left-style: double; }
ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: 0.75rem 0; display: grid; grid-template-columns: 1.75rem 1fr auto;
  gap: 0 0.5rem; }
.mark { font-weight: 700; font-size: 1.1rem; }
.right .mark, .right .state { color: var(--right); }
.wrong .mark, .wrong .state { color: var(--wrong); }
.open .mark, .open .state { color: var(--open); }
h3 { font-size: 1rem; margin: 0; }
.state { font-weight: 400; font-size: 0.9rem; }
.points { font-variant-numeric: tabular-nums; white-space: nowrap; }
dl { grid-column: 2 / -1; margin: 0.25rem 0 0; display: grid; grid-template-columns: max-content 1fr;
  gap: 0.1rem 0.75rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dt { margin-top: 0.25rem; } }
@media print { li { break-inside: avoid; } }
"""


def headline(report: Report) -> str:
    """The result in one sentence."""
    if report.score is None:
        return "Nothing was handed in."
    if report.broken:
        broken = [verdict for verdict in report.conditions if verdict.state == WRONG]
        words = [verdict.given.partition(":")[0] if ":" in verdict.given[:30] else verdict.name for verdict in broken]
        return f"Not accepted: {', '.join(words).lower()}. Points count when that is mended."
    of = sum(verdict.of for verdict in report.criteria)
    result = "passed" if report.passed else f"accepted, with fewer than {PASS} points so far"
    return f"{report.points:g} of {of} points: {result}."


def text(report: Report, name: str = "", width: int = 100) -> str:
    """The report for a terminal.

    Args:
        report: of :func:`utils.capstone.rubric.judge`.
        name: of the notebook.
        width: of a line.
    """
    lines = [" · ".join(filter(None, [TITLE, name, report.task])), headline(report), ""]
    for title, verdicts in _groups(report):
        lines.append(title)
        for v in verdicts:
            points = f"  {v.points:g} of {v.of}" if v.of else ""
            lines.append(f"  {MARKS[v.state]} {v.title}{points}")
            for said in filter(None, [v.given, "" if v.state == RIGHT else f"Expected: {v.expected}", _to_do(v)]):
                lines += textwrap.wrap(said, width, initial_indent="      ", subsequent_indent="      ")
        lines.append("")
    for note in report.notes:
        lines += textwrap.wrap(note, width)
    return "\n".join(lines).rstrip() + "\n"


def page(report: Report, name: str = "") -> str:
    """The report as an HTML page: readable light and dark, by eye and by ear, on a phone and on paper.

    Args:
        report: of :func:`utils.capstone.rubric.judge`.
        name: of the notebook.
    """
    kind = "" if report.score is None else "right" if report.accepted else "wrong"
    parts = [
        f"<h1>{TITLE}</h1>",
        f'<p class="quiet">{html.escape(" · ".join(filter(None, [name, report.task])))}</p>',
        f'<p class="headline {kind}">{html.escape(headline(report))}</p>',
    ]
    parts += [f"<p>{html.escape(note)}</p>" for note in report.notes]
    for title, verdicts in _groups(report):
        parts += [f"<section><h2>{title}</h2><ul>", *map(_item, verdicts), "</ul></section>"]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TITLE}{html.escape(': ' + name if name else '')}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _groups(report: Report) -> list[tuple[str, tuple[Verdict, ...]]]:
    groups = [("Conditions: without them no number means anything", report.conditions), ("Criteria", report.criteria)]
    return [(title, verdicts) for title, verdicts in groups if verdicts]


def _to_do(verdict: Verdict) -> str:
    return f"To do: {verdict.advice}" if verdict.advice else ""


def _item(v: Verdict) -> str:
    rows = [("given", v.given), ("expected", v.expected), ("to do", v.advice)]
    listed = "".join(f"<dt>{term}</dt><dd>{html.escape(said)}</dd>" for term, said in rows if said)
    points = f"{v.points:g} of {v.of}" if v.of else ""
    return (
        f'<li class="{v.state}"><span class="mark" aria-hidden="true">{MARKS[v.state]}</span>'
        f'<h3>{html.escape(v.title)} <span class="state">({SPOKEN[v.state]})</span></h3>'
        f'<span class="points">{points}</span><dl>{listed}</dl></li>'
    )
