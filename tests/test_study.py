"""`study`: tidy, the same however it is run, loud when something goes wrong, and gone when it is interrupted."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import joblib
import numpy as np
import pandas as pd
import psutil
import pytest

import utils.training.study as study_module
from utils import runtime
from utils.training.divergence import Diverged
from utils.training.study import TrialFailed, stored_study, study


def tiny_training(units, seed):
    from utils.models.recurrent import build_recurrent
    from utils.training.fit import fit

    x = np.random.default_rng(0).normal(size=(32, 5, 1)).astype("float32")
    history = fit(build_recurrent("GRU", units, features=1), (x, x[:, 0]), epochs=2, batch_size=16)
    return {"loss": history["loss"][-1], "process": os.getpid()}


def double(value, seed):
    return {"doubled": 2 * value, "random": np.random.random()}


def process_of(value, seed):
    time.sleep(0.2)  # long enough for the other worker to take the next share
    return {"process": os.getpid()}


def fails_once(value, seed):
    if (value, seed) == (2, 1):
        raise ZeroDivisionError("by hand")
    return {}


def test_one_row_per_trial_in_the_order_of_the_grid():
    table = study(double, {"value": [3, 1]}, seeds=[5, 6], workers=1)
    assert list(table.columns) == ["value", "seed", "doubled", "random", "seconds"]
    assert table[["value", "seed", "doubled"]].to_numpy().tolist() == [[3, 5, 6], [3, 6, 6], [1, 5, 2], [1, 6, 2]]
    assert table["random"][0] == table["random"][2]  # seeded before each trial
    assert table["random"][0] != table["random"][1]


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_come_in_the_order_of_the_grid_however_the_trials_were_shared_out(workers):
    table = study(double, {"value": [3, 1, 2, 5, 4]}, seeds=[7, 5, 6], workers=workers)
    assert table["value"].tolist() == [v for v in [3, 1, 2, 5, 4] for _ in range(3)]
    assert table["seed"].tolist() == [7, 5, 6] * 5
    assert table["doubled"].tolist() == [2 * v for v in table["value"]]


def test_all_seeds_of_a_point_run_in_one_process_where_they_are_few():
    table = study(process_of, {"value": [3, 1, 2, 5]}, seeds=3, workers=2)
    assert (table.groupby("value")["process"].nunique() == 1).all()  # compiled once, not in each


def test_a_list_of_points_runs_just_those():
    table = study(double, [{"value": 1}, {"value": 4}], seeds=1, workers=1)
    assert table["doubled"].tolist() == [2, 8]


def test_parallel_equals_serial_bit_for_bit_and_uses_several_processes():
    serial = study(tiny_training, {"units": [3, 4]}, seeds=3, workers=1)
    parallel = study(tiny_training, {"units": [3, 4]}, seeds=3, workers=2)
    pd.testing.assert_series_equal(serial["loss"], parallel["loss"], check_exact=True)
    assert set(serial["process"]) == {os.getpid()}
    assert os.getpid() not in set(parallel["process"])


def test_seeds_are_shifted(monkeypatch):
    monkeypatch.setenv("SEED_OFFSET", "1000")
    assert study(double, {"value": [1]}, seeds=2, workers=1)["seed"].tolist() == [1000, 1001]


@pytest.mark.parametrize(
    ("grid", "seeds", "message"),
    [
        ({"value": [1]}, 0, "at least 1"),
        ({"value": [1]}, [], "seeds is empty"),
        ({"value": []}, 1, "no points"),
        ({"value": "lstm"}, 1, r"expected a list of values, such as \['lstm'\]"),
        ({"value": 3}, 1, "expected a list of values"),
        ({"other": [1]}, 1, r"double cannot be called as double\(other=\.\.\., seed=\.\.\.\)"),
    ],
)
def test_bad_input_is_named(grid, seeds, message):
    with pytest.raises(ValueError, match=message):
        study(double, grid, seeds)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_trial_names_its_point_and_seed(workers):
    with pytest.raises(TrialFailed, match=r"value=2, seed=1 raised ZeroDivisionError: by hand"):
        study(fails_once, {"value": [1, 2]}, seeds=[0, 1], workers=workers)


def explosive(rate, seed):
    from utils.models.recurrent import build_recurrent
    from utils.runtime import keras
    from utils.training.fit import fit

    x = np.random.default_rng(0).normal(size=(32, 5, 1)).astype("float32")
    sgd = keras.optimizers.SGD(rate)
    return {"loss": fit(build_recurrent("RNN", 2, features=1), (x, x[:, 0]), epochs=3, optimizer=sgd)["loss"][-1]}


@pytest.mark.parametrize("workers", [1, 2])
def test_trials_that_diverge_are_said_in_one_warning_of_this_process(workers, capfd):
    words = r"In 2 of 4 trials training diverged\. The first, rate=1e\+30, seed=0: The loss became \w+ in epoch 2 of 3"
    with pytest.warns(Diverged, match=words) as said:
        table = study(explosive, {"rate": [0.01, 1e30]}, seeds=2, workers=workers)
    assert [each.filename for each in said] == [__file__]
    assert np.isfinite(table["loss"]).tolist() == [True, True, False, False]
    assert capfd.readouterr().err == ""


def test_a_trial_must_return_named_results():
    with pytest.raises(TrialFailed, match=r"returned 3; expected a dict"):
        study(lambda seed: 3, {}, seeds=1, workers=1)
    with pytest.raises(TrialFailed, match=r"\['seed'\], which the table already uses"):
        study(lambda seed: {"seed": 1}, {}, seeds=1, workers=1)


def test_silent_under_test_and_a_bar_for_a_person(capfd, monkeypatch):
    study(double, {"value": [1]}, seeds=2, workers=1)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(runtime, "watched", lambda: True)
    study(double, {"value": [1]}, seeds=2, workers=1)
    out, err = capfd.readouterr()
    assert "double" in out
    assert err == ""


SWELL = """
import os, sys, time
import numpy as np
from utils import runtime
from utils.training.study import study
runtime.start_workers()
def swell(megabytes, seed):
    sys.__dict__.setdefault("kept", []).append(np.ones(megabytes * 2**17))  # memory that the process never gives back
    time.sleep(1.1)  # joblib looks once a second
    return {"process": os.getpid()}
