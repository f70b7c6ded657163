"""What the answers to the exercises of lesson 02 must do."""

import numpy as np
from scipy import stats

from utils.exercises import Wrong, array, call, exercise, number


@exercise("02 steps until")
def steps_until(answer) -> None:
    """The first whole number of steps after which rho ** steps is at most level."""
    for rho, level in [(0.9, 0.5), (0.5, 0.25), (0.99, 1e-3)]:
        expected = 0
        while rho**expected > level * (1 + 1e-12):
            expected += 1
        got = number(call(answer, rho, level), "the number of steps")
        if got == expected:
            continue
        where = f"for rho = {rho} and level = {level} you return {got:g}"
        if got < 2 and 43 <= number(call(answer, 0.01, 0.9), "the number of steps") <= 44:  # 43.7 the wrong way round
            raise Wrong(f"{where}; the quotient is upside down. Divide log(level) by log(rho).")
        if got < 0:
            raise Wrong(
                f"{where}; both logarithms are negative, so their ratio is positive. Divide log(level) by log(rho)."
            )
        if got != int(got):
            raise Wrong(f"{where}; steps are whole, and after too few of them the level is not reached yet: round up.")
        left = rho**got
        if got < expected:
            raise Wrong(f"{where}, but after that many steps {left:.4g} is left, still above {level}. Round up.")
        raise Wrong(f"{where}, but {expected} steps are enough: {rho**expected:.4g} is left then.")


@exercise("02 clip global")
def clip_global(answer) -> None:
    """Shrink a list of arrays to a common norm, if it is larger."""
    square = np.array([[1.0, 1.0], [1.0, -1.0]])  # norm 2, largest singular value 1.414
    small = [0.15 * square, np.array([0.4])]  # norm 0.5
    large = [3 * square, np.array([0.0, 8.0])]  # norms 6 and 8, together 10

    def clipped(given, limit):
        result = call(answer, [g.copy() for g in given], limit)
        if not isinstance(result, list | tuple) or len(result) != len(given):
            raise Wrong("expected a list with as many arrays as were given.")
        return [array(got, g.shape, "each array") for got, g in zip(result, given, strict=True)]

    def same(got, expected):
        return all(np.allclose(g, e) for g, e in zip(got, expected, strict=True))

    if not same(clipped(small, 1.0), small):
        raise Wrong("a gradient of norm 0.5 was changed though the limit is 1; shrink only what is too large.")
    got = clipped(large, 1.0)
    norm = np.sqrt(sum(np.sum(g**2) for g in got))
    now = f"Their common norm is 10; it is {norm:.3f} now, and the direction has changed."
    if same(got, [g / np.linalg.norm(g) for g in large]):
        raise Wrong(f"arrays of norm 6 and 8 both came back with norm 1: you shrink each by itself. {now}")
    if same(got, [np.clip(g, -1, 1) for g in large]):
        raise Wrong(f"you clip each value by itself. {now}")
    if np.isclose(norm, 10 / np.hypot(np.linalg.norm(large[0], 2), 8)):
        raise Wrong(
            f"a gradient of norm 10 with limit 1 came back with norm {norm:.4g}: you measured a matrix by its largest "
            "singular value, which is what np.linalg.norm(g, 2) gives. The norm of all is the root of the sum of all "
            "squares."
        )
    if np.isclose(norm, 10 / 14):
        raise Wrong(
            f"a gradient of norm 10 with limit 1 came back with norm {norm:.4g}: you added the norms, 6 and 8. They do "
            "not add up, their squares do: take the root of the sum of all squares."
        )
    if not np.isclose(norm, 1):
        raise Wrong(f"a gradient of norm 10 with limit 1 came back with norm {norm:.4g}; expected 1.")
    if not same(got, [g / 10 for g in large]):
        raise Wrong("the norm is right, the direction has changed; multiply every array by the same positive number.")
    if not same(clipped(large, 5.0), [g / 2 for g in large]):
        raise Wrong("with limit 1 it is right, with limit 5 a gradient of norm 10 does not come back with norm 5.")


