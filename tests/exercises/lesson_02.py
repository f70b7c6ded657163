"""Typical wrong answers to the exercises of lesson 02, each with words that its feedback must contain."""

import numpy as np


def _norm(arrays, order=None):
    return np.sqrt(sum(np.linalg.norm(a, order) ** 2 for a in arrays))


def _chrono(units, longest, rng, forget=None, order=(0, 1), draw=None):
    bias = np.zeros((4, units))
    u = (draw or rng.uniform)(1, longest - 1, units)
    bias[order[1]] = np.log(u) if forget is None else forget(u)
    bias[order[0]] = -bias[order[1]]
    return bias.ravel()


def _whole(rng):
    return lambda low, high, units: rng.integers(low, high + 1, units)


def _shuffled_grid(rng):
    return lambda low, high, units: rng.permutation(np.linspace(low, high, units))


def _log_uniform(rng):
    return lambda low, high, units: np.exp(rng.uniform(np.log(low), np.log(high), units))


def _triangular(rng):
    return lambda low, high, units: rng.triangular(low, (low + high) / 2, high, units)


def _forget_only(units, longest, rng):
    bias = np.zeros((4, units))
    bias[1] = np.log(rng.uniform(1, longest - 1, size=units))
    return bias.ravel()


steps_until = [
    (lambda rho, level: int(np.log(level) / np.log(rho)), "Round up"),
    (lambda rho, level: np.log(level) / np.log(rho), "round up"),
    (lambda rho, level: np.log(level), "Divide log(level) by log(rho)"),
    (lambda rho, level: int(np.ceil(np.log(level) / np.log(rho))) + 1, "steps are enough"),
    (lambda rho, level: "7", "should be a number"),
    (lambda rho, level: np.log(rho) / np.log(level), "upside down"),
    (lambda rho, level: int(np.ceil(np.log(rho) / np.log(level))), "upside down"),
    (lambda rho, level: int(np.log(rho) / np.log(level)), "upside down"),
    (lambda rho, level: 1, "is left, still above 0.5"),
]

bias_for = [
    (lambda lag: 1.0, "has to grow with the lag"),
    (lambda lag: lag, "the lag itself"),
    (lambda lag: np.exp(-1 / lag), "in front of σ"),
    (lambda lag: np.log10(lag), "grows with the lag, but too slowly"),
    (lambda lag: np.log(lag) / 2, "too slowly"),
    (lambda lag: 3 * np.log(lag), "more than the rule asks"),
]

clip_global = [
    (lambda gs, limit: [g * min(1, limit / np.linalg.norm(g)) for g in gs], "each by itself"),
    (lambda gs, limit: [np.clip(g, -limit, limit) for g in gs], "each value"),
    (lambda gs, limit: [g * min(1, limit / _norm(gs, 2)) for g in gs], "largest singular value"),
    (lambda gs, limit: [g * limit / _norm(gs) for g in gs], "shrink only what is too large"),
    (lambda gs, limit: [g / max(1, _norm(gs) ** 2 / limit) for g in gs], "came back with norm 0.1"),
    (lambda gs, limit: [g * min(1, 1 / _norm(gs)) for g in gs], "with limit 5"),
    (
        lambda gs, limit: [g * min(1, limit / sum(np.linalg.norm(a) for a in gs)) for g in gs],
        "you added the norms",
    ),
    (lambda gs, limit: [-g * min(1, limit / _norm(gs)) for g in gs], "was changed"),
    (lambda gs, limit: gs[0], "as many arrays as were given"),
]

scale_to = [
    (lambda m, rho: m * rho / np.linalg.norm(m, 2), "largest singular value"),
    (lambda m, rho: m * rho, "without dividing"),
    (lambda m, rho: m * rho / np.linalg.eigvals(m).real.max(), "absolute values"),
    (lambda m, rho: m * rho / np.linalg.eigvals(m).max(), "absolute values"),
    (lambda m, rho: m * rho / np.abs(np.linalg.eigvals(m).real).max(), "absolute values"),
    (lambda m, rho: m * rho / np.linalg.norm(m), "Frobenius"),
    (lambda m, rho: m * rho / np.abs(np.linalg.eigvalsh(m)).max(), "symmetric"),
    (lambda m, rho: m * rho / np.linalg.eigvalsh(m).max(), "symmetric"),
    (lambda m, rho: m * rho / np.abs(m).sum(axis=1).max(), "largest absolute value among the eigenvalues"),
    (lambda m, rho: np.diag(np.full(len(m), rho)), "no positive multiple"),
    (lambda m, rho: m / np.abs(np.linalg.eigvals(m)).max(), "rho = 0.9 has been left out"),
    (lambda m, rho: rho, "should have shape"),
]

chrono_bias = [
    (_forget_only, "input bias is 0"),
    (lambda units, longest, rng: _chrono(units, longest, rng, order=(1, 0)), "swapped"),
    (lambda units, longest, rng: _chrono(units, longest, rng, forget=lambda u: u), "take its logarithm"),
    (lambda units, longest, rng: _chrono(units, longest + 30, rng), "expected 1 to 49"),
    (lambda units, longest, rng: _chrono(units, longest, rng, forget=lambda u: np.full_like(u, 3)), "same bias"),
    (lambda units, longest, rng: _chrono(units, longest, np.random.default_rng()), "draw from rng"),
    (lambda units, longest, rng: np.zeros(units), "should have shape"),
    (lambda units, longest, rng: _chrono(units, longest, rng, draw=_whole(rng)), "whole numbers"),
    (lambda units, longest, rng: _chrono(units, longest, rng, draw=np.linspace), "the same biases"),
    (lambda units, longest, rng: _chrono(units, longest, rng, draw=_shuffled_grid(rng)), "even grid"),
    (lambda units, longest, rng: _chrono(units, longest, rng, draw=_log_uniform(rng)), "then take its log"),
    (lambda units, longest, rng: _chrono(units, longest, rng, draw=_triangular(rng)), "as often"),
]
