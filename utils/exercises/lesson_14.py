"""What the answers to the exercises of lesson 14 must do."""

import types

import numpy as np

from utils.exercises import NotAttempted, Wrong, call, exercise, number


class _Scribe:
    """A stand-in for a network: its state is all that it has read; it counts its steps."""

    letters = 5

    def __init__(self) -> None:
        self.steps = 0

    def step(self, letter, state):
        self.steps += 1
        seen = (*state, int(letter))
        logits = np.zeros(self.letters)
        logits[sum((i + 1) * s for i, s in enumerate(seen)) % self.letters] = 1.0
        return logits, seen


def _text(prompt, count: int) -> list[int]:
    scribe, state, made = _Scribe(), (), []
    for letter in prompt:
        logits, state = scribe.step(letter, state)
    while len(made) < count:
        made.append(int(np.argmax(logits)))
        logits, state = scribe.step(made[-1], state)
    return made


@exercise("14 stream")
def stream(answer) -> None:
    """Each letter is handed over after one step more, and none before it is asked for."""
    for prompt, count in (([3, 1, 4], 6), ([2, 0], 4)):
        scribe = _Scribe()
        stream = call(answer, scribe.step, (), list(prompt), count)
        where = f"for a prompt of {len(prompt)} letters and count {count}"
        if isinstance(stream, list | tuple | np.ndarray):
            raise Wrong(
                f"{where} you return a {type(stream).__name__}: nobody sees a letter before the last is made. Hand "
                "over each with yield."
            )
        if not isinstance(stream, types.GeneratorType | map | filter | zip):
            raise Wrong(f"{where} you return {stream!r}; expected a generator, a function with yield in it.")
        got, steps = [], []
        try:
            for letter in stream:
                got.append(int(letter))
                steps.append(scribe.steps)
                if len(got) > count:
                    raise Wrong(f"{where} the stream does not end; expected {count} letters.")
        except (TypeError, ValueError, IndexError, KeyError) as error:
            raise Wrong(f"{where} the stream raised {type(error).__name__}: {error}") from None
        if len(got) != count:
            raise Wrong(f"{where} the stream has {len(got)} letters.")
        most = len(prompt) + 1  # a step ahead is allowed
        if steps[0] > most:
            raise Wrong(
                f"{where} {steps[0]} steps were made before the first letter came; {len(prompt)} are enough, one for "
                "each letter of the prompt. Yield a letter before you make the next."
            )
        if steps[-1] > len(prompt) + count:
            raise Wrong(
                f"{where} {steps[-1]} steps were made in all; {len(prompt) + count - 1} are enough. Keep the state, "
                "and read nothing twice."
            )
        expected = _text(prompt, count)
        if got != expected:
            raise Wrong(
                f"{where} you hand over {got}, expected {expected}: each letter is the argmax of the last logits, and "
                "each step begins with the state of the one before."
            )


@exercise("14 few bits")
def few_bits(answer) -> None:
    """Whole numbers within the bits, and a scale for each column."""
    rng = np.random.default_rng(0)
    for bits in (8, 4):
        matrix = rng.normal(size=(40, 5)) * [0.1, 1, 5, 1, 0.02]
        got = call(answer, matrix.copy(), bits)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise Wrong(f"expected two things, (numbers, scale), got {type(got).__name__}.")
        numbers, scale = np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)
        if numbers.shape != matrix.shape:
            raise Wrong(f"numbers has the shape {numbers.shape}; expected that of the matrix, {matrix.shape}.")
        if not np.array_equal(numbers, np.rint(numbers)):
            raise Wrong("numbers holds fractions; expected whole numbers.")
        most = 2 ** (bits - 1) - 1
        if np.abs(numbers).max() > most:
            raise Wrong(
                f"in {bits} bits you use numbers up to {np.abs(numbers).max():.0f}; a symmetric range ends at {most}."
            )
        if scale.size == 1:
            raise Wrong("there is one scale for all; a column of small weights is then all zeros. One for each column.")
        if scale.size != matrix.shape[1]:
            raise Wrong(
                f"scale has the shape {scale.shape}; expected one number for each of {matrix.shape[1]} columns."
            )
        if np.any(scale <= 0):
            raise Wrong("a scale is not above 0.")
        off = np.abs(numbers * scale.reshape(1, -1) - matrix) / (np.abs(matrix).max(axis=0) / most)  # in steps
        if off.max() > 1.001:
            raise Wrong(
                f"in {bits} bits a weight comes back {off.max():.1f} steps from where it was; expected half a step at "
                "most. The largest weight of a column becomes the largest number."
            )
        if off.max() > 0.501:
            raise Wrong(
                f"in {bits} bits a weight comes back {off.max():.2f} steps off: you cut, where you should round."
            )


def latencies(arrivals, work, scribes: int) -> np.ndarray:
    """From arrival to the last letter, of customers who share one queue and go to the scribe who is free first."""
    free, result = [0.0] * scribes, []
    for arrival, effort in zip(arrivals, work, strict=True):
        first = free.index(min(free))
        free[first] = max(arrival, free[first]) + effort
        result.append(free[first] - arrival)
    return np.array(result)


