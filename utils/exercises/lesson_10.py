"""What the answers to the exercises of lesson 10 must do."""

import numpy as np

from utils.exercises import Wrong, array, call, exercise, number


@exercise("10 bias for half-life")
def bias_for_half_life(answer) -> None:
    """sigmoid(b) ** steps = 1/2."""
    for steps in (1, 5, 14, 100, 1000):
        got = number(call(answer, steps), "the forget bias")
        gate = 0.5 ** (1 / steps)
        expected = np.log(gate / (1 - gate))
        if np.isclose(got, expected, rtol=1e-4, atol=1e-6):
            continue
        where = f"for {steps} steps you return {got:.4g}"
        if np.isclose(got, gate):
            raise Wrong(f"{where}: that is what the gate must be. Which number has that sigmoid?")
        if np.isclose(got, -expected):
            raise Wrong(f"{where}: the sign is turned. A larger bias keeps more.")
        if steps > 1 and (np.isclose(got, np.log(steps - 1)) or np.isclose(got, np.log(steps))):
            raise Wrong(f"{where}: that keeps 1/e of the content for about {steps} steps, not one half.")
        if np.isclose(got, np.log(np.exp(-1 / steps) / (1 - np.exp(-1 / steps)))):
            raise Wrong(f"{where}: that leaves 1/e after {steps} steps, not one half.")
        left = (1 / (1 + np.exp(-got))) ** steps
        raise Wrong(f"{where}: that leaves {left:.3g} after {steps} steps; expected {expected:.4g}, which leaves 0.5.")


@exercise("10 shuffle before")
def shuffle_before(answer) -> None:
    """All but the last k columns in another order, each row in its own; the input is left alone."""
    x = np.arange(6 * 40).reshape(6, 40)
    for k in (10, 1, 0, 40):
        given = x.copy()
        got = array(call(answer, given, k, np.random.default_rng(0)), x.shape, "the result")
        if not np.array_equal(given, x):
            raise Wrong("your function changed the array it was given; work on a copy.")
        where = f"for {x.shape[1]} columns and k = {k}"
        if k and not np.array_equal(got[:, -k:], x[:, -k:]):
            raise Wrong(f"{where} the last {k} columns have changed; they should stay as they are.")
        if not np.array_equal(np.sort(got, axis=1), x):
            if np.array_equal(np.sort(got, axis=None), x.ravel()):
                raise Wrong(f"{where} values have moved from one row to another; shuffle within each row.")
            raise Wrong(f"{where} a row no longer holds the values it had.")
        if k < x.shape[1] - 1 and np.array_equal(got, x):
            trap = " Note that x[:, :-0] is empty." if k == 0 else ""
            raise Wrong(f"{where} nothing was shuffled.{trap}")
        order = got - x[:, :1]
        if k < x.shape[1] - 1 and (order == order[0]).all():
            raise Wrong(f"{where} every row has the same order; shuffle each on its own (rng.permuted).")


@exercise("10 join")
def join(answer) -> None:
    """Two affine maps, one after the other, as one."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        first, second = (tuple(rng.uniform(0.2, 2, size=(2, 4))) for _ in range(2))
        result = call(answer, first, second)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Wrong("return a pair (keep, new), as the two you are given.")
        keep, new = (array(part, (4,), name) for part, name in zip(result, ("keep", "new"), strict=True))
        (keep_1, new_1), (keep_2, new_2) = first, second
        if np.allclose(keep, keep_1 + keep_2):
            raise Wrong("the keeps are added; what is kept twice is multiplied.")
        if not np.allclose(keep, keep_1 * keep_2):
            raise Wrong("keep is not the product of the two keeps. Insert one map into the other and collect h.")
        if np.allclose(new, keep_2 * new_1 + new_2):
            continue
        if np.allclose(new, keep_1 * new_2 + new_1):
            raise Wrong("the order is turned: `first` comes earlier in time, so `second` is applied to its result.")
        if np.allclose(new, new_1 + new_2):
            raise Wrong("what the first map wrote goes through the second map as well: it is kept only in part.")
        if np.allclose(new, new_2):
            raise Wrong("what the first map wrote is lost; the second keeps a part of it.")
        raise Wrong("new is wrong. Write h1 = keep_1 * h + new_1, then keep_2 * h1 + new_2, and collect what lacks h.")


@exercise("10 attend")
def attend(answer) -> None:
    """Softmax of the products, then the weighted mean of the states."""
    rng = np.random.default_rng(0)
    sizes = [(5, 3), (7, 4), (4, 4)]
    cases = [(rng.normal(size=units), rng.normal(size=(time, units))) for time, units in sizes]
    cases.append((np.array([1000.0, 0.0]), np.array([[1.0, 2.0], [0.9, 5.0], [-1.0, 3.0]])))
    for query, states in cases:
        scores = states @ query
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        expected = weights @ states
        result = call(answer, query.copy(), states.copy())
        where = f"for a query of {len(query)} units and {len(states)} states"
        if np.shape(result) == (len(states),) != (len(query),):
            raise Wrong(f"{where} you return one number per state; those are weights. Take the mean of the states.")
        if not np.isfinite(np.asarray(result, dtype=float)).all():
            raise Wrong("with products near 1,000 the exponential overflows; subtract the largest product first.")
        got = array(result, query.shape, "the result")
        if np.allclose(got, expected):
            continue
        if np.allclose(got, states.mean(axis=0)):
            raise Wrong(f"{where} you return the plain mean; weigh the states by how well they fit the query.")
        if np.allclose(got, scores @ states):
            raise Wrong(f"{where} the products themselves are the weights; a softmax makes them positive with sum 1.")
        if np.allclose(got, states[np.argmax(scores)]):
            raise Wrong(f"{where} you take the best state alone; attention mixes all of them, by a softmax.")
        if np.allclose(got, np.exp(scores - scores.max()) @ states) or np.allclose(got, np.exp(scores) @ states):
            raise Wrong(f"{where} the weights do not sum to 1; divide by their sum.")
        raise Wrong(f"{where} the result is not the mean of the states with softmax(states @ query) as weights.")
