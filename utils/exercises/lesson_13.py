"""What the answers to the exercises of lesson 13 must do."""

import numpy as np

from utils.exercises import NotAttempted, Wrong, call, exercise, number


class _Counter:
    """A stand-in for a network: its state is the list of letters read, its logits follow from all of them."""

    letters = 5

    def __init__(self) -> None:
        self.read = []  # what each call was given: letter, letters before it

    def step(self, letter, state):
        self.read.append((int(letter), tuple(state)))
        seen = (*state, int(letter))
        logits = np.zeros(self.letters)
        logits[sum((i + 1) * s for i, s in enumerate(seen)) % self.letters] = 1.0
        return logits, seen

    def text(self, prompt, count: int) -> list[int]:
        state, made = (), []
        for letter in prompt:
            logits, state = self.step(letter, state)
        while len(made) < count:
            made.append(int(np.argmax(logits)))
            logits, state = self.step(made[-1], state)
        return made


@exercise("13 go on")
def go_on(answer) -> None:
    """Prompt and text are read once each, in order, from the state in hand."""
    for prompt, count in (([3, 1, 4], 6), ([2], 4), ([0, 0, 1], 1)):
        network = _Counter()
        got = call(answer, network.step, (), list(prompt), count)
        expected = _Counter().text(prompt, count)
        try:
            got = [int(letter) for letter in got]
        except (TypeError, ValueError):
            raise Wrong(f"expected a list of {count} letters as whole numbers, got {got!r}.") from None
        where = f"for the prompt {prompt} and count {count}"
        if got == list(prompt) + expected:
            raise Wrong(f"{where} you return the prompt as well; return the {count} new letters only.")
        if len(got) != count:
            raise Wrong(f"{where} you return {len(got)} letters.")
        if got == expected:
            continue
        befores = [before for _, before in network.read]
        if all(before == () for before in befores[1:]):
            raise Wrong(f"{where} every step began with the start state. Hand each step the state of the one before.")
        if [letter for letter, _ in network.read[: len(prompt)]] != list(prompt):
            raise Wrong(f"{where} the first letters read were {[letter for letter, _ in network.read[: len(prompt)]]}.")
        if len(network.read) > len(prompt) and network.read[len(prompt)][0] == prompt[-1] != expected[0]:
            raise Wrong(f"{where} the last letter of the prompt is read twice: its logits are there already.")
        raise Wrong(f"{where} you return {got}, expected {expected}. Each new letter is the argmax of the last logits.")


@exercise("13 kept letters")
def kept_letters(answer) -> None:
    """Masks of the three rules."""
    p = np.array([0.06, 0.41, 0.02, 0.24, 0.13, 0.1, 0.04])
    sure = np.array([0.01, 0.02, 0.94, 0.03])
    for probabilities, rule, value, expected in (
        (p, "top-k", 3, [1, 3, 4]),
        (sure, "top-k", 2, [2, 3]),
        (p, "nucleus", 0.7, [1, 3, 4]),
        (p, "nucleus", 0.6, [1, 3]),
        (sure, "nucleus", 0.9, [2]),
        (p, "min-p", 0.2, [1, 3, 4, 5]),
        (sure, "min-p", 0.03, [2, 3]),
    ):
        got = np.asarray(call(answer, probabilities.copy(), rule, value))
        where = f"for p = {probabilities.tolist()}, {rule} {value}"
        if got.shape != probabilities.shape or got.dtype != bool:
            raise Wrong(f"{where}: expected an array of {len(probabilities)} True or False, got {got!r}.")
        kept = np.flatnonzero(got).tolist()
        if kept == expected:
            continue
        if rule == "nucleus" and len(kept) < len(expected):
            raise Wrong(
                f"{where} you keep places {kept}, which hold {probabilities[kept].sum():.2f} together: too little."
            )
        if rule == "min-p" and kept == np.flatnonzero(probabilities >= value).tolist():
            raise Wrong(f"{where} you compare with {value} itself; the limit is {value} times the likeliest.")
        if len(kept) == len(expected):
            raise Wrong(
                f"{where} you keep places {kept}; the likeliest stand at {expected}. Sort by probability first."
            )
        raise Wrong(f"{where} you keep places {kept}, expected {expected}.")


