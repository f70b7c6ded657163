"""Compiled training steps, kept for the next model that would compile to the same."""

import contextlib
import functools
import random
import warnings
from collections.abc import Iterator

import numpy as np

from utils import runtime
from utils.runtime import keras, tf
from utils.training.fingerprint import CannotTell, Fingerprint

KEPT = 64  # compiled steps; the one unused for longest goes first
_compiled: dict[tuple, "Compiled"] = {}


class Compiled:
    """A model with its forward pass and, where there is an optimizer, its training step compiled.

    The model is a private copy that later models lend their weights, or the model itself where no copy would serve.
    """

    def __init__(self, model, loss=None, optimizer=None, batch: tuple | None = None) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer and _copy_optimizer(optimizer, model.trainable_variables)
        self.start = []
        if optimizer:
            self.start = values(self.optimizer.variables)
            jit = not runtime.gpus() and all(getattr(part, "supports_jit", True) for part in operations(model))
            # A loss from a notebook has no source for AutoGraph, which would say so at length.
            step = tf.function(self._step, jit_compile=jit, autograph=False)
            self.step = step.get_concrete_function(*self._specs(*batch))

    @functools.cached_property
    def forward(self):
        inputs = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in self.model.inputs]  # (any, ...)
        return tf.function(lambda *x: self._call(x, training=False)).get_concrete_function(*inputs)

    def _specs(self, batch_size: int, y) -> tuple:
        """Shapes and types of what :meth:`_step` is given."""
        inputs = [tf.TensorSpec([batch_size, *t.shape[1:]], t.dtype) for t in self.model.inputs]  # (batch, ...)
        return inputs, tf.TensorSpec([batch_size, *y.shape[1:]], y.dtype)

    def _call(self, x, training: bool):
        return self.model(x[0] if len(x) == 1 else list(x), training=training)

    def _step(self, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.loss(y, self._call(x, training=True)))  # (batch, ...) -> ()
            loss = tf.add_n([loss, *self.model.losses])  # weight regularisation
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def predict(self, x: list[np.ndarray], batch_size: int = 1024) -> np.ndarray:
        starts = range(0, len(x[0]), batch_size)
        parts = [self.forward(*[part[i : i + batch_size] for part in x]).numpy() for i in starts]  # (batch, ...) each
        return np.concatenate(parts)  # (sequences, ...)


@contextlib.contextmanager
def borrow(
    model, loss=None, optimizer=None, batch: tuple | None = None, kind: type[Compiled] = Compiled, **settings
) -> Iterator[Compiled]:
    """The compiled step of a model's architecture, holding the model's weights; they are handed back at the end.

    For the modules of this package. ``kind`` is the class that compiles the step, ``settings`` what it needs besides.
    A step is used again only where everything in it does the same: layers, loss and optimizer with their code (see
    :mod:`utils.training.fingerprint`). Where that cannot be told, the model itself is compiled, for this once.
    """
    runtime.start_tensorflow()
    if not getattr(model, "inputs", None):
        raise ValueError(
            "The model does not know the shape of its inputs; begin it with keras.Input((time, features))."
        )
    key, custom = _key(model, loss, optimizer, batch)
    if key is not None:
        key = (kind, tuple(settings.items()), *key)
    compiled = _compiled.pop(key, None)
    if compiled is None:
        copy = None if key is None else _copy(model, custom)
        compiled = kind(model if copy is None else copy, loss, optimizer, batch, **settings)
    lent = compiled.model is not model
    if lent:
        _compiled[key] = compiled  # the last one used comes last
        while len(_compiled) > KEPT:
            _compiled.pop(next(iter(_compiled)))
        assign(compiled.model.variables, values(model.variables))
    if optimizer:
        assign(compiled.optimizer.variables, compiled.start)
        if not isinstance(optimizer.get_config()["learning_rate"], dict):  # a schedule is part of the architecture
            compiled.optimizer.learning_rate = float(optimizer.learning_rate)
    before = None if lent else values(model.variables)
    try:
        yield compiled
    except BaseException:
        if not lent:
            assign(model.variables, before)
        raise
    if lent:
        assign(model.variables, values(compiled.model.variables))


def forget_compiled() -> None:
    """Drop every compiled step of this process; the next :func:`utils.training.fit.fit` compiles anew."""
    _compiled.clear()


