"""`finding` confirms only what was measured, says so in stable text, and stops the notebook otherwise."""

import re
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from utils import findings
from utils.findings import FindingRefuted, finding


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


def test_while_replicating_a_refuted_finding_is_recorded_and_the_lesson_goes_on(displayed, monkeypatch):
    monkeypatch.setenv("REPLICATE", "1")
    finding("It works", 0, at_least=1)
    assert displayed[0][1]["finding"]["holds"] is False


def test_the_sanitizer_masks_the_measured_values_and_nothing_else(displayed):
    config = ConfigParser()
    config.read(Path(__file__).parent / "nbval_sanitize.cfg", encoding="utf-8")

    def sanitized(text):
        for section in config.sections():
            text = re.sub(config[section]["regex"], config[section]["replace"], text)
        return text

    finding("It works", 1.5, at_least=1)
    finding("It works", [2, 7], at_least=1)
    finding("It works", [2, 7], at_least=2)
    finding("It worked", [2, 7], at_least=1)
    first, second, other_limit, other_claim = (sanitized(text) for text, _ in displayed)
    assert first == second
    assert len({first, other_limit, other_claim}) == 3


def test_summary_lists_each_claim_once(displayed, capsys, monkeypatch):
    monkeypatch.setattr(findings, "_records", [])
    finding("It works", 1, at_least=1)
    finding("So does this", 1, at_least=1)
    finding("It works", 2, at_least=1)
    findings.summary()
    assert capsys.readouterr().out == " 1 ✔ It works\n 2 ✔ So does this\n"