@exercise("13 circle")
def circle(answer) -> None:
    """The shortest phrase, three times at the end."""
    for text, expected, what in (
        ("abcxyxyxy", 2, "xy stands three times at its end"),
        ("the end", 0, "nothing stands three times at its end"),
        ("ababab c", 0, "ab stands three times, but not at the end"),
        ("xyxy", 0, "xy stands only twice"),
        ("aaaba", 0, "aaa stands at the beginning"),
        ("no, no, no, ", 4, "'no, ' stands three times at its end"),
        ("aaaaaaa", 1, "a single letter is the shortest phrase"),
        ("of the son of the son of the son", 11, "' of the son' stands three times, if the first word is cut"),
    ):
        text = " " + text if text.startswith("of") else text
        got = call(answer, text)
        if isinstance(got, bool | np.bool_):
            raise Wrong(f"for {text!r} you return {bool(got)}; expected a length, or 0.")
        if number(got, "the length") != expected:
            raise Wrong(f"for {text!r} you return {got}, expected {expected}: {what}.")


BAG = np.array([0.45, 0.26, 0.13, 0.07, 0.03, 0.02, 0.01, 0.01, 0.01, 0.01])


def _drawn_from(rule: str, value: float) -> np.ndarray:
    """The bag after a rule, by its definition."""
    if rule == "temperature":
        p = BAG ** (1 / value)
    elif rule == "top-k":
        p = np.where(np.arange(len(BAG)) < value, BAG, 0)
    elif rule == "nucleus":
        p = np.where(np.cumsum(BAG) - BAG < value, BAG, 0)
    else:
        p = np.where(value * BAG.max() <= BAG, BAG, 0)
    return p / p.sum()


@exercise("13 live hand")
def live_hand(answer) -> None:
    """At most 1% crumbs, at most 60% of the likeliest; measured near what the rule gives."""
    names = ("rule", "value", "predicted", "likeliest", "crumbs")
    if not isinstance(answer, dict) or set(answer) != set(names):
        raise Wrong(f"expected a dict with {', '.join(names)}, got {answer!r}.")
    if any(answer[name] is ... for name in names):
        raise NotAttempted
    rule = answer["rule"]
    if rule not in ("temperature", "top-k", "nucleus", "min-p"):
        raise Wrong(f"rule is {rule!r}; expected temperature, top-k, nucleus or min-p.")
    value, predicted, likeliest, crumbs = (number(answer[name], name) for name in names[1:])
    allowed = {"temperature": value > 0, "top-k": value >= 1, "nucleus": 0 < value <= 1, "min-p": 0 < value <= 1}
    if not allowed[rule]:
        raise Wrong(f"{rule} cannot be {value:g}.")
    for name, share in (("predicted", predicted), ("likeliest", likeliest), ("crumbs", crumbs)):
        if not 0 <= share <= 1:
            raise Wrong(f"{name} is {share:g}; expected a share between 0 and 1.")
    p = _drawn_from(rule, value)
    for name, share, true in (("likeliest", likeliest, p[0]), ("crumbs", crumbs, p[5:].sum())):
        if abs(share - true) > 0.015:
            raise Wrong(
                f"{rule} {value:g} draws {name} in a share of {true:.3f}, you measured {share:.3f}. Twenty thousand "
                "draws come to within 0.01; are the probabilities divided by their sum after the rule?"
            )
    if p[5:].sum() > 0.01:
        more = " No temperature leaves them and stays alive." if rule == "temperature" else ""
        raise Wrong(f"{rule} {value:g} still draws crumbs in {100 * p[5:].sum():.2f} of 100, more than 1.{more}")
    if p[0] > 0.6:
        raise Wrong(
            f"{rule} {value:g} draws the likeliest in {100 * p[0]:.0f} of 100, more than 60: the text goes stale."
        )
