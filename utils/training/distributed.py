"""Training on several machines, or on one that plays several: every worker takes a share of each batch.

::

    python -m utils.training.distributed --workers 2 --series load.bin --folder run --steps 200

starts two worker processes on this machine, which average their gradients over gRPC. On a cluster the same command
without ``--workers`` is started once per machine; where the others are stands in ``TF_CONFIG``, or is asked of Slurm. A
run that was stopped, in whatever way, goes on from its last checkpoint when the same command is given again.

The engine is TensorFlow's own ``MultiWorkerMirroredStrategy`` with a loop written out here: Keras 3's ``fit`` does not
work with more than one worker (https://github.com/keras-team/keras/issues/20585).
"""

import argparse
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from utils import runtime
from utils.datasets.electricity import count_blocks, describe_load, stream_load
from utils.models.recurrent import build_recurrent
from utils.runtime import keras, quiet_native_logs, tf

STOPPED = 75  # exit code of a worker whose cluster broke: start it again and it goes on (EX_TEMPFAIL of sysexits.h)


class ClusterError(RuntimeError):
    """The cluster cannot be formed as described; the message says what to change."""


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
    chief = is_chief(strategy)
    if losses and chief and report:
        report(f"going on after step {len(losses)}")

    def share(context: "tf.distribute.InputContext") -> "tf.data.Dataset":
        mine = batch_size // context.num_input_pipelines
        rows = range(mine * context.input_pipeline_id, mine * (context.input_pipeline_id + 1))
        stream = stream_load(series, batch_size, length, start=len(losses), rows=rows, scale=scale)
        # Endless, so that the replicas need not ask each other at every step whether one of them has run out.
        return stream.unbatch().batch(context.get_per_replica_batch_size(batch_size), drop_remainder=True).repeat()

    def replica_step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y)) / replicas
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


def is_chief(strategy: "tf.distribute.Strategy") -> bool:
    """Whether this process is the one that writes."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_id


@tf.function
def _mean_over_workers(strategy: "tf.distribute.Strategy", value: "tf.Tensor") -> "tf.Tensor":
    return strategy.reduce(tf.distribute.ReduceOp.MEAN, strategy.run(tf.identity, args=(value,)), axis=None)


def _save(checkpoint: Path, variables: list, losses: list[float], settings: dict) -> None:
    """Write a checkpoint beside the old one, and put it in its place in one move."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    part = checkpoint.with_suffix(".part")
    arrays = {f"variable_{i:03}": variable.numpy() for i, variable in enumerate(variables)}
    with part.open("wb") as file:
        np.savez(file, **arrays, losses=losses, settings=json.dumps(settings))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, checkpoint)


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


def cluster(environment: Mapping[str, str]) -> tuple[list[str], int] | None:
    """Who works together, as ``TF_CONFIG`` or Slurm tells it.

    Args:
        environment: environment variables, such as ``os.environ``.

    Returns:
        ``(addresses, index)``: ``host:port`` of every worker, and which of them this is; None for a worker on its own.

    Raises:
        ClusterError: a ``TF_CONFIG`` that is not what TensorFlow expects; says what is wrong in it.
    """
    if "TF_CONFIG" not in environment:
        if int(environment.get("SLURM_STEP_NUM_TASKS", 1)) < 2:
            return None
        # One worker a task. What the resolver is told about GPUs serves its counting only: which GPUs a task sees is
        # Slurm's business (--gpus-per-task).
        tasks = int(environment["SLURM_STEP_NUM_TASKS"])
        slurm = tf.distribute.cluster_resolver.SlurmClusterResolver(
            gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
        )
        return slurm.cluster_spec().as_dict()["worker"], slurm.task_id

    def wrong(what: str) -> ClusterError:
        example = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
        return ClusterError(f"TF_CONFIG: {what}. Expected something like {example}.")

    try:
        config = json.loads(environment["TF_CONFIG"])
    except json.JSONDecodeError as error:
        raise wrong(f"not JSON ({error})") from None
    try:
        addresses, task = list(config["cluster"]["worker"]), config["task"]
        kind, index = task["type"], task["index"]
    except (KeyError, TypeError) as error:
        raise wrong(f"lacks {error}") from None
    if kind != "worker":
        raise wrong(f"the task's type is {kind!r}; this program has workers only, the first of them is the chief")
    for address in addresses:
        host, _, port = str(address).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise wrong(f"{address!r} is not host:port with a port from 1 to 65535")
    if len(set(addresses)) < len(addresses):
        raise wrong(f"an address occurs twice in {addresses}")
    if not isinstance(index, int) or not 0 <= index < len(addresses):
        raise wrong(f"the task's index is {index!r}; there are {len(addresses)} workers, 0 to {len(addresses) - 1}")
    return addresses, index


