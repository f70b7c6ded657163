"""Reference answers to the exercises of lesson 13. Try first: the check cells tell you what is missing."""

import numpy as np

from utils.generation.sampling import draw, min_p


def go_on(step, start, prompt: list[int], count: int) -> list[int]:
    """Nothing is read twice: the logits after the last letter of the prompt give the first new one."""
    state, made = start, []
    for letter in prompt:
        logits, state = step(letter, state)
    while len(made) < count:
        made.append(int(np.argmax(logits)))
        logits, state = step(made[-1], state)
    return made


def kept_letters(p: np.ndarray, rule: str, value: float) -> np.ndarray:
    """The nucleus takes letters as long as those before them hold less than p: the one that crosses it stays."""
    if rule == "min-p":
        return p >= value * p.max()
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]  # what the likelier ones hold together
    kept = np.zeros(len(p), bool)
    kept[order] = np.arange(len(p)) < value if rule == "top-k" else before < value
    return kept


def circle(text: str) -> int:
    """Every length that fits three times, the shortest first."""
    for length in range(1, len(text) // 3 + 1):
        if text.endswith(3 * text[-length:]):
            return length
    return 0


BAG = np.array([0.45, 0.26, 0.13, 0.07, 0.03, 0.02, 0.01, 0.01, 0.01, 0.01])
_drawn = draw(
    np.tile(np.log(BAG), (20_000, 1)),  # (draws, letters)
    [lambda logits: min_p(logits, 0.1)],
    uniforms=np.random.default_rng(0).random(20_000),
)
live_hand = {
    "rule": "min-p",
    "value": 0.1,  # keeps what has at least 0.045: four letters
    "predicted": 0.5,  # 0.45 of the 0.91 that stay
    "likeliest": float(np.mean(_drawn == 0)),
    "crumbs": float(np.mean(_drawn >= 5)),
}
