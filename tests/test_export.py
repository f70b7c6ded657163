"""Exported steps against Keras: the same logits and the same text, whatever the format; and what cannot be exported."""

import functools
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from tests.test_engine import model_of
from utils.generation.engine import Engine
from utils.generation.export import export_step, load_step
from utils.generation.text import generate
from utils.models.language_model import build_language_model
from utils.models.recurrent import build_recurrent
from utils.runtime import REPOSITORY, keras, tf

NEEDS = {"step": (), "step.onnx": ("onnx", "tf2onnx", "onnxruntime"), "step.tflite": ("ai_edge_litert",)}
THERE = [name for name, modules in NEEDS.items() if all(importlib.util.find_spec(module) for module in modules)]


def test_the_libraries_of_all_formats_are_among_those_of_the_tests():
    assert list(NEEDS) == THERE


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model with its step in a format, exported once for all tests."""

    @functools.cache
    def export(cell, layers, name):
        model = model_of(cell, layers, dropout=0.2)
        return model, load_step(export_step(model, tmp_path_factory.mktemp("export") / name))

    return export


@pytest.mark.parametrize("name", THERE)
@pytest.mark.parametrize(("cell", "layers"), [("RNN", 1), ("LSTM", 2), ("GRU", 1)])
def test_an_exported_step_is_keras_step(cell, layers, name, exported, capfd):
    model, step = exported(cell, layers, name)
    assert (step.vocabulary, step.outputs) == (11, 11)
    symbols = np.random.default_rng(0).integers(11, size=(3, 40))
    logits, _ = step.read(symbols)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, model(symbols).numpy(), atol=1e-5)
    assert capfd.readouterr().err == ""  # what converters have to say is no reader's business


@pytest.mark.parametrize("name", THERE)
@pytest.mark.parametrize(("cell", "layers"), [("LSTM", 2), ("GRU", 1)])
def test_a_thousand_greedy_characters_are_those_of_keras(cell, layers, name, exported):
    model, step = exported(cell, layers, name)
    made = generate(step, [[1, 2, 3]], 1000)
    read = np.concatenate([[[1, 2, 3]], made], axis=1)
    logits = model(read).numpy()[0]  # Keras reads all of it at once
    np.testing.assert_array_equal(made[0], logits[2:-1].argmax(axis=1))


@pytest.mark.parametrize("name", THERE)
def test_streams_come_and_go_and_a_kept_state_stays_what_it_was(name, exported):
    model, step = exported("LSTM", 2, name)
    engine = Engine(model)
    _, kept = step.read([[1, 2, 3], [4, 5, 6]])
    before = [[array.copy() for array in arrays] for arrays in kept.layers]
    _, reference = engine.read([[1, 2, 3], [4, 5, 6]])
    for streams, symbols in (([1], [7]), ([1, 0, 1], [0, 9, 2]), ([0, 1], [3, 3])):
        logits, after = step.step(kept.take(streams), symbols)
        expected, _ = engine.step(reference.take(streams), symbols)
        np.testing.assert_allclose(logits, expected, atol=1e-5)
        assert after.streams == len(streams)
    for arrays, others in zip(kept.layers, before, strict=True):
        np.testing.assert_array_equal(arrays, others)


@pytest.mark.parametrize("name", THERE)
def test_a_tied_head_is_exported(name, tmp_path):
    model = build_language_model(11, 8, cell="GRU", embedding=8, tied=True)
    step = load_step(export_step(model, tmp_path / name))
    symbols = np.random.default_rng(0).integers(11, size=(2, 20))
    np.testing.assert_allclose(step.read(symbols)[0], model(symbols).numpy(), atol=1e-5)


@pytest.mark.skipif("step.tflite" not in THERE, reason="ai-edge-litert is not installed")
def test_litert_with_8_bits_is_a_quarter_of_the_size_and_close(tmp_path):
    keras.utils.set_random_seed(0)
    model = build_language_model(64, 128, cell="GRU")
    whole = export_step(model, tmp_path / "whole.tflite")
    small = export_step(model, tmp_path / "small.tflite", int8=True)
    assert small.stat().st_size < 0.35 * whole.stat().st_size
    symbols = np.random.default_rng(0).integers(64, size=(1, 50))
    difference = load_step(small).read(symbols)[0] - model(symbols).numpy()
    assert 1e-5 < np.abs(difference).max() < 0.05


@pytest.mark.skipif("step.tflite" not in THERE, reason="ai-edge-litert is not installed")
def test_keras_exports_a_whole_lstm_to_litert_without_an_error_and_it_cannot_run(tmp_path):
    """Why one step is the unit of deployment. If this fails, the trap is gone: lesson 16 has to say so."""
    from ai_edge_litert.interpreter import Interpreter

    path = tmp_path / "whole.tflite"
    build_recurrent("LSTM", 7, vocabulary=11, outputs=11, every_step=True).export(path, format="litert", verbose=False)
    interpreter = Interpreter(str(path))
    place = interpreter.get_input_details()[0]["index"]

    def run():
        interpreter.resize_tensor_input(place, [1, 12])
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, np.ones((1, 12), np.int32))
        interpreter.invoke()

    with pytest.raises(RuntimeError, match="Select TensorFlow op"):
        run()


def test_what_cannot_be_exported_is_refused_in_words(tmp_path):
    model = model_of("GRU")
    with pytest.raises(ValueError, match=r"ends with '.h5'; expected one of these endings: none \(SavedModel\), .onnx"):
        export_step(model, tmp_path / "step.h5")
    with pytest.raises(ValueError, match=r"int8 is for LiteRT.*step.onnx"):
        export_step(model, tmp_path / "step.onnx", int8=True)
    with pytest.raises(ValueError, match="does not know a Bidirectional"):
        export_step(model_of("GRU", bidirectional=True), tmp_path / "step")
    with pytest.raises(ValueError, match="reads 11 symbols and writes 5"):
        export_step(build_recurrent("GRU", 4, vocabulary=11, outputs=5, every_step=True), tmp_path / "step")
    with pytest.raises(FileNotFoundError, match=r"export_step\(model, path\) writes it"):
        load_step(tmp_path / "nothing.onnx")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_another_model_is_refused_in_words(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None], name="x")])
    tf.saved_model.save(module, tmp_path / "other", signatures=module.double)
    with pytest.raises(ValueError, match="has the inputs and outputs x, y; expected symbol, logits"):
        load_step(tmp_path / "other")


def test_symbols_that_do_not_fit_are_refused_in_words(exported):
    _, step = exported("GRU", 1, "step")
    with pytest.raises(ValueError, match=r"expected one per stream, \(2,\)"):
        step.step(step.start(2), [1])
    for symbols in ([0, 11], [-1, 0], [0.5, 1.0]):
        with pytest.raises(ValueError, match="expected whole numbers from 0 to 10"):
            step.step(step.start(2), symbols)
    with pytest.raises(ValueError, match="streams is 0"):
        step.start(0)


@pytest.mark.parametrize(
    ("module", "package", "name"),
    [
        ("onnx", "onnx", "step.onnx"),
        ("tf2onnx", "tf2onnx", "step.onnx"),
        ("onnxruntime", "onnxruntime", "step.onnx"),
        ("ai_edge_litert", "ai-edge-litert", "step.tflite"),
    ],
)
def test_a_missing_library_is_named_with_the_way_to_get_it(module, package, name, tmp_path, monkeypatch):
    for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    model = model_of("GRU")
    with pytest.raises(ModuleNotFoundError, match=rf"{package} is not installed.*requirements-production\.txt"):
        load_step(export_step(model, tmp_path / name))


def test_without_the_libraries_of_the_other_formats_a_savedmodel_still_works(tmp_path):
    program = f"""
import sys
sys.modules |= dict.fromkeys(["onnx", "tf2onnx", "onnxruntime", "ai_edge_litert"])
from tests.test_engine import model_of
from utils.generation.export import export_step, load_step
print(load_step(export_step(model_of("GRU"), {str(tmp_path / "step")!r})).read([[1, 2]])[0].shape)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[-2] == "(1, 2, 11)"
