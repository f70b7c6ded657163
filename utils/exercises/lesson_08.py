"""What the answers to the exercises of lesson 08 must do."""

import numpy as np
from scipy.stats import ttest_1samp

from utils.exercises import NotAttempted, Wrong, array, call, exercise, number


def _stack(features: int, units: int, layers: int, *, blocks: int = 4) -> int:
    """Parameters of a stack of LSTM layers, without embedding and head."""
    return sum(blocks * units * ((features if i == 0 else units) + units + 1) for i in range(layers))


@exercise("08 stack parameters")
def stack_parameters(answer) -> None:
    """The first layer reads the features, every other one the units below."""
    for features, units, layers in [(3, 10, 1), (3, 10, 2), (16, 8, 4), (1, 24, 3)]:
        got = number(call(answer, features, units, layers), "the number of parameters")
        expected = _stack(features, units, layers)
        if got == expected:
            continue
        where = f"for {features} features, {units} units and {layers} layers you return {got:g}"
        if got == layers * _stack(features, units, 1):
            raise Wrong(
                f"{where}: only the first layer reads the features; the others read the units of the one below."
            )
        if got == layers * _stack(units, units, 1):
            raise Wrong(f"{where}: the first layer reads {features} features, not {units} units.")
        if got == expected - 4 * units * layers:
            raise Wrong(f"{where}: the biases are missing, one for each unit of each gate and candidate.")
        if got == expected - 4 * units * units * (layers - 1):
            raise Wrong(
                f"{where}: a higher layer has two matrices a block, one for the units below and one for its own state."
            )
        if got == _stack(features, units, 1) and layers > 1:
            raise Wrong(f"{where}: that is the first layer alone.")
        for blocks in (1, 3):
            if got == _stack(features, units, layers, blocks=blocks):
                raise Wrong(f"{where}: you counted {blocks} of an LSTM's 4 blocks (three gates and the candidate).")
        raise Wrong(f"{where}; expected {expected}.")


@exercise("08 same parameters")
def same_parameters(answer) -> None:
    """The widest stack that has no more parameters than one layer."""
    for features, units, layers in [(1, 24, 3), (16, 64, 3), (16, 64, 2), (2, 40, 6), (1, 24, 1)]:
        got = number(call(answer, features, units, layers), "the number of units")
        budget = _stack(features, units, 1)
        expected = max(u for u in range(1, units + 1) if _stack(features, u, layers) <= budget)
        if got == expected:
            continue
        where = f"for one layer of {units} units, {features} features and {layers} layers you return {got:g}"
        if got != int(got):
            raise Wrong(f"{where}; units are whole.")
        if got == units // layers:
            raise Wrong(
                f"{where}: the units divided by the layers. Weights grow with the square, so that is too narrow."
            )
        if got == units:
            raise Wrong(f"{where}: equal units, not equal parameters.")
        if got > expected:
            more = _stack(features, int(got), layers)
            raise Wrong(f"{where}; that has {more} parameters, the single layer {budget}. Stay at or below.")
        if 1 <= got < expected:
            raise Wrong(f"{where}; {expected} units still fit into the {budget} parameters of the single layer.")
        raise Wrong(f"{where}; expected {expected}.")


