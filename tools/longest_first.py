"""A pytest plugin: of lessons that are compared side by side, those that take longest begin first.

Two lessons run at a time, each with one worker process (``make compare``). Begun last, a long lesson would run alone,
with one core idle. Named on the command line: ``-p tools.longest_first``.
"""

import functools
import json
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: -_seconds(item.path))  # stable: the cells of a lesson stay in order


@functools.cache
def _seconds(path: Path) -> float:
    """What the stored run of a lesson took; 0 for what is no lesson or was never run."""
    if path.suffix != ".ipynb":
        return 0
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    return metadata.get("seconds", {}).get("lesson", 0)
