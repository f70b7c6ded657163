"""What is wrong with the claims of a lesson, or with the pages that repeat them; each function names the faults."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

from tools import cite, notebooks, record
from utils import findings

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
SPOKEN = {word: number for number, word in enumerate(WORDS)}
SPOKEN |= {"half": 0.5, "a third": 1 / 3, "a quarter": 0.25, "a tenth": 0.1, "a hundredth": 0.01, "a thousandth": 1e-3}
SPOKEN |= {"a millionth": 1e-6, "once": 1, "twice": 2, "a hundred": 100, "a thousand": 1000}
NUMBER = rf"(?P<number>[-−]?\d[\d,]*(?:\.\d+)?(?:\^\d+)?|\b(?:{'|'.join(SPOKEN)})\b)"
UNIT = r"(?P<unit>%| points?\b| in 100\b| tenths\b)?(?: (?:\w+ )?of (?:the )?(?P<all>\d+|\w+))?"
BOUND = re.compile(rf"\bat (?P<which>least|most) (?:another )?{NUMBER}{UNIT}")
AFTER = re.compile(rf"{NUMBER}{UNIT}(?:(?!\d|,|;|:|\. ).)*? or (?P<which>more|less)\b")
ANSWER = 40  # words


def contradicted(found: dict) -> str | None:
    """The claim and the limit, if the claim says "at least" or "at most" some number and the limit is another one."""
    bounds = [*BOUND.finditer(found["claim"]), *AFTER.finditer(found["claim"])]
    limits = record.limits(found["rule"])
    if not bounds or any(_agrees(bound, *limits) for bound in bounds):
        return None
    return f"{found['claim']!r} with the limit {found['rule']}"


def _agrees(bound: re.Match, low: float, high: float) -> bool:
    """Whether a limit is a number as the claim gives it: itself, as a share, or as what is left or added."""
    number = _value(bound["number"])
    same, opposite = [number, round(number, 2)], [-number]  # a third may stand as 0.33
    if bound["unit"]:
        part = number / (10 if "tenth" in bound["unit"] else 100)
        same += [part, 1 + part]
        opposite += [1 - part]
    if bound["all"] and (whole := _value(bound["all"])):
        same += [number / whole]
    if bound["which"] in ("most", "less"):
        low, high = high, low
    return any(_close(low, each) for each in same) or any(_close(high, each) for each in opposite)


def _value(text: str) -> float | None:
    if text in SPOKEN:
        return SPOKEN[text]
    base, _, power = text.replace(",", "").replace("−", "-").partition("^")
    try:
        return float(base) ** float(power or 1)
    except ValueError:
        return None


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-3 * abs(b)


def proving_nothing(found: dict) -> str | None:
    """The claim, if neither ``no_effect`` nor ``excludes`` says what its limit excludes."""
    return None if "no_effect" in found or found.get("excludes") else found["claim"]


def uncited_misconceptions(notebook: nbformat.NotebookNode) -> list[str]:
    """The rows of the table of misconceptions that cite no finding."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    section = re.search(r"^## .*Common misconceptions$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows, "no table under 'Common misconceptions'"
    return [row for row in rows if not cite.has_citation(row)]


def answer_faults(notebook: nbformat.NotebookNode) -> list[str]:
    """The sentences of the Answer that cite no finding, and the Answer itself if it is too long."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    answer = re.search(r"^\*\*Answer\.\*\* (.+)$", text, re.MULTILINE)[1].strip()
    marked = cite.CITATION.sub("\0", answer)  # claims may hold full stops
    marked = cite.DRAFT.sub("\0", marked)
    sentences = re.split(r"(?<=[.!?])\s+", marked)
    faults = [f"cites no finding: {sentence}" for sentence in sentences if "\0" not in sentence]
    words = len(cite.remove(answer).split())
    return faults + ([f"has {words} words, at most {ANSWER} are allowed"] if words > ANSWER else [])


def plain_clipping(notebook: nbformat.NotebookNode) -> list[str]:
    """The ids of the code cells that clip by variable or by value, or name that: ``clipnorm``, ``clipvalue``."""
    cells = notebooks.code_cells(notebook)
    return [cell.id for cell in cells if re.search(r"\bclip(norm|value)\b", cell.source)]


def altered(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """The findings and figures whose shown output is not what their metadata says."""
    for cell in notebooks.code_cells(notebook):
        for output in cell.outputs:
            metadata = output.get("metadata", {})
            if "finding" in metadata and not _true_to(metadata["finding"], output.data):
                yield metadata["finding"]["claim"]
            alt = metadata.get("image/png", {}).get("alt")
            if alt and output.data.get("text/plain") != f"Figure: {alt}":
                yield alt


def _true_to(found: dict, data: dict) -> bool:
    """Whether what is shown is made from a record, whose verdict and limit in words follow from its numbers."""
    ends = [math.inf * sign if found[end] is None else found[end] for end, sign in (("low", -1), ("high", 1))]
    said = all(a == b or _close(a, b) for a, b in zip(record.limits(found["rule"]), ends, strict=True))
    return said and found["holds"] == findings.holds(found) and data == findings.render(found)


def misplaced(page: str, folder: Path) -> list[str]:
    """The claims in the tables of a page of findings whose link leads to no cell that shows them."""
    faults = []
    for claim, notebook, cell in re.findall(
        r"^\| (.+?)(?:<br>.*?)? \| .*\]\(([^)#]+)#cell-id=([^)]+)\) \|$", page, re.M
    ):
        stored = nbformat.read(folder / notebook, as_version=4)
        if (cell, claim) not in [(id, found["claim"].replace("|", "\\|")) for id, found in notebooks.findings(stored)]:
            faults.append(claim)
    return faults
