"""What leads to what in the course, and ways through it: the map, and the learning paths with their minutes.

A lesson says what it needs in its title cell, with links: ``**You need** [lesson 01](01_....ipynb)``. The map is drawn
from these. The paths stand in ``site/learning-paths.md`` in tables of this form, from which ``python -m tools.pages``
makes links and minutes; what it wrote is renewed with the lessons:

    | when | lesson | sections | read | exercises |
    |---|---|---|---|---|
    | Saturday | 01 | 1 to 3, exercises | | |
    | Sunday | 02 | core, exercises | | |
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from tools import guide, minutes

PATH = re.compile(r"\| when \| lesson \| sections \|.*\n\|[-|]+\|\n(?:\|.*\n)+")
ROW = re.compile(r"\| ([^|]*?) ?\| (?:\[)?(\d\d)\b[^|]* \| ([^|]+?) \|")
BOX = (164, 58)  # pixels
GAP = (20, 44)  # between boxes
BEND = 24  # width of the lane of an arrow that passes a row of boxes


class Shown(Protocol):
    """What is needed of a lesson; see `tools.pages.Lesson`."""

    path: Path
    title: str
    needs: list[str]  # numbers of lessons
    sections: Mapping[int, float]  # number of a section -> minutes to read it
    anchors: Mapping[int, str]  # number of a section -> its anchor
    minutes: Mapping[str, str]
    plan: list[minutes.Planned]


def needs(title_cell: str) -> list[str]:
    """The numbers of the lessons that a lesson says it needs, in order."""
    paragraph = title_cell.partition("**You need**")[2]
    return sorted(set(re.findall(r"\]\((\d\d)_\w+\.ipynb\)", paragraph)))


def leads_to(lessons: Mapping[str, Shown], number: str) -> list[str]:
    """The numbers of the lessons that say they need this one."""
    return [other for other, lesson in lessons.items() if number in lesson.needs]


def table(lessons: Mapping[str, Shown], folder: str) -> list[str]:
    """The map as a table with links, in both directions.

    Args:
        lessons: the lessons by number.
        folder: where the notebooks are, seen from the page.
    """

    def links(numbers: Sequence[str]) -> str:
        return ", ".join(f"[{number}]({folder}/{lessons[number].path.name})" for number in numbers) or "none"

    lines = ["| lesson | builds on | leads to |", "|---|---|---|"]
    for number, lesson in lessons.items():
        title = f"[{lesson.title}]({folder}/{lesson.path.name})"
        lines.append(f"| {title} | {links(lesson.needs)} | {links(leads_to(lessons, number))} |")
    return lines


def paths(text: str, lessons: Mapping[str, Shown], folder: str) -> str:
    """The page of learning paths with the links, minutes and sums of its tables renewed.

    Raises:
        ValueError: a row that cannot be read, a lesson or a section that is not there.
    """
    return PATH.sub(lambda match: _path(match[0], lessons, folder), text)


def _path(rows: str, lessons: Mapping[str, Shown], folder: str) -> str:
    heading, line, rows = rows.split("\n", 2)
    lines, sums = [heading, line], [0, 0]
    for row in rows.splitlines():
        if row.startswith("| | | together |"):
            continue
        match = ROW.match(row)
        if not match:
            raise ValueError(
                f"{row!r}: expected that a row of a path begins like '| Monday | 01 | 1 to 3, exercises |'."
            )
        when, number, places = match.groups()
        if number not in lessons:
            raise ValueError(f"A learning path names lesson {number}; there is only {', '.join(lessons)}.")
        lesson = lessons[number]
        places = re.sub(r"\[(\d+)\]\([^)]*\)", r"\1", places)
        spent = _minutes(lesson, places)
        link = f"{folder}/{lesson.path.name}"
        linked = _linked(places, lesson, link)
        cells = [when, f"[{lesson.title}]({link})", linked, *(str(value or "") for value in spent)]
        lines.append(f"| {' | '.join(cells)} |")
        sums = [a + b for a, b in zip(sums, spent, strict=True)]
    return "\n".join([*lines, f"| | | together | **{sums[0]}** | **{sums[1]}** |"]) + "\n"


def _linked(places: str, lesson: Shown, link: str) -> str:
    return re.sub(r"\d+", lambda place: f"[{place[0]}]({link}#{lesson.anchors[int(place[0])]})", places)


def _minutes(lesson: Shown, places: str) -> tuple[int, int]:
    """Minutes to read and to solve what a row of a path names: "core", "all" or sections, and "exercises"."""
    exercises = lesson.plan[-1].minutes if "exercises" in places else 0
    rest = re.sub(r"(, |^)exercises$", "", places)
    if rest in ("core", "all"):
        names = ("read, core",) if rest == "core" else ("read, core", "read, further")
        return sum(int(lesson.minutes.get(name, 0)) for name in names), exercises
    numbers = minutes.sections(rest)
    missing = [number for number in numbers if number not in lesson.sections]
    if missing or (rest and not numbers):
        raise ValueError(
            f"A learning path names {places!r} of {lesson.title}; expected core, all, or sections of "
            f"{', '.join(map(str, lesson.sections))}."
        )
    return round(sum(lesson.sections[number] for number in numbers)), exercises


def overview(text: str, lessons: Mapping[str, Shown], page: str) -> list[str]:
    """The paths of the page as a short table: how much time, which lessons, hours.

    Args:
        text: the page of learning paths, renewed; a path begins with a heading "## One evening".
        lessons: the lessons by number.
        page: where that page is, seen from the one that shows the table.
    """
    lines = ["| you have | lessons | reading | exercises |", "|---|---|---|---|"]
    for part in text.split("\n## ")[1:]:
        if found := PATH.search(part):
            heading = part.splitlines()[0]
            numbers = sorted(set(re.findall(r"^\| [^|]*\| \[(\d\d)", found[0], re.MULTILINE)))
            named = f"all {len(lessons)}" if numbers == list(lessons) else guide.spans(numbers)
            hours = [_hours(int(total)) for total in re.findall(r"\*\*(\d+)\*\*", found[0].splitlines()[-1])]
            link = f"[{heading[0].lower()}{heading[1:]}]({page}#{guide.anchor(heading)})"
            lines.append(f"| {' | '.join([link, named, *hours])} |")
    return lines


def _hours(total: int) -> str:
    if total < 90:
        return f"{total} min" if total else ""
    return f"{total / 60:.0f} h" if total >= 600 else f"{total / 60:.1f} h"


def drawing(lessons: Mapping[str, Shown]) -> str:
    """The map as SVG: each lesson below those it needs. An arrow that follows from others is left out."""
    rows = _rows(lessons)
    places = _places(rows, lessons)
    width = round(max(x for x, _ in places.values()) + BOX[0] / 2 + 12)
    height = len(rows) * (BOX[1] + GAP[1]) - GAP[1] + 56
    told = "; ".join(
        f"{number} builds on {guide.spans(lesson.needs)}" for number, lesson in lessons.items() if lesson.needs
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title desc" font-family="DejaVu Sans, Arial, sans-serif" font-size="15">',
        '  <title id="title">Each lesson stands below those it builds on</title>',
        f'  <desc id="desc">{escape(told)}.</desc>',
        '  <defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="#222"/></marker></defs>',
        f'  <rect width="{width}" height="{height}" fill="#ffffff"/>',
        '  <text x="12" y="26" font-weight="bold" fill="#111">Each lesson stands below those it builds on</text>',
        '  <g stroke="#222" stroke-width="1.6" fill="none">',
    ]
    for chain in _chains(lessons):
        points = [places[knot] for knot in chain]
        lines.append(f'    <path d="{_curve(points)}" marker-end="url(#arrow)"/>')
    lines.append("  </g>")
    for number, lesson in lessons.items():
        x, y = places[number]
        fill = "#e3f1fa" if lesson.needs else "#fdf0d5"
        lines.append(
            f'  <rect x="{x - BOX[0] / 2:.0f}" y="{y - BOX[1] / 2:.0f}" width="{BOX[0]}" height="{BOX[1]}" rx="8" '
            f'fill="{fill}" stroke="#222" stroke-width="1.2"/>'
        )
        words = textwrap.wrap(lesson.title, 19)
        for i, line in enumerate(words):
            baseline = y + 5 + 19 * (i - (len(words) - 1) / 2)
            lines.append(
                f'  <text x="{x:.0f}" y="{baseline:.0f}" text-anchor="middle" fill="#111">{escape(line)}</text>'
            )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _levels(lessons: Mapping[str, Shown]) -> dict[str, int]:
    """How many lessons stand above each in its longest chain of needs."""
    levels: dict[str, int] = {}
    for number, lesson in lessons.items():
        late = [need for need in lesson.needs if need not in levels]
        if late:
            raise ValueError(f"Lesson {number} says that it needs {guide.spans(late)}; expected lessons before it.")
        levels[number] = max((levels[need] + 1 for need in lesson.needs), default=0)
    return levels


def _chains(lessons: Mapping[str, Shown]) -> list[list]:
    """Each arrow as the knots it passes: a lesson, a lane in every row between, the lesson that needs it."""
    levels = _levels(lessons)
    above: dict[str, set[str]] = {}
    for number, lesson in lessons.items():
        above[number] = set(lesson.needs).union(*(above[need] for need in lesson.needs))
    chains = []
    for number, lesson in lessons.items():
        for need in lesson.needs:
            if not any(need in above[other] for other in lesson.needs):
                lanes = [(need, number, level) for level in range(levels[need] + 1, levels[number])]
                chains.append([need, *lanes, number])
    return chains


def _rows(lessons: Mapping[str, Shown]) -> list[list]:
    """The knots of each row, from left to right so that few arrows cross."""
    levels, chains = _levels(lessons), _chains(lessons)
    rows: list[list] = [[] for _ in range(max(levels.values()) + 1)]
    for number, level in levels.items():
        rows[level].append(number)
    for lane in (knot for chain in chains for knot in chain[1:-1]):
        rows[lane[2]].append(lane)
    links = _links(chains)
    for sweep in range(12):
        order = rows if sweep % 2 == 0 else rows[::-1]
        for before, row in pairwise(order):
            rank = {knot: (i + 0.5) / len(before) for i, knot in enumerate(before)}

            def middle(knot, rank=rank, row=row):
                near = [rank[other] for other in links.get(knot, ()) if other in rank]
                return sum(near) / len(near) if near else (row.index(knot) + 0.5) / len(row)

            middles = {knot: middle(knot) for knot in row}
            row.sort(key=middles.__getitem__)
    return rows


def _links(chains: list[list]) -> dict[object, list]:
    """The knots in the rows above and below that each is linked to; in a fixed order, so that the map is, too."""
    links: dict = {}
    for chain in chains:
        for one, other in pairwise(chain):
            links.setdefault(one, []).append(other)
            links.setdefault(other, []).append(one)
    return links


def _places(rows: list[list], lessons: Mapping[str, Shown]) -> dict:
    """The middle of each knot, in pixels: near what it is linked to, none over another."""
    links = _links(_chains(lessons))
    wide = {knot: BEND if isinstance(knot, tuple) else BOX[0] for row in rows for knot in row}
    x: dict = {}
    for row in rows:
        total = sum(wide[knot] + GAP[0] for knot in row)
        left = -total / 2
        for knot in row:
            x[knot] = left + (wide[knot] + GAP[0]) / 2
            left += wide[knot] + GAP[0]
    for sweep in range(40):
        for row in rows if sweep % 2 else rows[::-1]:
            wanted = []
            for knot in row:
                near = links.get(knot, ())
                wanted.append(sum(x[other] for other in near) / len(near) if near else x[knot])
            apart = [(wide[a] + wide[b]) / 2 + GAP[0] for a, b in pairwise(row)]
            for knot, place in zip(row, _spread(wanted, apart), strict=True):
                x[knot] = place
    left = min(place - wide[knot] / 2 for knot, place in x.items()) - 12
    result = {}
    for level, row in enumerate(rows):
        for knot in row:
            result[knot] = (x[knot] - left, 44 + BOX[1] / 2 + level * (BOX[1] + GAP[1]))
    return result


def _spread(wanted: list[float], apart: list[float]) -> list[float]:
    """Places near the wanted ones, neighbours apart: the mean of packing from left and from right."""
    right, left = list(wanted), list(wanted)
    for i in range(1, len(wanted)):
        right[i] = max(right[i], right[i - 1] + apart[i - 1])
    for i in range(len(wanted) - 2, -1, -1):
        left[i] = min(left[i], left[i + 1] - apart[i])
    return [(a + b) / 2 for a, b in zip(right, left, strict=True)]


def _curve(points: list[tuple[float, float]]) -> str:
    """An arrow from the lower edge of a box through lanes to the upper edge of another."""
    half = BOX[1] / 2
    (x, y), *rest = points
    y += half
    parts = [f"M{x:.0f} {y:.0f}"]
    for i, (to_x, to_y) in enumerate(rest):
        top = to_y - half
        bend = (top - y) / 2
        parts.append(f"C{x:.0f} {y + bend:.0f} {to_x:.0f} {top - bend:.0f} {to_x:.0f} {top:.0f}")
        x, y = to_x, top
        if i < len(rest) - 1:
            y = to_y + half
            parts.append(f"V{y:.0f}")
    return " ".join(parts)
