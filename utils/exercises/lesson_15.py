"""What the answers to the exercises of lesson 15 must do."""

import numpy as np
from scipy.stats import kendalltau

from utils.exercises import NotAttempted, Wrong, array, call, exercise, number


@exercise("15 team")
def team(answer) -> None:
    """The editor reads the reporter's slips, each with a notebook of its own that is carried on."""

    def reporter(letter, h):
        return 0.5 * h + letter

    def editor(slip, g):
        return 0.25 * g + 2 * slip

    for letters, h, g in (([1.0, 2.0, -1.0], 0.0, 0.0), ([3.0, 0.0], 1.0, -2.0), ([1.0], 4.0, 8.0)):
        expected, wrong, below, above = [], {}, h, g
        for letter in letters:
            below = reporter(letter, below)
            above = editor(below, above)
            expected.append(above)
        alone, fresh = g, []
        for letter in letters:
            alone = editor(letter, alone)
            wrong.setdefault("text", []).append(alone)
            fresh.append(editor(reporter(letter, h), g))
        got = call(answer, list(letters), reporter, editor, h, g)
        where = f"for the letters {letters} and the states {h:g} and {g:g}"
        if isinstance(got, tuple):
            raise Wrong(f"{where} you return a tuple; return the list of what the editor hands on at each letter.")
        got = array(got, (len(letters),), f"{where} the result")
        if np.allclose(got, expected):
            continue
        if np.allclose(got, wrong["text"]):
            raise Wrong(f"{where} the editor reads the letters; it must read the reporter's slips.")
        if np.allclose(got, fresh):
            raise Wrong(f"{where} both begin anew at every letter. Hand each step the state of the step before.")
        slips, below = [], h
        for letter in letters:
            below = reporter(letter, below)
            slips.append(below)
        if np.allclose(got, slips):
            raise Wrong(f"{where} you return the reporter's slips; return what the editor makes of them.")
        raise Wrong(f"{where} you return {got.tolist()}, expected {expected}. Two states are carried, one for each.")


@exercise("15 pick")
def pick(answer) -> None:
    """The symbol of contrastive search."""
    chances = np.array([0.181, 0.083, 0.192, 0.056, 0.07, 0.066, 0.059, 0.142, 0.052, 0.099])
    new = [[-1, 0], [-2, 3], [-2, -3], [1, 3], [-1, 1], [-1, 1], [1, -2], [-3, -1], [-2, -1], [-3, 2]]
    new, earlier = np.array(new, float), np.array([[0.0, 1.0], [-2.0, 1.0], [0.0, -1.0]])
    for k, alpha, expected in ((8, 0.5, 7), (8, 0.0, 2), (1, 0.9, 2), (10, 0.9, 8)):
        got = call(answer, chances.copy(), new.copy(), earlier.copy(), k, alpha)
        where = f"for k = {k}, alpha = {alpha}"
        got = number(got, f"{where}: the symbol")
        if got == expected:
            continue
        likeliest = np.argsort(-chances)[:k]
        unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (new, earlier)]
        cosines, products = unit[0] @ unit[1].T, new @ earlier.T  # (symbols, earlier)

        def best(penalty, among, alpha=alpha):
            scores = (1 - alpha) * chances - alpha * penalty
            return among[np.argmax(scores[among])]

        if got not in likeliest:
            raise Wrong(
                f"{where} you pick {got:g}, which is not among the {k} likeliest, {sorted(likeliest.tolist())}."
            )
        for penalty, said in (
            (products.max(axis=1), "you compare lengths as well: divide by the norms, as a cosine does"),
            (
                cosines.mean(axis=1),
                "you take the mean cosine; one state that looks alike is enough, so take the largest",
            ),
            (cosines[:, -1], "you compare with the last state only; all earlier ones count"),
            (-cosines.max(axis=1), "you reward what looks alike; the penalty is subtracted"),
        ):
            if got == best(penalty, likeliest):
                raise Wrong(f"{where} you pick {got:g}, expected {expected}: it seems {said}.")
        raise Wrong(
            f"{where} you pick {got:g}, expected {expected}: the largest (1 - alpha) p - alpha (largest cosine)."
        )


