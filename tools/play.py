"""The pages that move (``site/play``), copied beside the site and beside the decks; each is one file."""

from pathlib import Path

from tools.notebooks import REPOSITORY

PLAY = REPOSITORY / "site" / "play"


def copy(target: Path) -> None:
    """Write the pages into the folder ``target``; their link home leads to the page, not to its source."""
    target.mkdir(parents=True, exist_ok=True)
    for page in PLAY.glob("*.html"):
        text = page.read_text(encoding="utf-8").replace('href="../index.md"', 'href="../index.html"')
        (target / page.name).write_text(text, encoding="utf-8")
