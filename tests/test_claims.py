"""Claims of the stored lessons: true to their records, proving something, cited where they are used, replicated.

What a lesson named in ``notebooks.PENDING`` does not satisfy yet is an expected failure.
"""

import copy
import re
from pathlib import Path

import nbformat
import pytest

from tests import claims
from tools import cite, notebooks, pages, record
from utils import findings

LESSONS = notebooks.lessons()
GUIDES = sorted((notebooks.REPOSITORY / "site").rglob("*.md"))
# Cells that compare the kinds of clipping. Elsewhere it is `global_clipnorm`: the others turn the gradient.
COMPARE_CLIPPING = {
    "02": {"cd920d79"},
    "07": {"6f531432", "98f96068", "a435dec7", "a46fb99f", "dbfb0a5a"},
}


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def stored(notebook):
    """The records of the findings."""
    return [found for _, found in notebooks.findings(notebook)]


def demand(path: Path, faults: list[str]) -> None:
    """No faults, but for a lesson that is still to be brought to the pattern."""
    if faults and path.name[:2] in notebooks.PENDING:
        pytest.xfail(f"{len(faults)} to mend: {faults[0]}")
    assert faults == []


# What is stored


def test_stored_outputs_are_those_of_the_run(path, notebook):
    made = notebook.metadata.get(notebooks.OUTPUTS_HASH)
    assert made == notebooks.output_hash(notebook), f"outputs were edited; run: make lessons LESSON={path.name[:2]}"


def test_what_is_shown_is_what_was_recorded(notebook):
    assert list(claims.altered(notebook)) == []


def record_of_a_finding(**changes):
    found = {"claim": "It works", "measured": [1.5, 2.0], "rule": "at least 1", "low": 1.0, "high": None, "holds": True}
    return found | changes


SHOWN = findings.render(record_of_a_finding())


@pytest.mark.parametrize(
    ("data", "metadata"),
    [
        (SHOWN | {"text/plain": SHOWN["text/plain"].replace("1.5", "1.6")}, record_of_a_finding()),
        (SHOWN | {"text/html": SHOWN["text/html"].replace("1.5", "1.6")}, record_of_a_finding()),
        (SHOWN, record_of_a_finding(measured=[1.6, 2.0])),
        (findings.render(record_of_a_finding(measured=[0.5])), record_of_a_finding(measured=[0.5])),
        (findings.render(record_of_a_finding(low=0.0)), record_of_a_finding(low=0.0)),
        (findings.render(record_of_a_finding(rule="at most 1")), record_of_a_finding(rule="at most 1")),
    ],
    ids=["text", "card", "measured", "verdict", "limit as a number", "limit in words"],
)
def test_an_altered_finding_is_noticed(data, metadata):
    assert list(claims.altered(cell_with(SHOWN, {"finding": record_of_a_finding()}))) == []
    assert list(claims.altered(cell_with(data, {"finding": metadata}))) == ["It works"]


def test_alt_text_unlike_the_shown_one_is_noticed():
    data = {"image/png": "iVBORw0KGgo=", "text/plain": "Figure: a line falls from 1 to 0"}
    assert list(claims.altered(cell_with(data, {"image/png": {"alt": "a line falls from 1 to 0"}}))) == []
    rises = "a line rises from 0 to 1"
    assert list(claims.altered(cell_with(data, {"image/png": {"alt": rises}}))) == [rises]


def cell_with(data, metadata):
    output = nbformat.v4.new_output("display_data", data=data, metadata=copy.deepcopy(metadata))
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])


# What is claimed


def test_limits_agree_with_their_sentences(stored):
    assert list(filter(None, map(claims.contradicted, stored))) == []


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        ("Its error is at least 1.4 times as large", "at least 1.4"),
        ("It cuts the error by at least 40%", "at most 0.6"),
        ("It costs at most 15% more error", "at most 1.15"),
        ("Noise takes at least nine tenths of it", "at most 0.1"),
        ("Of the gates at least a third are shut", "at least 0.33"),
        ("It explains at most 70% of the variance", "at most 0.7"),
        ("It gains at least 10 points", "at least 0.1"),
        ("Pairs differ by at least 10 in 100", "at least 0.1"),
        ("It is solved in at least four seeds of five", "at least 4"),
        ("It is solved in at least four seeds of five", "at least 0.8"),
        ("It needs at most half of the steps", "at most 0.5"),
        ("They are worth nothing: at most 0.03 bits either way", "between -0.03 and 0.03"),
        ("At least 10^8 times as much: at least 10^8 times", "at least 1e+08"),
        ("It breaks at 0.8 of their rates or less", "at most 0.8"),
        ("In 5% of the divisions or more one team wins at least 70% of the pairs", "at least 0.05"),
        ("It is at least 0.1 bits better", "at most -0.1"),
        ("It works", "at most 0.3"),
    ],
)
def test_a_limit_that_agrees(claim, rule):
    assert claims.contradicted({"claim": claim, "rule": rule}) is None


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        ("Its error is at least 1.4 times as large", "at least 0.4"),
        ("Its error is at least 1.4 times as large", "at most 1.4"),
        ("It needs at most 0.8 of the steps", "at least 0.8"),
        ("It needs at most 0.8 of the steps", "at most 0.9"),
        ("It explains at most 10% of the variance", "at most 0.2"),
        ("Noise takes at least nine tenths of it", "at least 0.1"),
        ("Of the gates at least a third are shut", "at least 0.3"),
        ("It is solved in at least four seeds of five", "at least 3"),
        ("It breaks at 0.8 of their rates or less", "at most 0.9"),
    ],
)
def test_a_limit_that_contradicts_its_sentence(claim, rule):
    assert claims.contradicted({"claim": claim, "rule": rule}) == f"{claim!r} with the limit {rule}"


