"""Two real worker processes against one, a worker really killed, and what a user can get wrong."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from utils import runtime
from utils.datasets.electricity import write_load
from utils.training import cluster, distributed

PROGRAM = [sys.executable, "-m", "utils.training.distributed"]
SETTINGS = ["--units", "4", "--batch-size", "8", "--length", "16"]
SMALL = {"units": 4, "batch_size": 8, "length": 16}
QUIET = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": runtime.REPOSITORY}


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return write_load(tmp_path_factory.mktemp("load") / "load.bin", 200_000)


@pytest.fixture(scope="module")
def alone(series, tmp_path_factory):
    """60 steps by one process: its folder and its losses."""
    folder = tmp_path_factory.mktemp("alone")
    return folder, distributed.train(series, folder, steps=60, save_every=20, **SMALL)


def command(series, folder, steps: int = 60, *extra: str) -> list[str]:
    places = ["--series", str(series), "--folder", str(folder)]
    return [*PROGRAM, *places, "--steps", str(steps), "--save-every", "20", *SETTINGS, *extra]


def assert_same_run(folder, alone) -> None:
    theirs, losses = alone
    for ours, expected in zip(distributed.read_weights(folder), distributed.read_weights(theirs), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)
    np.testing.assert_allclose(np.load(folder / "checkpoint.npz")["losses"], losses, atol=1e-5)


def test_killed_in_mid_run_and_resumed_it_ends_like_one_process(series, alone, tmp_path):
    """The run is to take 1,500 steps, so that the kill comes in the middle however fast the machine is."""
    workers = cluster.start(2, command(series, tmp_path, 1500), **QUIET)
    while not (tmp_path / "checkpoint.npz").exists():
        assert all(worker.poll() is None for worker in workers), workers[0].communicate()[0]
        time.sleep(0.02)
    workers[1].kill()
    assert cluster.wait(workers) == [distributed.STOPPED, -9]
    said = workers[0].communicate()[0]
    assert "Worker 0 lost contact with another worker" in said
    assert "go on from the last checkpoint" in said

    done = len(np.load(tmp_path / "checkpoint.npz")["losses"])
    assert 20 <= done < 1500
    steps = done + 20
    resumed = subprocess.run([*command(series, tmp_path, steps), "--workers", "2"], **QUIET, check=True)
    assert resumed.stdout.splitlines()[0] == f"going on after step {done}"
    folder = tmp_path / "alone"
    losses = distributed.train(series, folder, steps=steps, save_every=20, **SMALL)
    assert_same_run(tmp_path, (folder, losses))


def test_a_worker_that_is_asked_to_end_does(series, tmp_path):
    """SIGTERM, as a task manager or Slurm sends it. TensorFlow by itself takes note of it and goes on."""
    workers = cluster.start(2, command(series, tmp_path, 1500), **QUIET)
    while not (tmp_path / "checkpoint.npz").exists():
        assert all(worker.poll() is None for worker in workers), workers[0].communicate()[0]
        time.sleep(0.02)
    workers[1].terminate()
    assert cluster.wait(workers) == [distributed.STOPPED, -signal.SIGTERM]


def test_workers_that_see_different_folders_are_told(series, alone, tmp_path):
    """One finds a checkpoint and the other none, as without a shared disk: both say so, and the checkpoint stays."""
    folders = [tmp_path / "full", tmp_path / "empty"]
    shutil.copytree(alone[0], folders[0])
    before = (folders[0] / "checkpoint.npz").read_bytes()
    program = "import sys, json, os; from utils.training.distributed import main\n"
    program += "mine = json.loads(os.environ['TF_CONFIG'])['task']['index']\n"
    program += f"sys.exit(main([*sys.argv[1:], '--folder', {[str(f) for f in folders]!r}[mine]]))"
    settings = ["--series", str(series), "--steps", "80", *SETTINGS]
    workers = cluster.start(2, [sys.executable, "-c", program, *settings], **QUIET)
    assert cluster.wait(workers) == [1, 1]
    for worker, folder, steps in zip(workers, folders, (60, 0), strict=True):
        assert f"do not find the same checkpoint in {folder} (this one: {steps} steps)" in worker.communicate()[0]
    assert (folders[0] / "checkpoint.npz").read_bytes() == before


def test_mirrored_devices_equal_one(series, alone, tmp_path):
    """Logical devices must be set before TensorFlow starts: in a process of its own."""
    code = (
        "import sys; from utils.runtime import tf; from utils.training.distributed import train\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)\n"
        "strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])\n"
        f"train(sys.argv[1], sys.argv[2], steps=60, save_every=20, strategy=strategy, **{SMALL})\n"
    )
    subprocess.run([sys.executable, "-c", code, series, tmp_path], check=True, cwd=runtime.REPOSITORY)
    assert_same_run(tmp_path, alone)


def test_one_process_resumes(series, alone, tmp_path):
    said = []
    distributed.train(series, tmp_path, steps=20, save_every=20, report=said.append, **SMALL)
    losses = distributed.train(series, tmp_path, steps=60, save_every=20, report=said.append, **SMALL)
    assert [line.split(":")[0] for line in said] == [
        "step 20 of 20",
        "going on after step 20",
        "step 40 of 60",
        "step 60 of 60",
    ]
    assert_same_run(tmp_path, (alone[0], losses))
    np.testing.assert_array_equal(distributed.train(series, tmp_path, steps=60, **SMALL), losses)  # nothing left to do


def test_a_checkpoint_of_another_run_is_refused_and_kept(series, alone, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(alone[0], folder)
    before = (folder / "checkpoint.npz").read_bytes()
    with pytest.raises(distributed.CheckpointError, match=r"units is 4 .* 5 here; learning_rate is 0\.01 there"):
        distributed.train(series, folder, steps=80, learning_rate=0.1, **{**SMALL, "units": 5})
    assert (folder / "checkpoint.npz").read_bytes() == before
    (folder / "checkpoint.npz").write_bytes(before[:1000])
    with pytest.raises(distributed.CheckpointError, match=r"cannot be read .* Delete it to start from the beginning"):
        distributed.train(series, folder, steps=80, **SMALL)


def test_a_failing_write_leaves_the_last_checkpoint(series, tmp_path, monkeypatch):
    distributed.train(series, tmp_path, steps=20, save_every=20, **SMALL)
    before = (tmp_path / "checkpoint.npz").read_bytes()

    def half(path, content):
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        distributed.train(series, tmp_path, steps=40, save_every=20, **SMALL)
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_bad_sizes_are_named(series, tmp_path):
    with pytest.raises(ValueError, match="steps is 0"):
        distributed.train(series, tmp_path, steps=0)
    with pytest.raises(ValueError, match="gives 1561 blocks of 8 x 16 steps; 2000 were asked for"):
        distributed.train(series, tmp_path, steps=2000, **SMALL)
    with pytest.raises(ValueError, match="0 workers"):
        cluster.start(0, ["true"])


TWO = ["localhost:2222", "localhost:2223"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "not JSON"),
        ({"cluster": {"worker": TWO}}, "lacks 'task'"),
        ({"cluster": {"ps": TWO}, "task": {"type": "worker", "index": 0}}, "lacks 'worker'"),
        ({"cluster": {"worker": TWO}, "task": {"type": "worker", "index": 2}}, "index is 2; there are 2 workers"),
        ({"cluster": {"worker": TWO}, "task": {"type": "worker", "index": "1"}}, "index is '1'"),
        ({"cluster": {"worker": TWO}, "task": {"type": "ps", "index": 0}}, "type is 'ps'"),
        ({"cluster": {"worker": ["host1"]}, "task": {"type": "worker", "index": 0}}, "'host1' is not host:port"),
        ({"cluster": {"worker": ["a:1", "a:99999"]}, "task": {"type": "worker", "index": 0}}, "a port from 1 to"),
        ({"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}, "occurs twice"),
    ],
)
def test_a_wrong_tf_config_is_explained(config, message):
    text = config if isinstance(config, str) else json.dumps(config)
    with pytest.raises(cluster.ClusterError, match=message) as caught:
        cluster.members({"TF_CONFIG": text})
    assert "Expected something like" in str(caught.value)


def test_who_works_together():
    config = {"cluster": {"worker": TWO}, "task": {"type": "worker", "index": 1}}
    assert cluster.members({}) is None
    assert cluster.members({"TF_CONFIG": json.dumps(config)}) == (TWO, 1)


def test_slurm_names_the_workers(monkeypatch):
    """Slurm's variables, as ``srun --ntasks 3`` on two nodes sets them, through TensorFlow's own resolver."""
    slurm = {
        "SLURM_PROCID": "1",
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NODELIST": "node[1-2]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
    }
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    assert cluster.members(slurm) == (["node1:8888", "node1:8889", "node2:8888"], 1)


def test_a_port_in_use_and_an_absent_worker_are_named():
    with socket.socket() as busy, socket.socket() as free:
        busy.bind(("", 0))
        busy.listen()
        free.bind(("", 0))
        taken, mine = busy.getsockname()[1], free.getsockname()[1]
        free.close()
        with pytest.raises(cluster.ClusterError, match=f"localhost:{taken} is not free"):
            cluster.join([f"localhost:{taken}", "localhost:9"], 0)
        with pytest.raises(cluster.ClusterError, match=r"No answer from localhost:9 in 0\.3 s"):
            cluster.join([f"localhost:{mine}", "localhost:9"], 0, timeout=0.3)


def test_workers_that_do_not_notice_are_ended():
    """One fails, the other would sleep for an hour."""
    sleeper = (
        "import json, os, sys, time\n"
        "time.sleep(3600 * json.loads(os.environ['TF_CONFIG'])['task']['index'])\n"
        "sys.exit(3)"
    )
    workers = cluster.start(2, [sys.executable, "-c", sleeper])
    assert cluster.wait(workers, grace=0.2) == [3, -9]


def test_the_launcher_passes_on_what_a_worker_says(series, tmp_path):
    wrong = subprocess.run(command(series, tmp_path, 60, "--workers", "2", "--port=70000"), **QUIET, check=False)
    assert wrong.returncode == 1
    assert "a port from 1 to 65535" in wrong.stdout
    assert "Stopped: worker 0 with exit code 1, worker 1 with exit code 1." in wrong.stdout