@exercise("08 residual")
def residual_stack(answer) -> None:
    """Every layer but the first adds what it was given."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 3))
    weights = [rng.normal(size=(3, 3)) for _ in range(3)]

    def layer(w):
        return lambda h: np.tanh(np.asarray(h) @ w)

    stack = [layer(w) for w in weights]
    cases = [stack[:2], stack[:1], stack, [lambda h: h, *stack[1:]]]  # the last: a first layer hands on x itself

    for layers in cases:
        n, given, h = len(layers), x.copy(), layers[0](x)
        for f in layers[1:]:
            h = h + f(h)
        got = array(call(answer, list(layers), given), h.shape, "the output")
        if not np.array_equal(given, x):
            raise Wrong("your function changed the input it was given; h += ... writes into it. Use h = h + ...")
        if np.allclose(got, h):
            continue
        plain, early, product = x, x, layers[0](x)
        for i, f in enumerate(layers):
            plain, early = f(plain), early + f(early)
            product = product * f(product) if i > 0 else product
        where = f"for a stack of {n}"
        if np.allclose(got, early):
            raise Wrong(f"{where} the first layer has a skip as well. Its input has another width in a real network.")
        if np.allclose(got, plain):
            raise Wrong(f"{where} there is no skip: what a layer was given is not added to what it puts out.")
        if np.allclose(got, plain + x) or np.allclose(got, plain + layers[0](x)):
            raise Wrong(f"{where} there is one skip around the whole. Each layer after the first has its own.")
        if np.allclose(got, product):
            raise Wrong(f"{where} input and output of a layer are multiplied; a skip adds them.")
        raise Wrong(f"{where} the output differs from h = h + layer(h) for every layer after the first.")


@exercise("08 diagnose")
def diagnose(answer) -> None:
    """First whether it learns at all, then whether it overfits."""
    cases = [
        (4.5, 4.6, 4.6, "stalls"),
        (2.4, 2.5, 4.6, "fine"),
        (1.2, 2.9, 4.6, "overfits"),
        (4.5, 5.2, 4.6, "stalls"),  # it has learned nothing: the gap is not the trouble
        (1.0, 5.5, 4.6, "overfits"),  # worse than the simple one on unseen data, but it learned what it saw
        (0.20, 0.26, 1.0, "overfits"),  # a small gap, but 30%
        (2.6, 2.5, 4.6, "fine"),
    ]
    for seen, unseen, simple, expected in cases:
        got = call(answer, seen, unseen, simple)
        if not isinstance(got, str) or got not in ("stalls", "overfits", "fine"):
            raise Wrong(f"you return {got!r}; expected one of 'stalls', 'overfits' and 'fine'.")
        if got == expected:
            continue
        where = f"for losses {seen} (seen), {unseen} (unseen) and {simple} (simple baseline) you return {got!r}"
        if expected == "stalls" and got == "overfits":
            raise Wrong(f"{where}: it has not even learned what it saw. Look at that first.")
        if expected == "overfits" and got == "stalls":
            raise Wrong(f"{where}: what it saw it has learned. Judge learning by the seen data.")
        if expected == "overfits":
            raise Wrong(f"{where}: the unseen loss is more than 10% above the seen one. Take the ratio.")
        if expected == "stalls":
            raise Wrong(f"{where}: on what it saw it is not even 5% better than the simple baseline.")
        raise Wrong(f"{where}: it learned, and unseen data are at most 10% worse.")


@exercise("08 equal work")
def equal_work(answer) -> None:
    """Steps of equal work, a prediction, three measured differences or more, and the verdict that they allow."""
    names = ("steps_of_six", "steps_of_one", "predicted", "differences", "verdict")
    if not isinstance(answer, dict) or not set(names) <= set(answer):
        raise Wrong(f"expected a dict with the keys {', '.join(names)}, as in the stub.")
    if any(answer[name] is ... or answer[name] is None for name in names):
        raise NotAttempted
    six, one = (number(answer[name], name) for name in names[:2])
    if not (six == int(six) and one == int(one) and six >= 50 and one >= 50):
        raise Wrong(f"{six:g} and {one:g} steps; expected whole numbers, at least 50.")
    others = 64 * 16 + 33 * 64  # weights of embedding and head
    work = (_stack(16, 32, 6) + others) * six / ((_stack(16, 32, 1) + others) * one)
    if abs(work - 1) > 0.05:
        if abs(six / one - 1) < 0.05:
            raise Wrong(f"{six:g} and {one:g} steps are equal steps; for equal work one layer may take more.")
        raise Wrong(
            f"{six:g} steps of six layers are {work:.2f} times the work of {one:g} of one; expected 0.95 to 1.05. "
            "Work is weights times steps; section 1 prints the weights."
        )
    if answer["predicted"] not in ("one", "six"):
        raise Wrong(f"predicted is {answer['predicted']!r}; expected 'one' or 'six'.")
    differences = np.asarray(answer["differences"], float).ravel()
    if differences.size < 3 or not np.isfinite(differences).all():
        raise Wrong(
            f"differences holds {differences.size} numbers; expected three or more, one for each seed: bits of one "
            "layer minus bits of six with skips."
        )
    if np.ptp(differences) == 0:
        raise Wrong(f"all differences are {differences[0]:g}; expected one measured for each of several seeds.")
    if np.abs(differences).max() > 4:
        raise Wrong(
            f"a difference of {np.abs(differences).max():.2g} bits; two trained networks are never that far apart."
        )
    interval = ttest_1samp(differences, 0).confidence_interval(0.95)
    expected = "six" if interval.low > 0 else "one" if interval.high < 0 else "open"
    if answer["verdict"] not in ("one", "six", "open"):
        raise Wrong(f"verdict is {answer['verdict']!r}; expected 'one', 'six' or 'open'.")
    if answer["verdict"] != expected:
        where = f"the 95% interval of your differences goes from {interval.low:.2f} to {interval.high:.2f} bits"
        if expected == "open":
            raise Wrong(f"{where}: zero is inside, so nothing is decided. The verdict is 'open'.")
        raise Wrong(f"{where}: with fewer bits on the side of {expected!r}. Bits of one minus bits of six.")
