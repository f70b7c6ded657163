"""What the answers to the exercises of lesson 03 must do."""

import numpy as np

from utils.exercises import Wrong, array, call, exercise, number
from utils.models import numpy_cells


@exercise("03 multiplications")
def multiplications(answer) -> None:
    """Blocks x units x (features + units)."""
    for cell, blocks in (("LSTM", 4), ("GRU", 3)):
        for features, units in [(3, 10), (16, 8), (1, 32)]:
            got = number(call(answer, cell, features, units), "the number of multiplications")
            expected = blocks * units * (features + units)
            if got == expected:
                continue
            where = f"for {cell}, {features} features and {units} units you return {got:g}"
            if got in (blocks * units * (features + units + 1), blocks * units * (features + units + 2)):
                raise Wrong(f"{where}: that is the number of parameters. A bias is added, not multiplied.")
            if got == blocks * units * units:
                raise Wrong(f"{where}: the inputs are multiplied as well, by the kernel of shape (features, units).")
            if got == blocks * features * units:
                raise Wrong(f"{where}: the state is multiplied as well, by the recurrent kernel (units, units).")
            for wrong in {1, 2, 3, 4} - {blocks}:
                if got * blocks == expected * wrong:
                    raise Wrong(
                        f"{where}: that is {wrong} of the {cell}'s {blocks} blocks. Count its gates and candidate."
                    )
            raise Wrong(f"{where}; every block multiplies features + units numbers into each of its units.")


@exercise("03 same time")
def steps_in_same_time(answer) -> None:
    """The budget of the LSTM over the price of a GRU step, rounded down."""
    for steps, lstm, gru in [(300, 0.008, 0.0067), (100, 0.02, 0.03), (500, 0.5, 0.25)]:
        got = number(call(answer, steps, lstm, gru), "the number of steps")
        budget = steps * lstm / gru
        expected = int(np.floor(budget + 1e-9))
        if got == expected:
            continue
        where = f"for {steps} LSTM steps of {lstm} s and GRU steps of {gru} s you return {got:g}"
        if np.isclose(got, budget) and got != int(got):
            raise Wrong(f"{where}; steps are whole. Round down, or the GRU gets more time than the LSTM.")
        if got == expected + 1:
            raise Wrong(f"{where}; that takes {got * gru:.3f} s, the LSTM took {steps * lstm:.3f} s. Round down.")
        if got == steps:
            raise Wrong(f"{where}: equal steps, not equal time.")
        if np.isclose(got, steps * gru / lstm, atol=1):
            raise Wrong(f"{where}; the ratio is upside down. The budget is steps x LSTM seconds.")
        raise Wrong(f"{where}; expected {expected}: the LSTM's time over the price of one GRU step.")


@exercise("03 superiority")
def superiority(answer) -> None:
    """Share of all pairs in which the first error is the smaller one, ties half."""
    cases = [([1.0, 3.0], [4.0, 2.0]), ([1.0, 5.0, 6.0], [2.0, 3.0]), ([1.0, 2.0], [2.0, 2.0])]
    for a, b in cases:
        result = call(answer, list(a), list(b))
        differences = np.subtract.outer(a, b)
        smaller, ties = np.mean(differences < 0), np.mean(differences == 0)
        if isinstance(result, bool | np.bool_):
            raise Wrong(
                "you return yes or no, so you compare one number of A with one of B. Compare all pairs of seeds."
            )
        got = number(result, "the share")
        if np.isclose(got, smaller + ties / 2):
            continue
        where = f"for A = {a} and B = {b} you return {got:g}"
        if ties and (np.isclose(got, smaller) or np.isclose(got, smaller + ties)):
            raise Wrong(f"{where}; a tie counts half.")
        if got in (0, 1) and 0 < smaller < 1:
            raise Wrong(f"{where}; that compares one summary of A with one of B. Compare every seed with every seed.")
        if len(a) == len(b) and np.isclose(got, np.mean(np.less(a, b)) + np.mean(np.equal(a, b)) / 2):
            raise Wrong(f"{where}; you compare equal positions only. There are {len(a) * len(b)} pairs.")
        if np.isclose(got, 1 - smaller - ties / 2):
            raise Wrong(f"{where}; these are errors: A is better where its error is smaller, not larger.")
        if got > 1:
            raise Wrong(f"{where}; a share is at most 1: divide by the number of pairs.")
        raise Wrong(f"{where}; expected {smaller + ties / 2:g}: the share of all {len(a) * len(b)} pairs.")


@exercise("03 counter")
def counter_with_reset(answer) -> None:
    """The cell state of one unit counts the a's since the last b."""
    weights = call(answer)
    if not isinstance(weights, tuple | list) or len(weights) != 3:
        raise Wrong("expected three arrays: kernel, recurrent_kernel and bias.")
    shapes = {"the kernel": (2, 4), "the recurrent kernel": (1, 4), "the bias": (4,)}
    weights = [array(w, shape, name) for w, (name, shape) in zip(weights, shapes.items(), strict=True)]
    a, b = np.eye(2)

    def held(text):
        x = np.array([a if symbol == "a" else b for symbol in text])
        return numpy_cells.lstm_forward(x[None], *weights)[1][0, -1, 0]

    if not np.isclose(held("a"), 1, atol=1e-3):
        raise Wrong(
            f"after a single a the cell state is {held('a'):.4g}, expected 1: it is input gate times candidate. Open "
            "the gate and saturate the candidate, with 20 each."
        )
    if not np.isclose(held("aaaaa"), 5, atol=1e-3):
        raise Wrong(
            f"after 'aaaaa' the cell state is {held('aaaaa'):.4g}, expected 5: something is lost on the way. The "
            "forget gate must be open while a is read, with 20."
        )
    for text in ("aaab", "aabaaa", "abbaaaaaaaabaa", "b" * 5 + "a" * 50):
        got, expected = held(text), len(text) - 1 - text.rfind("b")
        if abs(got - expected) < 1e-3:
            continue
        where = f"after {text!r} the cell state is {got:.5g}, expected {expected}"
        if np.isclose(got, text.count("a") - text.count("b"), atol=0.01):
            raise Wrong(f"{where}; your b subtracts 1. It should close the forget gate instead.")
        if text.count("a") != expected and np.isclose(got, text.count("a"), atol=0.01):
            raise Wrong(f"{where}; a b is ignored. Close the forget gate on b: a large negative number in its kernel.")
        if text.endswith("b") and abs(abs(got) - 1) < 0.1:
            raise Wrong(f"{where}; the old count is gone, but b itself has been written. Its candidate should be 0.")
        raise Wrong(f"{where}. On b the forget gate is 0 and nothing is written; make all gates sharper, with 20.")
