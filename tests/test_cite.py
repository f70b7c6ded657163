"""Citations move with the claim they cite, and say so when it is gone."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import cite


@dataclass
class Lesson:
    path: Path
    findings: list


FOLDER = Path("/course/notebooks")
CLAIMS = ["A first claim", 'The rate of `clip_norm` is "low" | 5 [units]', "A second claim", "A second claim in noise"]


def lessons(*claims):
    findings = [(f"cell{i // 2}", {"claim": claim}) for i, claim in enumerate(claims or CLAIMS)]
    return {"07": Lesson(FOLDER / "07_made_up.ipynb", findings), "08": Lesson(FOLDER / "08_other.ipynb", [])}


def renew(text, *claims, folder=FOLDER, sentences=False):
    return cite.renew(text, lessons(*claims), folder, sentences=sentences)


def test_some_words_of_a_claim_become_a_link_to_its_cell():
    assert renew("So it is ([07 first]()).") == 'So it is ([07.1](07_made_up.ipynb#cell-id=cell0 "A first claim")).'
    guide = renew("So ([07 first]()).", folder=Path("/course/site/guide"), sentences=True)
    assert guide == "So ([07.1: A first claim](../../notebooks/07_made_up.ipynb#cell-id=cell0))."
    assert "[07.3]" in renew("[07 A second claim]()")  # the whole of one claim, though another contains it


@pytest.mark.parametrize("sentences", [False, True])
@pytest.mark.parametrize("i", range(4))
def test_a_citation_moves_with_its_claim(sentences, i):
    before = renew(f"[07 {CLAIMS[i].replace('[', '').replace(']', '')}]()", sentences=sentences)
    assert before.startswith(f"[07.{i + 1}")
    assert renew(before, sentences=sentences) == before
    after = renew(before, "Inserted early", "And another", "One more", *CLAIMS, sentences=sentences)
    assert after.startswith(f"[07.{i + 4}")
    assert f"#cell-id=cell{(i + 3) // 2}" in after


def test_a_reworded_claim_and_words_that_fit_none_or_several_are_named():
    cited = renew("[07 first]() and [07 in noise]()")
    with pytest.raises(ValueError, match=r"\[07 A first claim\]: 07_made_up.ipynb states no such finding.") as error:
        renew(cited, "A first claim, narrowed", "Another")
    assert "Nearest: A first claim, narrowed" in str(error.value)
    assert "[07 A second claim in noise]" in str(error.value)  # all at once
    with pytest.raises(ValueError, match="fits 3 findings, give more words: A first claim; A second"):
        renew("[07 claim]()")
    with pytest.raises(ValueError, match="there is no lesson 11"):
        renew("[11 claim]()")
    with pytest.raises(ValueError, match=r"08_other.ipynb states no such finding\. .*claim\]\(\)\.$"):
        renew("[08 claim]()")


def test_other_links_stay_as_they_are():
    text = "[section 4](07_made_up.ipynb#4--x) [07.1](07_made_up.ipynb#cell-id=cell0) [a](b) [07 words](there)"
    assert renew(text) == text
    assert not cite.has_citation(text)


def test_removed_citations_leave_the_sentence():
    text = "Gates help ([07 first](), [07 in noise]()), here ([07 first]() and [07 in noise]()). So (as we saw) it is."
    expected = "Gates help, here. So (as we saw) it is."
    assert cite.has_citation(text)
    assert cite.remove(text) == expected
    for sentences in (False, True):
        assert cite.remove(renew(text, sentences=sentences)) == expected
