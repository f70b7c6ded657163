"""What the answers to the exercises of lesson 02 must do."""

import numpy as np

from utils.exercises import Wrong, array, call, number


def _steps_until(answer) -> None:
    """The first whole number of steps after which rho ** steps is at most level."""
    for rho, level in [(0.9, 0.5), (0.5, 0.25), (0.99, 1e-3)]:
        expected = 0
        while rho**expected > level * (1 + 1e-12):
            expected += 1
        got = number(call(answer, rho, level), "the number of steps")
        if got == expected:
            continue
        where = f"for rho = {rho} and level = {level} you return {got:g}"
        if np.isclose(got * np.log(level) / np.log(rho), 1, rtol=0.2):
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


def _clip_global(answer) -> None:
    """Shrink a list of arrays to a common norm, if it is larger."""
    small = [np.array([0.3, 0.0]), np.array([[0.4]])]  # norm 0.5
    large = [np.array([[6.0, 0.0]]), np.array([8.0])]  # norm 10
    results = {
        name: call(answer, [g.copy() for g in given], 1.0) for name, given in (("small", small), ("large", large))
    }
    for name, given in (("small", small), ("large", large)):
        if not isinstance(results[name], list | tuple) or len(results[name]) != 2:
            raise Wrong("expected a list with as many arrays as were given.")
        pairs = zip(results[name], given, strict=True)
        results[name] = [array(got, original.shape, "each array") for got, original in pairs]
    if not all(np.allclose(got, g) for got, g in zip(results["small"], small, strict=True)):
        raise Wrong("a gradient of norm 0.5 was changed though the limit is 1; shrink only what is too large.")
    norm = np.sqrt(sum(np.sum(g**2) for g in results["large"]))
    first, second = (float(np.ravel(g)[0]) for g in results["large"])
    if np.isclose(first, 1) and np.isclose(second, 1):
        raise Wrong(
            f"arrays of norm 6 and 8 both came back with norm 1: you shrink each by itself (or clip each value). Their "
            f"common norm is 10; it is {norm:.3f} now, and the direction has changed."
        )
    if not np.isclose(norm, 1):
        raise Wrong(f"a gradient of norm 10 with limit 1 came back with norm {norm:.4g}; expected 1.")
    if not np.allclose([first, second], [0.6, 0.8]):
        raise Wrong("the norm is right, the direction has changed; multiply every array by the same positive number.")
    wider = [array(g, o.shape, "each array") for g, o in zip(call(answer, large, 5.0), large, strict=True)]
    if not np.isclose(np.sqrt(sum(np.sum(g**2) for g in wider)), 5):
        raise Wrong("with limit 1 it is right, with limit 5 a gradient of norm 10 does not come back with norm 5.")


def _scale_to(answer) -> None:
    """A multiple of a matrix with a given spectral radius."""
    rng = np.random.default_rng(0)
    for matrix, rho in [(rng.normal(size=(6, 6)), 0.9), (np.array([[0.0, -2.0], [2.0, 0.0]]), 1.0)]:
        got = array(call(answer, matrix.copy(), rho), matrix.shape, "the matrix")
        radius = np.abs(np.linalg.eigvals(got)).max()
        if np.isclose(radius, rho):
            factors = got[matrix != 0] / matrix[matrix != 0]
            if not np.allclose(factors, factors[0]) or factors[0] <= 0:
                raise Wrong("the spectral radius is right, but the result is no positive multiple of the matrix.")
            continue
        if np.isclose(np.linalg.norm(got, 2), rho):
            raise Wrong(
                f"you scaled the largest singular value to {rho}; the spectral radius is then {radius:.3f}. It is the "
                "largest absolute eigenvalue."
            )
        if np.allclose(got, matrix * rho):
            raise Wrong("you multiplied by rho without dividing by the spectral radius that the matrix has already.")
        if np.isclose(radius, 1):
            raise Wrong(f"the spectral radius is 1 now; rho = {rho} has been left out.")
        raise Wrong(
            f"the spectral radius is {radius:.3f}, expected {rho}. Eigenvalues can be complex or negative: take their "
            "absolute values before the maximum."
        )


def _chrono_bias(answer) -> None:
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
    if times.max() > 1e4:
        raise Wrong("the forget bias is u itself; take its logarithm.")
    if times.min() < 1 or times.min() > 1.5 or not 0.95 * (longest - 1) < times.max() <= longest - 1 + 1e-9:
        raise Wrong(f"u runs from {times.min():.2f} to {times.max():.2f}; expected 1 to {longest - 1}.")
    if not np.isclose(times.mean(), longest / 2, rtol=0.05):
        raise Wrong(
            f"the mean of u is {times.mean():.1f}, expected {longest / 2:.1f}: draw u uniformly, then take its log."
        )


CHECKS = {
    "02 steps until": _steps_until,
    "02 clip global": _clip_global,
    "02 scale to": _scale_to,
    "02 chrono bias": _chrono_bias,
}
