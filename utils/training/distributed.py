"""Training on several machines, or on one that plays several: every worker takes a share of each batch.

::

    python -m utils.training.distributed --workers 2 --series load.bin --folder run --steps 200

starts two worker processes on this machine, which average their gradients over gRPC. On a cluster the same command
without ``--workers`` is started once per machine; where the others are stands in ``TF_CONFIG``, or is asked of Slurm. A
run that was stopped, in whatever way, goes on from its last checkpoint when the same command is given again.

The engine is TensorFlow's own ``MultiWorkerMirroredStrategy`` with a loop written out here: Keras 3's ``fit`` does not
work with more than one worker (https://github.com/keras-team/keras/issues/20585). How the workers find each other is in
:mod:`utils.training.cluster`.
"""

import argparse
import functools
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from utils import runtime
from utils.datasets.electricity import count_blocks, describe_load, stream_load
from utils.files import write_whole
from utils.models.recurrent import build_recurrent
from utils.runtime import keras, tf
from utils.training import cluster

STOPPED = 75  # exit code of a worker whose cluster broke: start it again and it goes on (EX_TEMPFAIL of sysexits.h)


class CheckpointError(RuntimeError):
    """A checkpoint cannot be used by this run; the message says why."""


def train(
    series: str | Path,
    folder: str | Path,
    *,
    steps: int,
    save_every: int = 50,
    cell: str = "LSTM",
    units: int = 16,
    batch_size: int = 64,
    length: int = 64,
    learning_rate: float = 0.01,
    scale: float = 10.0,
    seed: int = 0,
    strategy: "tf.distribute.Strategy | None" = None,
    report: Callable[[str], None] | None = None,
) -> np.ndarray:
    """Train a one-step forecaster of the load under any strategy; go on from the folder's checkpoint if there is one.

    Each step takes one block of :func:`utils.datasets.electricity.stream_load`. Each replica computes the gradient on
    its share of the rows, divided by the number of replicas; Keras' optimizer sums over the replicas. That sum is the
    gradient of the whole batch, so the result does not depend on how many share the work, but for rounding.

    Args:
        series: a file of :func:`utils.datasets.electricity.write_load`, readable by every worker.
        folder: where the chief writes ``checkpoint.npz``: weights, the optimizer's state, the position in the data, the
            losses so far and the settings. It replaces the one before in one move, so that there is always a whole one.
            Every worker must be able to read it.
        steps: training steps in all, those before a checkpoint included.
        save_every: steps between checkpoints; the last step always writes one.
        cell, units: of the network.
        batch_size: rows of a block, over all replicas together.
        length: time steps of a block. Every block starts in a zero state.
        learning_rate: of Adam.
        scale: megawatts that become 1.
        seed: of the initial weights.
        strategy: how replicas are placed and joined; one device without a strategy's help when not given.
        report: called by the chief with a line of text at the start of a resumed run and at each checkpoint.

    Returns:
        Loss of every step, shape (steps,).

    Raises:
        ValueError: fewer than one step; a batch that the replicas cannot share equally; a series that is too short.
        CheckpointError: the checkpoint is unreadable, of a run with other settings, or not the one the other workers
            find.
    """
    if steps < 1 or save_every < 1:
        raise ValueError(f"steps is {steps} and save_every is {save_every}; expected at least 1 of each.")
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(f"A batch of {batch_size} rows cannot be shared equally by {replicas} replicas.")
    blocks = count_blocks(series, batch_size, length)
    if steps > blocks:
        raise ValueError(f"{series} gives {blocks} blocks of {batch_size} x {length} steps; {steps} were asked for.")
    settings = {"cell": cell, "units": units, "batch_size": batch_size, "length": length, "scale": scale, "seed": seed}
    settings |= {"learning_rate": learning_rate, "series": describe_load(series)}

    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model = build_recurrent(cell, units, features=1, every_step=True, sequence_length=length)
        optimizer = keras.optimizers.Adam(learning_rate)
        optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    checkpoint = Path(folder) / "checkpoint.npz"
    losses = _restore(checkpoint, variables, settings)
    if _mean_over_workers(strategy, tf.constant(float(len(losses)))) != len(losses):
        raise CheckpointError(
            f"The workers do not find the same checkpoint in {folder} (this one: {len(losses)} steps); "
            "all must see one folder."
        )
    chief = cluster.is_chief(strategy)
    if losses and chief and report:
        report(f"going on after step {len(losses)}")

    def share(context: "tf.distribute.InputContext") -> "tf.data.Dataset":
        mine = batch_size // context.num_input_pipelines
        rows = range(mine * context.input_pipeline_id, mine * (context.input_pipeline_id + 1))
        stream = stream_load(series, batch_size, length, start=len(losses), rows=rows, scale=scale)
        # Endless, so that the replicas need not ask each other at every step whether one of them has run out.
        return stream.unbatch().batch(context.get_per_replica_batch_size(batch_size), drop_remainder=True).repeat()

    def replica_step(x, y):  # both (rows of this replica, length, 1)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y)) / replicas  # ()
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    @tf.function
    def step(x, y):
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(replica_step, args=(x, y)), axis=None)

    if len(losses) < steps:
        data = iter(strategy.distribute_datasets_from_function(share))
    while len(losses) < steps:
        losses.append(float(step(*next(data))))
        if (len(losses) % save_every == 0 or len(losses) == steps) and chief:
            _save(checkpoint, variables, losses, settings)
            if report:
                report(f"step {len(losses)} of {steps}: loss {losses[-1]:.4f}, saved")
    return np.array(losses[:steps])