def test_limits_exclude_something(path, stored):
    demand(path, list(filter(None, map(claims.proving_nothing, stored))))


def test_misconceptions_cite_the_findings_that_answer_them(path, notebook):
    demand(path, claims.uncited_misconceptions(notebook))


def test_the_answer_is_short_and_each_sentence_cites_its_finding(path, notebook):
    demand(path, claims.answer_faults(notebook))


def test_what_cites_nothing_or_is_too_long_is_noticed():
    text = (
        "## 8 · Common misconceptions\n\n| you may hear | what you measured |\n|---|---|\n"
        "| A | No ([07 some claim]()). |\n| B | Nor this (section 3). |\n\n## 9 · Summary\n\n"
        '**Answer.** It does by 0.5 bits ([07.1](07_x.ipynb#cell-id=a "A claim. Of two sentences")). It is so! '
        "Is it ([07 some claim]())? " + "On " * 40 + "and on ([07 some claim]())."
    )
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert claims.uncited_misconceptions(lesson) == ["| B | Nor this (section 3). |"]
    assert claims.answer_faults(lesson) == ["cites no finding: It is so!", "has 52 words, at most 40 are allowed"]


def test_only_comparisons_clip_by_variable_or_value(path, notebook):
    assert set(claims.plain_clipping(notebook)) <= COMPARE_CLIPPING.get(path.name[:2], set())


def test_plain_clipping_is_noticed():
    sources = ["Adam(0.1, global_clipnorm=1.0)", "Adam(0.1, clipnorm=1.0)", "Adam(**{'clipvalue': 1})"]
    cells = [nbformat.v4.new_code_cell(source, id=f"cell{i}") for i, source in enumerate(sources)]
    assert claims.plain_clipping(nbformat.v4.new_notebook(cells=cells)) == ["cell1", "cell2"]


# What was replicated


def test_every_claim_held_in_five_replications_of_the_stored_code(path, notebook, stored):
    rows, code = record.read(path.name[:2]), notebooks.code_hash(notebook)
    faults = []
    for found in stored:
        standing = record.standing(rows, found["claim"], code)
        if standing.of < record.FEWEST or standing.held < standing.of:
            faults.append(f"{found['claim']}: held {standing}; make replicate LESSON={path.name[:2]}")
    demand(path, faults)


def test_the_record_is_whole(path, notebook, stored):
    """Each offset has every claim, once, with the verdict that its values and its limit give."""
    code = notebooks.code_hash(notebook)
    rows = [row for row in record.read(path.name[:2]) if row["code_sha256"] == code and row["claim"]]
    there = [(int(row["offset"]), row["claim"]) for row in rows]
    wanted = [(offset, found["claim"]) for offset in record.offsets(path.name[:2], code) for found in stored]
    assert there == wanted
    rules = {found["claim"]: found["rule"] for found in stored}
    for row in [row for row in rows if row["measured"]]:
        assert row["rule"] == rules[row["claim"]]
        margin = record.margin(map(float, row["measured"].split(";")), row["rule"])
        if margin is not None and abs(margin) > 1e-3:  # values are rounded
            assert row["held"] == ("yes" if margin > 0 else "no"), row


# Where claims are repeated


def test_pages_of_findings_lead_to_the_cells_that_show_them(path, stored):
    page = record.FOLDER / f"{path.name[:2]}.md"
    text = page.read_text(encoding="utf-8")
    assert claims.misplaced(text, page.parent) == []
    assert set(re.findall(r"\]\((?:\.\./notebooks/)(\w+\.ipynb)", text)) == {path.name}
    assert text.count("[" + path.name[:2] + ".") >= len(stored) > 0


def test_links_to_cells_are_citations_and_lead_to_a_cell(path, notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    for text in [*texts, *(page.read_text(encoding="utf-8") for page in GUIDES)]:
        links = re.findall(r"([\w.]+\.ipynb)#cell-id=([\w-]+)", text)
        assert len(links) == len(cite.CITATION.findall(text)), text
        for name, cell in links:
            linked = nbformat.read(notebooks.NOTEBOOKS / name, as_version=4)
            assert cell in [id for id, _ in notebooks.findings(linked)], f"{name}#cell-id={cell}"


def test_the_index_has_every_lesson(path, stored):
    index = pages.FINDINGS.read_text(encoding="utf-8")
    assert re.search(
        rf"^\| \[{path.name[:2]} .*\]\(findings/{path.name[:2]}\.md\) .*\| {len(stored)} \| \d+ \|$", index, re.M
    )
