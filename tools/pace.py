"""``python -m tools.pace``: how fast this machine trains, in milliseconds a step, so that run times can be compared."""

import subprocess
import sys

from tools.notebooks import REPOSITORY

STEP = 10.0  # milliseconds on the machine that run times are scaled to


def measure() -> float:
    """Milliseconds of a training step: an LSTM of 64 units, 64 sequences of 100 steps.

    Two processes train at once, as in a study on two cores: those of a cloud are often two halves of one.
    """
    command = [sys.executable, "-m", "tools.pace"]
    running = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate()[0] for process in running]
    for process in running:
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
    return sum(float(text.split()[-1]) for text in printed) / len(printed)


def scaled(seconds: dict[str, float]) -> dict[str, float]:
    """The times of a lesson as on a machine where a step takes :data:`STEP`.

    Args:
        seconds: "lesson" and "slowest_cell", in seconds; "step", in milliseconds, on the machine that took them.
    """
    step = seconds.get("step", STEP)
    return {name: value * STEP / step for name, value in seconds.items() if name != "step"}


def _main() -> None:
    import numpy as np

    from utils import runtime
    from utils.evaluation.cost import seconds_per_step
    from utils.models.recurrent import build_recurrent

    runtime.start_tensorflow()
    x = np.random.default_rng(0).normal(size=(20 * 64, 100, 1)).astype("float32")
    model = build_recurrent("LSTM", 64, features=1, sequence_length=100)
    print(1000 * seconds_per_step({"LSTM": (model, (x, x[:, -1]))}, steps=20)["LSTM"])


if __name__ == "__main__":
    _main()
