"""``python -m tools.slides [01 04]``: one reveal.js deck per lesson, from its stored outputs, in ``build/slides``.

The slide types stand on the notebook's cells; nothing is written twice. ``site/slides`` holds the template, the style
and the script that lays the cells out on slides. Everything a deck loads lies beside it: no network is needed.
"""

import html
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from tools import libraries, notebooks
from tools.pages import read_lesson

SLIDES = notebooks.REPOSITORY / "build" / "slides"
DESIGN = notebooks.REPOSITORY / "site" / "slides"


def deck(path: Path) -> str:
    """The page that shows a lesson as slides; see ``site/slides/deck.js`` for what becomes of its cells."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((\d\d_\w+)\.ipynb", r"](\1.html", cell.source)  # to the other decks
        elif draws(cell):
            cell.source = ""
    exporter = HTMLExporter(
        template_name=DESIGN.name,
        extra_template_basedirs=[str(DESIGN.parent)],
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    resources = {"deck": {"title": read_lesson(path).title}, "metadata": {"path": str(path.parent)}}
    return exporter.from_notebook_node(notebook, resources)[0]


def draws(cell: nbformat.NotebookNode) -> bool:
    """Whether a code cell does nothing but draw: a slide then shows the figure alone, and the notebook the code."""
    figure = any("image/png" in output.get("data", {}) for output in cell.outputs)
    return figure and not re.search(r"\b(study|fit|finding|def)\b", cell.source)


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
    for file in ("deck.css", "deck.js"):
        shutil.copy(DESIGN / file, SLIDES)
    (SLIDES / "code.css").write_text(HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight"))
    for path in notebooks.lessons(selection):
        (SLIDES / f"{path.stem}.html").write_text(deck(path), encoding="utf-8")
        print(f"build/slides/{path.stem}.html", flush=True)
    (SLIDES / "index.html").write_text(overview(notebooks.lessons()), encoding="utf-8")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