def read_weights(folder: str | Path) -> list[np.ndarray]:
    """The variables of the model and of its optimizer, in order, from the folder's checkpoint.

    Raises:
        CheckpointError: there is none, or it is unreadable.
    """
    return _read(Path(folder) / "checkpoint.npz")[0]


@tf.function
def _mean_over_workers(strategy: "tf.distribute.Strategy", value: "tf.Tensor") -> "tf.Tensor":
    return strategy.reduce(tf.distribute.ReduceOp.MEAN, strategy.run(tf.identity, args=(value,)), axis=None)


def _save(checkpoint: Path, variables: list, losses: list[float], settings: dict) -> None:
    arrays = {f"variable_{i:03}": variable.numpy() for i, variable in enumerate(variables)}
    content = io.BytesIO()
    np.savez(content, **arrays, losses=losses, settings=json.dumps(settings))
    write_whole(checkpoint, content.getvalue())


def _read(checkpoint: Path) -> tuple[list[np.ndarray], list[float], dict]:
    try:
        with np.load(checkpoint) as file:
            names = sorted(name for name in file.files if name.startswith("variable_"))
            return [file[name] for name in names], file["losses"].tolist(), json.loads(str(file["settings"]))
    except Exception as error:
        raise CheckpointError(
            f"{checkpoint} cannot be read ({type(error).__name__}: {error}). Delete it to start from the beginning."
        ) from None


def _restore(checkpoint: Path, variables: list, settings: dict) -> list[float]:
    """Put a checkpoint's values into the variables; the losses of the steps it has behind it."""
    if not checkpoint.exists():
        return []
    values, losses, theirs = _read(checkpoint)
    other = [
        f"{name} is {theirs.get(name)} there and {mine} here"
        for name, mine in settings.items()
        if theirs.get(name) != mine
    ]
    if other:
        raise CheckpointError(
            f"{checkpoint} belongs to another run: {'; '.join(other)}. Use its settings, or another folder."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return losses


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.training.distributed", description=__doc__.split("\n\n")[0], allow_abbrev=False
    )
    parser.add_argument("--workers", type=int, help="start this many worker processes on this machine")
    parser.add_argument("--port", type=int, help="with --workers: the first port; free ones when not given")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds to wait for the other workers")
    parser.add_argument("--series", required=True, help="a file of utils.datasets.electricity.write_load")
    parser.add_argument("--folder", required=True, help="where the checkpoint is, or will be")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--save-every", type=int, default=50)
    parser.add_argument("--cell", default="LSTM")
    parser.add_argument("--units", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=64, help="rows, over all workers together")
    parser.add_argument("--length", type=int, default=64, help="time steps of a block")
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    options = vars(parser.parse_args(arguments))
    workers, port, timeout = (options.pop(name) for name in ("workers", "port", "timeout"))
    if workers is not None:
        ports = None if port is None else range(port, port + workers)
        command = [sys.executable, "-m", "utils.training.distributed", *_without(arguments, "--workers", "--port")]
        codes = cluster.wait(cluster.start(workers, command, ports=ports))
        if any(codes):
            print("Stopped: " + ", ".join(f"worker {i} with exit code {code}" for i, code in enumerate(codes)) + ".")
        return max(map(abs, codes))

    index = 0
    try:
        found = cluster.members(os.environ)
        if found and len(found[0]) > 1:
            index = found[1]
            strategy = cluster.join(*found, timeout=timeout)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # TensorFlow would only take note of it
        else:
            strategy = tf.distribute.MirroredStrategy() if len(runtime.gpus()) > 1 else None
        train(**options, strategy=strategy, report=functools.partial(print, flush=True))
    except (cluster.ClusterError, CheckpointError, ValueError, OSError) as error:
        print(f"Worker {index}: {error}", flush=True)
        os._exit(1)
    except tf.errors.OpError as error:
        lines = str(error).splitlines()
        reason = next((line for line in lines if "aborted" in line), lines[-1])
        print(
            f"Worker {index} lost contact with another worker and stops ({type(error).__name__}: {reason}). "
            f"Give the same command again to go on from the last checkpoint in {options['folder']}.",
            flush=True,
        )
        os._exit(STOPPED)  # an orderly end would wait for the worker that is gone
    return 0


def _without(arguments: Sequence[str], *names: str) -> list[str]:
    """The arguments but for some options with their values."""
    kept, skip = [], False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if skip:
            skip = False
        elif name in names:
            skip = not equals
        else:
            kept.append(argument)
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
