"""An engine in one file, and the state of a conversation in a kilobyte: without pickle, whole or not at all.

What is read may come from anywhere, so nothing in it is executed and nothing in it is believed: every file says what it
is, and a state also which network it belongs to and what its bytes add up to. ::

    save_engine("scribe.npz", Engine(model), vocabulary)
    engine, vocabulary, about = load_engine("scribe.npz")
    packed = pack_state(state, engine, {"characters": 210})
    state, notes = unpack_state(packed, engine)
"""

import functools
import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.datasets.corpora import Vocabulary
from utils.files import write_whole
from utils.generation.engine import Engine, State, Weights

VERSION = 1  # of both formats
MAGIC = b"RNNstate"
CHECKSUM = 16  # bytes
LARGEST_STATE = 2**24  # bytes; beyond it nothing is read
_HEAD = struct.Struct("<8sHI")  # magic, version, length of the header
_NAMES = ("kernel", "recurrent", "bias")


class Stored(NamedTuple):
    """What :func:`load_engine` gives: the engine, the characters it reads, and what was noted about it."""

    engine: Engine
    vocabulary: Vocabulary
    about: dict


def save_engine(
    path: str | Path, engine: Engine, vocabulary: Vocabulary, *, about: dict | None = None, dtype: str = "float16"
) -> None:
    """Write an engine and its vocabulary to an ``.npz`` file that is there whole or not at all.

    Args:
        path: the file.
        engine: its weights are rounded to ``dtype``.
        vocabulary: the characters it reads and writes.
        about: anything that JSON can hold, such as what the network was trained on.
        dtype: ``"float16"``, half the size, or ``"float32"``.

    Raises:
        ValueError: another dtype, another number of characters than the engine reads or writes, or a weight that
            float16 cannot hold.
        OSError: the disk is full or may not be written; an older file is as it was.
    """
    if dtype not in ("float16", "float32"):
        raise ValueError(f"dtype is {dtype!r}; expected 'float16' or 'float32'.")
    _check_vocabulary(engine, vocabulary)
    weights = engine.weights
    arrays = {"embedding": weights.embedding}
    for i, (_, of_cell) in enumerate(weights.cells):
        arrays |= {f"{name}{i}": array for name, array in zip(_NAMES, of_cell, strict=True)}
    if weights.head is not None:
        arrays["head"], arrays["head_bias"] = weights.head
    with np.errstate(over="ignore"):
        arrays = {name: array.astype(f"<{np.dtype(dtype).str[1:]}") for name, array in arrays.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds a weight that {dtype} cannot: the largest is {np.finfo(dtype).max:,.0f}.")
    note = {
        "format": "engine",
        "version": VERSION,
        "vocabulary": vocabulary.characters,
        "cells": [kind for kind, _ in weights.cells],
        "scale": weights.scale,
        "about": about or {},
    }
    packed = io.BytesIO()
    np.savez_compressed(packed, note=np.frombuffer(json.dumps(note).encode(), np.uint8), **arrays)
    write_whole(path, packed.getvalue())


def load_engine(path: str | Path) -> Stored:
    """Read what :func:`save_engine` wrote; it computes in float32.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, of another kind or of a later version, or its arrays do not fit together.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        note = json.loads(arrays.pop("note").tobytes())
        known = note["format"] == "engine" and note["version"] == VERSION
    except FileNotFoundError:
        raise
    except (
        OSError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        MemoryError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"{path} is no stored engine, or a truncated one ({_said(error)}).") from None
    if not known:
        raise ValueError(
            f"{path} is in the format {note['format']!r}, version {note.get('version')!r}; expected 'engine', "
            f"{VERSION}. Write it anew with save_engine()."
        )
    try:
        weights = {name: array.astype(np.float32) for name, array in arrays.items()}
        head = (weights["head"], weights["head_bias"]) if "head" in weights else None
        cells = tuple((kind, tuple(weights[f"{name}{i}"] for name in _NAMES)) for i, kind in enumerate(note["cells"]))
        engine = Engine(Weights(weights["embedding"], cells, head, float(note["scale"])))
        vocabulary = Vocabulary(note["vocabulary"])
        _check_vocabulary(engine, vocabulary)
        if not all(np.isfinite(array).all() for array in weights.values()):
            raise ValueError("a weight is no finite number")
        return Stored(engine, vocabulary, dict(note["about"]))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"The parts of {path} do not fit together: {_said(error)}.") from None


@functools.lru_cache(maxsize=8)
def fingerprint(engine: Engine) -> str:
    """Sixteen hexadecimal digits that tell networks apart: they follow from every weight."""
    digest = hashlib.blake2b(digest_size=8)
    embedding, cells, head, scale = engine.weights
    for array in (embedding, *(array for _, arrays in cells for array in arrays), *(head or ())):
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array))
    digest.update(f"{[kind for kind, _ in cells]} {scale}".encode())
    return digest.hexdigest()


def pack_state(state: State, engine: Engine, notes: dict | None = None) -> bytes:
    """The state of one stream as bytes: a header in JSON, the arrays as they are in memory, a checksum.

    Taught in lesson 16.

    Args:
        state: of one stream.
        engine: which it belongs to.
        notes: anything that JSON can hold, such as the symbol to be read next.

    Raises:
        ValueError: several streams.
    """
    if state.streams != 1:
        raise ValueError(f"state has {state.streams} streams; expected one: state.take([i]).")
    arrays = [[np.ascontiguousarray(array, dtype="<f4") for array in of_layer] for of_layer in state.layers]
    header = {
        "model": fingerprint(engine),
        "units": [[array.shape[1] for array in of_layer] for of_layer in arrays],
        "notes": notes or {},
    }
    header = json.dumps(header, separators=(",", ":")).encode()
    body = _HEAD.pack(MAGIC, VERSION, len(header)) + header
    body += b"".join(array.tobytes() for of_layer in arrays for array in of_layer)
    return body + hashlib.blake2b(body, digest_size=CHECKSUM).digest()


def unpack_state(packed: bytes, engine: Engine) -> tuple[State, dict]:
    """The state and the notes of :func:`pack_state`.

    Args:
        packed: what it wrote.
        engine: which will go on.

    Raises:
        ValueError: bytes of another kind, of a later version, truncated or changed, or of another network.
    """
    if len(packed) > LARGEST_STATE or packed[: len(MAGIC)] != MAGIC:
        raise ValueError(f"These {len(packed)} bytes are no stored state: they begin with {packed[:8]!r}.")
    if len(packed) < _HEAD.size + CHECKSUM:
        raise ValueError(f"The stored state is truncated: only {len(packed)} bytes are there.")
    _, version, length = _HEAD.unpack_from(packed)
    if version != VERSION:
        raise ValueError(f"The stored state is in version {version} of the format; expected {VERSION}.")
    body, checksum = packed[:-CHECKSUM], packed[-CHECKSUM:]
    if hashlib.blake2b(body, digest_size=CHECKSUM).digest() != checksum:
        raise ValueError("The stored state is truncated or was changed: its checksum is that of other bytes.")
    try:  # whoever can compute a checksum can write anything before it
        header = json.loads(body[_HEAD.size : _HEAD.size + length])
        model, units, notes = header["model"], header["units"], dict(header["notes"])
        if model != fingerprint(engine):
            raise ValueError(f"it belongs to the network {model!r}, not to {fingerprint(engine)!r}")
        known = [[array.shape[1] for array in of_layer] for of_layer in engine.start().layers]
        if units != known:
            raise ValueError(f"it says that it holds {units} numbers, the network has {known}")
        numbers = np.frombuffer(body, "<f4", offset=_HEAD.size + length)
        if len(numbers) != sum(map(sum, known)) or not np.isfinite(numbers).all():
            raise ValueError(f"it holds {len(numbers)} numbers, expected {sum(map(sum, known))}, all of them finite")
        ends = np.cumsum([size for of_layer in known for size in of_layer])[:-1]
        parts = iter(np.split(numbers.astype(np.float32)[None], ends, axis=1))
        state = State(tuple(tuple(next(parts) for _ in of_layer) for of_layer in known))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"The stored state cannot be used: {_said(error)}.") from None
    return state, notes


def _check_vocabulary(engine: Engine, vocabulary: Vocabulary) -> None:
    if not len(vocabulary) == engine.vocabulary == engine.outputs:
        raise ValueError(
            f"The vocabulary has {len(vocabulary)} characters; the engine reads {engine.vocabulary} and writes "
            f"{engine.outputs}. Expected as many of all three."
        )


def _said(error: Exception) -> str:
    """What an error says, on one line and without a full stop."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200].rstrip(".")
