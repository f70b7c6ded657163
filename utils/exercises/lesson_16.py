"""What the answers to the exercises of lesson 16 must do."""

import numpy as np

from utils.exercises import NotAttempted, Wrong, array, call, exercise, number
from utils.serving.drift import LossMonitor


class _Clerk:
    """A stand-in for a network: its state is the tuple of letters read, its logits follow from all of them."""

    start = ()

    def __init__(self) -> None:
        self.read = []  # what each call was given: letter, letters before it

    def step(self, letter, state):
        self.read.append((int(letter), tuple(state)))
        seen = (*state, int(letter))
        return self.logits(seen), seen

    @staticmethod
    def logits(seen) -> np.ndarray:
        return np.array([sum((i + 1) * s for i, s in enumerate(seen)), len(seen), seen[-1]], float)


@exercise("16 pick up")
def pick_up(answer) -> None:
    """Several callers, each with a card; every letter is read once, from the caller's own state."""
    clerk, cards, said = _Clerk(), {}, {}
    for caller, letters in (("Ann", [3, 1]), ("Bob", [2]), ("Ann", [4]), ("Bob", [5, 2, 2]), ("Ann", [1])):
        before = len(clerk.read)
        got = call(answer, clerk.step, clerk.start, cards, caller, list(letters))
        said[caller] = (*said.get(caller, ()), *letters)
        where = f"when {caller} says {letters}" + (f" after {list(said[caller][: -len(letters)])}" * (before > 0))
        read = clerk.read[before:]
        if len(read) > len(letters):
            raise Wrong(f"{where} you take {len(read)} steps for {len(letters)} letters: what is on the card is read.")
        if read and read[0][1] == () != said[caller][: -len(letters)]:
            raise Wrong(f"{where} you begin from the start state. Look for the caller's card first.")
        if read and read[0][1] != said[caller][: -len(letters)]:
            raise Wrong(f"{where} you go on from {list(read[0][1])}: each caller has a card of their own.")
        if cards.get(caller) != said[caller]:
            raise Wrong(f"{where} the card then holds {cards.get(caller)!r}, expected the state after the last letter.")
        expected = clerk.logits(said[caller])
        if not np.array_equal(array(got, expected.shape, "what you return"), expected):
            raise Wrong(f"{where} you return {got}, expected {expected}: the logits after the last letter.")


@exercise("16 let out")
def let_out(answer) -> None:
    """Nothing of a forbidden word leaves, all else as early as it can."""
    for chunks, words, expected, what in (
        (["the go", "ld ring"], ["gold"], ["the ", ""], "the word is complete: nothing more leaves"),
        (["to ", "be ", "or"], ["gold"], ["to ", "be ", "or", ""], "nothing there begins the word"),
        (["the go", "od man"], ["gold"], ["the ", "good man", ""], "'go' may become the word and waits"),
        (["the gold ring"], ["gold"], ["the "], "the word stands inside one chunk"),
        (["a", " g", "o", "l", "d"], ["gold"], ["a", " ", "", "", ""], "the word comes letter by letter"),
        (["all that g"], ["gold"], ["all that ", "g"], "at the end what waits may leave"),
        (["agogo", "l", "d"], ["gold"], ["ago", "", ""], "only the last 'go' may become the word"),
        (["sil", "k and go"], ["gold", "silver"], ["", "silk and ", "go"], "'sil' may become the second word"),
        (["aab", "c"], ["aabc"], ["", ""], "the word begins at the first letter"),
        (["aaa", "bc"], ["aabc"], ["a", ""], "the last two letters may begin the word"),
    ):
        got = call(answer, list(chunks), list(words))
        where = f"for the chunks {chunks} and {words}"
        if isinstance(got, str) or not all(isinstance(piece, str) for piece in got):
            raise Wrong(f"{where}: expected a list of pieces of text, one for each chunk, got {got!r}.")
        got, left = list(got), "".join(got)
        complete = any(word in "".join(chunks) for word in words)
        kept = "".join(expected)
        if got == expected:
            continue
        if any(word in left for word in words):
            raise Wrong(f"{where} you let out {left!r}, with the word in it. Think of words that two chunks share.")
        if complete and left.startswith(kept) and left != kept:
            raise Wrong(f"{where} you let out {left!r}; expected {kept!r} and then nothing ({what}).")
        if left == kept and len(got) == len(expected):
            raise Wrong(
                f"{where} you let out {got}, expected {expected}: you hold back more than you need, and the reader "
                f"waits ({what})."
            )
        if got == expected[:-1] and not complete:
            raise Wrong(
                f"{where} you let out {got}; expected one more piece at the end, what still waits: {expected[-1]!r}."
            )
        if kept.startswith(left) and left != kept:
            raise Wrong(f"{where} {kept[len(left) :]!r} never leaves. At the end, what waited may go.")
        raise Wrong(f"{where} you let out {got}, expected {expected} ({what}).")


