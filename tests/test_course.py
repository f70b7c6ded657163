"""The map of the course and its learning paths, on lessons made up."""

import itertools
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import course, guide, notebooks, pages
from tools.minutes import Planned

PATH = """\
| when | lesson | sections | read | exercises |
|---|---|---|---|---|
| Saturday | 00 | 1 to 3 | | |
| Sunday | 01 | core, exercises | | |
| Sunday | 01 | 2, exercises | | |
| Sunday | 02 | all | | |
"""


def lesson(number, *needs):
    return SimpleNamespace(
        path=Path(f"{number}_made_up.ipynb"),
        title=f"{number} · Made up",
        needs=list(needs),
        sections={0: 1.0, 1: 2.4, 2: 3.4, 3: 4.4},
        anchors={1: "1--one", 2: "2--two", 3: "3--three"},
        minutes={"read, core": "40", "read, further": "15"},
        plan=[Planned("talk", [1], 20), Planned("exercises", [], 30)],
    )


LESSONS = {
    number: lesson(number, *needs)
    for number, *needs in (
        ["00"],
        ["01"],
        ["02", "01"],
        ["03", "00", "01", "02"],
        ["04", "01"],
        ["05", "00", "03", "04"],
    )
}
STORED = {found.number: found for found in map(pages.read_lesson, notebooks.lessons())}


def test_a_lesson_says_what_it_needs():
    title = "See [00](00_a.ipynb).\n\n**You need** the cell of [lesson 03](03_b.ipynb), [lesson 01](01_c.ipynb), "
    title += "also\n[01](01_c.ipynb)."
    assert course.needs(title) == ["01", "03"]
    assert course.needs("**You need** Python.") == []


def test_the_minutes_of_a_path_are_those_of_its_sections():
    text = course.paths(f"Before\n\n{PATH}\nAfter", LESSONS, "../notebooks")
    link = "../notebooks/00_made_up.ipynb"
    assert f"| Saturday | [00 · Made up]({link}) | [1]({link}#1--one) to [3]({link}#3--three) | 10 |  |" in text
    read = re.findall(r"\| (\d*) \| (\d*) \|$", text, re.MULTILINE)
    assert read == [("10", ""), ("40", "30"), ("3", "30"), ("55", "")]
    assert "| | | together | **108** | **60** |" in text
    assert text.startswith("Before\n\n| when")
    assert text.endswith("\n\nAfter")
    assert course.paths(text, LESSONS, "../notebooks") == text


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("| Saturday | 09 | 1 | | |", "names lesson 09; there is only 00, 01"),
        ("| Saturday | 00 | 7 | | |", "names '7' of 00 · Made up; expected core, all, or sections of 0, 1, 2, 3"),
        ("| Saturday | 00 | most | | |", "names 'most' of 00"),
        ("| Saturday | Made up | 1 | | |", "expected that a row of a path begins like"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(row, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        course.paths(PATH + row + "\n", LESSONS, "../notebooks")


def test_the_paths_in_short():
    page = course.paths(f"# Paths\n\n## A weekend\n\n{PATH}\n## More\n\nNothing.", LESSONS, ".")
    assert course.overview(page, LESSONS, "paths.md")[2:] == [
        "| [a weekend](paths.md#a-weekend) | 00 to 02 | 1.8 h | 60 min |"
    ]


def test_numbers_in_words():
    assert guide.spans(["00", "01", "02", "04", "05"]) == "00 to 02, 04 and 05"
    assert guide.spans(["07"]) == "07"


def drawn(lessons):
    svg = course.drawing(lessons)
    boxes = re.findall(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)" rx', svg)
    arrows = re.findall(r'<path d="M(\d+) (\d+) .*?(\d+) (\d+)" marker-end', svg)
    return svg, [tuple(map(int, box)) for box in boxes], [tuple(map(int, arrow)) for arrow in arrows]


@pytest.mark.parametrize("lessons", [LESSONS, STORED], ids=["made up", "stored"])
def test_the_map_leads_down_from_each_need_and_nothing_overlaps(lessons):
    svg, boxes, arrows = drawn(lessons)
    place = dict(zip(lessons, boxes, strict=True))
    for number, found in lessons.items():
        assert all(place[need][1] + place[need][3] < place[number][1] for need in found.needs)
    for (x, y, width, height), (other_x, other_y, *_) in itertools.combinations(boxes, 2):
        assert abs(x - other_x) >= width or abs(y - other_y) >= height
    across, down = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    assert all(x >= 0 and x + width <= across and y + height <= down for x, y, width, height in boxes)

    def at(x, y):
        """The lesson whose box has this point on its edge, to a pixel."""
        return next(n for n, (left, top, w, h) in place.items() if left <= x <= left + w and -1 <= y - top <= h + 1)

    ways = {(at(*arrow[:2]), at(*arrow[2:])) for arrow in arrows}
    assert len(ways) == len(arrows)
    # Going along arrows one gets from each need to its lesson, and no arrow can be spared.
    wanted = reachable(lessons, {(need, n) for n, found in lessons.items() for need in found.needs})
    assert reachable(lessons, ways) == wanted
    assert all(way not in reachable(lessons, ways - {way}) for way in ways)


def reachable(lessons, ways):
    """All pairs that are joined by a chain of ways, by Warshall's algorithm."""
    pairs = set(ways)
    for middle, start, end in itertools.product(lessons, repeat=3):
        if (start, middle) in pairs and (middle, end) in pairs:
            pairs.add((start, end))
    return pairs


def test_a_lesson_that_needs_a_later_one_is_named():
    with pytest.raises(ValueError, match="Lesson 00 says that it needs 01; expected lessons before it"):
        course.drawing({"00": lesson("00", "01"), "01": lesson("01")})
