"""Conversations on disk: about a kilobyte each, whatever has been said, so that they go on after a restart.

A recurrent network needs nothing of a conversation but its state. It is written after every chunk of characters, whole
or not at all: a process that is killed loses at most what came after the last chunk.
"""

import re
import secrets
import time
from pathlib import Path
from typing import NamedTuple

from utils.files import write_whole
from utils.generation.engine import Engine, State
from utils.generation.stored import pack_state, unpack_state

NAME = re.compile(r"[0-9a-f]{24}")
TAIL = 120  # characters that are kept: a forbidden word may begin in them
ABANDONED = 60.0  # seconds after which a part of a file is nobody's any more


class Conversation(NamedTuple):
    """Where a conversation stands.

    Attributes:
        state: of one stream.
        unread: symbols that the network is to read next, at least one.
        characters: how many have been read and written in all.
        tail: the last of them.
    """

    state: State
    unread: list[int]
    characters: int
    tail: str


class Conversations:
    """A folder with a file for each conversation. One service at a time writes to it."""

    def __init__(self, folder: str | Path, engine: Engine) -> None:
        """Open a folder; it is made where it is missing, and parts of files that a killed process left are removed.

        Raises:
            OSError: the folder cannot be made.
        """
        self._folder, self._engine = Path(folder), engine
        self._folder.mkdir(parents=True, exist_ok=True)
        for part in self._folder.glob("*.part"):
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink(missing_ok=True)

    @staticmethod
    def name() -> str:
        """A new name that nobody guesses."""
        return secrets.token_hex(12)

    def save(self, name: str, conversation: Conversation) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: the disk is full or may not be written. What was kept before is still there.
        """
        state, *rest = conversation
        notes = dict(zip(Conversation._fields[1:], rest, strict=True))
        write_whole(self._path(name), pack_state(state, self._engine, notes))

    def load(self, name: str) -> Conversation:
        """Read it.

        Raises:
            FileNotFoundError: there is none of this name.
            ValueError: the file is truncated, foreign or of another network; says which.
            OSError: the file cannot be read.
        """
        state, notes = unpack_state(self._path(name).read_bytes(), self._engine)
        try:
            unread, characters, tail = notes["unread"], notes["characters"], notes["tail"]
            known = range(self._engine.vocabulary)
            if not unread or not all(type(symbol) is int and symbol in known for symbol in unread):
                raise ValueError(f"unread is {str(unread)[:80]}")
            if type(characters) is not int or characters < 0 or type(tail) is not str or len(tail) > TAIL:
                raise ValueError(f"characters is {str(characters)[:80]} and tail {str(tail)[:80]!r}")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"The stored state is not that of a conversation: {error}.") from None
        return Conversation(state, unread, characters, tail)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a conversation; expected 24 hexadecimal digits.")
        return self._folder / f"{name}.state"
