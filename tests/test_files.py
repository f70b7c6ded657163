"""A file is written whole or not at all."""

import os

import pytest

from utils.files import write_whole


def test_text_and_bytes_are_written_as_given(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    write_whole(path, "\u00fc\r\n\n")
    assert path.read_bytes() == "\u00fc\r\n\n".encode()
    write_whole(path, b"\xff\n")
    assert path.read_bytes() == b"\xff\n"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_an_interrupted_write_leaves_the_old_file(step, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    path = tmp_path / "file.csv"
    write_whole(path, "old")
    monkeypatch.setattr(os, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