table = study(swell, {"megabytes": [int(sys.argv[1])]}, seeds=6, workers=2)
print(len(table), table["process"].nunique())
"""


@pytest.mark.parametrize(("megabytes", "replaced"), [(150, False), (1000, True)])
def test_a_worker_that_swells_a_lot_is_replaced_without_a_word_and_nothing_is_lost(megabytes, replaced):
    """150 MB in each of three trials is what compiling takes in a long lesson; joblib's own limit would be 300."""
    command = [sys.executable, "-c", SWELL, str(megabytes)]
    environment = {**os.environ, "STUDY_WORKERS": "2"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment)
    trials, processes = map(int, result.stdout.split()[-2:])
    assert trials == 6
    assert (processes > 2) == replaced
    assert result.stderr == ""


def vanish(value, seed):
    os._exit(1)


def test_a_worker_that_dies_is_an_error(capfd):
    with pytest.raises(Exception, match="terminated"):
        study(vanish, {"value": [1]}, seeds=2, workers=2)


def test_on_a_dask_cluster():
    from dask.distributed import Client, LocalCluster

    here = study(double, {"value": [1, 2]}, seeds=3, workers=1)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        there = study(where, {"value": [1, 2]}, seeds=3)
    pd.testing.assert_frame_equal(there[["value", "seed", "doubled", "random"]], here.drop(columns="seconds"))
    assert os.getpid() not in set(there["process"])


def where(value, seed):
    return {**double(value, seed), "process": os.getpid()}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_ctrl_c_leaves_no_process_behind(tmp_path):
    script = tmp_path / "interrupted.py"
    script.write_text(
        textwrap.dedent("""
            import sys, time
            from utils.training.study import study
            def sleepy(value, seed):
                open(f"{sys.argv[1]}/started-{seed}", "w").close()
                time.sleep(120)
                return {}
            study(sleepy, {"value": [1]}, seeds=4, workers=2)
        """)
    )
    process = subprocess.Popen(
        [sys.executable, script, tmp_path],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("started-*"))) < 2:
        assert time.monotonic() < deadline, "the study did not start"
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.2)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert "KeyboardInterrupt" in stderr
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_a_stored_study_runs_when_told_and_is_read_from_then_on(tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "STORED", tmp_path)
    monkeypatch.delenv("STUDIES", raising=False)
    with pytest.raises(ValueError, match=r"has not been run.*make studies LESSON=08"):
        stored_study("08_doubled", double, {"value": [3, 1]}, seeds=2)
    monkeypatch.setenv("STUDIES", "1")
    ran = stored_study("08_doubled", double, {"value": [3, 1]}, seeds=2)
    monkeypatch.delenv("STUDIES")
    monkeypatch.setenv("SEED_OFFSET", "1000")  # what is stored does not move
    read = stored_study("08_doubled", double, {"value": [3, 1]}, seeds=2)
    pd.testing.assert_frame_equal(ran, read)
    assert list(read.columns) == ["value", "seed", "doubled", "random"]
    assert read["seed"].tolist() == [0, 1, 0, 1]
    assert read["random"].iloc[0] == pytest.approx(read["random"].iloc[2])
    for changed in ({"value": [3, 2]}, 2), ({"value": [3, 1]}, 3):
        with pytest.raises(ValueError, match="another trial, grid or seeds"):
            stored_study("08_doubled", double, *changed)
    with pytest.raises(ValueError, match="another trial, grid or seeds"):
        stored_study("08_doubled", process_of, {"value": [3, 1]}, seeds=2)
