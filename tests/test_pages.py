"""The pages written by hand agree with the lessons."""

import dataclasses
import re
import unicodedata

import nbformat
import pytest

from tools import cite, guide, notebooks, pages
from tools.minutes import Planned

SITE = notebooks.REPOSITORY / "site"
GUIDE = (SITE / "instructor-guide.md").read_text(encoding="utf-8")
LESSONS = [pages.read_lesson(path) for path in notebooks.lessons()]
PLANS = {"00": [Planned("order", [1], 15), Planned("reading", [2, 3], 20), Planned("exercises", [], 30)]}
DAY = """\
| clock | min | what | live | shown |
|---|---|---|---|---|
| 9:50 | 20 | welcome | | |
| 9:55 | 1 | 00, section 1: vote | all | none |
| 9:00 | 7 | 00, sections 1 and 2 | | |
| 9:00 | 1 | 00, sections 2 to 3 | | |
| 9:00 | 1 | 00, exercises | | |
| 9:00 | 25 | 00, exercises 1 and 2 | | |
"""


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_the_title_cell_holds_the_computed_minutes(lesson):
    title = nbformat.read(lesson.path, as_version=4).cells[0].source
    given = dict(re.findall(r"^\| ((?:read|teach)[^|]*?) \| ([^|]+?) \|$", title, re.MULTILINE))
    assert given == lesson.minutes, "run: python -m tools.pages"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_the_guide_has_a_page_of_the_lesson(lesson):
    page = (SITE / "guide" / f"{lesson.number}.md").read_text(encoding="utf-8")
    for part in ("**Run live**", "**Show**", "**Ask**", "**Misconceptions**", "**If time is short**", "**If long**"):
        assert part in page


def test_the_guide_has_no_page_without_a_lesson():
    there = {page.stem for page in (SITE / "guide").glob("*.md")}
    assert there == {lesson.number for lesson in LESSONS}


@pytest.mark.parametrize(
    "page", [SITE / "instructor-guide.md", *(SITE / "guide").glob("*.md")], ids=lambda page: page.stem
)
def test_sections_that_the_guide_links_to_exist(page):
    links = re.findall(r"\]\(([^)\s:#]+)(?:#([^)\s]+))?[)\s]", page.read_text(encoding="utf-8"))
    assert links
    for file, section in links:
        target = page.parent / file
        assert target.exists(), file
        if section and target.suffix == ".ipynb" and not section.startswith("cell-id="):
            assert section in guide.headings(nbformat.read(target, as_version=4)), f"{file}#{section}"


def rows_of(table):
    """``(minute of the day when it begins, minutes, what)`` of each row of a day."""
    rows = re.findall(r"^\| (\d+):(\d\d) \| (\d+) \| ([^|]*) \|", table, re.MULTILINE)
    return [(60 * int(hour) + int(minute), int(length), what) for hour, minute, length, what in rows]


def test_the_days_of_the_guide_end_in_time():
    tables = guide.DAY.findall(GUIDE)
    assert len(tables) == 5 + 2
    for i, table in enumerate(tables):
        first, *_, last = rows_of(table)
        assert first[0] == 9 * 60
        end = 17 * 60 + 30 if i == 4 else 16 * 60  # Friday is longer
        assert last[0] + last[1] == end, f"lengthen or shorten a lab, then run python -m tools.pages:\n{table}"


def test_friday_keeps_its_blocks():
    """Long memory at 10:30, text at 11:30 and 13:30, systems at 14:30, then what leads to a model of one's own."""
    friday = {begin: what for begin, _, what in rows_of(guide.DAY.findall(GUIDE)[4])}
    blocks = {(10, 30): "10, ", (11, 30): "13, ", (12, 30): "lunch", (13, 30): "13, ", (14, 30): "14, ", (15, 30): "break"}
    for (hour, minute), what in blocks.items():
        assert friday.get(60 * hour + minute, "nothing").startswith(what), f"{hour}:{minute}"


def test_every_lesson_is_taken_by_the_week_or_left_out_with_a_reason():
    week, rest = GUIDE.split("## Five-day week", 1)[1].split("### What the week leaves out", 1)
    taken = set(re.findall(r"\| (\d\d), ", week))
    left = set(re.findall(r"^\| \[(\d\d)\]", rest.split("\n## ", 1)[0], re.MULTILINE))
    assert taken | left == {lesson.number for lesson in LESSONS}
    assert not taken & left