def _in_turn(arrivals, work, scribes: int) -> np.ndarray:
    """The same where customers are dealt out in turn, to queues of their own."""
    result = np.empty(len(work))
    for i in range(scribes):
        result[i::scribes] = latencies(arrivals[i::scribes], work[i::scribes], 1)
    return result


@exercise("14 waiting")
def waiting(answer) -> None:
    """Latency is waiting and being served; a scribe may be idle, and the one who is free first takes the next."""
    rng = np.random.default_rng(0)
    for arrivals, work, scribes, what in (
        ([0.0, 1.0, 2.0], [5.0, 5.0, 5.0], 1, "one scribe, three customers close together"),
        ([0.0, 100.0, 101.0], [10.0, 10.0, 10.0], 1, "one scribe, idle before the second customer comes"),
        ([0.0, 0.0, 1.0, 2.0], [50.0, 5.0, 5.0, 5.0], 2, "two scribes, the first of them long at work"),
        (np.cumsum(rng.exponential(80.0, 50)), rng.integers(20, 401, 50).astype(float), 3, "three scribes"),
    ):
        arrivals, work = np.asarray(arrivals), np.asarray(work)
        got = np.asarray(call(answer, arrivals.copy(), work.copy(), scribes), dtype=float)
        expected = latencies(arrivals, work, scribes)
        if got.shape != expected.shape:
            raise Wrong(f"{what}: expected {len(expected)} latencies, got the shape {got.shape}.")
        if np.allclose(got, expected):
            continue
        if np.allclose(got, work):
            raise Wrong(f"{what}: you count the work alone; the time spent waiting for those before belongs to it.")
        if np.allclose(got, expected - work):
            raise Wrong(f"{what}: you count the waiting alone; a customer also waits while being served.")
        if np.allclose(got, expected + arrivals):
            raise Wrong(f"{what}: you return when each is done; subtract when they came.")
        if np.any(got < work - 1e-9):
            raise Wrong(f"{what}: somebody is done sooner than their work takes. A free scribe waits for a customer.")
        if scribes > 1 and np.allclose(got, latencies(arrivals, work, 1)):
            raise Wrong(f"{what}: only one of them works.")
        if scribes > 1 and np.allclose(got, _in_turn(arrivals, work, scribes)):
            raise Wrong(f"{what}: you deal the customers out in turn; the next goes to the scribe who is free first.")
        raise Wrong(f"{what}: you return {got[:4].round(1)}..., expected {expected[:4].round(1)}...")


PROMISE = 2200  # steps within which 99 of 100 are to be done
SHORTEST, LONGEST = 20, 400


def _percentiles(load: float) -> np.ndarray:
    """p50 and p99 of latency at a load, from 200,000 customers."""
    rng = np.random.default_rng(0)
    work = rng.integers(SHORTEST, LONGEST + 1, 200_000).astype(float)
    arrivals = np.cumsum(rng.exponential(work.mean() / load, len(work)))
    done = np.cumsum(work)
    return np.percentile(done + np.maximum.accumulate(arrivals - (done - work)) - arrivals, [50, 99])


@exercise("14 promise")
def promise(answer) -> None:
    """The highest load, in steps of 5%, at which the promise is kept; measured near what it gives."""
    names = ("load", "predicted_p99", "p50", "p99")
    if not isinstance(answer, dict) or set(answer) != set(names):
        raise Wrong(f"expected a dict with {', '.join(names)}, got {answer!r}.")
    if any(answer[name] is ... for name in names):
        raise NotAttempted
    load, _, p50, p99 = (number(answer[name], name) for name in names)
    if not 0.05 <= load <= 0.95 or abs(20 * load - round(20 * load)) > 1e-6:
        raise Wrong(f"load is {load:g}; expected a share of the scribe's time in steps of 5%: 0.05, 0.1, ... 0.95.")
    true = _percentiles(load)
    if true[1] > PROMISE:
        raise Wrong(f"at a load of {load:.0%} p99 is about {true[1]:.0f} steps, more than the {PROMISE} promised.")
    if p99 < 1.02 * LONGEST and load > 0.1:
        raise Wrong(f"p99 is {p99:g}, as if nobody waited: have your customers come by themselves, waiting or not.")
    for name, got, expected in (("p50", p50, true[0]), ("p99", p99, true[1])):
        if abs(got / expected - 1) > 0.15:
            raise Wrong(
                f"at a load of {load:.0%} {name} is about {expected:.0f} steps, you measured {got:.0f}. A hundred "
                "thousand customers come to within 15%; is the mean gap the mean work divided by the load?"
            )
    if _percentiles(load + 0.05)[1] <= PROMISE:
        raise Wrong(f"the promise is kept, but at {load + 0.05:.0%} it is kept as well: take the highest load you can.")
