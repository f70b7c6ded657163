"""What reaches below the public surface of a library or of the operating system, all in one place.

Each part is guarded: where a newer library or another system has no such place, the part does nothing, and what is lost
is comfort (a log line more, a worker started anew), never a result. ``tests/test_private.py`` fails then, and says so.
"""

import contextlib
import ctypes
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import psutil


@contextlib.contextmanager
def quiet_native_logs(restore: bool = True) -> Iterator[None]:
    """Point file descriptor 2 at the null device; Python's own ``sys.stderr`` keeps working in a worker.

    TensorFlow's C++ half writes its log lines there, past Python.

    Args:
        restore: point it back afterwards. A worker process does not: what Python prints there still reaches the
            terminal through a copy, what C++ prints does not.
    """
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no standard error at all, as under pythonw: nothing to be seen
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        if restore:
            os.dup2(saved, 2)
            os.close(saved)
        else:
            sys.stderr = os.fdopen(saved, "w", buffering=1)


def let_workers_grow(size: float) -> None:
    """Let a worker process of joblib grow by ``size`` bytes before it is replaced; joblib's own limit is 300 MB.

    To be called in the worker. Without it, workers are replaced more often, and each has to load TensorFlow anew.
    """
    with contextlib.suppress(ImportError):
        from joblib.externals.loky import process_executor

        if hasattr(process_executor, "_MAX_MEMORY_LEAK_SIZE"):
            process_executor._MAX_MEMORY_LEAK_SIZE = int(size)


def hush_replaced_workers() -> None:
    """Leave out joblib's warning that it replaced a worker between two trials; nothing is lost by that.

    The warning has no category of its own, so it goes by its text. A worker that dies in the middle of a trial raises
    an error instead.
    """
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given to the executor")


def hush_object_of_numpy() -> None:
    """Leave out NumPy's warning that ``np.object`` may come back: Keras 3.13 looks for it whenever it is imported.

    Without it, a lesson's first cell shows two lines that are none of the reader's business.
    """
    warnings.filterwarnings("ignore", message="In the future `np.object` will be defined", category=FutureWarning)


def return_memory() -> None:
    """Give freed memory back to the system. Linux's C library would keep it, and workers swell."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes.

    What an operation keeps only while it runs is counted too: whether the C library hands it back to the system
    afterwards differs from machine to machine.
    """
    if sys.platform == "linux":
        # Not getrusage: a child starts with its parent's peak there.
        with contextlib.suppress(OSError):
            if peak := re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii")):
                return 1024 * int(peak[1])
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # Unix only

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@contextlib.contextmanager
def fresh_library(path: str) -> Iterator[ctypes.CDLL]:
    """A C library that is loaded for the block and unloaded after it, so that it remembers nothing from block to block.

    Where unloading is not possible, the library stays loaded, and remembers.

    Raises:
        OSError: there is no such library, or it is for another system.
    """
    library = ctypes.CDLL(str(path))
    try:
        yield library
    finally:
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import _ctypes

            (_ctypes.FreeLibrary if sys.platform == "win32" else _ctypes.dlclose)(library._handle)