def test_a_day_takes_its_minutes_from_the_plans_and_has_no_gap():
    rows = re.findall(
        r"^\| (\d+:\d\d) \| (\d+) \| ([^|]*) \|", guide.days(f"Before\n{DAY}\nAfter", PLANS), re.MULTILINE
    )
    assert rows == [
        ("9:50", "20", "welcome"),
        ("10:10", "15", "00, section 1: vote"),
        ("10:25", "7", "00, sections 1 and 2"),  # not all of the plan's second part: the author's own
        ("10:32", "20", "00, sections 2 to 3"),
        ("10:52", "30", "00, exercises"),
        ("11:22", "25", "00, exercises 1 and 2"),
    ]
    with pytest.raises(ValueError, match="there is no lesson 00, only 01"):
        guide.days(DAY, {"01": PLANS["00"]})
    with pytest.raises(ValueError, match="expected that a row of a day begins like"):
        guide.days(DAY.replace("| 9:50 | 20 |", "| soon | |"), PLANS)


def test_the_clock_of_a_lesson_is_its_plan():
    cells = [
        "# 00 · Order\n\n## 1 · The bag\n\n## 2 · It reads",
        "Plan in minutes: bag (1) 65, rest (2 to 4) 5, exercises 30.",
    ]
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(cell) for cell in cells])
    lines = guide.clock("00 · Order", "00.ipynb", lesson)
    assert lines[0] == "# Teaching 00 · Order"
    assert "Minutes to read: 0 (core); to teach: 100 (70 talk, 30 exercises)." in lines[2]
    assert lines[-4:] == [
        "| 0:00 | [1](00.ipynb#1--the-bag) | bag | 65 |  |",
        "| 1:05 | [2](00.ipynb#2--it-reads) to 4 | rest | 5 |  |",
        "| 1:10 |  | exercises |  | 30 |",
        "| 1:40 | | end | **70** | **30** |",
    ]
    with pytest.raises(ValueError, match="00 · Order has no note for instructors"):
        guide.clock("00 · Order", "00.ipynb", nbformat.v4.new_notebook())


def test_the_week_counts_the_lessons():
    rows = [
        "| 9:00 | 20 | 00, sections 1 to 3 |",
        "| 9:20 | 5 | 01, exercises |",
        "",
        "## Short",
        "| 9:00 | 5 | 03, all |",
    ]
    week = "\n".join(["## Five-day week", *rows])
    (line,) = guide.finished(["00", "01", "03"], week)
    assert line == "There are 3 lessons: 00, 01 and 03. The week below takes 00 and 01 and leaves out 03."
    assert guide.finished(["00", "01"], week) == ["There are 2 lessons: 00 and 01. The week below takes them all."]


def test_the_guide_cites_findings_by_their_claims():
    """What a number stands for would shift with the first finding inserted before it; see tools/cite.py."""
    pages_of_the_guide = [SITE / "instructor-guide.md", *(SITE / "guide").glob("*.md")]
    cited = 0
    for page in pages_of_the_guide:
        text = page.read_text(encoding="utf-8")
        cited += len(cite.CITATION.findall(text))
        assert not re.findall(r"(?<![\d.:])\d\d\.\d+(?![\d.])", cite.remove(text)), page.name
    assert cited >= 2 * len(LESSONS)


def test_a_finding_put_in_early_renumbers_what_the_guide_cites():
    page = SITE / "guide" / "00.md"
    before = page.read_text(encoding="utf-8")
    first = LESSONS[0]
    longer = dataclasses.replace(first, findings=[("new", {"claim": "Put in early"}), *first.findings])
    after = cite.renew(
        before, {"00": longer, **{lesson.number: lesson for lesson in LESSONS[1:]}}, page.parent, sentences=True
    )
    numbers = [[int(n) for n in re.findall(r"\[00\.(\d+): ", text)] for text in (before, after)]
    assert numbers[0]
    assert numbers[1] == [n + 1 for n in numbers[0]]
    gone = {"00": dataclasses.replace(first, findings=[("new", {"claim": "Put in early"})])}
    with pytest.raises(ValueError, match=r"00_sequence_modeling_foundations\.ipynb states no such finding"):
        cite.renew(before, gone, page.parent, sentences=True)


def test_an_answer_goes_to_other_pages_without_its_citations(tmp_path):
    """Their links lead from the notebook; and what is still to be filled in would make the pages differ at once."""
    text = "# 07 · Made up\n\n**Research question.** Why?\n\n**Answer.** So it is ([07 a claim]())."
    path = tmp_path / "07_made_up.ipynb"
    notebooks.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]), path)
    assert pages.read_lesson(path).answer == "So it is."


def test_terms_of_the_glossary_are_in_order_and_used():
    glossary = (SITE / "glossary.md").read_text(encoding="utf-8")
    body = glossary.split("```{glossary}\n")[1]
    entries = [entry.splitlines() for entry in body.split("\n\n") if entry and not entry.startswith(("`", " "))]
    first = [unicodedata.normalize("NFKD", lines[0]).casefold() for lines in entries]
    assert first == sorted(first)
    text = letters("".join(path.read_text(encoding="utf-8") for path in notebooks.lessons()))
    for lines in entries:
        terms = [line for line in lines if not line.startswith((" ", "`"))]
        assert any(letters(term) in text for term in terms), terms


def letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())
