"""`finding` confirms only what was measured, says so in stable text, and stops the notebook otherwise."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from utils import findings
from utils.findings import Estimate, FindingRefuted, finding, paired_difference, render, share

SANITIZER = Path(__file__).parent / "nbval_sanitize.cfg"


@pytest.fixture
def displayed(monkeypatch):
    shown = []
    monkeypatch.setattr(findings, "display", lambda data, raw, metadata: shown.append((data["text/plain"], metadata)))
    monkeypatch.delenv("REPLICATE", raising=False)
    return shown


def test_a_claim_that_holds_is_shown_with_its_record(displayed):
    finding("It works", [1.5, 2], at_least=1, published="3 of 5", source="Somebody 2020")
    text, metadata = displayed[0]
    expected = "✔ It works (measured 1.5 to 2 over 2 values; required at least 1)\n  published: 3 of 5 [Somebody 2020]"
    assert text == expected
    assert metadata["finding"] == {
        "claim": "It works",
        "measured": [1.5, 2.0],
        "rule": "at least 1",
        "low": 1.0,
        "high": None,
        "holds": True,
        "published": "3 of 5",
        "source": "Somebody 2020",
    }


def test_equal_measurements_are_shown_once(displayed):
    finding("All are right", [1.0, 1.0, 1.0], at_least=1)
    assert "(measured 1 for all 3 values; required" in displayed[0][0]


@pytest.mark.parametrize(
    ("measured", "limit"),
    [
        ([2, 0.9, 3], {"at_least": 1}),
        ([0, 1.1], {"at_most": 1}),
        ([0.5, 1.1], {"between": (0, 1)}),
        (pd.Series([False, True]), {"at_least": 1}),
    ],
)
def test_one_value_outside_refutes(displayed, measured, limit):
    with pytest.raises(FindingRefuted, match="It works: measured"):
        finding("It works", measured, **limit)
    assert displayed[0][0].startswith("✘")
    assert displayed[0][1]["finding"]["holds"] is False


@pytest.mark.parametrize("limit", [{"at_least": 1}, {"at_most": 1}, {"between": (1, 1)}])
def test_the_limit_itself_holds(displayed, limit):
    finding("It works", 1, **limit)


@pytest.mark.parametrize("measured", [np.nan, [1, np.nan], np.inf, -np.inf, [], pd.Series(dtype=float)])
@pytest.mark.parametrize("limit", [{"at_least": -9}, {"at_most": 9}, {"between": (-np.inf, np.inf)}])
def test_nothing_and_nan_confirm_nothing(displayed, measured, limit, monkeypatch):
    for mode in ("0", "1"):
        monkeypatch.setenv("REPLICATE", mode)
        with pytest.raises(ValueError, match="nothing"):
            finding("It works", measured, **limit)
    assert displayed == []


def test_bad_calls_are_named(displayed):
    with pytest.raises(TypeError, match="expected a number or one per seed"):
        finding("It works", "high", at_least=1)
    with pytest.raises(ValueError, match="has 0 limits"):
        finding("It works", 1)
    with pytest.raises(ValueError, match="has 2 limits"):
        finding("It works", 1, at_least=0, at_most=2)
    with pytest.raises(ValueError, match="belong together"):
        finding("It works", 1, at_least=0, published="2")
    with pytest.raises(ValueError, match="leave no room"):
        finding("It works", 1, between=(2, 0))
    with pytest.raises(ValueError, match="leave no room"):
        finding("It works", 1, at_least=np.nan)
    with pytest.raises(ValueError, match="published_value needs published"):
        finding("It works", 1, at_least=0, published_value=2)
    with pytest.raises(ValueError, match=r"no_effect=.*NaN"):
        finding("It works", 1, at_least=0, no_effect=np.nan)
    with pytest.raises(ValueError, match="NaN"):
        finding("It works", Estimate(1, np.nan, 2, 20), at_least=0)
    with pytest.raises(ValueError, match="expected low <= value <= high"):
        finding("It works", Estimate(3, 1, 2, 20), at_least=0)


@pytest.mark.parametrize(
    "limit",
    [
        {"at_least": np.inf},
        {"at_least": -np.inf},
        {"at_most": -np.inf},
        {"at_most": np.inf},
        {"between": (-np.inf, np.inf)},
        {"between": (np.inf, np.inf)},
    ],
)
def test_a_limit_at_infinity_is_none(displayed, limit):
    with pytest.raises(ValueError, match="expected a limit that some numbers pass and others do not"):
        finding("It works", 1, **limit)
    assert displayed == []


def test_while_replicating_a_refuted_finding_is_recorded_and_the_lesson_goes_on(displayed, monkeypatch):
    monkeypatch.setenv("REPLICATE", "1")
    finding("It works", 0, at_least=1)
    assert displayed[0][1]["finding"]["holds"] is False


REFUTING = "import os\nos.environ['REPLICATE'] = '1'\nfrom utils.findings import Estimate, finding"
CHANGES = {  # in the stored output of `CALL` -> what a fresh run with another measured value says of it
    "nothing": (None, None, "passed"),
    "claim in the text": ("text/plain", ("It works", "It worked"), "failed"),
    "claim on the card": ("text/html", ("It works", "It worked"), "failed"),
    "limit in the text": ("text/plain", ("at least 1.2", "at least 1.1"), "failed"),
    "limit on the card": ("text/html", ("required at least 1.2", "required at least 1.1"), "failed"),
    "mark in the text": ("text/plain", ("✔", "✘"), "failed"),
    "mark on the card": ("text/html", ("✔", "✘"), "failed"),
    "mark as spoken": ("text/html", ("holds:", "refuted:"), "failed"),
    "what no effect is, in the text": ("text/plain", ("no effect would be 1", "no effect would be 0"), "failed"),
    "what no effect is, on the card": ("text/html", ("no effect would be 1", "no effect would be 0"), "failed"),
    "published figure": ("text/html", ("1.7 times", "1.8 times"), "failed"),
    "source": ("text/plain", ("Somebody", "Nobody"), "failed"),
}
CALL = """finding("It works (measured in steps)", {measured}, at_least=1.2, no_effect=1,
        published="1.7 times", source="Somebody 2020", published_value=1.7)"""


@pytest.mark.parametrize("measured", ["V", "[V, 2, 3, 3, 3, 3, 3, V**2]", "Estimate(V, V - 0.1, 9, 30)"])
def test_strict_comparison_sees_claim_mark_and_limit_but_not_the_measured_values(tmp_path, measured):
    sources = [REFUTING, "V = float(os.environ['VALUE'])", *[CALL.format(measured=measured)] * len(CHANGES)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, kernel_name="python3").execute(env=os.environ | {"VALUE": "1.5"})
    for cell, (kind, change, _) in zip(notebook.cells[2:], CHANGES.values(), strict=True):
        if kind:
            data = cell.outputs[0].data
            assert change[0] in data[kind]
            data[kind] = data[kind].replace(*change)
    nbformat.write(notebook, tmp_path / "stored.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", str(SANITIZER), "--rootdir", str(tmp_path), "stored.ipynb"]
    environment = os.environ | {"VALUE": "8.25", "PYTHONPATH": str(SANITIZER.parents[1])}
    report = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    said = {}
    for line in report.splitlines():
        verdict, _, name = line.partition(" stored.ipynb::")
        if name and verdict in ("PASSED", "FAILED"):
            said[int(name.split()[1])] = verdict.lower()
    assert said[0] == said[1] == "passed", report
    assert [said[i] for i in range(2, 2 + len(CHANGES))] == [verdict for _, _, verdict in CHANGES.values()], report


class Words(HTMLParser):
    """The words of a card, and those that a screen reader has for its strip."""

    def __init__(self, card: str):
        super().__init__()
        self.open, self.text, self.spoken = [], "", ""
        self.feed(card)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.spoken += dict(attrs).get("aria-label", "")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def card(displayed) -> Words:
    return Words(render(displayed[-1][1]["finding"])["text/html"])


def test_the_card_says_in_words_what_it_shows(displayed):
    finding(
        "Gates < 1 & > 0 work",
        [1.5, 2, 100],
        at_least=1.2,
        no_effect=1,
        published="1.7 <times>",
        source="Somebody 2020",
        published_value=1.7,
    )
    words = card(displayed)
    for part in ("✔", "holds:", "Gates < 1 & > 0 work", "measured 1.5 to 100 over 3 values", "required at least 1.2"):
        assert part in words.text
    for part in ("no effect would be 1", "published: 1.7 <times> (◇ 1.7) [Somebody 2020]"):
        assert part in words.text
        assert part in displayed[0][0]
    assert words.spoken == (
        "1.5 to 100 over 3 values; inside the limit, at least 1.2; no effect: 1; published: 1.7; logarithmic axis"
    )


def test_a_refuted_card_differs_by_more_than_colour(displayed, monkeypatch):
    monkeypatch.setenv("REPLICATE", "1")
    finding("It works", [1, 3], at_least=2)
    shown = render(displayed[0][1]["finding"])["text/html"]
    words = Words(shown)
    assert "✘" in words.text
    assert "refuted:" in words.text
    assert "not all inside the limit" in words.spoken
    assert "double" in shown  # the edge
    assert shown.count("border-radius: 50%") == 1  # the dot inside; a square outside


@pytest.mark.parametrize(
    ("measured", "limit"),
    [
        (0, {"at_most": 0}),
        ([0, 0, 0], {"between": (0, 0)}),
        ([1e-9, 1e-3], {"at_most": 1}),
        ([-5, 7], {"between": (-np.inf, 7)}),
        (range(200), {"at_least": -1}),
        ([1.0] * 20, {"at_least": 1}),
        (1e300, {"at_least": -1e300}),
        (Estimate(0.5, 0.5, 0.5, 20), {"between": (0.5, 0.5)}),
    ],
)
def test_every_part_of_a_strip_lies_inside_it(displayed, measured, limit):
    finding("It works", measured, **limit)
    shown = render(displayed[0][1]["finding"])["text/html"]
    places = [float(place) for place in re.findall(r"[ ;](?:left|right|width): ([^;%]+)%", shown)]
    assert len(places) > 2
    assert all(0 <= place <= 100 for place in places)


def test_values_that_coincide_are_counted(displayed):
    finding("All are right", [1.0] * 20 + [0.5], at_least=0.4)
    assert "×20" in card(displayed).text


@pytest.mark.parametrize(
    "measured",
    [
        [1.0] * 5 + [0.999, 0.9992, 0.9995, 0.9997, 0.9998],
        [1e-7] * 6 + [1.1e-7, 1.2e-7, 1.2e-7, 3e-7],
        [0.5] * 20 + list(np.linspace(0.49, 0.51, 20)),
    ],
)
def test_a_number_of_values_that_coincide_lies_on_no_dot(displayed, measured):
    finding("All are right", measured, at_least=0)
    shown = render(displayed[0][1]["finding"])["text/html"]
    dots = [
        (float(left), float(bottom), float(size))
        for left, bottom, size in re.findall(r"left: ([\d.]+)%; bottom: ([\d.]+)em; width: ([\d.]+)em; height", shown)
    ]
    assert len(dots) > 2
    (place, bottom, text) = re.search(r"(left: [\d.]+|right: 0)%;[^>]*bottom: ([\d.]+)em[^>]*>(×\d+)<", shown).groups()
    narrow = 14  # em, the width of a narrow strip
    width = 100 * 0.7 * len(text) / narrow
    number = 100 - width / 2 if place.startswith("right") else max(float(place.split()[1]), width / 2)
    near = [b + size for left, b, size in dots if abs(left - number) < width / 2 + 50 * size / narrow]
    assert near
    assert max(near) <= float(bottom) + 1e-6
    assert float(bottom) + findings.LINE <= findings.BELOW + findings.PLOT + 1e-6


def test_a_record_is_enough_to_show_it_again(displayed):
    finding("A share", share([True] * 19 + [False]), at_least=0.6, no_effect=0.5)
    finding("No change", [0.1, 0.2], between=(-1, 1), no_effect=0, excludes="a change of one or more")
    finding("A cost", 3, at_most=4, excludes="four steps", published="3.5", source="A", published_value=3.5)
    for text, metadata in displayed:
        record = json.loads(json.dumps(metadata["finding"]))  # as a notebook stores it
        assert render(record)["text/plain"] == text
        assert set(render(record)) == {"text/plain", "text/html"}
        assert findings.holds(record) is record["holds"] is True
    first = "✔ A share (measured 0.95, 95% interval 0.764 to 0.991 from 20; required at least 0.6)"
    assert displayed[0][0] == f"{first}\n  no effect would be 0.5"
    assert "\n  no effect would be 0; excludes a change of one or more" in displayed[1][0]


def test_a_record_of_an_older_notebook_is_shown_as_text():
    record = {"claim": "It works", "measured": [2.0], "rule": "at least 1", "holds": True}
    assert render(record) == {"text/plain": "✔ It works (measured 2; required at least 1)"}


def test_the_whole_interval_has_to_be_inside(displayed):
    finding("It works", Estimate(0.7, 0.6, 0.8, 30), at_least=0.6)
    assert displayed[0][1]["finding"] == {
        "claim": "It works",
        "measured": [0.7],
        "interval": [0.6, 0.8],
        "n": 30,
        "rule": "at least 0.6",
        "low": 0.6,
        "high": None,
        "holds": True,
    }
    for limit in ({"at_least": 0.61}, {"at_most": 0.79}, {"between": (0.65, 0.75)}):
        with pytest.raises(FindingRefuted, match=r"measured 0\.7, 95% interval 0\.6 to 0\.8 from 30"):
            finding("It works", Estimate(0.7, 0.6, 0.8, 30), **limit)


@pytest.mark.parametrize(
    ("limit", "no_effect"),
    [({"at_least": 0}, 0), ({"at_most": 1.05}, 1), ({"between": (0.9, 1.1)}, 1), ({"at_least": 0.4}, 0.5)],
)
def test_a_limit_that_no_effect_would_pass_has_to_say_what_it_excludes(displayed, limit, no_effect):
    with pytest.raises(ValueError, match=r"no effect at all, .* so the limit proves nothing.*excludes="):
        finding("It works", 1, no_effect=no_effect, **limit)
    with pytest.raises(ValueError, match="proves nothing"):
        finding("It works", 1, no_effect=no_effect, excludes="", **limit)
    assert displayed == []
    finding("It works", 1, no_effect=no_effect, excludes="a loss of a tenth", **limit)
    assert displayed[0][1]["finding"]["no_effect"] == no_effect
    assert displayed[0][1]["finding"]["excludes"] == "a loss of a tenth"


@pytest.mark.parametrize(("true", "n"), [(0, 20), (1, 20), (13, 20), (20, 20), (45, 60)])
def test_share_is_the_wilson_interval(true, n):
    outcomes = np.random.default_rng(0).permutation([True] * true + [False] * (n - true))
    estimate = share(outcomes)
    z = stats.norm.ppf(0.975)  # Wilson's formula
    middle = (true / n + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(true / n * (1 - true / n) / n + z**2 / (4 * n**2))
    assert (estimate.value, estimate.n) == (true / n, n)
    assert (estimate.low, estimate.high) == pytest.approx((middle - half, middle + half))
    assert (estimate.low, estimate.high) == pytest.approx(proportion_confint(true, n, method="wilson"))
    assert estimate.low <= estimate.value <= estimate.high
    assert share(outcomes.astype(int)) == share(pd.Series(outcomes, dtype=object)) == estimate


def test_share_needs_twenty_outcomes_that_are_true_or_false():
    with pytest.raises(ValueError, match="given 19 outcomes; a share needs at least 20 seeds"):
        share([True] * 19)
    for wrong in (np.nan, None, 0.5, 2, "yes"):
        with pytest.raises(ValueError, match="expected True or False for each seed"):
            share([True] * 20 + [wrong])


def test_paired_difference_is_the_t_interval():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 12), rng.normal(0.8, 1, 12)
    estimate = paired_difference(a, pd.Series(b, index=range(5, 17)))  # by place, not by index
    assert (estimate.value, estimate.n) == (pytest.approx(np.mean(a - b)), 12)
    assert (estimate.low, estimate.high) == pytest.approx(DescrStatsW(a - b).tconfint_mean())
    assert (estimate.low, estimate.high) == pytest.approx(tuple(stats.ttest_rel(a, b).confidence_interval(0.95)))


def test_within_two_limits_it_is_an_equivalence_test(displayed):
    """The 95% interval inside the limits: two one-sided tests, each at 2.5%."""
    rng = np.random.default_rng(1)
    verdicts = set()
    for margin in np.linspace(0.1, 1.5, 15):
        a, b = rng.normal(0, 0.5, (2, 10))
        p = ttost_paired(a, b, -margin, margin)[0]
        try:
            finding(
                "The same", paired_difference(a, b), between=(-margin, margin), no_effect=0, excludes="more than that"
            )
        except FindingRefuted:
            assert p > 0.025
        else:
            assert p <= 0.025
        verdicts.add(p <= 0.025)
    assert verdicts == {True, False}


def test_paired_difference_names_what_is_wrong():
    with pytest.raises(ValueError, match="given 3 and 2 values; expected equally many"):
        paired_difference([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="expected equally many, at least two"):
        paired_difference([1], [1])
    with pytest.raises(ValueError, match="NaN and infinity"):
        paired_difference([1, np.nan], [1, 2])
    with pytest.raises(TypeError, match="was given"):
        paired_difference([1, 2], ["a", "b"])


def test_equal_differences_have_an_interval_without_width(displayed):
    assert paired_difference([1, 2, 3], [0, 1, 2]) == Estimate(1, 1, 1, 3)
    finding("Always one more", paired_difference([1, 2, 3], [0, 1, 2]), between=(1, 1), no_effect=0)


def test_summary_lists_each_claim_once(displayed, capsys, monkeypatch):
    monkeypatch.setattr(findings, "_records", [])
    finding("It works", 1, at_least=1)
    finding("So does this", 1, at_least=1)
    finding("It works", 2, at_least=1)
    findings.summary()
    assert capsys.readouterr().out == " 1 ✔ It works\n 2 ✔ So does this\n"
