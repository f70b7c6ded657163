"""Where a notebook has started TensorFlow, a capstone is trained in worker processes, with the same result."""

import numpy as np
import pytest

from tests import submissions
from utils import capstone, runtime
from utils.capstone import handover


@pytest.fixture(scope="module", autouse=True)
def tensorflow():
    runtime.start_tensorflow()


def solve(train, validation, inputs, seed):
    return submissions.echo(train, validation, inputs, seed)


def without_time(record):
    return [{name: value for name, value in run.items() if name != "seconds"} for run in record["runs"]]


def test_workers_hand_in_what_one_process_does(monkeypatch):
    task = capstone.load("sea")
    claims = {"MASE": 0.203}
    given = {"baseline": submissions.linear, "parts": {"memory": submissions.memoryless}, "claims": claims}
    records = []
    for workers in ("2", "1"):
        monkeypatch.setenv("STUDY_WORKERS", workers)
        records.append(without_time(handover.measure(task, solve, **given)))
    assert records[0] == records[1]
    assert len(records[0]) == 14


def test_a_fault_in_a_worker_is_said_as_one_here(monkeypatch, capsys):
    def faulty(train, validation, inputs, seed):
        if seed == 3:
            raise ValueError("three is too many")
        return solve(train, validation, inputs, seed)

    def unfinished(train, validation, inputs, seed):
        return ... if seed == 3 else np.zeros(len(inputs))

    monkeypatch.setenv("STUDY_WORKERS", "2")
    task = capstone.load("sea")
    with pytest.raises(handover.CannotBeHandedIn, match="ValueError with seed 3 and 110 inputs: three is too many"):
        capstone.try_out(task, faulty)
    assert capstone.try_out(task, unfinished) is None
    assert "not attempted yet" in capsys.readouterr().out


def test_one_seed_needs_no_workers(monkeypatch):
    """The template tries a baseline with one seed: then nothing is left for the workers."""
    monkeypatch.setenv("STUDY_WORKERS", "2")
    assert len(capstone.try_out(capstone.load("sea"), submissions.linear, seeds=1)) == 1


def test_what_is_still_to_be_written_is_named(capsys):
    def baseline(train, validation, inputs, seed):
        return ...

    assert capstone.try_out(capstone.load("sea"), baseline, seeds=1) is None
    assert "`baseline` returns nothing" in capsys.readouterr().out