def join(addresses: Sequence[str], index: int, timeout: float = 120.0) -> "tf.distribute.Strategy":
    """Meet the other workers and return the strategy they share.

    Args:
        addresses: ``host:port`` of every worker.
        index: which of them this is.
        timeout: seconds to wait for the others.

    Raises:
        ClusterError: the port is in use; another worker does not answer in time.
    """
    # TensorFlow itself would wait for an absent worker without an end, so they knock at each other's doors first.
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("", int(addresses[index].rpartition(":")[2])))
        except OSError as error:
            raise ClusterError(f"{addresses[index]} is not free: {error.strerror}. Choose another port.") from None
        door.listen(len(addresses))
        until = time.monotonic() + timeout
        for other in addresses:
            while not _answers(other):
                if time.monotonic() > until:
                    raise ClusterError(
                        f"No answer from {other} in {timeout:g} s. Is a worker running there, with the same addresses?"
                    )
                time.sleep(0.1)

    task = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": index}}
    os.environ["TF_CONFIG"] = json.dumps(task)
    with quiet_native_logs():
        return tf.distribute.MultiWorkerMirroredStrategy()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def start(
    workers: int, command: Sequence[str], *, ports: Sequence[int] | None = None, **popen
) -> list[subprocess.Popen]:
    """Start a command once per worker on this machine, each told by ``TF_CONFIG`` who the others are, on one thread.

    Args:
        workers: how many processes.
        command: program and arguments, such as ``[sys.executable, "train.py"]``.
        ports: one for each worker; free ones when not given.
        popen: further arguments of ``subprocess.Popen``, such as ``stdout``.

    Returns:
        The processes; the first is the chief.

    Raises:
        ValueError: no workers, or another number of ports than of workers.
    """
    ports = _free_ports(workers) if ports is None else list(ports)
    if workers < 1 or len(ports) != workers:
        raise ValueError(f"{workers} workers and {len(ports)} ports; expected at least one worker and a port for each.")
    addresses = [f"localhost:{port}" for port in ports]
    processes = []
    for index in range(workers):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task), "TF_NUM_INTRAOP_THREADS": "1"}
        processes.append(subprocess.Popen(command, env=environment, **popen))
    return processes


def wait(processes: Sequence[subprocess.Popen], grace: float = 60.0) -> list[int]:
    """Wait until all workers have ended; when one fails, the others get some time to notice before they are ended.

    Args:
        processes: as :func:`start` returns them.
        grace: seconds between the first failure and the end of those that have not noticed.

    Returns:
        Their exit codes; 0 is success, 75 a worker that lost another one, negative one that was killed.
    """
    failed_at = None
    while any(process.poll() is None for process in processes):
        if failed_at is None and any(process.poll() for process in processes):
            failed_at = time.monotonic()
        if failed_at is not None and time.monotonic() - failed_at > grace:
            for process in processes:
                process.kill()
        time.sleep(0.05)
    return [process.wait() for process in processes]


def _free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    try:
        for each in sockets:
            each.bind(("localhost", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


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
        codes = wait(start(workers, command, ports=ports))
        if any(codes):
            print("Stopped: " + ", ".join(f"worker {i} with exit code {code}" for i, code in enumerate(codes)) + ".")
        return max(map(abs, codes))

    index = 0
    try:
        found = cluster(os.environ)
        if found and len(found[0]) > 1:
            index = found[1]
            strategy = join(*found, timeout=timeout)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # TensorFlow would only take note of it
        else:
            strategy = tf.distribute.MirroredStrategy() if len(runtime.gpus()) > 1 else None
        train(**options, strategy=strategy, report=functools.partial(print, flush=True))
    except (ClusterError, CheckpointError, ValueError, OSError) as error:
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
