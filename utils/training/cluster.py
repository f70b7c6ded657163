"""Forming a cluster: who works together, how they meet, and several workers on one machine that plays several.

:mod:`utils.training.distributed` trains on it.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence

from utils.private import quiet_native_logs
from utils.runtime import tf


class ClusterError(RuntimeError):
    """The cluster cannot be formed as described; the message says what to change."""


def members(environment: Mapping[str, str]) -> tuple[list[str], int] | None:
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


def is_chief(strategy: "tf.distribute.Strategy") -> bool:
    """Whether this process is the one that writes."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_id
