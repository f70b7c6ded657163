"""What the answers to the exercises of lesson 14 must do."""

from utils.exercises import Wrong, call, exercise, number


@exercise("14 first")
def first(answer) -> None:
    """TODO: say what a right answer does."""
    got = number(call(answer, 2), "the result")
    raise Wrong(f"for 2 you return {got:g}. TODO: say what was expected and where to look, for each typical mistake.")


@exercise("14 second")
def second(answer) -> None:
    """TODO: say what a right answer does."""
    got = number(call(answer, 2), "the result")
    raise Wrong(f"for 2 you return {got:g}. TODO: say what was expected and where to look, for each typical mistake.")


@exercise("14 third")
def third(answer) -> None:
    """TODO: say what a right answer does."""
    got = number(call(answer, 2), "the result")
    raise Wrong(f"for 2 you return {got:g}. TODO: say what was expected and where to look, for each typical mistake.")
