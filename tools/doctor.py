"""``python -m tools.doctor``: is this machine ready? One line per check, and what to do about a failure."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DISK = 2e9  # bytes free, for notebooks, downloads and what TensorFlow writes

REINSTALL = "Run `make lab` again, or `pip install -r requirements.txt` in the course's environment."


def python() -> str:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise RuntimeError(f"Python {platform.python_version()}; the course needs 3.11, 3.12 or 3.13")
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


def libraries() -> str:
    from packaging.requirements import Requirement

    lines = (line.split("#")[0].strip() for line in (REPOSITORY / "requirements.txt").read_text().splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("-")]
    old = []
    for requirement in wanted:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            old.append(f"{requirement} (found {version or 'none'})")
    if old:
        raise RuntimeError("missing or too old: " + ", ".join(old))
    shown = ("tensorflow", "keras", "numpy", "pandas")
    return f"{len(wanted)} libraries, " + ", ".join(f"{name} {metadata.version(name)}" for name in shown)


def hardware() -> str:
    from utils import runtime

    names = [gpu.name for gpu in runtime.gpus()]
    found = f"{len(names)} GPU" if names else "no GPU (none is needed)"
    return f"{runtime.workers()} worker processes for studies, {found}"


def xla() -> str:
    from utils.runtime import tf

    got = tf.function(lambda x: tf.reduce_sum(x * x), jit_compile=True)(tf.constant([3.0, 4.0])).numpy()
    if got != 25:
        raise RuntimeError(f"XLA computed 3*3 + 4*4 = {got}")
    return "XLA compiles and computes"


def data() -> str:
    from utils.datasets import climate, prices

    goog, el_nino = prices.load_prices(), climate.load_el_nino()
    return f"offline data: {len(goog)} days of GOOG, {len(el_nino)} months of El Nino"


def disk() -> str:
    free = shutil.disk_usage(REPOSITORY).free
    if free < DISK:
        raise RuntimeError(f"{free / 1e9:.1f} GB free, {DISK / 1e9:.0f} GB wanted")
    return f"{free / 1e9:.0f} GB of disk free"


CHECKS: dict[Callable[[], str], str] = {
    python: "Install Python 3.12, then `make lab PYTHON=python3.12`.",
    libraries: REINSTALL,
    hardware: REINSTALL,
    xla: REINSTALL,
    data: REINSTALL,
    disk: "Free some disk space; data/cache and .venv can be made again.",
}


def diagnose() -> Iterator[tuple[bool, str]]:
    """``(passed, line)`` for every check; a failed one also says what to do."""
    for check, remedy in CHECKS.items():
        try:
            yield True, check()
        except Exception as error:
            yield False, f"{check.__name__}: {error}. {remedy}"


def main() -> int:
    """Print a line per check and whether the machine is ready; returns 1 if a check failed."""
    failed = 0
    for passed, line in diagnose():
        print(f"{'[OK]  ' if passed else '[FAIL]'} {line}", flush=True)
        failed += not passed
    print(f"Not ready: {failed} of {len(CHECKS)} checks failed." if failed else "Ready: lesson 00 will run.")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