@exercise("16 by chance")
def by_chance(answer) -> None:
    """A permutation test: as often as chance makes the difference at least as large."""
    rng = np.random.default_rng(0)

    def difference(a, b):
        if len(a) not in (60, 40, 30) or len(b) not in (40, 25, 30):
            raise Wrong(
                f"your samples have {len(a)} and {len(b)} values; the piles have to stay as large as they were."
            )
        return abs(np.mean(a) - np.mean(b))

    for n, m, apart in ((60, 40, 0.05), (40, 25, 2.0), (30, 30, 0.35)):
        reference, current = rng.normal(size=n), rng.normal(size=m)
        current += reference.mean() + apart - current.mean()
        expected = _permuted(reference, current, np.random.default_rng(1))
        got = number(call(answer, reference.copy(), current.copy(), difference, np.random.default_rng(2)), "the share")
        where = f"for piles of {n} and {m} whose means are {apart:g} apart"
        if not 0 <= got <= 1:
            raise Wrong(f"{where} you return {got:g}; expected a share between 0 and 1.")
        if abs(got - expected) <= 0.06:
            continue
        if abs(got - (1 - expected)) <= 0.06:
            raise Wrong(f"{where} you return {got:.2f}: count the deals *at least* as far apart as the real piles.")
        if got in (0, 1):
            raise Wrong(
                f"{where} you return {got:g}, expected about {expected:.2f}. Are the piles mixed before a deal?"
            )
        raise Wrong(f"{where} you return {got:.2f}, expected about {expected:.2f}: mix both piles, deal anew, compare.")


def _permuted(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> float:
    real = abs(a.mean() - b.mean())
    mixed = rng.permuted(np.tile(np.concatenate([a, b]), (2000, 1)), axis=1)
    return float(np.mean(np.abs(mixed[:, : len(a)].mean(axis=1) - mixed[:, len(a) :].mean(axis=1)) >= real))


EVERY, WITHIN = 15_000, 20  # texts between false alarms, and until a shift of one deviation is told


@exercise("16 alarm")
def alarm(answer) -> None:
    """A slack with which a shift of one deviation is told within twenty texts; measured near what it gives."""
    names = ("slack", "predicted", "measured")
    if not isinstance(answer, dict) or set(answer) != set(names):
        raise Wrong(f"expected a dict with {', '.join(names)}, got {answer!r}.")
    if any(answer[name] is ... for name in names):
        raise NotAttempted
    slack, predicted, measured = (number(answer[name], name) for name in names)
    if not 0 < slack <= 3:
        raise Wrong(f"slack is {slack:g}; expected more than 0, at most 3 deviations.")
    if predicted <= 0:
        raise Wrong(f"predicted is {predicted:g}; expected a number of texts.")
    true = _delay(slack)
    if abs(measured - true) > 0.12 * true:
        raise Wrong(
            f"with a slack of {slack:g} it takes {true:.0f} texts on average, you measured {measured:.1f}. Is "
            f"every={EVERY:,}, the monitor new for each run, and the mean over some hundred runs?"
        )
    if true > WITHIN:
        why = (
            "So small a slack lets noise add up, and the limit has to be high."
            if slack < 0.5
            else "So large a slack eats up most of the shift."
        )
        raise Wrong(f"with a slack of {slack:g} it takes {true:.0f} texts on average, more than {WITHIN}. {why}")


def _delay(slack: float, runs: int = 2000) -> float:
    """Mean texts until the upper sum reaches the limit, the scores shifted by one deviation."""
    limit = LossMonitor(range(100), every=EVERY, slack=slack).limit
    rng, height = np.random.default_rng(0), np.zeros(runs)
    delays = np.zeros(runs)
    for texts in range(1, 2001):
        running = delays == 0
        height[running] = np.maximum(0, height[running] + rng.normal(1, size=running.sum()) - slack)
        delays[running & (height >= limit)] = texts
        if delays.all():
            break
    return float(np.where(delays == 0, 2000, delays).mean())
