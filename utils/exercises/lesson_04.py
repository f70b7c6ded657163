"""What the answers to the exercises of lesson 04 must do."""

import numpy as np

from utils.exercises import Wrong, array, call, exercise, number


@exercise("04 window")
def shortest_good_window(answer) -> None:
    """The shortest window whose median is within 2% of the smallest median."""
    cases = [
        {10: [0.5, 0.5, 0.5], 20: [0.4, 0.9, 0.52], 40: [0.6, 0.6, 0.3]},  # the best single seed has a bad median
        {6: [1.00, 1.02, 0.98], 12: [0.81, 0.80, 0.79], 24: [0.80, 0.79, 0.78], 48: [0.79, 0.80, 0.79]},
        {8: [0.71, 0.72, 0.70], 4: [0.70, 0.70, 0.71], 2: [0.9, 0.8, 0.85]},  # not in order
        {1: [0.6, 0.6, 5.0], 2: [0.65, 0.65, 0.65], 3: [0.7, 0.7, 0.7]},  # one seed went wrong
    ]
    for errors in cases:
        medians = {window: float(np.median(values)) for window, values in errors.items()}
        good = [window for window, median in medians.items() if median <= 1.02 * min(medians.values())]
        got = number(call(answer, {window: list(values) for window, values in errors.items()}), "the window")
        if got == min(good):
            continue
        where = f"for medians {medians} you return {got:g}"
        if got in good and got == min(medians, key=medians.get):
            raise Wrong(f"{where}: the one with the smallest median. A shorter one is within 2% of it.")
        if got in good:
            raise Wrong(f"{where}; within 2%, but not the shortest. The windows need not come in order.")
        if got == min(errors, key=lambda window: min(errors[window])):
            raise Wrong(f"{where}: the window of the best single seed. Compare medians.")
        means = {window: np.mean(values) for window, values in errors.items()}
        if got == min(window for window, mean in means.items() if mean <= 1.02 * min(means.values())):
            raise Wrong(f"{where}: right for means, but one seed that went wrong moves a mean. Compare medians.")
        if got not in errors:
            raise Wrong(f"{where}, which is none of the windows {list(errors)}.")
        raise Wrong(f"{where}; its median is more than 2% above the smallest.")


@exercise("04 pad after")
def pad_after(answer) -> None:
    """Zeros after each sequence, up to the longest."""
    sequences = [[5, 6, 7], [8], [1, 2, 3, 4], []]
    given = [list(s) for s in sequences]
    result = call(answer, given)
    if given != sequences:
        raise Wrong("your function changed the lists it was given; pad copies.")
    if np.shape(result)[:1] == (4,) and len(np.shape(result)) == 2 and np.shape(result)[1] < 4:
        raise Wrong(f"the result has shape {np.shape(result)}: it was cut. Pad up to the longest of all, 4 numbers.")
    got = array(result, (4, 4), "the padded array")
    before = np.array([[0] * (4 - len(s)) + s for s in sequences])
    expected = np.array([s + [0] * (4 - len(s)) for s in sequences])
    if np.array_equal(got, before):
        raise Wrong("the zeros stand before the numbers; put them after (Keras' pad_sequences pads before by default).")
    if not np.array_equal(got, expected):
        row = int(np.argmax((got != expected).any(axis=1)))
        raise Wrong(f"{sequences[row]} became {got[row].astype(int).tolist()}, expected {expected[row].tolist()}.")
    if not np.issubdtype(getattr(result, "dtype", object), np.integer):
        raise Wrong("the numbers are right, but an embedding needs a NumPy array of whole numbers; give it dtype=int.")


@exercise("04 masked mean")
def masked_mean(answer) -> None:
    """The mean over real steps only."""
    losses = np.array([[1.0, 2.0, 3.0, 100.0], [10.0, 100.0, 100.0, 100.0]])
    lengths = [3, 1]
    real = np.arange(4) < np.array(lengths)[:, None]
    got = number(call(answer, losses.copy(), np.array(lengths)), "the mean")
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
    if np.isclose(got, losses[np.arange(4) <= np.array(lengths)[:, None]].mean()):
        raise Wrong(f"{where}: one step too many of each sequence. Real are the steps 0 to length - 1.")
    if np.isclose(got, losses[~real].mean()) or np.isclose(got, losses[real[:, ::-1]].mean()):
        raise Wrong(f"{where}: you took the padded end instead of the real beginning.")
    if np.isclose(got, losses[real].sum() / 2):
        raise Wrong(f"{where}: the right sum, divided by the number of sequences. Divide by the number of real steps.")
    raise Wrong(f"{where}, expected {expected:g}: the sum over real steps, divided by their number.")


@exercise("04 read in pieces")
def read_in_pieces(answer) -> None:
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
            outputs.append(np.tanh(state))  # what a cell shows is not what it carries
        return np.array(outputs), state

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
        if shape == expected.shape[1:] or shape == (len(pieces), *expected.shape[1:]) != expected.shape:
            raise Wrong("you kept only the last output of the pieces; expected those of all steps.")
        got = array(got, expected.shape, "the outputs; join the pieces along time:")
        if size < len(x) and np.allclose(got, fresh) and not np.allclose(got, expected):
            raise Wrong("every piece began with an empty state; hand the state that step returned to the next piece.")
        if not np.allclose(got, expected):
            raise Wrong(f"in pieces of {size} the outputs differ from those of the whole sequence.")
        if lengths != pieces:
            raise Wrong(f"the outputs are right, but step was given pieces of {lengths}; expected {pieces}.")
