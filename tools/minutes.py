"""How long a lesson takes: to read, computed from what is visible; to teach, from the instructors' plan.

Reading counts words of prose, mathematics, printed text and claims of findings at 200 a minute, visible lines of code
at 10 a minute, and 1.5 minutes for each figure. Not counted: folded code (cells tagged ``hide-input``, set-up cells),
notes for instructors, launch links, the table of minutes itself, the list of findings at the end, which repeats what
was read, and the time that solving an exercise takes. A heading that begins with "Further" opens a further section; it
reaches to the next heading of the same or a higher level. All the rest is the core.
"""

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import nbformat

from tools import cite
from tools.notebooks import INSTALL_CELL, is_folded

WORDS = 200  # a minute
LINES = 10  # a minute
FIGURE = 1.5  # minutes
CORE = 45  # minutes that the core of a lesson may take
FINDINGS = 12  # findings that the core of a lesson may have
NOT_READ = {"launch", INSTALL_CELL}  # ids of the cells that bring a reader here


@dataclass
class Part:
    """What is visible in the core of a lesson, or in its further sections."""

    words: int = 0
    lines: int = 0
    figures: int = 0
    findings: int = 0

    @property
    def minutes(self) -> float:
        return self.words / WORDS + self.lines / LINES + self.figures * FIGURE

    def __add__(self, other: "Part") -> "Part":
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Part(*(mine + others for mine, others in pairs))


def read(notebook: nbformat.NotebookNode) -> tuple[Part, Part]:
    """What there is to read in a stored lesson: ``(core, further)``."""
    parts = read_sections(notebook).values()
    return sum((core for core, _ in parts), Part()), sum((further for _, further in parts), Part())


def read_sections(notebook: nbformat.NotebookNode) -> dict[int, tuple[Part, Part]]:
    """The same for each section by itself: its number -> ``(core, further)``; 0 is what stands before the first."""
    result: dict[int, tuple[Part, Part]] = {}
    for cell, text, number, beyond in _places(notebook):
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if cell.id in NOT_READ or (cell.cell_type == "markdown" and kind == "notes"):
            continue
        part = result.setdefault(number, (Part(), Part()))[beyond]
        if cell.cell_type == "code":
            _count_code(cell, part, folded=kind == "skip")
        else:
            _count_prose(text, part)
    return result


def further_cells(notebook: nbformat.NotebookNode) -> set[str]:
    """The ids of the code cells that stand in further sections."""
    return {cell.id for cell, _, _, beyond in _places(notebook) if beyond and cell.cell_type == "code"}


def _places(notebook: nbformat.NotebookNode) -> Iterator[tuple[nbformat.NotebookNode, str, int, bool]]:
    """``(cell, its source or a part of it, number of its section, whether that part is further)``, in order."""
    level = None  # of the heading that opened the further section we are in
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield cell, cell.source, number, level is not None
            continue
        for heading, text in _sections(cell.source):
            if heading and (level is None or len(heading[1]) <= level):
                level = len(heading[1]) if heading[3].startswith("Further") else None
            if heading and heading[2] and len(heading[1]) == 2:
                number = int(heading[2])
            yield cell, text, number, level is not None


