"""Engines and states in files: what is read is what was written, and everything else is refused in words."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.networks import random_engine
from utils.datasets.corpora import Vocabulary
from utils.generation.engine import Engine, State, Weights
from utils.generation.stored import fingerprint, load_engine, pack_state, save_engine, unpack_state

VOCABULARY = Vocabulary("\n abcdé’z")


def arrays_of(weights: Weights) -> list[np.ndarray]:
    return [weights.embedding, *(array for _, arrays in weights.cells for array in arrays), *(weights.head or ())]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(("cell", "layers", "tied"), [("LSTM", 1, False), ("GRU", 2, False), ("RNN", 3, True)])
def test_an_engine_comes_back_as_it_was_written(cell, layers, tied, dtype, tmp_path):
    engine = random_engine(cell, layers=layers, tied=tied)
    save_engine(tmp_path / "a" / "net.npz", engine, VOCABULARY, dtype=dtype, about={"on": 3})
    found = load_engine(tmp_path / "a" / "net.npz")
    assert found.about == {"on": 3}
    assert found.vocabulary == VOCABULARY
    for array, original in zip(arrays_of(found.engine.weights), arrays_of(engine.weights), strict=True):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, original.astype(dtype))
    assert [kind for kind, _ in found.engine.weights.cells] == [cell] * layers
    assert (found.engine.weights.head is None, found.engine.weights.scale) == (tied, engine.weights.scale)
    if dtype == "float32":
        text = np.random.default_rng(0).integers(9, size=(2, 20))
        np.testing.assert_array_equal(found.engine.read(text)[0], engine.read(text)[0])
        assert fingerprint(found.engine) == fingerprint(engine)
    else:
        assert fingerprint(found.engine) != fingerprint(engine)


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "net.npz"
    save_engine(path, random_engine(), VOCABULARY)
    return path


def changed(path, **changes):
    """A file with other parts."""
    with np.load(path) as file:
        parts = dict(file)
    note = json.loads(parts["note"].tobytes())
    for name, value in changes.items():
        if name in parts:
            parts[name] = value
        else:
            note[name] = value
    parts["note"] = np.frombuffer(json.dumps(note).encode(), np.uint8)
    np.savez(path, **parts)


def test_a_truncated_file_is_refused_wherever_it_ends(stored):
    whole = stored.read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        stored.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"net\.npz is no stored engine, or a truncated one"):
            load_engine(stored)


def test_foreign_files_are_refused_and_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    path = tmp_path / "net.npz"
    trap = np.array([Trap()], dtype=object)
    for write in (
        lambda: path.write_bytes(pickle.dumps(Trap())),
        lambda: np.savez(path, note=trap),
        lambda: np.savez(path, note=np.frombuffer(b"{}", np.uint8)),
        lambda: np.savez(path, note=np.frombuffer(b"[[", np.uint8)),
        lambda: np.savez(path, other=np.zeros(3)),
        lambda: path.write_bytes(b"PK\3\4 and so on"),
        lambda: path.write_text("<html>"),
    ):
        write()
        with pytest.raises(ValueError, match="no stored engine, or a truncated one"):
            load_engine(path)
    with pytest.raises(FileNotFoundError):
        load_engine(tmp_path / "nothing.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version 2; expected 'engine', 1"),
        ({"format": "other"}, "format 'other'"),
        ({"cells": ["GRU"]}, "Layer 0, GRU, has weights of the shapes"),
        ({"cells": ["LSTM", "LSTM"]}, "kernel1"),
        ({"cells": ["Transformer"]}, "of the kind 'Transformer'; expected one of RNN, LSTM, GRU"),
        ({"cells": []}, "0 recurrent layers"),
        ({"vocabulary": "ab"}, "The vocabulary has 2 characters; the engine reads 9"),
        ({"vocabulary": "aabbccdd"}, "two different characters"),
        ({"embedding": np.zeros(3)}, r"embedding has the shape \(3,\)"),
        ({"recurrent0": np.zeros(())}, "has weights of the shapes"),
        ({"head": np.zeros((3, 9))}, r"The head has weights of the shapes \(3, 9\)"),
        ({"head_bias": np.zeros((2, 9))}, "The head has weights"),
        ({"bias0": np.full(48, np.nan)}, "no finite number"),
        ({"scale": "loud"}, "could not convert"),
    ],
)
def test_parts_that_do_not_fit_are_refused_in_words(stored, changes, message):
    changed(stored, **changes)
    with pytest.raises(ValueError, match=message):
        load_engine(stored)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda path: save_engine(path, random_engine(), VOCABULARY, dtype="int8"), "dtype is 'int8'"),
        (lambda path: save_engine(path, random_engine(symbols=8), VOCABULARY), "has 9 characters; the engine reads 8"),
        (lambda path: save_engine(path, too_far(), VOCABULARY), "embedding holds a weight that float16 cannot.*65,504"),
    ],
)
def test_an_engine_that_cannot_be_written_is_refused_and_the_old_file_stays(stored, call, message):
    before = stored.read_bytes()
    with pytest.raises(ValueError, match=message):
        call(stored)
    assert stored.read_bytes() == before


def too_far():
    weights = random_engine().weights
    return Engine(weights._replace(embedding=np.full_like(weights.embedding, 7e4)))


def test_a_full_disk_leaves_the_old_file(stored, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = stored.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_engine(stored, random_engine("GRU"), VOCABULARY)
    assert stored.read_bytes() == before
    assert [file.name for file in stored.parent.iterdir()] == [stored.name]


def test_the_fingerprint_follows_from_every_weight():
    engine = random_engine(layers=2)
    weights = engine.weights
    seen = {fingerprint(engine), fingerprint(Engine(weights._replace(scale=2.0)))}
    arrays = arrays_of(weights)
    for i in range(len(arrays)):
        other = [array.copy() for array in arrays]
        other[i].flat[-1] += 1e-3
        cells = tuple((kind, tuple(other[1 + 3 * j : 4 + 3 * j])) for j, (kind, _) in enumerate(weights.cells))
        seen.add(fingerprint(Engine(Weights(other[0], cells, tuple(other[-2:])))))
    assert len(seen) == len(arrays) + 2
    assert fingerprint(random_engine(layers=2)) == fingerprint(engine)


# ---- states


@pytest.mark.parametrize(("cell", "layers"), [("LSTM", 1), ("GRU", 2), ("LSTM", 3)])
def test_a_state_comes_back_to_the_last_bit_and_goes_on(cell, layers):
    engine = random_engine(cell, layers=layers)
    _, state = engine.read([[1, 2, 3, 4]])
    notes = {"unread": [5], "tail": "é’\n"}
    packed = pack_state(state, engine, notes)
    found, noted = unpack_state(packed, engine)
    assert noted == notes
    for arrays, originals in zip(found.layers, state.layers, strict=True):
        for array, original in zip(arrays, originals, strict=True):
            np.testing.assert_array_equal(array, original)
    np.testing.assert_array_equal(engine.read([[5, 6]], found)[0], engine.read([[5, 6]], state)[0])


def test_a_state_takes_a_kilobyte():
    engine = random_engine(units=128)
    assert len(pack_state(engine.start(), engine, {"unread": [5], "characters": 10**6, "tail": "x" * 60})) < 1300


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_whatever_is_cut_or_changed_is_refused(place, byte):
    engine = random_engine()
    packed = pack_state(engine.read([[1, 2]])[1], engine)
    place %= len(packed)
    for other in (packed[:place], packed[:place] + bytes([byte]) + packed[place + 1 :], packed + b"x"):
        if other != packed:
            with pytest.raises(ValueError, match=r"state"):
                unpack_state(other, engine)


def forged(engine, header, body=b""):
    """Whoever knows the format can write what he likes."""
    import hashlib

    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = b"RNNstate" + (1).to_bytes(2, "little") + len(header).to_bytes(4, "little") + header + body
    return content + hashlib.blake2b(content, digest_size=16).digest()


def test_a_forged_state_is_refused_in_words():
    engine = random_engine()
    good = {"model": fingerprint(engine), "units": [[12, 12]], "notes": {}}
    enough = np.zeros(24, "<f4").tobytes()
    assert isinstance(unpack_state(forged(engine, good, enough), engine)[0], State)
    for header, body, message in (
        (good | {"units": [[12]]}, enough, r"says that it holds \[\[12\]\] numbers, the network has \[\[12, 12\]\]"),
        (good | {"units": [[10**12, 12]]}, enough, "says that it holds"),
        (good, enough[:-4], "it holds 23 numbers, expected 24"),
        (good, enough[:-1], "cannot be used"),
        (good, np.full(24, np.nan, "<f4").tobytes(), "all of them finite"),
        (good | {"notes": 3}, enough, "cannot be used"),
        (good | {"model": "0" * 16}, enough, "belongs to the network '0000"),
        ({}, enough, "KeyError: 'model'"),
        ([], enough, "cannot be used"),
        (b"[" * 100_000, enough, "cannot be used"),
        (b"\xff", enough, "cannot be used"),
    ):
        with pytest.raises(ValueError, match=message):
            unpack_state(forged(engine, header, body), engine)


def test_other_states_are_refused_in_words():
    engine, other = random_engine(), random_engine("GRU")
    packed = pack_state(engine.start(), engine)
    with pytest.raises(
        ValueError, match=f"belongs to the network '{fingerprint(engine)}', not to '{fingerprint(other)}'"
    ):
        unpack_state(packed, other)
    with pytest.raises(ValueError, match="in version 258"):
        unpack_state(packed[:8] + b"\2\1" + packed[10:], engine)
    for foreign in (b"", b"\x80\x04pickle", b"RNNstat"):
        with pytest.raises(ValueError, match="are no stored state"):
            unpack_state(foreign, engine)
    with pytest.raises(ValueError, match="state has 2 streams"):
        pack_state(engine.start(2), engine)
