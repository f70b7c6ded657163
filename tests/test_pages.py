"""The pages written by hand agree with the lessons."""

import re
import unicodedata

import pytest

from tools import notebooks, pages

SITE = notebooks.REPOSITORY / "site"
GUIDE = (SITE / "instructor-guide.md").read_text(encoding="utf-8")
LESSONS = [pages.read_lesson(path) for path in notebooks.lessons()]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_the_guide_has_the_lesson_with_its_minutes(lesson):
    heading = f"### [{lesson.title}](../notebooks/{lesson.path.name})"
    assert heading in GUIDE
    section = GUIDE.split(heading, 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    clock = {}
    for name in ("teach", "exercise"):
        cells = re.search(rf"^\| {name} \|(.+)\|$", section, re.MULTILINE)[1].split("|")
        *parts, total = [int(cell) for cell in cells if cell.strip()]
        assert sum(parts) == total
        clock[name] = total
    talk, exercises = re.search(r"\((\d+) talk, (\d+) exercises\)", lesson.minutes["teach"]).groups()
    assert clock == {"teach": int(talk), "exercise": int(exercises)}
    for part in ("**Run live**", "**Show**", "**Ask**", "**Misconceptions**", "**If time is short**", "**If long**"):
        assert part in section


def test_the_days_of_the_guide_run_without_a_gap():
    for table in re.findall(r"\| clock \| min \|.+?\n\n", GUIDE, re.DOTALL):
        rows = re.findall(r"^\| (\d+):(\d\d) \| (\d+) \|", table, re.MULTILINE)
        starts = [60 * int(hour) + int(minute) for hour, minute, _ in rows]
        ends = [start + int(length) for start, (*_, length) in zip(starts, rows, strict=True)]
        assert starts[0] == 9 * 60
        assert ends == [*starts[1:], 16 * 60]


def test_findings_that_the_guide_names_exist():
    there = {f"{lesson.number}.{i}" for lesson in LESSONS for i in range(1, len(lesson.findings) + 1)}
    named = set(re.findall(r"(?<![\d.])\d\d\.\d+(?![\d.])", GUIDE.split("## Lesson by lesson")[1]))
    assert named
    assert named <= there


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