def rows(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """The minutes of a lesson as its title cell gives them: name -> minutes; "read, further" only where there is some.

    "teach" is missing where no note for instructors holds a plan; see :func:`plan`.
    """
    core, further = (part.minutes for part in read(notebook))
    result = {"read, core": f"{core:.0f}"}
    if further:
        result["read, further"] = f"{max(further, 1):.0f}"
    if parts := plan(notebook):
        talk, exercises = sum(part.minutes for part in parts if part.sections), parts[-1].minutes
        result["teach"] = f"{talk + exercises} ({talk} talk, {exercises} exercises)"
    return result


@dataclass
class Planned:
    """A part of the plan for a class: what, in which sections, for how long. The exercises have no sections."""

    what: str
    sections: list[int]
    minutes: int


def plan(notebook: nbformat.NotebookNode) -> list[Planned]:
    """The plan for a class, from the note for instructors that holds it; empty where there is none.

    It reads ``Plan in minutes: gates (1, 2) 25, cost (3) 10, literature to summary (4 to 7) 10, exercises 30.``

    Raises:
        ValueError: a plan that does not read like that, or that names a section twice or out of order.
    """
    notes = (
        cell.source for cell in notebook.cells if cell.cell_type == "markdown" and "Plan in minutes" in cell.source
    )
    text = re.sub(r"\s*\n>?\s*", " ", next(notes, ""))
    if not text:
        return []
    example = 'expected "Plan in minutes: gates (1, 2) 25, literature to summary (4 to 7) 10, exercises 30."'
    match = re.search(r"Plan in minutes: (.*?), exercises (\d+)\.", text)
    if not match:
        raise ValueError(f"A plan in minutes has no exercises: {text[:80]!r}; {example}")
    entries = re.findall(r"(?:, )?([^()]+) \((\d+(?:(?:, | to )\d+)*)\) (\d+)", match[1])
    if ", ".join(f"{what} ({places}) {number}" for what, places, number in entries) != match[1]:
        raise ValueError(f"A plan in minutes reads {match[1]!r}; {example}")
    parts = [Planned(what, sections(places), int(number)) for what, places, number in entries]
    numbers = [number for part in parts for number in part.sections]
    if numbers != sorted(set(numbers)):
        raise ValueError(f"A plan in minutes names the sections {numbers}; expected each once, in order.")
    return [*parts, Planned("exercises", [], int(match[2]))]


def sections(text: str) -> list[int]:
    """The numbers that a list of sections names: "1, 2", "8 to 12", "3 and 4"."""
    result = []
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", text):
        result += range(int(first), int(last or first) + 1)
    return result


def _sections(source: str) -> list[tuple[re.Match | None, str]]:
    """The text of a cell, cut before each heading: ``(heading or None, text)``."""
    heading = re.compile(r"(#+) (?:(\d+) · )?(.*)")
    parts = [(None, "")]
    fenced = False
    for line in source.splitlines(keepends=True):
        fenced ^= line.lstrip().startswith("```")
        match = None if fenced else heading.match(line)
        if match:
            parts.append((match, line))
        else:
            parts[-1] = (parts[-1][0], parts[-1][1] + line)
    return parts


def _count_code(cell: nbformat.NotebookNode, part: Part, folded: bool) -> None:
    if not folded and not is_folded(cell):
        part.lines += _lines(cell.source)
    if cell.source.strip() == "summary()":
        return
    for output in cell.outputs:
        data = output.get("data", {})
        if "finding" in output.get("metadata", {}):
            part.findings += 1
            part.words += _words(output.metadata["finding"]["claim"])
        elif any(kind.startswith("image/") for kind in data):
            part.figures += 1
        else:
            part.words += _words(output.get("text", "") or data.get("text/plain", ""))


def _count_prose(text: str, part: Part) -> None:
    text = re.sub(r"^\| *(read|teach|run)\b.*\|$", "", text, flags=re.MULTILINE)  # what is computed here
    text = cite.remove(text)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    for block in re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        part.lines += _lines(block)
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text, pictures = re.subn(r"!\[[^\]]*\]\([^)]*\)|<img [^>]*>", "", text)
    part.figures += pictures
    for formula in re.findall(r"\$\$(.+?)\$\$|(?<!\\)\$([^$]+)\$", text, re.DOTALL):
        part.words += spoken("".join(formula))
    text = re.sub(r"\$\$.+?\$\$|(?<!\\)\$[^$]+\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)  # a link's address
    part.words += _words(re.sub(r"<[a-z/][^>]*>", " ", text))


def spoken(formula: str) -> int:
    r"""How many words it takes to read a formula aloud: a word a symbol, so ``h_t = \tanh(W x_t)`` takes seven."""
    formula = re.sub(r"\\(?:begin|end)\{[^}]*\}|\\\\", " ", formula)  # the frame and the line breaks
    written = re.compile(r"\\(?:text|mathrm|operatorname)\{([^}]*)\}")
    words = sum(_words(text) for text in written.findall(formula))
    formula = re.sub(r"\\(?:left|right|quad|qquad|mathbf|mathcal|frac)\b", " ", written.sub(" ", formula))
    return words + len(re.findall(r"\\[A-Za-z]+|[A-Za-z]|\d+(?:\.\d+)?|[=<>+*/-]", formula))


def _words(text: str) -> int:
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def _lines(code: str) -> int:
    return sum(bool(line.strip()) for line in code.splitlines())