@exercise("15 agreement")
def agreement(answer) -> None:
    """Kendall's tau of two rows of scores without ties."""
    for a, b in (
        ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]),
        ([1.0, 2.0, 3.0, 4.0], [0.4, 0.3, 0.2, 0.1]),
        ([3.0, 1.0, 2.0, 5.0, 4.0], [0.2, 0.9, 0.1, 100.0, 0.3]),
        ([0.1, 0.5, 0.2, 0.9], [7.0, 1.0, 8.0, 2.0]),
    ):
        got = number(call(answer, list(a), list(b)), "the agreement")
        expected = kendalltau(a, b).statistic
        pairs = len(a) * (len(a) - 1) / 2
        where = f"for {a} and {b}"
        if abs(got - expected) < 1e-9:
            continue
        if abs(got - (expected + 1) / 2) < 1e-9:
            raise Wrong(f"{where} you return {got:g}, the share of pairs that agree; subtract the share that disagree.")
        if abs(got - expected * pairs) < 1e-9 or abs(got - expected * (len(a) - 1) / len(a)) < 1e-9:
            raise Wrong(f"{where} you return {got:g}; divide by the {pairs:g} pairs, each counted once.")
        if abs(got - np.corrcoef(a, b)[0, 1]) < 1e-9:
            raise Wrong(f"{where} you return {got:g}, the correlation of the scores. Only which is larger counts.")
        raise Wrong(f"{where} you return {got:g}, expected {expected:g}.")


GATES = {"LSTM": (4, 1), "GRU": (3, 2), "RNN": (1, 1)}  # kernels and biases
TARGET = 7225  # two LSTMs of 24 units that read one number, with a head of one output


def _weights(cells, units: int) -> int:
    total, width = units + 1, 1
    for cell in cells:
        kernels, biases = GATES[cell]
        total, width = total + kernels * units * (width + units + biases), units
    return total


@exercise("15 equal weights")
def equal_weights(answer) -> None:
    """Three layers, two kinds of cell or more, within 2% of the weights of two LSTMs."""
    names = ("cells", "units", "predicted", "weights")
    if not isinstance(answer, dict) or set(answer) != set(names):
        raise Wrong(f"expected a dict with {', '.join(names)}, got {answer!r}.")
    if any(answer[name] is ... for name in names):
        raise NotAttempted
    cells = answer["cells"]
    if isinstance(cells, str) or not hasattr(cells, "__len__") or any(cell not in GATES for cell in cells):
        raise Wrong(f"cells is {cells!r}; expected three of {', '.join(GATES)}, the lowest first, in a tuple.")
    units, predicted, weights = (number(answer[name], name) for name in names[1:])
    if len(cells) != 3 or len(set(cells)) < 2:
        raise Wrong(f"cells is {cells!r}; expected three layers of at least two kinds.")
    if units != int(units) or units < 1:
        raise Wrong(f"units is {units:g}; expected a whole number of at least 1.")
    true = _weights(cells, int(units))
    if weights != true:
        forgotten = weights == true - (units + 1)
        hint = " The head counts, too." if forgotten else " model.count_params() tells."
        raise Wrong(f"{'-'.join(cells)} of {units:g} units has {true} weights, you measured {weights:g}.{hint}")
    if abs(true / TARGET - 1) > 0.02:
        raise Wrong(
            f"{'-'.join(cells)} of {units:g} units has {true} weights, {100 * (true / TARGET - 1):+.0f}% against "
            f"{TARGET}; expected at most 2% more or fewer. They grow about with the square of the units."
        )
    if predicted <= 0:
        raise Wrong(f"predicted is {predicted:g}; expected how many weights you thought it would have.")
