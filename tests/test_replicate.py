"""The replication record: what is written, what is dropped, which offsets count; on small notebooks made here."""

import csv
from datetime import date

import nbformat
import pytest

from tools import lessons, notebooks, pace, record, replicate
from tools.record import Standing

CLAIMS = """
from utils import runtime
from utils.findings import Estimate, finding
seeds = runtime.seeds(2)
finding("Seeds are small", seeds, at_most={limit})
finding("They are whole", [seed % 1 for seed in seeds], between=(0, 0))
finding("Within an interval", Estimate(0.5, 0.21, 0.876543, 20), between=(0, 1))
"""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Writes and runs a lesson 07."""
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(record, "FOLDER", tmp_path / "findings")
    monkeypatch.setattr(pace, "measure", lambda: 10.0)
    monkeypatch.delenv("SEED_OFFSET", raising=False)

    def write(source):
        cells = [nbformat.v4.new_markdown_cell("# 07 · Made up"), nbformat.v4.new_code_cell(source)]
        path = tmp_path / "07_made_up.ipynb"
        notebooks.write(nbformat.v4.new_notebook(cells=cells), path)
        lessons.main(None)
        return path

    return write


def rows():
    with (record.FOLDER / "07.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_per_offset_and_claim_and_the_stored_notebook_left_alone(make, capsys):
    path = make(CLAIMS.format(limit=1500))
    before, code = path.read_bytes(), notebooks.code_hash(nbformat.read(path, as_version=4))
    assert replicate.main(["--offsets", "1000 2000", "07"]) == 1
    assert path.read_bytes() == before
    assert [(row["offset"], row["claim"], row["held"], row["measured"], row["rule"]) for row in rows()] == [
        ("1000", "Seeds are small", "yes", "1000;1001", "at most 1500"),
        ("1000", "They are whole", "yes", "0;0", "between 0 and 0"),
        ("1000", "Within an interval", "yes", "0.5;0.21;0.8765", "between 0 and 1"),
        ("2000", "Seeds are small", "no", "2000;2001", "at most 1500"),
        ("2000", "They are whole", "yes", "0;0", "between 0 and 0"),
        ("2000", "Within an interval", "yes", "0.5;0.21;0.8765", "between 0 and 1"),
    ]
    assert {row["code_sha256"] for row in rows()} == {code}
    table = capsys.readouterr().out
    assert "offsets given: 1000, 2000" in table
    assert "     1000  held          1,000 to 1,001 over 2 values (required at most 1500)" in table
    assert "     2000  REFUTED       2,000 to 2,001 over 2 values (required at most 1500)" in table
    order = [table.index(claim) for claim in ("Seeds are small", "Within an interval", "They are whole")]
    assert order == sorted(order)  # refuted, near its limit, exact
    assert "[held 1 of 2; margin -33%]" in table
    assert "1 not as they should be" in table
    replicate.main(["--offsets", "2000"])  # again: in place of the rows that are there
    assert len(rows()) == 6


def test_five_offsets_are_drawn_that_no_code_has_seen(make, capsys):
    make("from utils.findings import finding\nfinding('It holds', 1, at_least=1)")
    assert replicate.main([]) == 0
    first = {int(row["offset"]) for row in rows()}
    assert len(first) == 5
    assert all(offset >= 10_000 and offset % 1000 == 0 for offset in first)
    assert "offsets drawn: " + ", ".join(row["offset"] for row in rows()) in capsys.readouterr().out
    replicate.main([])
    assert len(rows()) == 10


def test_an_offset_is_not_drawn_twice(make, monkeypatch):
    class Fixed:
        numbers = iter([11, 12, 11, 13, 13, 14])

        def randrange(self, low, high):
            return next(self.numbers)

    monkeypatch.setattr(record.random, "SystemRandom", Fixed)
    record.add("07", "old", 12_000, {}, ["A claim"])
    record.add("07", "new", 50_000, {}, ["A claim"])
    assert record.draw("07", 3) == [11_000, 13_000, 14_000]


def test_rows_of_other_code_are_dropped_but_their_offsets_stay_spent(make, capsys):
    path = make(CLAIMS.format(limit=1500))
    replicate.main(["--offsets", "1000 2000"])
    old = notebooks.code_hash(nbformat.read(path, as_version=4))
    make(CLAIMS.format(limit=2500))  # looked at 2000, then moved the limit
    replicate.main(["--offsets", "2000"])
    assert "not recorded: earlier code of this lesson ran there" in capsys.readouterr().out
    replicate.main(["--offsets", "3000"])
    new = notebooks.code_hash(nbformat.read(path, as_version=4))
    spent = [{**dict.fromkeys(record.COLUMNS, ""), "offset": o, "code_sha256": old} for o in ("1000", "2000")]
    assert rows()[:2] == spent
    assert [(row["offset"], row["held"], row["code_sha256"]) for row in rows()[2:]] == [
        ("3000", "no", new),
        ("3000", "yes", new),
        ("3000", "yes", new),
    ]
    assert record.offsets("07", new) == [3000]
    assert record.spent("07", new) == {1000, 2000}
    make(CLAIMS.format(limit=3500))
    replicate.main(["--offsets", "4000"])
    assert [row["offset"] for row in rows()] == ["1000", "2000", "3000", "4000", "4000", "4000"]
    make(CLAIMS.format(limit=1500))  # as it was at first: what it measured before it was changed does not come back
    replicate.main(["--offsets", "1000 5000"])
    assert [row["offset"] for row in rows()] == ["1000", "2000", "3000", "4000", "5000", "5000", "5000"]
    assert record.offsets("07", old) == [5000]


def test_errors_and_what_was_not_measured_have_not_held(make, capsys):
    make("from utils import runtime\nassert runtime.seed_offset() < 50, 'boom'\n" + CLAIMS.format(limit=1500))
    capsys.readouterr()
    assert replicate.main(["--offsets", "10 100"]) == 4
    table = capsys.readouterr().out
    assert "offset 100: AssertionError: boom" in table
    assert "       10  held" in table
    assert "      100  NOT MEASURED" in table
    assert [(row["held"], row["measured"], row["rule"]) for row in rows()[3:]] == [("no", "", "")] * 3
    assert record.standing(rows(), "They are whole", rows()[0]["code_sha256"]).shown == "not measured"


def test_changed_code_has_to_run_first(make):
    path = make("1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = "2"
    notebooks.write(notebook, path)
    with pytest.raises(SystemExit, match=r"07_made_up\.ipynb was changed after it ran\. First: make lessons LESSON=07"):
        replicate.main([])


@pytest.mark.parametrize("offsets", ["-5", "a b", "1.5"])
def test_bad_offsets_are_named(offsets):
    with pytest.raises(SystemExit, match="Expected offsets as whole numbers"):
        replicate.main([f"--offsets={offsets}"])


def test_each_week_has_an_offset_of_its_own_that_is_never_drawn(make, monkeypatch):
    assert record.of_the_week(date(2026, 11, 24)) == 202_648_000
    assert record.of_the_week(date(2027, 1, 1)) == 202_653_000  # the week belongs to the year before
    assert record.of_the_week(date(2027, 1, 4)) == 202_701_000
    make("from utils.findings import finding\nfinding('It holds', 1, at_least=1)")
    replicate.main(["--week"])
    assert [row["offset"] for row in rows()] == [str(record.of_the_week(date.today()))]


@pytest.mark.parametrize(
    ("values", "rule", "expected"),
    [
        ([0.9, 1.1], "at least 0.8", 0.125),
        ([0.9, 1.2], "at most 1", -0.2),
        ([-3, -1.5], "at most -1", 0.5),
        ([0.1], "at least 0", 0.1),
        ([0.5, 0.9], "between 0 and 1", 0.2),
        ([0.99, 1.0], "between 0.95 and 1.05", 0.8),
        ([1e-11], "at most 1e-06", 0.99999),
        ([0.01], "between -inf and 0.02", 0.5),
        ([0, 0.1], "at most 0", -0.1),
        ([0, 0], "at most 0", None),
        ([0], "between 0 and 0", None),
    ],
)
def test_margin(values, rule, expected):
    assert record.margin(values, rule) == (None if expected is None else pytest.approx(expected))


def test_a_rule_in_other_words_is_named():
    with pytest.raises(ValueError, match="expected 'at least 2'"):
        record.margin([1], "about 2")


def test_counts_have_margins_in_whole_steps(make):
    def standing(measured, rule):
        low, high = record.limits(rule)
        holds = all(low <= value <= high for value in measured)
        record.add("07", "code", 1000, {"A claim": {"measured": measured, "rule": rule, "holds": holds}}, ["A claim"])
        return record.standing(record.read("07"), "A claim", "code")

    assert standing([5.0], "at least 4").shown == "1 step"
    assert standing([4.0], "at least 4").shown == "0 steps"
    assert standing([1.0, 2.0], "at most 4").shown == "2 steps"
    assert standing([4.5], "at least 4").shown == "12%"
    assert standing([16000.0], "at least 8000").shown == "100%"
    assert standing([8.0], "between 8 and 8").shown == "exact"
    assert record.standing(record.read("07"), "Another", "code") == Standing(0, 0)
    assert str(Standing()) == "not yet"


def test_a_record_with_other_columns_is_named(make):
    record.FOLDER.mkdir()
    (record.FOLDER / "07.csv").write_text("offset,claim\n1,A\n")
    with pytest.raises(ValueError, match=r"07\.csv has the columns offset, claim; expected offset, claim, held"):
        record.read("07")
