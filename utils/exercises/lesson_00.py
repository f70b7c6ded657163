"""What the answers to the exercises of lesson 00 must do."""

import numpy as np

from utils.exercises import NotAttempted, Wrong, array, call, exercise, number

SHAPES = {
    "mark every heartbeat in a recording as healthy or not": "many to many, equal",
    "compose a melody from a single mood": "one to many",
    "translate a question into German": "many to many, unequal",
    "say from a month of readings whether a machine will fail": "many to one",
}
BOTH_WAYS = {
    "a": "the text on both sides of the gap is there",
    "c": "the whole text is there before it is tagged",
    "e": "the whole recording is there",
}
LOSES_ORDER = {
    "a": "a mean is a sum divided by the number of cards, and a sum has no order",
    "c": "a sum has no order",
    "d": "the largest number is the largest wherever it stands",
}
KEEPS_ORDER = {
    "b": "swap two cards and their vectors change places, where other weights wait for them",
    "e": "each card changes what the next one finds on the slate",
}
FORWARD_ONLY = {"b": "tomorrow is not known yet", "d": "the next word has not been typed"}


@exercise("00 loses the order")
def loses_the_order(answer) -> None:
    """The letters of the ways to hand over cards that give the same whatever their order."""
    letters = _letters(answer)
    for letter in sorted(letters & set(KEEPS_ORDER)):
        raise Wrong(f"{letter} depends on the order: {KEEPS_ORDER[letter]}.")
    for letter in sorted(set(LOSES_ORDER) - letters):
        raise Wrong(f"{letter} loses the order as well: {LOSES_ORDER[letter]}.")


@exercise("00 parameters")
def rnn_parameters(answer) -> None:
    """W, U, b, V and c of a vanilla RNN with a dense head."""
    for features, units, outputs in [(3, 5, 2), (1, 32, 1), (16, 8, 10)]:
        rnn, head = units * (features + units + 1), outputs * (units + 1)
        got = number(call(answer, features, units, outputs), "the number of parameters")
        where = (
            f"for {features} features, {units} units and {outputs} outputs you return {got:g}, expected {rnn + head}"
        )
        hints = {
            rnn: "that is the RNN alone; add the dense layer.",
            rnn + head - units - outputs: "the biases are missing, one per unit and one per output.",
            rnn + head - units * units: "the recurrent matrix U is missing, units times units.",
            rnn + outputs * units: "the bias of the dense layer is missing.",
            units * (features + units) + head: "the bias of the RNN is missing.",
        }
        if got != rnn + head:
            raise Wrong(f"{where}: {hints.get(got, 'count W, U, b, V and c one by one.')}")


@exercise("00 shapes")
def shapes(answer) -> None:
    """One shape for each of four tasks."""
    if not isinstance(answer, dict) or set(answer) != set(SHAPES):
        raise Wrong("expected the dict above with its four tasks as keys; fill in the values only.")
    missing = [task for task, shape in answer.items() if shape is ... or shape is None]
    if len(missing) == len(answer):
        raise NotAttempted
    for task, shape in answer.items():
        if task in missing:
            raise Wrong(f"'{task}' has no shape yet.")
        if not isinstance(shape, str) or shape not in SHAPES.values():
            choices = ", ".join(map(repr, sorted(set(SHAPES.values()))))
            raise Wrong(f"'{task}' has the shape {shape!r}; expected one of {choices}.")
        if shape != SHAPES[task]:
            raise Wrong(f"'{task}' is not {shape}. Count what goes in and what comes out, and whether they go in step.")


@exercise("00 step back")
def step_back(answer) -> None:
    """Share of dL/dU and the derivative passed to the state before."""
    rng = np.random.default_rng(0)
    delta, h, h_before, u = (rng.normal(size=s) for s in ((4, 3), (4, 3), (4, 3), (3, 3)))
    h = np.tanh(h)
    result = call(answer, *(given.copy() for given in (delta, h, h_before, u)))
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Wrong("expected two arrays: the share of the gradient of U, and what is passed on to the state before.")
    share, passed = array(result[0], (3, 3), "the share of U"), array(result[1], (4, 3), "what is passed on")
    a = delta * (1 - h**2)
    if np.allclose(share, h_before.T @ delta) or np.allclose(passed, delta @ u.T):
        raise Wrong("the slope of tanh, 1 - h**2, is missing: delta arrives behind the tanh and has to pass it.")
    if np.allclose(share, a.T @ h_before):
        raise Wrong("the share of U is transposed: rows belong to the state before, columns to the state after.")
    if np.allclose(share, h.T @ a):
        raise Wrong("U is multiplied with the state *before* the step; you used the state after it.")
    if np.allclose(passed, a @ u):
        raise Wrong(
            "what is passed on needs the transpose of U: forward goes through U, backward through its transpose."
        )
    if not np.allclose(share, h_before.T @ a):
        raise Wrong("the share of U is wrong; it is the product of the state before, transposed, and a.")
    if not np.allclose(passed, a @ u.T):
        raise Wrong("what is passed on is wrong; it is a times the transpose of U.")


@exercise("00 both ways")
def may_read_both_ways(answer) -> None:
    """The letters of the tasks whose whole input is there before the answer."""
    letters = _letters(answer)
    for letter in sorted(letters & set(FORWARD_ONLY)):
        raise Wrong(
            f"{letter} may not: {FORWARD_ONLY[letter]}, so the backward half would need what is to be found out."
        )
    for letter in sorted(set(BOTH_WAYS) - letters):
        raise Wrong(f"{letter} may as well: {BOTH_WAYS[letter]}.")


def _letters(answer) -> set[str]:
    """The set of letters from a to e that was answered, in whatever form."""
    if isinstance(answer, str):
        answer = answer.replace(",", " ").split() if "," in answer or " " in answer else list(answer)
    if not isinstance(answer, set | frozenset | list | tuple):
        raise Wrong(f'expected a set of letters such as {{"a", "b"}}, got {answer!r:.40}.')
    letters = {str(letter).lower() for letter in answer}
    unknown = letters - set("abcde")
    if unknown:
        raise Wrong(f"{', '.join(sorted(unknown))}: there is no such letter; they are a to e.")
    return letters
