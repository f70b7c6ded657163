"""``python -m tools.slides [01 04]``: one reveal.js deck per lesson, from its stored outputs, in ``build/slides``.

The slide types stand on the notebook's cells; nothing is written twice. ``site/slides`` holds the template, the style
and the script that lays the cells out on slides. Everything a deck loads lies beside it: no network is needed.
"""

import ast
import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from tools import libraries, notebooks, play
from tools.pages import read_lesson

SLIDES = notebooks.REPOSITORY / "build" / "slides"
DESIGN = notebooks.REPOSITORY / "site" / "slides"


def deck(path: Path) -> str:
    """The page that shows a lesson as slides; see ``site/slides/deck.js`` for what becomes of its cells."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((\d\d_\w+)\.ipynb", r"](\1.html", cell.source)  # to the other decks
            cell.source = cell.source.replace("](../site/play/", "](play/")
        else:
            cell.source, cell.outputs = on_a_slide(cell)
    exporter = HTMLExporter(
        template_name=DESIGN.name,
        extra_template_basedirs=[str(DESIGN.parent)],
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    resources = {"deck": {"title": read_lesson(path).title}, "metadata": {"path": str(path.parent)}}
    return exporter.from_notebook_node(notebook, resources)[0]


def on_a_slide(cell: nbformat.NotebookNode) -> tuple[str, list]:
    """The code and the outputs of a cell that a class is to see; the notebook has the rest.

    A figure stands for the code that draws it, and the line that ``finding`` prints for its call. The list at the end
    of a lesson and the answers to exercises nobody has begun are left out. What remains is broken into short lines, so
    that it can be read from the last row.
    """
    called = set(re.findall(r"^(\w+)\(", cell.source, re.MULTILINE))
    if called & {"summary", "check"}:
        return ("" if "summary" in called else cell.source), []
    code = cell.source
    if "finding" in called:
        lines = code.splitlines()
        for statement in reversed(ast.parse(code).body):
            if ast.unparse(statement).startswith("finding("):
                del lines[statement.lineno - 1 : statement.end_lineno]
        code = "\n".join(lines).strip()
        if not re.search(r"\b(study|fit|def)\b|^for\b", code, re.MULTILINE):
            code = ""
    if notebooks.draws(cell):
        code = ""
    return _reformat(code), cell.outputs


def _reformat(code: str) -> str:
    """Code in lines short enough to be set large, if that does not make it too long for a slide."""
    for columns, most_lines in ((84, 22), (100, 24)):
        command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(columns), "-"]
        done = subprocess.run(command, input=code, capture_output=True, text=True)
        if done.returncode == 0 and len(done.stdout.splitlines()) <= most_lines:
            return done.stdout.rstrip()
    return code  # long, or with a magic command


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
