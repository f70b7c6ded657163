"""The instructor guide's generated parts: clocks and days, from the plan in each lesson's note for instructors.

``site/guide/NN.md`` is one page a lesson, ``site/instructor-guide.md`` holds what is for all of them. In these
``python -m tools.pages`` writes what stands between ``<!-- name -->`` and ``<!-- /name -->``, and the clocks of the
days; the rest is written by hand.
"""

import re
from collections.abc import Sequence

import nbformat

from tools import minutes

DAY = re.compile(r"\| clock \| min \|.*\n\|[-|]+\|\n(?:\|.*\n)+")


def anchor(heading: str) -> str:
    """The part of an address that leads to a heading, as GitHub and the site form it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def headings(notebook: nbformat.NotebookNode) -> dict[str, int]:
    """Anchor of each heading of a lesson -> the number of its section, 0 where it has none."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    numbers = [re.match(r"(\d+) · ", heading) for heading in found]
    return {anchor(heading): int(number[1]) if number else 0 for heading, number in zip(found, numbers, strict=True)}


def clock(title: str, link: str, notebook: nbformat.NotebookNode) -> list[str]:
    """The head of a lesson's page: its title, the minutes it takes, and when each part begins.

    Args:
        title: of the lesson.
        link: from the page to the notebook.
        notebook: the lesson, with a plan; see :func:`tools.minutes.plan`.

    Raises:
        ValueError: no plan.
    """
    plan = minutes.plan(notebook)
    if not plan:
        raise ValueError(f'{title} has no note for instructors that holds "Plan in minutes: ..."; see {__name__}.')
    section = {number: name for name, number in headings(notebook).items() if number}
    rows = minutes.rows(notebook)
    read = [f"{rows[f'read, {part}']} ({part})" for part in ("core", "further") if f"read, {part}" in rows]
    lines = [
        f"# Teaching {title}",
        "",
        f"[The lesson]({link}). Minutes to read: {' and '.join(read)}; to teach: {rows['teach']}. "
        "For all lessons: [the guide](../instructor-guide.md).",
        "",
        "| from | sections | what | talk | exercises |",
        "|---|---|---|---|---|",
    ]
    start, sums = 0, [0, 0]
    for part in plan:
        places = [f"[{n}]({link}#{section[n]})" if n in section else str(n) for n in part.sections]
        places = f"{places[0]} to {places[-1]}" if len(places) > 2 else ", ".join(places)
        spent = [part.minutes, 0] if part.sections else [0, part.minutes]
        cells = [_time(start), places, part.what, *(str(value or "") for value in spent)]
        lines.append(f"| {' | '.join(cells)} |")
        start += part.minutes
        sums = [a + b for a, b in zip(sums, spent, strict=True)]
    return [*lines, f"| {_time(start)} | | end | **{sums[0]}** | **{sums[1]}** |"]


def days(text: str, plans: dict[str, list[minutes.Planned]]) -> str:
    """The guide with the clocks of its days renewed.

    A row "02, sections 1 to 3" or "02, exercises", with or without a remark after a colon, takes as long as the
    lesson's plan says, if it names whole parts of the plan. Any other row keeps its minutes: a break, a lab, part of a
    part. Each row begins when the one before ends.

    Args:
        text: the guide.
        plans: number of a lesson -> its plan.

    Raises:
        ValueError: a row without minutes, or of a lesson that is not there.
    """
    return DAY.sub(lambda table: _day(table[0], plans), text)


def _day(table: str, plans: dict[str, list[minutes.Planned]]) -> str:
    *lines, rows = table.split("\n", 2)
    now = None
    for row in rows.splitlines():
        match = re.match(r"\| (\d+):(\d\d) \| (\d+) \| ([^|]*) \|", row)
        if not match:
            raise ValueError(f"{row!r}: expected that a row of a day begins like '| 9:00 | 20 | welcome |'.")
        hours, mins, length, what = match.groups()
        now = 60 * int(hours) + int(mins) if now is None else now
        length = _planned(what, plans) or int(length)
        lines.append(f"| {_time(now)} | {length} | {what} |{row[match.end() :]}")
        now += length
    return "\n".join(lines) + "\n"


def _planned(what: str, plans: dict[str, list[minutes.Planned]]) -> int | None:
    """The minutes that a lesson's plan gives for what a row of a day names; None where they are the author's."""
    match = re.fullmatch(r"(\d\d), (?:(exercises)|sections? ([\d, ]+|\d+(?: and | to )\d+))(?::.*)?", what)
    if not match:
        return None
    number, exercises, places = match.groups()
    if number not in plans:
        raise ValueError(f"A day names {what!r}; there is no lesson {number}, only {', '.join(plans)}.")
    wanted = set(minutes.sections(places or ""))
    if exercises:
        return plans[number][-1].minutes
    whole = [part for part in plans[number] if part.sections and wanted >= set(part.sections)]
    if wanted != {section for part in whole for section in part.sections}:
        return None
    return sum(part.minutes for part in whole)


def finished(lessons: Sequence[str], text: str) -> list[str]:
    """How many lessons there are, which of them the week takes, and which it leaves out.

    Args:
        lessons: numbers of the lessons that are there.
        text: the guide; its section "Five-day week" holds the days.
    """
    week = text.split("## Five-day week", 1)[1].split("\n## ", 1)[0]
    taken = [number for number in lessons if re.search(rf"\| {number}, ", week)]
    left = [number for number in lessons if number not in taken]
    line = f"There are {len(lessons)} lessons: {spans(lessons)}. The week below takes "
    line += f"{spans(taken)} and leaves out {spans(left)}." if left else "them all."
    return [line]


def spans(numbers: Sequence[str]) -> str:
    """Numbers in words: "00 to 05, 07 and 08"."""
    runs: list[list[str]] = []
    for number in numbers:
        if runs and int(number) == int(runs[-1][-1]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = []
    for run in runs:
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _time(value: int) -> str:
    return f"{value // 60}:{value % 60:02}"
