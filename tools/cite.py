"""Citations of findings in Markdown: what an author writes, and what it becomes.

An author writes the number of the lesson and some words of the claim, as they stand there, with nothing to link to:

    Clipping shrinks, it never revives ([02 keeps the direction]()).

``tools.pages`` makes it a link to the cell that shows the finding, named by the number that the finding has now. In a
lesson the claim is a hint that appears under the pointer, in the instructor guide it is part of the text:

    ([02.23](02_lstm_vanishing_gradient.ipynb#cell-id=5f0e "global_clipnorm keeps the direction of the gradient"))
    ([02.23: global\\_clipnorm keeps the direction of the gradient](../../notebooks/02_....ipynb#cell-id=5f0e))

Numbers and cells are renewed whenever the pages are. A claim that was reworded is no longer found: what cites it has to
be read again, since it may not be true any more.
"""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

TEXT = r"(?:[^\[\]\\]|\\.)+"
DRAFT = re.compile(rf"\[(?P<lesson>\d\d) (?P<words>{TEXT})\]\(\)")
CELL = r"[^()\s\"]*?(?P<lesson>\d\d)_\w+\.ipynb#cell-id=[\w-]+"
CITATION = re.compile(rf'\[\d\d\.\d+(?:: (?P<text>{TEXT}))?\]\({CELL}(?(text)| "(?P<title>[^"]*)")\)')


class Cited(Protocol):
    """What is needed of a lesson; see `tools.pages.Lesson`."""

    path: Path
    findings: list[tuple[str, dict]]  # (cell id, record)


def renew(text: str, lessons: Mapping[str, Cited], folder: Path, *, sentences: bool) -> str:
    """A Markdown text with its citations filled in, or brought up to date.

    Args:
        text: the page or cell.
        lessons: the lessons by number.
        folder: where the page stands; links lead from there.
        sentences: whether the claim is part of the text, as in the guide, or only a hint.

    Raises:
        ValueError: a citation that fits no finding or several; all of them are named.
    """
    wrong = []

    def written(match: re.Match) -> str:
        drafted = match.re is DRAFT
        words = match["words"] if drafted else match["text"] or match["title"]
        try:
            return _link(*_find(lessons, match["lesson"], words, whole=not drafted), folder, sentences)
        except LookupError as error:
            wrong.append(str(error))
            return match[0]

    for pattern in (CITATION, DRAFT):
        text = pattern.sub(written, text)
    if wrong:
        raise ValueError("\n".join(wrong))
    return text


def remove(text: str) -> str:
    """A text without its citations, and without the brackets that held nothing else."""
    for pattern in (CITATION, DRAFT):
        text = pattern.sub("", text)
    return re.sub(r"\s*\((?:[\s,;]|and|to)*\)", "", text)


def has_citation(text: str) -> bool:
    """Whether a text cites a finding."""
    return bool(CITATION.search(text) or DRAFT.search(text))


def _find(lessons: Mapping[str, Cited], number: str, words: str, whole: bool) -> tuple[Cited, int]:
    """A lesson and the position of the finding whose claim contains the words, or is them.

    Raises:
        LookupError: none, or several.
    """
    if number not in lessons:
        raise LookupError(f"[{number} {words}]: there is no lesson {number}.")
    lesson = lessons[number]
    claims = [record["claim"] for _, record in lesson.findings]
    wanted = _plain(words)
    found = [i for i, claim in enumerate(claims) if _plain(claim) == wanted]
    if not found and not whole:
        found = [i for i, claim in enumerate(claims) if f" {wanted} " in f" {_plain(claim)} "]
    if len(found) == 1:
        return lesson, found[0]
    if found:
        several = "; ".join(claims[i] for i in found)
        raise LookupError(f"[{number} {words}] fits {len(found)} findings, give more words: {several}.")
    near = difflib.get_close_matches(words, claims, n=3, cutoff=0.2)
    hint = f" Nearest: {'; '.join(near)}." if near else ""
    raise LookupError(
        f"[{number} {words}]: {lesson.path.name} states no such finding. Read what cites it again, and write "
        f"[{number} some words of the claim]().{hint}"
    )


def _link(lesson: Cited, i: int, folder: Path, sentence: bool) -> str:
    cell, record = lesson.findings[i]
    number, claim = f"{lesson.path.name[:2]}.{i + 1}", record["claim"]
    target = f"{Path(os.path.relpath(lesson.path, folder)).as_posix()}#cell-id={cell}"
    if sentence:
        return f"[{number}: {escape(claim)}]({target})"
    title = claim.replace('"', "'").replace("\\", "").replace("|", "\\|")
    return f'[{number}]({target} "{title}")'


def escape(text: str) -> str:
    """Text as Markdown that shows it as it is, in a table as well."""
    return re.sub(r"([\\`*_\[\]$<|])", r"\\\1", text)


def _plain(text: str) -> str:
    """The words and numbers of a text alone, so that quotation marks and escapes do not matter."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
