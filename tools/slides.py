"""``python -m tools.slides [01 04]``: one reveal.js deck per lesson, from its stored outputs, in ``build/slides``.

The slide types stand on the notebook's cells; nothing is written twice. ``site/slides`` holds the template, the style
and the script that lays the cells out on slides. Everything a deck loads lies beside it: no network is needed.
"""

import ast
import html
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from tools import libraries, notebooks, play
from tools.pages import read_lesson
from utils.findings import summarise

SLIDES = notebooks.REPOSITORY / "build" / "slides"
DESIGN = notebooks.REPOSITORY / "site" / "slides"
CODE_LINES = 12  # that a slide shows of an experiment; the rest at a click
PREDICTION = re.compile(r"^\*\*Predict first", re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]+\)")


def deck(path: Path) -> str:
    """The page that shows a lesson as slides; see ``site/slides/deck.js`` for what becomes of its cells."""
    notebook = nbformat.read(path, as_version=4)
    title = notebook.cells[0]
    if not PICTURE.search(title.source) and (picture := title_picture(notebook)):
        title.source += f"\n\n{picture}"
    exercise = False  # between an exercise and the next text stand its stub and its check
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((\d\d_\w+)\.ipynb", r"](\1.html", cell.source)  # to the other decks
            cell.source = cell.source.replace("](../site/play/", "](play/")
            exercise = cell.source.startswith("**Exercise")
        elif exercise:
            cell.metadata["slideshow"] = {"slide_type": "skip"}
        else:
            cell.source, cell.outputs, lines = on_a_slide(cell)
            cell.metadata["lines"] = ",".join(map(str, lines))
    exporter = HTMLExporter(
        template_name=DESIGN.name,
        extra_template_basedirs=[str(DESIGN.parent)],
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    resources = {"deck": {"title": read_lesson(path).title}, "metadata": {"path": str(path.parent)}}
    return exporter.from_notebook_node(notebook, resources)[0]


def title_picture(notebook: nbformat.NotebookNode) -> str | None:
    """The picture of the first slide, as Markdown.

    It is the file named ``picture`` in the metadata of the title cell, or else the first picture in the text, or else
    the first figure that does not follow a prediction, so that it gives no answer away; if all do, the first.
    """
    chosen = notebook.cells[0].metadata.get("picture")
    figures, asked = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if found := re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", cell.source):
                alt, file = next(((alt, file) for alt, file in found if chosen in (None, file)), (None, None))
                if file:
                    return f"![{alt}]({file})"
            asked = asked or bool(PREDICTION.search(cell.source))
            continue
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                data = "".join(output.data["image/png"].split())
                figures.append((asked, f"![{output.metadata['image/png']['alt']}](data:image/png;base64,{data})"))
                asked = False
    if chosen:
        return f"![{chosen}]({chosen})"
    return min(figures, key=lambda figure: figure[0])[1] if figures else None


def on_a_slide(cell: nbformat.NotebookNode) -> tuple[str, list, list[int]]:
    """The code and the outputs of a cell that a class is to see, and the numbers (from 1) of the lines shown at first.

    Of a cell tagged ``hide-input`` the outputs are shown; the list at the end of a lesson is left out. Findings become
    cards. The lines are those that the cell's metadata name as ``slide_lines`` ("4-9,12"), or else the first twelve
    that are neither empty, comment, docstring nor finding.

    Raises:
        ValueError: ``slide_lines`` are not lines of the cell, or more than twelve.
    """
    if cell.source.strip() == "summary()":
        return "", [], []
    outputs = [card(output) if "finding" in output.get("metadata", {}) else output for output in cell.outputs]
    if notebooks.is_folded(cell):
        return "", outputs, []
    return cell.source, outputs, shown_lines(cell)


def shown_lines(cell: nbformat.NotebookNode) -> list[int]:
    """The numbers, from 1, of the lines of a code cell that a slide shows before the click."""
    lines = cell.source.splitlines()
    if "slide_lines" in cell.metadata:
        return _named_lines(cell.metadata["slide_lines"], len(lines))
    left_out = {i for i, line in enumerate(lines, 1) if not line.strip() or line.strip().startswith("#")}
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:  # a magic command
        tree = ast.Module([])
    states_findings = False
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        states = isinstance(node, ast.Expr) and ast.unparse(node).startswith("finding(")
        if text or states:
            left_out |= set(range(node.lineno, node.end_lineno + 1))
            states_findings = states_findings or states
    if len(lines) <= CODE_LINES and not states_findings:
        return list(range(1, len(lines) + 1))
    needed = [i for i in range(1, len(lines) + 1) if i not in left_out]
    ends = {node.end_lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    whole = [n for n in range(CODE_LINES - 3, CODE_LINES + 1) if needed[n - 1 : n] and needed[n - 1] in ends]
    return needed[: max(whole, default=CODE_LINES)]  # to the end of a statement, if one ends there


def _named_lines(text: str, count: int) -> list[int]:
    """The numbers in "4-9,12"."""
    numbers = []
    for part in filter(None, re.split(r"\s*,\s*", text.strip())):
        if not re.fullmatch(r"\d+(-\d+)?", part):
            raise ValueError(f'slide_lines is {text!r}; expected numbers of lines such as "4-9,12".')
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    if len(numbers) > CODE_LINES or any(not 1 <= number <= count for number in numbers):
        raise ValueError(f"slide_lines is {text!r}; expected at most {CODE_LINES} of the cell's {count} lines.")
    return numbers


def card(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The output of a finding as a card: as it is stored, or made of its record."""
    record = output.metadata["finding"]
    shown = output.data.get("text/html")
    if shown is None:
        notes = [f"measured {summarise(record['measured'])}; required {record['rule']}"]
        if "published" in record:
            notes.append(f"published: {record['published']} [{record['source']}]")
        mark = "✔" if record["holds"] else "✘"
        shown = f'<div class="finding"><div class="finding-claim">{mark} {html.escape(record["claim"])}</div>'
        shown += "".join(f'<div class="finding-note">{html.escape(note)}</div>' for note in notes) + "</div>"
    data = {"text/html": f'<div class="on-slide-card">{shown}</div>', "text/plain": output.data["text/plain"]}
    return nbformat.v4.new_output("display_data", data)


def overview(paths: list[Path]) -> str:
    """The list of the decks."""
    entries = [
        f'<li><a href="{path.stem}.html">{html.escape(lesson.title)}</a><br>{html.escape(lesson.question)}</li>'
        for path in paths
        for lesson in [read_lesson(path)]
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Advanced RNNs: slides</title>'
        '<link rel="stylesheet" href="deck.css"></head><body class="overview"><main><h1>Advanced RNNs</h1>'
        "<p>One deck per lesson. Space: next. O: overview. S: speaker notes. "
        "Add <code>?print-pdf</code> to a deck's address to print it.</p>"
        f"<ul>{''.join(entries)}</ul></main></body></html>\n"
    )


def main(selection: str | None) -> None:
    """Write the decks, what they load, and a page that lists them."""
    SLIDES.mkdir(parents=True, exist_ok=True)
    libraries.copy(libraries.REVEAL, SLIDES / "reveal")
    libraries.copy(libraries.MATHJAX, SLIDES / "mathjax")
    play.copy(SLIDES / "play")
    for file in ("deck.css", "deck.js"):
        shutil.copy(DESIGN / file, SLIDES)
    (SLIDES / "code.css").write_text(HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight"))
    for path in notebooks.lessons(selection):
        (SLIDES / f"{path.stem}.html").write_text(deck(path), encoding="utf-8")
        print(f"build/slides/{path.stem}.html", flush=True)
    (SLIDES / "index.html").write_text(overview(notebooks.lessons()), encoding="utf-8")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
