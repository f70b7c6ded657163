"""One step with explicit state as a file: SavedModel, ONNX or LiteRT, and each of them behind the engine's interface.

A recurrent layer that reads a whole sequence holds a loop, which some formats cannot store, some cannot run, and none
can be interrupted in. One step holds no loop: a symbol and a state go in, logits and a state come out. ::

    path = export_step(model, "scribe.onnx")
    step = load_step(path)
    generate(step, prompts, 100)  # utils.generation.text, as with an Engine

The ending of the path chooses the format, see ``FORMATS``. SavedModel needs TensorFlow alone; the libraries of the
others stand in ``requirements-production.txt``.
"""

import functools
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from utils.files import replacing, write_whole
from utils.generation.engine import Engine, State
from utils.private import quiet_native_logs
from utils.runtime import keras, tf

FORMATS = {"": "SavedModel", ".onnx": "ONNX", ".tflite": "LiteRT"}
AFTER = "_after"  # what the name of a state that comes out ends with


def step_function(model: "keras.Model") -> Callable:
    """The step of a model as a compiled TensorFlow function, for any number of streams.

    It takes ``symbol``, shape (streams,), and the arrays of the state, each (streams, units), named after their layer:
    ``h0``, of an LSTM also ``c0``, ``h1`` and so on. It returns a dictionary: ``logits``, shape (streams, outputs), and
    the state after the symbol, ``h0_after`` and so on.

    Raises:
        ValueError: a model that :class:`utils.generation.engine.Engine` refuses, or one that does not write the symbols
            that it reads.
    """
    engine = Engine(model)  # refuses in words
    if engine.vocabulary != engine.outputs:
        raise ValueError(f"The model reads {engine.vocabulary} symbols and writes {engine.outputs}; expected as many.")
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer | keras.layers.Dropout)]
    if isinstance(layers[0], keras.layers.ReversibleEmbedding):  # the head is the embedding once more
        layers.append(functools.partial(layers[0], reverse=True))
    names = [
        [f"{array}{i}" for array in "hc"[: len(arrays)]] for i, arrays in enumerate(engine.start(streams=1).layers)
    ]
    flat = [name for of_layer in names for name in of_layer]
    units = [array.shape[1] for arrays in engine.start().layers for array in arrays]
    signature = [tf.TensorSpec([None], tf.int32, "symbol")]
    signature += [tf.TensorSpec([None, width], tf.float32, name) for name, width in zip(flat, units, strict=True)]

    def step(symbol, *arrays):
        state, after, of_layers = dict(zip(flat, arrays, strict=True)), {}, iter(names)
        x = symbol
        for layer in layers:
            if isinstance(layer, keras.layers.RNN):
                of_layer = next(of_layers)
                x, new = layer.cell(x, [state[name] for name in of_layer])  # (streams, units)
                after |= {name + AFTER: array for name, array in zip(of_layer, new, strict=True)}
            else:
                x = layer(x)
        return {"logits": x, **after}

    return tf.function(step, input_signature=signature)


def export_step(model: "keras.Model", path: str | Path, *, int8: bool = False) -> Path:
    """Write the step of a model to a file, or for SavedModel to a folder; an older one is replaced.

    Taught in lesson 14.

    Args:
        model: as :class:`utils.generation.engine.Engine` takes it.
        path: its ending chooses the format, see ``FORMATS``: ``scribe``, ``scribe.onnx``, ``scribe.tflite``.
        int8: LiteRT only: store the larger weight matrices in 8 bits; what is computed with them is rounded too.

    Returns:
        The path.

    Raises:
        ValueError: another ending, ``int8`` with another format, or a model that has no such step.
        ModuleNotFoundError: a library that the format needs is not installed; says which and how to get it.
    """
    path = Path(path)
    kind = _format_of(path)
    if int8 and kind != "LiteRT":
        raise ValueError(f"int8 is for LiteRT, a path that ends with .tflite; got {path.name!r}, which is {kind}.")
    function = step_function(model)
    module = tf.Module()
    module.step, module.weights = function, [variable.value for variable in model.variables]
    if kind == "ONNX":
        _library("onnx", "onnx")
        tf2onnx = _library("tf2onnx", "tf2onnx")
        with quiet_native_logs(), replacing(path) as part:
            tf2onnx.convert.from_function(function, input_signature=function.input_signature, output_path=str(part))
    elif kind == "LiteRT":
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        with quiet_native_logs():
            content = converter.convert()
        write_whole(path, content)
    else:
        with quiet_native_logs():
            tf.saved_model.save(module, str(path), signatures={"serving_default": function.get_concrete_function()})
    return path


