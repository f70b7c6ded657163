"""``python -m tools.new 18 "Reservoirs"``: begin a lesson.

Writes the notebook, its solutions, checks and wrong answers, and its page in the guide. What is to be filled in says
TODO and what to do; a test names each TODO that is left, and the notebook stops at the first one that is code.
"""

import re
import sys
from pathlib import Path

import nbformat

from tools import notebooks, pages

EXERCISES = ("first", "second", "third")
GOING_ON = """
Fill in what says TODO, from the top of the notebook down:
  make lessons LESSON={number}    runs the notebook and stops at the first TODO that is code
  make pages                carries what it measured into the pages
  make test LESSON={number}       names what is left to do
CONTRIBUTING.md says how a lesson is made."""

# (type, slide type, id, source); a cell that only draws or only states findings is folded.
CELLS = [
    (
        "markdown",
        "slide",
        "title",
        """\
# {number} · {title}

**Research question.** TODO: ask one question, in one sentence, that the lesson answers by measuring.

After this lesson you can

- TODO: say three to five things that a reader can do afterwards; each has an exercise.

| | minutes |
|---|---|
| read, core | 0 |
| teach | 0 |
| run, two cores | 0 |

**You need** TODO: name lessons, and the mathematics in words.""",
    ),
    (
        "markdown",
        "notes",
        "plan",
        """\
> **For instructors.** Plan in minutes: the idea (1) 15, the experiment (2) 30, literature to summary (3 to 6) 10,
> exercises 30. TODO: set these minutes; they make the clock in the guide. Say what to leave out in 60 minutes.""",
    ),
    ("code", "skip", "setup", "from utils import runtime\n\nruntime.start()"),
    (
        "code",
        "skip",
        "imports",
        """\
from utils import plotting
from utils.exercises import check
from utils.findings import finding, summary
from utils.training.study import study""",
    ),
    (
        "markdown",
        "slide",
        "idea",
        """\
## 1 · The idea

TODO: begin with an everyday picture that carries to the end of the lesson, and name this section after it. Then the \
mathematics; a hard formula gets three lines where it first occurs.""",
    ),
    (
        "code",
        "-",
        "smallest",
        'raise NotImplementedError("TODO: ten lines of NumPy that show the idea")',
    ),
    (
        "markdown",
        "slide",
        "predict",
        """\
## 2 · The experiment

TODO: say what is compared, on what, and what the simple baseline is.

**Predict first.** TODO: ask what will come out. Nothing above may give it away.""",
    ),
    (
        "code",
        "-",
        "experiment",
        """\
def trial(size, seed):
    raise NotImplementedError("TODO: train one network, return {{'error': ...}}")


results = study(trial, {{"size": [8, 32]}}, seeds=5)""",
    ),
    (
        "code",
        "-",
        "figure",
        """\
figure, axis = plotting.subplots(figsize=(7, 4))
axis.plot("size", "error", "o", data=results)
axis.set(title="TODO: one message", xlabel="units", ylabel="error (unit)")
plotting.show(figure, "TODO: say what is to be seen in this figure")""",
    ),
    (
        "markdown",
        "fragment",
        "answer",
        "TODO: answer the prediction in one plain sentence with a figure. Say what this does not show.",
    ),
    (
        "code",
        "fragment",
        "findings",
        """\
errors = results.query("size == 32")["error"]
finding("TODO: a claim; at least four in the lesson", errors, at_most=0.1)""",
    ),
    (
        "markdown",
        "slide",
        "literature",
        """\
## 3 · What the literature reports

| published | setting | here |
|---|---|---|
| TODO: a published figure and its source | its setting | what was measured here, agreeing or not |""",
    ),
    (
        "markdown",
        "slide",
        "misconceptions",
        """\
## 4 · Common misconceptions

| you may hear | what you measured |
|---|---|
| TODO: two to four sentences that people say | each with a link to the finding that answers it |""",
    ),
    ("markdown", "slide", "exercises", "## 5 · Exercises\n\nSolutions: `notebooks/solutions/{stem}.py`."),
    *(
        cell
        for i, name in enumerate(EXERCISES, 1)
        for cell in (
            (
                "markdown",
                "subslide",
                f"ask-{name}",
                f"**Exercise {i}.** TODO: say what `{name}` returns; give it a better name, in four files the same.",
            ),
            ("code", "-", f"stub-{name}", f"def {name}(x):\n    return ..."),
            ("code", "-", f"check-{name}", f'check("{{number}} {name}", {name})'),
        )
    ),
    (
        "markdown",
        "notes",
        "slips",
        "> **For instructors.** TODO: minutes for each exercise, and the typical slips.",
    ),
    (
        "markdown",
        "slide",
        "summary",
        "## 6 · Summary\n\n**Answer.** TODO: answer the question in at most 40 words, each sentence with its finding.",
    ),
    ("code", "-", "list", "summary()"),
    ("markdown", "fragment", "next", "**Next.** TODO: say what question this leaves, and which lesson takes it up."),
]
FOLDED = {"figure", "findings"}

