"""Reference answers to the exercises of lesson 00. Try first: the check cells tell you what is missing."""

loses_the_order = {"a", "c", "d"}


def rnn_parameters(features: int, units: int, outputs: int) -> int:
    """W, U and b of the RNN; V and c of the dense layer."""
    return units * (features + units + 1) + outputs * (units + 1)


shapes = {
    "mark every heartbeat in a recording as healthy or not": "many to many, equal",
    "compose a melody from a single mood": "one to many",
    "translate a question into German": "many to many, unequal",
    "say from a month of readings whether a machine will fail": "many to one",
}


def step_back(delta, h, h_before, U):
    """Through tanh, then to the matrix and to the state before."""
    a = delta * (1 - h**2)
    return h_before.T @ a, a @ U.T


may_read_both_ways = {"a", "c", "e"}