@exercise("02 scale to")
def scale_to(answer) -> None:
    """A multiple of a matrix with a given spectral radius."""
    rng = np.random.default_rng(0)
    for matrix, rho in [(rng.normal(size=(6, 6)), 0.9), (np.array([[1.5, -2.0], [2.0, 1.5]]), 1.0)]:
        result = call(answer, matrix.copy(), rho)
        eigenvalues = np.linalg.eigvals(matrix)
        if np.iscomplexobj(result) and np.allclose(result, matrix * rho / eigenvalues.max()):
            raise Wrong(
                "you divided by a complex eigenvalue. Take the absolute values of all eigenvalues before the maximum."
            )
        got = array(result, matrix.shape, "the matrix")
        radius = np.abs(np.linalg.eigvals(got)).max()
        if np.isclose(radius, rho):
            factors = got[matrix != 0] / matrix[matrix != 0]
            if not np.allclose(factors, factors[0]) or factors[0] <= 0:
                raise Wrong("the spectral radius is right, but the result is no positive multiple of the matrix.")
            continue
        if np.allclose(got, matrix * rho):
            raise Wrong("you multiplied by rho without dividing by the spectral radius that the matrix has already.")
        if np.isclose(radius, 1):
            raise Wrong(f"the spectral radius is 1 now; rho = {rho} has been left out.")
        where = f"the spectral radius is {radius:.3f}, expected {rho}"
        symmetric = np.linalg.eigvalsh(matrix)
        divided_by = {
            "you scaled the largest singular value instead.": [np.linalg.norm(matrix, 2)],
            "you scaled the Frobenius norm instead, the root of the sum of all squares.": [np.linalg.norm(matrix)],
            "eigvalsh takes the matrix for symmetric and reads half of it; use np.linalg.eigvals.": [
                symmetric.max(),
                np.abs(symmetric).max(),
            ],
            "eigenvalues can be complex or negative: take their absolute values before the maximum.": [
                eigenvalues.real.max(),
                np.abs(eigenvalues.real).max(),
            ],
        }
        for words, divisors in divided_by.items():
            if any(np.allclose(got, matrix * rho / divisor) for divisor in divisors):
                raise Wrong(f"{where}; {words} The spectral radius is the largest absolute value among eigenvalues.")
        raise Wrong(f"{where}. Divide by the largest absolute value among the eigenvalues, then multiply by rho.")


@exercise("02 chrono bias")
def chrono_bias(answer) -> None:
    """Forget bias log U(1, longest - 1), input bias its negative, zero elsewhere."""
    units, longest = 2000, 50
    bias = array(call(answer, units, longest, np.random.default_rng(0)), (4 * units,), "the bias")
    if not np.array_equal(bias, np.asarray(call(answer, units, longest, np.random.default_rng(0)), dtype=float)):
        raise Wrong("two calls with equal generators gave different biases; draw from rng, not from np.random.")
    i, f, g, o = bias.reshape(4, units)
    if np.any(g) or np.any(o):
        raise Wrong("candidate and output gate (the last two quarters) should start at 0.")
    if np.all(f <= 0) and np.all(i >= 0) and np.any(i):
        raise Wrong(
            "forget and input bias are swapped: Keras' order is input gate, forget gate, candidate, output gate."
        )
    if not np.any(i):
        raise Wrong("the input bias is 0; it should be the negative of the forget bias.")
    if not np.allclose(i, -f):
        raise Wrong("the input bias is not the negative of the forget bias; use the same draw for both.")
    times = np.exp(f)
    if np.ptp(f) == 0:
        raise Wrong("all units have the same bias; draw one u for every unit.")
    other = np.exp(
        array(call(answer, units, longest, np.random.default_rng(1)), (4 * units,), "the bias")[units : -2 * units]
    )
    if np.array_equal(times, other):
        raise Wrong("two different generators gave the same biases; draw u at random, from rng.")
    if np.allclose(np.sort(times), np.sort(other)):
        raise Wrong("u lies on an even grid, the same for every generator; draw each u by itself, with rng.uniform.")
    if np.allclose(times, np.round(times)):
        raise Wrong("u is drawn from the whole numbers; it may be any number between, as rng.uniform gives it.")
    if times.max() > 1e4:
        raise Wrong("the forget bias is u itself; take its logarithm.")
    if times.min() < 1 or times.min() > 1.5 or not 0.95 * (longest - 1) < times.max() <= longest - 1 + 1e-9:
        raise Wrong(f"u runs from {times.min():.2f} to {times.max():.2f}; expected 1 to {longest - 1}.")
    if not np.isclose(times.mean(), longest / 2, rtol=0.05):
        raise Wrong(
            f"the mean of u is {times.mean():.1f}, expected {longest / 2:.1f}: draw u uniformly, then take its log."
        )
    if stats.kstest(times, stats.uniform(1, longest - 2).cdf).pvalue < 1e-4:
        raise Wrong(f"u is not uniform: every number from 1 to {longest - 1} should come as often as any other.")


@exercise("02 bias for")
def bias_for(answer) -> None:
    """A forget bias that keeps a good share of the cell state over a lag: about ln(lag)."""
    for lag in (20, 200, 1000):
        bias = number(call(answer, lag), "the bias")
        where = f"for a lag of {lag} you return {bias:.4g}"
        if np.isclose(bias, lag, rtol=0.05):
            raise Wrong(f"{where}, the lag itself; time grows like exp(bias), so take a logarithm.")
        if 0 < bias < 1:
            raise Wrong(f"{where}; that looks like what the gate keeps, σ(bias). The bias in front of σ was asked for.")
        kept = (1 / (1 + np.exp(-bias))) ** lag
        if kept < 0.2:
            grows = number(call(answer, 10 * lag), "the bias") > bias
            advice = "It grows with the lag, but too slowly." if grows else "The bias has to grow with the lag."
            raise Wrong(f"{where}; after {lag} steps σ(bias)^{lag} = {kept:.2g} is left. {advice}")
        if kept > 0.65:
            raise Wrong(
                f"{where}; that keeps {kept:.0%} over {lag} steps, more than the rule asks: 37%, a time constant as "
                "long as the lag."
            )
