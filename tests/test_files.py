"""A file is there whole or not at all."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from utils import files, runtime


def test_bytes_and_text_arrive_unchanged(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    files.write_whole(path, "α\r\nβ\n")
    assert path.read_bytes() == "α\r\nβ\n".encode()
    files.write_whole(str(path), b"\0\1")
    assert path.read_bytes() == b"\0\1"
    assert os.listdir(path.parent) == ["file.txt"]


def test_an_error_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def half(self, content):
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        files.write_whole(path, "new and longer")
    assert os.listdir(tmp_path) == ["file.txt"]
    assert path.read_text() == "old"


def test_a_writer_killed_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    code = (
        "import os, sys; from utils import files\n"
        "with files.replacing(sys.argv[1]) as part:\n"
        "    part.write_text('half')\n"
        "    os._exit(9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, path], cwd=runtime.REPOSITORY, check=False)
    assert ended.returncode == 9
    assert path.read_text() == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows replaces no file that is being read; it says so")
def test_a_reader_beside_two_writers_never_sees_a_part(tmp_path):
    path = tmp_path / "file.txt"
    whole = [letter * 200_000 for letter in "ab"]
    files.write_whole(path, whole[0])

    def write(text):
        for _ in range(30):
            files.write_whole(path, text)

    writers = [threading.Thread(target=write, args=(text,)) for text in whole]
    for writer in writers:
        writer.start()
    seen = [path.read_text()]
    while any(writer.is_alive() for writer in writers):
        seen.append(path.read_text())
    assert set(seen) <= set(whole)
    assert os.listdir(tmp_path) == ["file.txt"]