def load_step(path: str | Path) -> "ExportedStep":
    """A step that :func:`export_step` wrote, ready to run on one thread.

    Raises:
        FileNotFoundError: there is nothing at this path.
        ValueError: another ending, or a file whose inputs and outputs are not those of a step.
        ModuleNotFoundError: the library that runs the format is not installed; says which and how to get it.
    """
    path = Path(path)
    kind = _format_of(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no {path}. export_step(model, path) writes it.")
    run, shapes = {"ONNX": _load_onnx, "LiteRT": _load_litert, "SavedModel": _load_saved_model}[kind](path)
    return ExportedStep(run, shapes, path)


class ExportedStep:
    """An exported step with the methods of :class:`utils.generation.engine.Engine`, whatever its format.

    Attributes:
        vocabulary, outputs: how many symbols it reads and writes.
    """

    def __init__(self, run: Callable[[dict], dict], shapes: dict[str, Sequence[int]], path: Path) -> None:
        """Called by :func:`load_step`.

        Args:
            run: from arrays by name to arrays by name, as :func:`step_function` names them.
            shapes: of every input and output, the number of streams as anything.
            path: for messages.
        """
        layers = sorted({name[1:] for name in shapes if name[0] in "hc" and name[1:].isdecimal()}, key=int)
        self._names = [[array + i for array in "hc" if array + i in shapes] for i in layers]
        states = [name for of_layer in self._names for name in of_layer]
        expected = {"symbol", "logits", *states, *(name + AFTER for name in states)}
        if not layers or set(shapes) != expected:
            raise ValueError(
                f"{path} has the inputs and outputs {', '.join(sorted(shapes))}; expected symbol, logits, and for each "
                "array of the state one that goes in, such as h0, and one that comes out, such as h0_after."
            )
        self._run, self._units = run, {name: int(shapes[name][-1]) for name in states}
        self.vocabulary = self.outputs = int(shapes["logits"][-1])

    def start(self, streams: int = 1) -> State:
        """Zeros: the state before the first symbol.

        Raises:
            ValueError: less than one stream.
        """
        if streams < 1:
            raise ValueError(f"streams is {streams}; expected at least 1.")
        zeros = {name: np.zeros((streams, units), np.float32) for name, units in self._units.items()}
        return State(tuple(tuple(zeros[name] for name in of_layer) for of_layer in self._names))

    def step(self, state: State, symbols: Sequence[int]) -> tuple[np.ndarray, State]:
        """Read one symbol of each stream; see :meth:`utils.generation.engine.Engine.step`."""
        symbols = np.asarray(symbols)
        if symbols.shape != (state.streams,):
            raise ValueError(f"symbols has the shape {symbols.shape}; expected one per stream, ({state.streams},).")
        if symbols.dtype.kind not in "iu" or symbols.min() < 0 or symbols.max() >= self.vocabulary:
            raise ValueError(f"symbols holds {symbols}; expected whole numbers from 0 to {self.vocabulary - 1}.")
        given = {"symbol": symbols.astype(np.int32)}
        for of_layer, arrays in zip(self._names, state.layers, strict=True):
            given |= dict(zip(of_layer, arrays, strict=True))
        out = self._run(given)
        after = tuple(tuple(out[name + AFTER] for name in of_layer) for of_layer in self._names)
        return out["logits"], State(after)

    read = Engine.read  # symbol by symbol, by start() and step() alone


def _load_saved_model(path: Path) -> tuple[Callable, dict]:
    with quiet_native_logs():
        loaded = tf.saved_model.load(str(path))
    step = loaded.signatures["serving_default"]
    specs = step.structured_input_signature[1] | step.structured_outputs

    def run(given: dict) -> dict:
        out = step(**{name: tf.constant(array) for name, array in given.items()})
        return {name: tensor.numpy() for name, tensor in out.items()}

    run.keep = loaded  # the weights live as long as it does
    return run, {name: tuple(spec.shape) for name, spec in specs.items()}


def _load_onnx(path: Path) -> tuple[Callable, dict]:
    onnxruntime = _library("onnxruntime", "onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]

    def run(given: dict) -> dict:
        return dict(zip(outputs, session.run(outputs, given), strict=True))

    return run, {part.name: part.shape for part in [*session.get_inputs(), *session.get_outputs()]}


def _load_litert(path: Path) -> tuple[Callable, dict]:
    interpreter = _library("ai_edge_litert.interpreter", "ai-edge-litert").Interpreter(str(path), num_threads=1)
    with quiet_native_logs():  # it tells of the library it computes with
        runner = interpreter.get_signature_runner()
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        del runner  # the interpreter does not run while anyone else holds on to it
        interpreter.allocate_tensors()
    streams = 1

    def run(given: dict) -> dict:
        nonlocal streams
        if len(given["symbol"]) != streams:
            streams = len(given["symbol"])
            for name, array in given.items():
                interpreter.resize_tensor_input(inputs[name]["index"], array.shape)
            with quiet_native_logs():
                interpreter.allocate_tensors()
        for name, array in given.items():
            interpreter.set_tensor(inputs[name]["index"], array)
        interpreter.invoke()
        return {name: interpreter.get_tensor(detail["index"]) for name, detail in outputs.items()}

    return run, {name: detail["shape_signature"] for name, detail in (inputs | outputs).items()}


def _format_of(path: Path) -> str:
    if path.suffix not in FORMATS:
        endings = ", ".join(f"{ending or 'none'} ({kind})" for ending, kind in FORMATS.items())
        raise ValueError(f"The path {path.name!r} ends with {path.suffix!r}; expected one of these endings: {endings}.")
    return FORMATS[path.suffix]


def _library(module: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{package} is not installed, without which this format cannot be used. Say: pip install {package}, or for "
            "all formats: pip install -r requirements-production.txt"
        ) from error
