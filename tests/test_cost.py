"""Cost: memory against what must at least be kept, and seconds that belong to the right model."""

import numpy as np
import pytest

from utils.datasets.electricity import write_load
from utils.evaluation.cost import seconds_per_step, streaming_memory, training_memory
from utils.models.recurrent import build_recurrent


def test_training_memory_holds_every_state_and_grows_with_length():
    """For the way back at least h of every time step is kept, and twice the steps need about twice the memory."""
    point = {"cell": "GRU", "units": 64, "features": 1}
    short, long = training_memory([{**point, "sequence_length": steps} for steps in (500, 1000)], batch_size=256)
    states = 500 * 256 * 64 * 4  # bytes of float32
    assert short > states
    assert 1.5 < long / short < 2.5


def test_training_memory_names_bad_points():
    with pytest.raises(ValueError, match="needs both features and sequence_length"):
        training_memory([{"cell": "GRU", "features": 1}])
    with pytest.raises(RuntimeError, match="Unknown cell 'grue'"):
        training_memory([{"cell": "grue", "features": 1, "sequence_length": 5}])


def test_seconds_per_step_grow_with_the_work():
    rng = np.random.default_rng(0)
    work = {}
    for steps in (5, 500):
        x, y = rng.normal(size=(16, steps, 1)).astype("float32"), np.zeros((16, 1), "float32")
        work[steps] = (build_recurrent("GRU", 8, features=1, sequence_length=steps), (x, y))
    seconds = seconds_per_step(work, steps=2, repeats=3, batch_size=8)
    assert list(seconds) == [5, 500]
    assert 0 < seconds[5] < seconds[500]
    with pytest.raises(ValueError, match="5 has 16 sequences; 3 steps of 8 need 24"):
        seconds_per_step(work, steps=3, batch_size=8)


def test_streaming_memory_does_not_grow_with_the_series(tmp_path):
    """Five million steps, 20 MB on disk, take no more memory than a thousandth of them."""
    points = [
        {"path": str(write_load(tmp_path / f"{steps}.bin", steps)), "streams": 8, "length": 50, "train_every": 100}
        for steps in (5_000, 5_000_000)
    ]
    short, long = streaming_memory(points)
    assert 0.2e9 < short < 1.5e9  # Python with TensorFlow
    assert long - short < 60e6
    with pytest.raises(RuntimeError, match="No load at nowhere"):
        streaming_memory([{"path": "nowhere"}])
