"""A Sphinx extension: the first mention of a glossary term in each lesson becomes a link to the glossary."""

import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

GLOSSARY = Path(__file__).with_name("glossary.md")
# Terms that are everyday words as well; a reader finds them by the search.
EVERYDAY = {"finding", "skip", "spread", "probe", "window", "worker", "gate", "step", "trial", "study", "seed", "batch"}


def terms(glossary: str) -> list[str]:
    """The terms of the glossary page, longest first, so that "cell state" is found before "state"."""
    body = glossary.split("```{glossary}\n", 1)[1].split("\n```", 1)[0]
    found = {line.strip() for line in body.splitlines() if line.strip() and not line.startswith(" ")}
    return sorted(found - EVERYDAY, key=len, reverse=True)


class GlossaryLinks(SphinxTransform):
    """Runs before references are resolved; lessons only."""

    default_priority = 5

    def apply(self, **kwargs) -> None:
        if not self.env.docname.startswith("notebooks/"):
            return
        wanted = terms(GLOSSARY.read_text(encoding="utf-8"))
        not_after, not_before = r"(?<![\w-])", r"(?![\w-]|\s+of\s+\d)"  # nor "units" in "units of 10 MW"
        pattern = re.compile(f"{not_after}({'|'.join(map(re.escape, wanted))}){not_before}")
        linked = set()
        for text in list(self.document.findall(nodes.Text)):
            paragraph = text.parent
            if not isinstance(paragraph, nodes.paragraph):  # a title, a link, code, mathematics
                continue
            parts, end = [], 0
            for match in pattern.finditer(text):
                if match[1] in linked:
                    continue
                linked.add(match[1])
                parts += [nodes.Text(text[end : match.start()]), self.link(match[1])]
                end = match.end()
            if parts:
                paragraph.replace(text, [*parts, nodes.Text(text[end:])])

    def link(self, term: str) -> pending_xref:
        return pending_xref(
            "",
            nodes.inline("", term),
            refdomain="std",
            reftype="term",
            reftarget=term,
            refexplicit=True,
            refwarn=True,
            refdoc=self.env.docname,
        )


def setup(app: Sphinx) -> dict:
    app.add_transform(GlossaryLinks)
    return {"parallel_read_safe": True}
