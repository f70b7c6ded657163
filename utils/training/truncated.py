"""Truncated backpropagation through time: a series too long to unfold, learned block by block with a carried state."""

import collections
from collections.abc import Iterable

import numpy as np

from utils.runtime import keras, tf
from utils.training import divergence
from utils.training.compiled import Compiled, assign, borrow, values


def fit_truncated(
    model: "keras.Sequential",
    blocks: Iterable[tuple],
    *,
    back: int | None = None,
    carry: bool = True,
    loss: "str | keras.losses.Loss" = "mean_squared_error",
    optimizer: "str | keras.optimizers.Optimizer" = "adam",
    validation: tuple | None = None,
    every: int = 100,
    keep_best: bool = False,
    may_diverge: bool = False,
) -> dict[str, list[float]]:
    """Train a recurrent Keras model in place, one update a block, with gradients that go back ``back`` steps.

    Taught in lesson 05, as ``truncated_by_hand``.

    With blocks of K1 time steps and ``back=K2`` this is TBPTT(K1, K2) of Williams and Peng (1990) and of Sutskever's
    thesis (2013, section 2.8.6): after every K1 steps, the loss of these steps is sent back through K2 steps. The state
    goes on from block to block as a value; its gradient does not. Memory and time of an update grow with max(K1, K2),
    not with the length of the series.

    Args:
        model: a ``keras.Sequential`` from ``keras.Input`` on, such as :func:`utils.models.recurrent.build_recurrent`
            makes. When its last recurrent layer gives every step, all targets of a block count; otherwise a block has
            one target, at its end.
        blocks: pairs ``(x, y)`` of arrays or tensors, all of one shape: x (rows, K1, ...). Row i of a block goes on
            where row i of the block before ended; lists of blocks and ``tf.data`` datasets both serve.
        back: K2, a multiple of K1, or less than K1; then only the last K2 steps of a block are learned from. K1 when
            not given.
        carry: whether a block starts in the state in which the one before ended; if not, it starts at zero.
        loss, optimizer: as in :func:`utils.training.fit.fit`. The optimizer's state starts anew.
        validation: ``(x, y)``, series of shape (rows, time, ...) and their targets; each is read from a state of zero
            to its end.
        every: the loss on them is measured after so many updates, and after the last.
        keep_best: end with the weights that had the lowest validation loss instead of the last ones.
        may_diverge: do not warn when the loss becomes NaN or infinite (see :func:`utils.training.fit.fit`).

    Returns:
        ``{"loss": [...], "val_loss": [...]}``. Of ``loss`` a value per block: the mean over its targets, measured
        before its update. With K2 above K1 the first blocks, which cannot look back so far, only fill the window and
        have no value. ``val_loss`` only with ``validation``.

    Raises:
        ValueError: no blocks; ``every`` below 1, or ``keep_best`` without ``validation``; blocks of different shapes; a
            ``back`` that does not fit the blocks, or reaches over blocks between which nothing is carried; a model that
            is not sequential or has no layer that reads forwards.
    """
    layers = model.layers if isinstance(model, keras.Sequential) else []
    kinds = [type(layer) for layer in layers]
    if not any(issubclass(kind, keras.layers.RNN) for kind in kinds) or keras.layers.Bidirectional in kinds:
        raise ValueError("Expected a keras.Sequential with an LSTM, GRU or SimpleRNN that reads forwards only.")
    if every < 1 or (keep_best and validation is None):
        raise ValueError(f"every is {every}; expected at least 1, and for keep_best also validation=(x, y).")
    blocks = iter(blocks)
    first = next(blocks, None)
    if first is None:
        raise ValueError("There are no blocks to train on.")
    length = first[0].shape[1]
    back = length if back is None else back
    if back < 1 or (back > length and back % length):
        raise ValueError(f"back is {back} and a block has {length} steps; expected a multiple of {length}, or less.")
    if back > length and not carry:
        raise ValueError(f"back is {back}, more than a block of {length} steps; without carry nothing lies before it.")

    shapes = [tuple(part.shape) for part in first]
    window = collections.deque(maxlen=max(1, back // length))
    losses, val_losses, best = [], [], None
    batch = (len(first[1]), np.asarray(first[1]))
    settings = {"length": length, "back": back}
    with borrow(
        model, keras.losses.get(loss), keras.optimizers.get(optimizer), batch, kind=_Truncated, **settings
    ) as compiled:
        start = zero = compiled.zero_state(len(first[1]))
        x, y = first
        while True:
            if [tuple(x.shape), tuple(y.shape)] != shapes:
                raise ValueError(f"A block has shapes {x.shape} and {y.shape}; the first had {shapes[0]}, {shapes[1]}.")
            window.append(tf.cast(x, compiled.model.inputs[0].dtype))
            if len(window) == window.maxlen:
                value, start = compiled.step(list(window), y, start if carry else zero)
                losses.append(value)
            following = next(blocks, None)
            if validation is not None and losses and (following is None or len(losses) % every == 0):
                val_x, val_y = validation
                val_losses.append(float(np.mean(compiled.loss(val_y, compiled.predict([np.asarray(val_x)])))))
                if keep_best and val_losses[-1] <= min(val_losses):
                    best = values(compiled.model.variables)
            if following is None:
                break
            x, y = following
        if best is not None:
            assign(compiled.model.variables, best)
    losses = [float(value) for value in losses]
    broken = np.flatnonzero(~np.isfinite(losses))
    if len(broken) and not may_diverge:
        divergence.tell(losses[broken[0]], "loss", f"update {broken[0] + 1} of {len(losses)}")
    return {"loss": losses} | ({"val_loss": val_losses} if validation is not None else {})


class _Truncated(Compiled):
    """A compiled update on a window of blocks: forward from the state at its start, backward through ``back`` steps."""

    def __init__(self, model, loss, optimizer, batch: tuple, *, length: int, back: int) -> None:
        self.length, self.back = length, back
        super().__init__(model, loss, optimizer, batch)

    def _specs(self, batch_size: int, y) -> tuple:
        (inputs,), target = super()._specs(batch_size, y)
        inputs = tf.TensorSpec([batch_size, self.length, *inputs.shape[2:]], inputs.dtype)  # (rows, K1, ...)
        state = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), self.zero_state(batch_size))
        return [inputs] * max(1, self.back // self.length), target, state

    def zero_state(self, batch_size: int) -> list[list]:
        """For each recurrent layer its state at the start of a series, tensors of shape (batch, units)."""
        layers = [layer for layer in self.model.layers if isinstance(layer, keras.layers.RNN)]
        return [list(layer.get_initial_state(batch_size)) for layer in layers]

    def _step(self, window, y, start):
        """One update. ``window``: blocks (rows, K1, ...); ``y``: (rows, K1, ...) or (rows, ...); ``start``: states."""
        with tf.GradientTape() as tape:
            if self.back < self.length:  # run up to where learning begins
                _, state = self._run(window[0][:, : -self.back], start)  # over (rows, K1 - K2, ...)
                state = tf.nest.map_structure(tf.stop_gradient, state)
                output, end = self._run(window[0][:, -self.back :], state)  # (rows, K2, outputs) or (rows, outputs)
                y = y[:, -self.back :] if len(output.shape) == 3 else y  # (rows, K2, ...), or one target at the end
                following = end
            else:
                output, following = self._run(window[0], start)  # (rows, K1, outputs) or (rows, outputs)
                state = following
                for block in window[1:]:
                    output, state = self._run(block, state)
            loss = tf.reduce_mean(self.loss(y, output))  # (rows, ...) -> ()
            loss = tf.add_n([loss, *self.model.losses])
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, following

    def _run(self, x, states: list) -> tuple:
        """Outputs of the model for these steps, and the state of each recurrent layer after them."""
        states, ends = iter(states), []
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.RNN):
                layer.return_state = True  # each call tells where it ended
                try:
                    x, *end = layer(x, initial_state=next(states), training=True)  # (rows, time, units) or without time
                finally:
                    layer.return_state = False
                ends.append(end)
            else:
                x = layer(x, training=True)  # Keras drops `training` for layers that do not take it
        return x, ends
