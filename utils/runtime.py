"""One call at the top of every lesson: quiet TensorFlow, seeds, threads, and a line that says what it runs on.

Five environment variables change how lessons run:

================= ============== =======================================================================================
variable          when unset     what it does
================= ============== =======================================================================================
``SEED_OFFSET``   0              is added to every seed (:func:`seeds`): the same lesson with other random numbers
``STUDY_WORKERS`` by the machine how many worker processes a study uses (:func:`workers`)
``REPLICATE``     off            ``1``: a refuted finding is recorded and the notebook goes on (:mod:`utils.findings`)
``STUDIES``       off            ``1``: stored studies run and write their tables (:mod:`utils.training.study`)
``UNWATCHED``     off            ``1``: nobody is watching, so no progress bars (:func:`watched`)
================= ============== =======================================================================================
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import sys
import threading
from pathlib import Path

from threadpoolctl import threadpool_limits

from utils import private

REPOSITORY = Path(__file__).resolve().parents[1]
MEMORY_PER_WORKER = 1.6e9  # bytes; a worker begins at 0.7e9 with TensorFlow
GROWTH_OF_WORKER = 0.8e9  # bytes until joblib replaces it; XLA keeps about 20 MB for each model compiled
_started = False  # TensorFlow, in this process
_starting: threading.Thread | None = None  # the workers

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is first imported
private.hush_object_of_numpy()  # before Keras is first imported


def __getattr__(name: str):
    """``from utils.runtime import keras, tf``: the libraries, imported without TensorFlow's log lines."""
    if name not in ("keras", "tf"):
        raise AttributeError(f"module 'utils.runtime' has no attribute {name!r}")
    if "tensorflow" not in sys.modules:
        with private.quiet_native_logs():
            import tensorflow  # noqa: F401
    return importlib.import_module("keras" if name == "keras" else "tensorflow")


def start(threads: int = 1) -> None:
    """Prepare a lesson: load TensorFlow without its log lines, fix the seeds and print what the lesson runs on.

    Args:
        threads: CPU threads TensorFlow and NumPy may use inside one operation. One is the default because a training
            step of the sizes used here gains nothing from a second, because a study then gives the same numbers in this
            process as in its workers, and because on a busy machine the two threads of a small product wait for each
            other far longer than they work. Must be set before TensorFlow runs its first operation.
    """
    start_tensorflow(threads)
    set_seed(seed_offset())
    import keras
    import tensorflow as tf

    hardware = f"{len(gpus())} GPU" if gpus() else f"CPU, no GPU; studies use {workers()} worker processes"
    offset = f", seeds shifted by {seed_offset()}" if seed_offset() else ""
    start_workers()
    print(f"Running on: {hardware} (TensorFlow {tf.__version__}, Keras {keras.__version__}{offset})")


def start_tensorflow(threads: int = 1) -> None:
    """Import and initialise TensorFlow once per process, without the log lines that its C++ half writes.

    Those lines go past Python straight to file descriptor 2, so that is what is pointed at the null device while
    TensorFlow loads, finds its devices and compiles for the first time. In a worker process it stays there.

    Args:
        threads: threads inside one operation; ignored once TensorFlow has started.
    """
    global _started
    if _started:
        return
    worker = multiprocessing.current_process().name != "MainProcess"
    if worker:
        private.let_workers_grow(GROWTH_OF_WORKER)
    threadpool_limits(threads, "blas")  # what is loaded, NumPy's; below, what will be, such as SciPy's
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads))
    with private.quiet_native_logs(restore=not worker):
        import tensorflow as tf

        tf.get_logger().setLevel("WARNING")  # tf.distribute tells of every exchange at level INFO
        # RuntimeError: the lesson itself has set threads or devices and run something; its choice stands.
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        tf.function(lambda x: x + 1.0, jit_compile=True)(tf.zeros(()))
    gc.freeze()  # the libraries' objects stay anyway; a collection after each trial need not visit all 400,000
    _started = True


def seed_offset() -> int:
    """What the environment variable ``SEED_OFFSET`` adds to every seed (0 when unset).

    Raises:
        ValueError: if it is not an integer of at least 0.
    """
    text = os.environ.get("SEED_OFFSET", "0")
    if not text.isdecimal():
        raise ValueError(f"SEED_OFFSET is {text!r}; expected a whole number of at least 0, such as 1000.")
    return int(text)


def seeds(n: int) -> list[int]:
    """The ``n`` seeds of a lesson: 0, 1, ..., n - 1, all shifted by ``SEED_OFFSET``.

    Raises:
        ValueError: if ``n`` is not a whole number of at least 1.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"seeds is {n!r}; expected a whole number of at least 1. Use 5 or more to see a spread.")
    return [seed_offset() + i for i in range(n)]


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and Keras, so that initial weights and the order of the batches follow from ``seed``."""
    start_tensorflow()
    import keras

    keras.utils.set_random_seed(seed)


def gpus() -> list:
    """The GPUs TensorFlow can use."""
    start_tensorflow()
    import tensorflow as tf

    return tf.config.list_physical_devices("GPU")


def workers() -> int:
    """How many processes a study may use: one per physical core, as far as memory allows; one when there is a GPU.

    The environment variable ``STUDY_WORKERS`` overrides it.

    Raises:
        ValueError: if ``STUDY_WORKERS`` is not a whole number of at least 1.
    """
    chosen = os.environ.get("STUDY_WORKERS")
    if chosen is not None:
        if not chosen.isdecimal() or int(chosen) < 1:
            raise ValueError(f"STUDY_WORKERS is {chosen!r}; expected a whole number of at least 1.")
        return int(chosen)
    if gpus():
        return 1
    import joblib
    import psutil

    fits = int(psutil.virtual_memory().available // MEMORY_PER_WORKER)
    return max(1, min(joblib.cpu_count(only_physical_cores=True), fits))


def start_workers() -> None:
    """Start the worker processes in the background, so that the first study need not wait for TensorFlow there."""
    global _starting
    if workers() > 1 and _starting is None:
        _starting = threading.Thread(target=_load_in_workers, daemon=True)
        _starting.start()


def wait_for_workers() -> None:
    """Return once the workers begun by :func:`start_workers`, if any, are up."""
    if _starting is not None:
        _starting.join()


def _load_in_workers() -> None:
    import joblib

    joblib.Parallel(workers(), batch_size=1)(joblib.delayed(start_tensorflow)() for _ in range(workers()))


def watched() -> bool:
    """Whether a person may be watching: not with ``UNWATCHED=1``, nor under pytest. Else nothing may print progress."""
    return os.environ.get("UNWATCHED") != "1" and "PYTEST_CURRENT_TEST" not in os.environ
