"""The opponent of the task "sounds": a table of what a letter says, given its neighbours. No network.

Each letter of a word says nothing, one sound or two. Which, is found by aligning the known words with their sounds,
counting, and aligning again (Viterbi training, as in Black, Lenzo and Pagel 1998); then a new word is read letter by
letter, each time with the widest surroundings that were met before.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

SURROUNDINGS = ((3, 3), (2, 3), (2, 2), (1, 2), (1, 1), (0, 1), (0, 0))  # letters before, letters after
MOST = 2  # sounds of one letter


def align(words: Sequence[str], sounds: Sequence[Sequence[str]], rounds: int = 4) -> list[list[tuple[str, ...]]]:
    """For each letter of each word the sounds that it stands for.

    Args:
        words, sounds: as many of both; no word with more than twice as many sounds as letters.
        rounds: of aligning and counting.

    Returns:
        For each word a list as long as the word; words that cannot be aligned have an empty one.
    """
    counts: Counter = Counter()
    found: list = []
    for i in range(rounds + 1):
        total: Counter = Counter()
        for (letter, _), count in counts.items():
            total[letter] += count

        def cost(letter: str, said: tuple[str, ...], first: bool = i == 0, total=total, counts=counts) -> float:
            if first:  # one letter, one sound, where it can be
                return abs(len(said) - 1)
            return -math.log((counts[letter, said] + 0.01) / (total[letter] + 10))

        found = [_best(word, tuple(said), cost) for word, said in zip(words, sounds, strict=True)]
        counts = Counter(
            pair for word, path in zip(words, found, strict=True) for pair in zip(word, path, strict=False)
        )
    return found


def table(words: Sequence[str], sounds: Sequence[Sequence[str]]) -> dict[tuple, tuple[str, ...]]:
    """What a letter says most often in each surroundings; arguments as in :func:`align`."""
    counts: dict[tuple, Counter] = defaultdict(Counter)
    for word, path in zip(words, align(words, sounds), strict=True):
        for i, said in enumerate(path):
            for key in _keys(word, i):
                counts[key][said] += 1
    return {key: said.most_common(1)[0][0] for key, said in counts.items()}


def read(word: str, known: dict[tuple, tuple[str, ...]]) -> list[str]:
    """The sounds of a word; a letter that was never met says nothing."""
    sounds: list[str] = []
    for i in range(len(word)):
        sounds += next((known[key] for key in _keys(word, i) if key in known), ())
    return sounds


def _keys(word: str, i: int) -> Iterable[tuple]:
    """The surroundings of a letter, the widest first."""
    padded = f"###{word}###"
    for before, after in SURROUNDINGS:
        yield before, after, padded[i + 3 - before : i + 4 + after]


def _best(word: str, sounds: tuple[str, ...], cost) -> list[tuple[str, ...]]:
    """The cheapest way to share out the sounds over the letters, in order."""
    best: dict[int, tuple[float, list]] = {0: (0.0, [])}  # sounds used up: cost, path
    for i, letter in enumerate(word):
        after: dict[int, tuple[float, list]] = {}
        left = MOST * (len(word) - i - 1)
        for used, (paid, path) in best.items():
            for count in range(MOST + 1):
                end = used + count
                if end > len(sounds) or len(sounds) - end > left:
                    continue
                price = paid + cost(letter, sounds[used:end])
                if end not in after or price < after[end][0]:
                    after[end] = (price, [*path, sounds[used:end]])
        best = after
    return best.get(len(sounds), (0.0, []))[1]
