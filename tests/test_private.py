"""What is used below the surface of libraries and of the system: is it still there, and without it, what then?"""

import ctypes
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from utils import private, runtime


def test_joblib_still_has_a_limit_to_how_far_a_worker_may_grow(monkeypatch):
    """Without it workers are replaced after 300 MB, and each costs a start of TensorFlow; results stay the same."""
    from joblib.externals.loky import process_executor

    assert isinstance(process_executor._MAX_MEMORY_LEAK_SIZE, int), "joblib counts otherwise now"
    monkeypatch.setattr(process_executor, "_MAX_MEMORY_LEAK_SIZE", 1)
    private.let_workers_grow(5e8)
    assert process_executor._MAX_MEMORY_LEAK_SIZE == 500_000_000


def test_a_joblib_without_that_limit_is_left_alone(monkeypatch):
    from joblib.externals.loky import process_executor

    monkeypatch.delattr(process_executor, "_MAX_MEMORY_LEAK_SIZE")
    private.let_workers_grow(5e8)
    assert not hasattr(process_executor, "_MAX_MEMORY_LEAK_SIZE")
    monkeypatch.setitem(sys.modules, "joblib.externals.loky", None)
    private.let_workers_grow(5e8)


def test_joblib_still_warns_in_the_words_that_are_left_out():
    """In other words the warning would be shown under a study; no trial is lost either way."""
    from pathlib import Path

    from joblib.externals.loky import process_executor

    words = "A worker stopped while some jobs were given to the executor"
    source = Path(process_executor.__file__).read_text(encoding="utf-8")
    joined = "".join(part.strip().strip('"') for part in source.splitlines())
    assert words in source or words in joined, "joblib words it otherwise now"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        private.hush_replaced_workers()
        warnings.warn(f"{words}. This can be caused by a too short worker timeout.", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    assert [str(each.message) for each in seen] == ["something else"]


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is of Linux's C library")
def test_memory_is_given_back():
    """Without it, workers keep what compiling took, and are replaced more often."""
    assert hasattr(ctypes.CDLL("libc.so.6"), "malloc_trim"), "another C library, such as musl"
    private.return_memory()


def test_a_system_without_that_c_library_is_left_alone(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    private.return_memory()


def run(code: str) -> str:
    """What code leaves on standard error."""
    lines = f"import os, sys; from utils import private\n{code}"
    result = subprocess.run(
        [sys.executable, "-c", lines], stderr=subprocess.PIPE, text=True, cwd=runtime.REPOSITORY, check=True
    )
    return result.stderr


def test_native_lines_are_hidden_for_a_while():
    code = "with private.quiet_native_logs(): os.write(2, b'native')\nos.write(2, b'after')"
    assert run(code) == "after"


def test_native_lines_are_hidden_for_good_and_pythons_own_are_not():
    code = "with private.quiet_native_logs(restore=False): pass\nos.write(2, b'native')\nprint('own', file=sys.stderr)"
    assert run(code) == "own\n"


def test_numpy_still_warns_of_object_in_the_words_that_are_left_out():
    """In other words the warning would be shown under a lesson's first cell; nothing else is lost."""
    code = "import numpy as np\n{}hasattr(np, 'object')\nhasattr(np, 'str')"
    assert "np.object" in run(code.format("")), "NumPy does not warn any more"
    hushed = run(code.format("private.hush_object_of_numpy()\n"))
    assert "np.object" not in hushed
    assert "np.str" in hushed


def test_without_a_standard_error_nothing_breaks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with private.quiet_native_logs():
        os.getpid()


def test_the_peak_counts_what_was_given_back_and_nothing_of_the_parent():
    code = """
import psutil
before = private.peak_memory()
held = bytearray(b"1") * 2 * 10**8
del held
kept = max(before, psutil.Process().memory_info().rss)
print(before, private.peak_memory() - kept, file=sys.stderr)
"""
    ballast = bytearray(b"1") * 6 * 10**8  # what this process holds
    before, growth = map(int, run(code).split())
    assert before < len(ballast)
    assert 1.5e8 < growth < 3e8


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
def test_a_fresh_library_is_gone_after_the_block():
    """While it stays loaded it remembers, and a word no longer sounds the same whatever was said before."""
    path = pytest.importorskip("espeakng_loader").get_library_path()

    def loaded() -> bool:
        return str(path) in Path("/proc/self/maps").read_text(encoding="ascii")

    assert not loaded()
    with private.fresh_library(path) as library:
        assert loaded()
        assert library.espeak_Initialize
    assert not loaded()


def test_a_library_that_is_not_there_says_so():
    with pytest.raises(OSError, match="nowhere"), private.fresh_library("/nowhere/lib.so"):
        pass
