"""Files that are there whole or not at all, however the program that writes them ends."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write a file so that a reader finds the old one or the new one, never a part.

    Args:
        path: the file; its folder is made where it is missing.
        content: bytes, or text that is stored as UTF-8 without change of its line ends.

    Raises:
        OSError: the disk is full or may not be written. The old file, if any, is left as it was.
    """
    with replacing(path) as part:
        part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes the place of ``path`` in one move when the block ends well.

    For what is too large for :func:`write_whole`. After an error the part is removed and ``path`` is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")  # two writers must not share one
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())  # or a power failure could leave the new name with nothing behind it
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
