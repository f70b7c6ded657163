"""How a stored notebook becomes a page of the site; named in ``nb_custom_formats``."""

import nbformat

NOT_ON_A_PAGE = {"launch", "install"}  # the page has launch buttons


def read(text: str) -> nbformat.NotebookNode:
    """A lesson with alt text where MyST-NB looks for it, and with a target before each cell that has findings.

    Args:
        text: the notebook file.
    """
    notebook = nbformat.reads(text, as_version=4)
    cells = []
    for cell in notebook.cells:
        if cell.id in NOT_ON_A_PAGE:
            continue
        if cell.cell_type == "code":
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    alt = output.metadata["image/png"]["alt"]
                    cell.metadata["mystnb"] = {"image": {"alt": alt}}
            if any("finding" in output.get("metadata", {}) for output in cell.outputs):
                cells.append(nbformat.v4.new_markdown_cell(f"(cell-{cell.id})="))
        elif cell.metadata.get("slideshow", {}).get("slide_type") == "notes":
            cell.source = cell.source.replace(
                "> **For instructors.** ", ":::{admonition} For instructors\n:class: note\n", 1
            )
            cell.source = cell.source.replace("\n> ", "\n") + "\n:::"
        cells.append(cell)
    notebook.cells = cells
    return notebook
