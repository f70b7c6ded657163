"""Reference answers to the exercises of lesson 16. Try first: the check cells tell you what is missing."""

import numpy as np

from utils.serving.drift import LossMonitor


def pick_up(step, start, cards: dict, caller: str, letters: list[int]):
    """The card is the state after the last letter; who has none begins at the start."""
    state = cards.get(caller, start)
    for letter in letters:
        logits, state = step(letter, state)
    cards[caller] = state
    return logits


def let_out(chunks: list[str], words: list[str]) -> list[str]:
    """What waits is the longest end of the text that may still become a word."""
    waits, out = "", []
    for chunk in chunks:
        text = waits + chunk
        found = [text.index(word) for word in words if word in text]
        if found:
            return [*out, text[: min(found)]]
        ends = [text[i:] for i in range(len(text))]  # the longest first
        waits = next((end for end in ends if any(word.startswith(end) for word in words)), "")
        out.append(text[: len(text) - len(waits)])
    return [*out, waits]


def by_chance(reference: np.ndarray, current: np.ndarray, difference, rng) -> float:
    """Mix, deal two piles of the same sizes, and see how often they are as far apart as the real ones."""
    real, mixed, n = difference(reference, current), np.concatenate([reference, current]), len(reference)
    deals = [rng.permutation(mixed) for _ in range(1000)]
    return float(np.mean([difference(deal[:n], deal[n:]) >= real for deal in deals]))


def _texts_until_told(slack: float, rng) -> int:
    monitor, texts = LossMonitor(_usual, every=15_000, slack=slack), 0
    while not monitor.drifting:
        monitor.add(rng.normal(1))
        texts += 1
    return texts


_rng = np.random.default_rng(0)
_usual = _rng.normal(size=10_000)
alarm = {
    "slack": 0.5,  # half the shift
    "predicted": 17.0,  # a limit of 8.4, approached by 1 - 0.5 a text
    "measured": float(np.mean([_texts_until_told(0.5, _rng) for _ in range(300)])),
}
