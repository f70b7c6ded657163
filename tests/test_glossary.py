"""Each term of the glossary is linked where a lesson first mentions it, and nowhere else."""

import sys
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.addnodes import pending_xref

from tools import notebooks

GLOSSARY = """\
# Glossary

```{glossary}
cell state
  What an LSTM carries.

state
  What a network carries.

step
  An everyday word, too.
```
"""


@pytest.fixture
def linked(tmp_path, monkeypatch):
    """Applies the transform to paragraphs; returns ``(place of the paragraph, term)`` of each link."""
    monkeypatch.setattr(sys, "path", [str(notebooks.REPOSITORY / "site"), *sys.path])
    import glossary_links

    (tmp_path / "glossary.md").write_text(GLOSSARY, encoding="utf-8")
    monkeypatch.setattr(glossary_links, "GLOSSARY", tmp_path / "glossary.md")

    def apply(*paragraphs: str, page: str = "notebooks/02"):
        document = new_document("lesson")
        document.settings.env = SimpleNamespace(docname=page)
        document += [nodes.paragraph("", text) for text in paragraphs]
        glossary_links.GlossaryLinks(document).apply()
        assert [each.astext() for each in document.children] == list(paragraphs)
        return [
            (i, link["reftarget"])
            for i, paragraph in enumerate(document.children)
            for link in paragraph.findall(pending_xref)
        ]

    return apply


def test_a_term_is_linked_once_a_page(linked):
    assert linked("The cell state, a cell state.", "Its state. The cell state and the state.") == [
        (0, "cell state"),
        (1, "state"),
    ]


def test_everyday_words_parts_of_words_and_other_pages_are_left_alone(linked):
    assert linked("A step. States, re-state, state of 3.") == []
    assert linked("The state.", page="site/first-steps") == []