SOLUTION = '''

def {name}(x):
    """TODO: write the reference answer, and say in a sentence how it goes."""
    return ...
'''
CHECK = '''

@exercise("{number} {name}")
def {name}(answer) -> None:
    """TODO: say what a right answer does."""
    got = number(call(answer, 2), "the result")
    raise Wrong(f"for 2 you return {{got:g}}. TODO: say what was expected and where to look, for each typical mistake.")
'''
MISTAKES = """
{name} = [
    (lambda x: x, "TODO: a typical wrong answer, and words that its feedback must contain"),
    (lambda x: 0, "TODO: another one"),
]
"""
GUIDE = """\
<!-- clock -->
<!-- /clock -->

**Run live**: TODO: the cells that are worth running in front of a room.

**Show**: TODO: the stored outputs that are worth showing.

**Ask**
1. *TODO: three or four questions.* Expected: the right answer. What a wrong answer tells.

**Misconceptions**
- "TODO: what people say." The section and the finding that answer it.

**If time is short** (60 minutes): TODO: the sections that stand alone. **If long**: TODO: what a room can try.
"""


def lesson(number: str, title: str, stem: str) -> nbformat.NotebookNode:
    """The notebook of a lesson that is to be written."""
    cells = []
    for kind, slide, name, source in CELLS:
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        metadata = {"slideshow": {"slide_type": slide}}
        if name in FOLDED:
            metadata["tags"] = ["hide-input"]
        cells.append(
            make(source.format(number=number, title=title, stem=stem), id=f"{number}-{name}", metadata=metadata)
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def files(number: str, title: str) -> dict[str, str]:
    """What a new lesson consists of: place in the repository -> text; the notebook as JSON."""
    stem = f"{number}_{re.sub('[^a-z0-9]+', '_', title.lower()).strip('_')}"
    notebook = pages.renew_lesson(lesson(number, title, stem), Path(f"{stem}.ipynb"))

    def each(template: str) -> str:
        return "".join(template.format(number=number, name=name) for name in EXERCISES)

    return {
        f"notebooks/{stem}.ipynb": nbformat.writes(notebook) + "\n",
        f"notebooks/solutions/{stem}.py": (
            f'"""Reference answers to the exercises of lesson {number}. '
            f'Try first: the check cells tell you what is missing."""\n{each(SOLUTION)}'
        ),
        f"utils/exercises/lesson_{number}.py": (
            f'"""What the answers to the exercises of lesson {number} must do."""\n\n'
            f"from utils.exercises import Wrong, call, exercise, number\n{each(CHECK)}"
        ),
        f"tests/exercises/lesson_{number}.py": (
            f'"""Typical wrong answers to the exercises of lesson {number}, each with words that its feedback must '
            f'contain."""\n{each(MISTAKES)}'
        ),
        f"site/guide/{number}.md": GUIDE,
    }


def todos(number: str, root: Path = notebooks.REPOSITORY) -> list[str]:
    """What is left to do in a lesson, a sentence each: ``place: TODO ...``."""
    places = [f"utils/exercises/lesson_{number}.py", f"tests/exercises/lesson_{number}.py", f"site/guide/{number}.md"]
    found = [*root.glob(f"notebooks/{number}_*.ipynb"), *root.glob(f"notebooks/solutions/{number}_*.py")]
    result = []
    for file in [*found, *(root / place for place in places if (root / place).exists())]:
        text = file.read_text(encoding="utf-8")
        texts = {"": text}
        if file.suffix == ".ipynb":
            texts = {f", cell {cell.id}": cell.source for cell in nbformat.reads(text, as_version=4).cells}
        for place, source in texts.items():
            result += [f"{file.relative_to(root)}{place}: {todo}" for todo in re.findall(r"TODO[^\n\"|*]*", source)]
    return result


def write(number: str, title: str, root: Path = notebooks.REPOSITORY) -> None:
    """Write the files of a new lesson.

    Raises:
        SystemExit: no number of two digits, no title, or the lesson is there.
    """
    if not re.fullmatch(r"\d{1,2}", number) or not title.strip():
        raise SystemExit('Expected a number and a title: make new LESSON=18 TITLE="Reservoirs"')
    number = number.zfill(2)
    there = [*root.glob(f"notebooks/{number}_*"), *root.glob(f"utils/exercises/lesson_{number}.py")]
    if there:
        raise SystemExit(f"Lesson {number} is there: {there[0].relative_to(root)}. Choose another number.")
    for place, text in files(number, title.strip()).items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text, encoding="utf-8")
        print(f"{place} written")


if __name__ == "__main__":
    write(*[*sys.argv[1:], "", ""][:2])
    pages.main(check=False)
    print(GOING_ON.format(number=sys.argv[1].zfill(2)))