def values(variables) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


def assign(variables, new) -> None:
    for variable, value in zip(variables, new, strict=True):
        variable.assign(value)


def operations(model) -> list:
    """A model and everything in it that computes: its layers, their cells, and theirs."""
    found, seen = [], set()

    def visit(value) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, keras.Operation):
            found.append(value)
            visit(vars(value))
        elif isinstance(value, dict | list | tuple):
            for entry in value.values() if isinstance(value, dict) else value:
                visit(entry)

    visit(model)
    return found


def _key(model, loss, optimizer, batch: tuple | None) -> tuple[tuple | None, dict]:
    """What goes into a compiled step, and the functions and classes in it that belong to no library.

    The key is None where it cannot be told.
    """
    tell = Fingerprint(functools.partial(_special, own={}))
    try:
        architecture, custom = describe(model)
        key = (architecture, keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format())
        if optimizer:
            batch_size, y = batch
            key += (tell.of(loss), tell.of(optimizer), batch_size, *y.shape[1:], str(y.dtype))
    except Exception:  # besides CannotTell whatever a foreign object may raise when it is looked at
        return None, {}
    return key, custom


def describe(model) -> tuple[str, dict]:
    """The fingerprint of a model: everything but names and starting values; and its custom functions and classes.

    Raises:
        CannotTell: a part of it hides what it does.
    """
    parts = operations(model)
    names = {part.name: f"layer {i}" for i, part in enumerate(parts)}
    own = {id(variable): i for i, variable in enumerate(model.variables)}
    tell = Fingerprint(functools.partial(_special, own=own))
    seen = [tell.of(model), [tell.of(variable) for variable in model.variables]]
    with _without_advice(tell.custom):
        config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    return tell.of([_plain(config, names), seen]), tell.custom


def _plain(config, names: dict[str, str]):
    """A configuration without starting values and seeds, and with numbers in place of the names of layers."""
    if isinstance(config, dict):
        incidental = {"name"}
        if str(config.get("module", "")).startswith("keras."):
            incidental.add("seed")  # of Keras' own layers: where a generator starts whose state goes with the weights
            if isinstance(config.get("config"), dict):
                config = {**config, "config": {k: v for k, v in config["config"].items() if k != "seed"}}
        return {k: _plain(v, names) for k, v in config.items() if k not in incidental and "initializer" not in str(k)}
    if isinstance(config, list | tuple):
        if len(config) == 3 and isinstance(config[0], str) and isinstance(config[1], int):  # a layer's connection
            config = [names.get(config[0], config[0]), *config[1:]]
        return [_plain(item, names) for item in config]
    return config


def _special(value, of, own: dict[int, int]) -> str | None:
    """The fingerprints of Keras' and TensorFlow's objects; ``own`` numbers the variables that are the model's."""
    if isinstance(value, keras.Variable):
        if id(value) not in own:
            raise CannotTell(f"the variable {value.path}, which is none of the model's")
        parts = (value.regularizer, value.constraint)
        about = (own[id(value)], tuple(value.shape), str(value.dtype), value.trainable)
        return f"variable {about} {[of(part) for part in parts]}"
    if isinstance(value, keras.Model):  # its parts are connected as its configuration says
        if type(value) not in _containers():
            raise CannotTell(f"a model of the class {type(value).__name__}")
        return f"model {[of(part) for part in getattr(value, 'operations', value.layers)]}"
    if isinstance(value, keras.Operation | keras.losses.Loss | keras.optimizers.schedules.LearningRateSchedule):
        return f"part {of(type(value))} {_attributes(value, of, _internal(keras.layers.Layer))}"
    if isinstance(value, keras.optimizers.Optimizer):
        return f"optimizer {of(type(value))} {_attributes(value, of, _internal(keras.optimizers.SGD))}"
    if isinstance(value, keras.initializers.Initializer):
        return "initializer"
    if isinstance(value, keras.random.SeedGenerator):
        return "seeds"
    if isinstance(value, keras.KerasTensor):
        return f"symbol {tuple(value.shape)} {value.dtype}"
    if isinstance(value, tf.DType):
        return f"dtype {value.name}"
    if isinstance(value, tf.Variable):
        raise CannotTell(f"the variable {value.name}, which Keras does not know")
    if isinstance(value, tf.Tensor):
        if not hasattr(value, "numpy"):
            raise CannotTell(f"a tensor of a graph, {value.name}")
        return f"tensor {of(value.numpy())}"
    return None


