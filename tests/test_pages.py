"""The pages written by hand agree with the lessons."""

import dataclasses
import functools
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
    "page", [notebooks.REPOSITORY / "README.md", *sorted(SITE.rglob("*.md"))], ids=lambda page: page.stem
)
def test_what_a_page_links_to_exists(page):
    """Files; sections and cells of lessons; headings of pages."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for file, section in re.findall(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]+))?[)\s]", text):
        target = page.parent / file if file else page
        assert target.exists(), file
        if section and target.suffix == ".ipynb":
            assert section in sections_of(target.resolve()), f"{file}#{section}"
        elif section and target.suffix == ".md":
            found = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert section in map(guide.anchor, found), f"{file}#{section}"


@functools.cache
def sections_of(path):
    lesson = nbformat.read(path, as_version=4)
    return {*guide.headings(lesson), *(f"cell-id={cell.id}" for cell in lesson.cells)}


def test_each_topic_of_a_first_course_leads_to_a_section():
    text = (SITE / "topics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*(\d+) · ([^*|]+)\.\*\* [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(1, 21))
    for _, topic, places in rows:
        assert re.search(r"\.ipynb#\d+--", places), topic
        for words, lesson, section in re.findall(r"\[([^\]]*)\]\(\S*?(\d\d)_\w+\.ipynb(?:#(\d+)--)?", places):
            numbers = re.findall(r"\d+", words)
            assert numbers[-1] == (section or lesson), f"{topic}: {words} leads to {lesson}, section {section}"
            assert len(numbers) < 2 + bool(section) or numbers[0] == lesson, f"{topic}: {words} leads to {lesson}"


def test_what_to_choose_cites_findings_and_names_a_budget():
    text = (SITE / "decisions.md").read_text(encoding="utf-8")
    for question in text.split("\n## ")[1:]:
        heading, answer = question.split("\n", 1)
        assert heading.endswith("?")
        assert len(cite.CITATION.findall(answer)) >= 3, heading
        assert answer.count("*Budget.*") == 1, heading


PATHS = (SITE / "learning-paths.md").read_text(encoding="utf-8")


def test_the_term_takes_every_lesson_after_those_it_builds_on():
    table = PATHS.split("\n## A term", 1)[1].split("\n## ", 1)[0]
    order = re.findall(r"^\| [^|]* \| \[(\d\d)", table, re.MULTILINE)
    assert sorted(order) == [lesson.number for lesson in LESSONS], "give a new lesson its row in site/learning-paths.md"
    for lesson in LESSONS:
        for need in lesson.needs:
            assert order.index(need) < order.index(lesson.number)


def test_the_week_alone_is_the_week_of_the_guide():
    def lessons_of(text, heading, row):
        return set(re.findall(row, text.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0], re.MULTILINE))

    alone = lessons_of(PATHS, "A week\n", r"^\| [^|]* \| \[(\d\d)")
    assert alone == lessons_of(GUIDE, "Five-day week", r"\| (\d\d), ")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_a_lesson_leads_to_the_next(lesson):
    cells = nbformat.read(lesson.path, as_version=4).cells
    ending = next(cell.source for cell in cells if "**Next.**" in cell.source).split("**Next.**")[1]
    following = LESSONS[LESSONS.index(lesson) + 1 :][:1]
    assert all(f"({other.path.name})" in ending for other in following), "link to the next lesson after **Next.**"
    unlinked = set(re.findall(r"(?<!\[)\b[Ll]esson (\d\d)\b", ending))
    assert not unlinked & {other.number for other in LESSONS}, "run: python -m tools.pages"


def test_the_map_has_every_need_in_both_directions():
    rows = re.findall(r"^\| \[(\d\d)[^|]* \| ([^|]*) \| ([^|]*) \|$", PATHS.split("<!-- map -->")[1], re.MULTILINE)
    up = {(number, need) for number, needs, _ in rows for need in re.findall(r"\[(\d\d)\]", needs)}
    down = {(other, number) for number, _, others in rows for other in re.findall(r"\[(\d\d)\]", others)}
    assert up == down == {(lesson.number, need) for lesson in LESSONS for need in lesson.needs}


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
    blocks = {
        (10, 30): "10, ",
        (11, 30): "13, ",
        (12, 30): "lunch",
        (13, 30): "13, ",
        (14, 30): "14, ",
        (15, 30): "break",
    }
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
