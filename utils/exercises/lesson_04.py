"""What the answers to the exercises of lesson 04 must do."""

import numpy as np

from utils.exercises import Wrong, array, call, number


def _count_windows(answer) -> None:
    """n - window - horizon + 1, never below 0."""
    for n, window, horizon in [(100, 24, 1), (100, 24, 6), (10, 4, 6), (10, 10, 1)]:
        got = number(call(answer, n, window, horizon), "the number of windows")
        expected = max(0, n - window - horizon + 1)
        if got == expected:
            continue
        where = f"for n = {n}, window = {window} and horizon = {horizon} you return {got:g}"
        if got < 0:
            raise Wrong(f"{where}; a series that is too short gives 0 examples.")
        if got == n - window - horizon:
            raise Wrong(f"{where}: off by one. A series of window + horizon values gives exactly one example.")
        if got == n - window + 1 or got == n - window:
            raise Wrong(f"{where}; the last windows have no target: the horizon is missing.")
        if got == n // window:
            raise Wrong(f"{where}; windows overlap: the next one starts one step later, not where the last one ended.")
        raise Wrong(f"{where}, expected {expected}. On paper: which window is the last with a target?")


def _pad_after(answer) -> None:
    """Zeros after each sequence, up to the longest."""
    sequences = [[5, 6, 7], [8], [1, 2, 3, 4], []]
    given = [list(s) for s in sequences]
    got = call(answer, given)
    if given != sequences:
        raise Wrong("your function changed the lists it was given; pad copies.")
    got = array(got, (4, 4), "the padded array")
    before = np.array([[0] * (4 - len(s)) + s for s in sequences])
    expected = np.array([s + [0] * (4 - len(s)) for s in sequences])
    if np.array_equal(got, expected):
        return
    if np.array_equal(got, before):
        raise Wrong("the zeros stand before the numbers; put them after (Keras' pad_sequences pads before by default).")
    row = int(np.argmax((got != expected).any(axis=1)))
    raise Wrong(f"{sequences[row]} became {got[row].tolist()}, expected {expected[row].tolist()}.")


def _masked_mean(answer) -> None:
    """The mean over real steps only."""
    losses = np.array([[1.0, 2.0, 3.0, 100.0], [10.0, 100.0, 100.0, 100.0]])
    lengths = [3, 1]
    real = np.arange(4) < np.array(lengths)[:, None]
    got = number(call(answer, losses.copy(), list(lengths)), "the mean")
    expected = losses[real].mean()
    if np.isclose(got, expected):
        return
    where = f"for real losses 1, 2, 3 in one sequence and 10 in another you return {got:.4g}"
    if np.isclose(got, losses.mean()):
        raise Wrong(f"{where}: padded steps are still in it.")
    if np.isclose(got, np.where(real, losses, 0).mean()):
        raise Wrong(f"{where}: padded losses are 0, but they are still counted. Divide by the number of real steps.")
    if np.isclose(got, np.mean([losses[i, :length].mean() for i, length in enumerate(lengths)])):
        raise Wrong(f"{where}: that is the mean of the sequences' means, so a step of a short sequence counts more.")
    raise Wrong(f"{where}, expected {expected:g}: the sum over real steps, divided by their number.")


def _read_in_pieces(answer) -> None:
    """All outputs of a long sequence, read in pieces with the state carried."""
    x = np.random.default_rng(0).normal(size=(10, 2))

    def step(piece, state):
        piece = np.asarray(piece, dtype=float)
        if piece.ndim != 2 or len(piece) == 0:
            raise Wrong(f"step was given a piece of shape {piece.shape}; expected (time, features), at least one step.")
        lengths.append(len(piece))
        state = np.zeros(2) if state is None else np.asarray(state)
        if state.shape != (2,):
            raise Wrong(f"step was given a state of shape {state.shape}; pass on the state it returned before.")
        outputs = []
        for row in piece:
            state = 0.9 * state + row
            outputs.append(state)
        return np.array(outputs), 10 * state / 10

    lengths = []
    expected, _ = step(x, None)
    for size in (5, 4, 10, 1):
        lengths.clear()
        got = call(answer, step, x.copy(), size)
        pieces = [len(x[i : i + size]) for i in range(0, len(x), size)]
        fresh = np.concatenate([step(x[i : i + size], None)[0] for i in range(0, len(x), size)])
        lengths = lengths[: len(lengths) - len(pieces)]  # without the calls just made
        shape = np.shape(got)
        if len(shape) == 2 and len(shape) and shape[0] == len(x) // size * size < len(x):
            raise Wrong(f"10 steps in pieces of {size} came back as {shape[0]}: the last, shorter piece is missing.")
        got = array(got, expected.shape, "the outputs")
        if size < len(x) and np.allclose(got, fresh) and not np.allclose(got, expected):
            raise Wrong("every piece began with an empty state; hand the state that step returned to the next piece.")
        if not np.allclose(got, expected):
            raise Wrong(f"in pieces of {size} the outputs differ from those of the whole sequence.")
        if lengths != pieces:
            raise Wrong(f"the outputs are right, but step was given pieces of {lengths}; expected {pieces}.")


CHECKS = {
    "04 count windows": _count_windows,
    "04 pad after": _pad_after,
    "04 masked mean": _masked_mean,
    "04 read in pieces": _read_in_pieces,
}