def _attributes(part, of, internal: frozenset[str]) -> list[tuple[str, str]]:
    """What an object of Keras holds besides its name, its variables' bookkeeping and its starting values."""
    ours = not type(part).__module__.startswith("keras.")
    return [
        (name, of(value))
        for name, value in sorted(vars(part).items())
        if name not in internal
        and not (name.startswith("_") and value is None)  # a cache that is still empty, as of a cell called by itself
        and not name.startswith("_self_")
        and "initializer" not in name
        and (ours or name != "seed")
        and not (isinstance(part, keras.optimizers.Optimizer) and _are_variables(value))
    ]


def _are_variables(value) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, keras.Variable) or (isinstance(value, list | tuple) and any(map(_are_variables, value)))


@functools.cache
def _internal(kind: type) -> frozenset[str]:
    """Attributes that every layer, or every optimizer, has for Keras' own use."""
    private = {name for name in vars(kind()) if name.startswith("_")} - {"_learning_rate"}
    return frozenset(private | {"name", "built", "build", "quantize", "call_signature_parameters"})


@functools.cache
def _containers() -> tuple[type, ...]:
    step = keras.Input((1,))
    return keras.Sequential, type(keras.Model(step, keras.layers.Identity()(step)))


def _copy(model, custom: dict):
    """A private copy of a model, or None where a copy would not do what the model does.

    Keras copies through configurations, which do not hold everything: an attribute that ``get_config`` leaves out, a
    layer that two others share, a class that has been defined again since.
    """
    # Copying draws starting weights that are then overwritten: leave the generators as they were.
    states = random.getstate(), np.random.get_state()
    try:
        with keras.saving.custom_object_scope(_named(custom)), _without_advice(custom):
            lambdas = any(isinstance(part, keras.layers.Lambda) for part in operations(model))
            copy = keras.models.clone_model(model, clone_function=_copy_layer if lambdas else None)
        return copy if describe(copy)[0] == describe(model)[0] else None
    except Exception:  # whatever a foreign layer's constructor may raise
        return None
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def _copy_layer(layer):
    """A layer by its configuration; for a Lambda that is code as text, which Keras does not trust."""
    config = layer.get_config()
    if isinstance(layer, keras.layers.Lambda):
        return type(layer)(**{**config, "function": layer.function})
    return type(layer).from_config(config)


def _without_advice(custom: dict):
    """Without Keras' advice on saving lambdas and foreign layers, which here are not saved."""
    return warnings.catch_warnings(action="ignore") if custom else contextlib.nullcontext()


def _named(custom: dict) -> dict:
    return {name: each for each in custom.values() for name in (each.__name__, keras.saving.get_registered_name(each))}


def _copy_optimizer(optimizer, variables):
    """The settings of an optimizer in a new one, whose state starts anew.

    Raises:
        ValueError: its configuration does not hold them all.
    """
    kind = type(optimizer)
    tell = Fingerprint(functools.partial(_special, own={}))
    settings = dict(_attributes(optimizer, _told(tell), _internal(keras.optimizers.SGD)))
    advice = f"{kind.__name__}.get_config() must return what __init__ takes, for fit copies an optimizer's settings."
    try:
        with keras.saving.custom_object_scope(_named(tell.custom)):
            copy = kind.from_config(optimizer.get_config())
    except Exception as error:
        raise ValueError(f"The optimizer cannot be copied ({type(error).__name__}: {error}). {advice}") from error
    copy.build(variables)
    theirs = dict(_attributes(copy, _told(tell), _internal(keras.optimizers.SGD)))
    for name, setting in settings.items():
        if theirs.get(name) != setting:
            raise ValueError(f"The optimizer's {name!r} is lost in a copy. {advice}")
    return copy


def _told(tell: Fingerprint):
    """Fingerprints for comparing: what cannot be told counts as itself."""

    def of(value) -> str:
        try:
            return tell.of(value)
        except CannotTell:
            return f"object {id(value)}"

    return of
