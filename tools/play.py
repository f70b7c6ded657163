"""The pages that move (``site/play``), copied beside the site and beside the decks; each is one file.

Some carry a trained model, as JSON in an element of its own, and a fingerprint of the code that it comes from.
"""

import ast
import hashlib
import inspect
import json
import re
from collections.abc import Iterable
from pathlib import Path

from tools.notebooks import REPOSITORY
from utils.files import write_whole

PLAY = REPOSITORY / "site" / "play"


def copy(target: Path) -> None:
    """Write the pages into the folder ``target``; their link home leads to the page, not to its source."""
    target.mkdir(parents=True, exist_ok=True)
    for page in PLAY.glob("*.html"):
        text = page.read_text(encoding="utf-8").replace('href="../index.md"', 'href="../index.html"')
        (target / page.name).write_text(text, encoding="utf-8")


def put_block(page: Path, name: str, block: dict) -> None:
    """Write JSON into the element ``<script id=name type="application/json">`` of a page; all of it or nothing.

    Raises:
        ValueError: a page without that element, or with several.
    """
    page = Path(page)
    said = "\n" + json.dumps(block, indent=0).replace("<", "\\u003c") + "\n"  # or it could end the element it stands in
    whole, found = _element(name).subn(lambda match: match[1] + said + match[3], page.read_text("utf-8"))
    if found != 1:
        raise ValueError(f'{page} has {found} elements <script id="{name}" type="application/json">; expected one.')
    write_whole(page, whole)


def read_block(page: Path, name: str) -> dict:
    """What :func:`put_block` wrote.

    Raises:
        ValueError: nothing there.
    """
    found = _element(name).findall(Path(page).read_text("utf-8"))
    if len(found) != 1 or not found[0][1].strip():
        raise ValueError(f"{page} carries no {name}.")
    return json.loads(found[0][1])


def fingerprint(code: Iterable, settings: Iterable = ()) -> str:
    """Of modules, functions and classes, and of settings: 16 characters; docstrings and comments do not count."""
    seen = [repr(setting) for setting in settings]
    for part in code:
        tree = ast.parse(inspect.getsource(part))
        for node in ast.walk(tree):
            documented = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node)
            if documented:
                node.body = node.body[1:]
        # Of each node its kind and what stands in it: the same on every Python, unlike ast.dump.
        for node in ast.walk(tree):
            words = [str(value) for _, value in ast.iter_fields(node) if isinstance(value, str | int | float)]
            seen.append(" ".join([type(node).__name__, *words]))
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16]


def _element(name: str) -> re.Pattern:
    return re.compile(f'(<script id="{name}" type="application/json">)(.*?)(</script>)', re.DOTALL)
