"""How a stored notebook becomes a page of the site; named in ``nb_custom_formats``."""

import nbformat

from tools.notebooks import FOLDED, INSTALL_CELL, is_folded

NOT_ON_A_PAGE = {"launch", INSTALL_CELL}  # the page has launch buttons


def read(text: str) -> nbformat.NotebookNode:
    """A lesson as its page shows it.

    Set-up code is folded like the cells tagged ``hide-input``, one click away; notes for instructors stand in closed
    boxes; figures have their alt text where MyST-NB looks for it; and before each cell with findings there is a target
    for what cites them.

    Args:
        text: the notebook file.
    """
    notebook = nbformat.reads(text, as_version=4)
    cells = []
    for cell in notebook.cells:
        if cell.id in NOT_ON_A_PAGE:
            continue
        if cell.cell_type == "code":
            if cell.metadata.get("slideshow", {}).get("slide_type") == "skip" and not is_folded(cell):
                cell.metadata["tags"] = [*cell.metadata.get("tags", []), FOLDED]
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    cell.metadata["mystnb"] = {"image": {"alt": output.metadata["image/png"]["alt"]}}
            if any("finding" in output.get("metadata", {}) for output in cell.outputs):
                cells.append(nbformat.v4.new_markdown_cell(f"(cell-{cell.id})="))
        elif cell.metadata.get("slideshow", {}).get("slide_type") == "notes":
            text = cell.source.removeprefix("> **For instructors.** ").replace("\n> ", "\n")
            cell.source = f":::{{admonition}} For instructors\n:class: note\n:collapsible: closed\n\n{text}\n:::"
        cells.append(cell)
    notebook.cells = cells
    return notebook
