"""What a generated text is worth: how often it repeats itself, how varied it is, whether it ends in a loop or parses.

None of these numbers is good by itself. Measure a human text of the same kind and the same length beside it.
"""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from utils.evaluation.baselines import ngram_probabilities


def repetition(text: Sequence, n: int) -> float:
    """Share of the n-grams of a text that were there before: rep-n = 1 - different / all.

    As in Welleck et al. (2020) and Su et al. (2022), as a share and with the last n-gram counted.

    Args:
        text: symbols or words, shape (time,), or a string.
        n: length of an n-gram.

    Raises:
        ValueError: (here and in :func:`distinct`) n below 1, or a text shorter than n.
    """
    grams = _grams(text, n)
    return 1 - len(set(grams)) / len(grams)


def distinct(texts: Sequence[Sequence], n: int, length: int) -> float:
    """Share of different n-grams among all of several texts (Li et al. 2016), each cut to ``length``.

    The longer a text, the fewer of its n-grams are new, so only texts of one length can be compared.

    Args:
        texts: each at least ``length`` symbols or words, or a string.
        n: length of an n-gram.
        length: how much of each text counts.

    Raises:
        ValueError: no texts, or one shorter than ``length``.
    """
    shortest = min(map(len, texts), default=0)
    if shortest < length:
        raise ValueError(f"The shortest of {len(texts)} texts has a length of {shortest}; expected at least {length}.")
    grams = [gram for text in texts for gram in _grams(text[:length], n)]
    return len(set(grams)) / len(grams)


def self_bleu(texts: Sequence[Sequence], order: int = 4) -> float:
    """How alike several texts are: the mean BLEU of each, as a share, with all the others as its references.

    1 where they say the same, so low is varied (Zhu et al. 2018). Like BLEU it counts an n-gram of a text at most as
    often as it stands in the one other text that has it most often; all texts are of one length, so none is too short.

    Args:
        texts: at least two, each a sequence of symbols or words, or a string, of one length.
        order: the longest n-gram.

    Raises:
        ValueError: fewer than two texts, of different lengths, or shorter than ``order``.
    """
    lengths = {len(text) for text in texts}
    if len(texts) < 2 or len(lengths) > 1:
        raise ValueError(f"{len(texts)} texts of the lengths {sorted(lengths)}; expected at least two, of one length.")
    logarithms = np.zeros(len(texts))
    for n in range(1, order + 1):
        counts = [Counter(_grams(text, n)) for text in texts]
        most = {}  # of each n-gram its largest count in a text, whose that is, and the largest in any other text
        for i, own in enumerate(counts):
            for gram, count in own.items():
                first, whose, second = most.get(gram, (0, i, 0))
                most[gram] = (count, i, first) if count > first else (first, whose, max(second, count))
        for i, own in enumerate(counts):
            hits = 0
            for gram, count in own.items():
                first, whose, second = most[gram]
                hits += min(count, second if whose == i else first)
            logarithms[i] += np.log(hits / own.total()) if hits else -np.inf
    return float(np.mean(np.exp(logarithms / order)))


def cycle(text: Sequence, *, shortest: int = 2, times: int = 3) -> int:
    """Length of the phrase that a text repeats to its end, or 0 where it does not end in a loop.

    Holtzman et al. (2020) count a text as repetitive that ends in a phrase of at least two tokens, three times or more.

    Args:
        text: symbols or words, shape (time,), or a string.
        shortest: the least length of the phrase; "aaaaaa" ends in the phrase "aa".
        times: how often it has to stand at the end.

    Returns:
        The length of the shortest such phrase.

    Raises:
        ValueError: ``shortest`` below 1 or ``times`` below 2.
    """
    if shortest < 1 or times < 2:
        raise ValueError(f"shortest is {shortest} and times is {times}; expected at least 1 and 2.")
    text = np.array(list(text))
    for length in range(shortest, len(text) // times + 1):
        end = text[-times * length :]
        if np.array_equal(end[length:], end[:-length]):
            return length
    return 0


def words(text: str) -> list[str]:
    """The words of a text: letters, and apostrophes between them."""
    return re.findall(r"[^\W\d_]+(?:[’'][^\W\d_]+)*", text)


def invented(text: str, known: Collection[str]) -> float:
    """Share of the words of a text that are not among the known ones.

    Its first and its last word may be cut and do not count.
    People use words that stand in no training text, too: names above all.

    Args:
        text: at least three words.
        known: such as the set of the :func:`words` of the training text.

    Raises:
        ValueError: fewer than three words.
    """
    inside = words(text)[1:-1]
    if not inside:
        raise ValueError(f"The text {text!r} has no word between its first and its last.")
    return float(np.mean([word not in known for word in inside]))


def judge_bits(texts, train, order: int, symbols: int) -> np.ndarray:
    """Bits per symbol that each text costs an n-gram which has counted a human text: the n-gram judge.

    A text that such a judge finds easy is made of common stretches, and a loop is the easiest of all: low is not good,
    near to human text of the same kind is. The first ``order`` symbols of a text are its context and do not count.

    Args:
        texts: numbers of the symbols, shape (texts, time), longer than ``order``.
        train, order, symbols: of the n-gram, see :func:`utils.evaluation.baselines.ngram_probabilities`.

    Returns:
        Shape (texts,).

    Raises:
        ValueError: texts that are not longer than ``order``, or numbers that do not fit.
    """
    texts = np.asarray(texts)
    if texts.ndim != 2 or texts.shape[1] <= order:
        raise ValueError(f"texts has the shape {texts.shape}; expected (texts, time), longer than the order {order}.")
    chances = ngram_probabilities(train, texts.ravel(), order, symbols)[order].reshape(texts.shape)
    return -np.log2(chances[:, order:]).mean(axis=1)


def parses(source: str) -> bool:
    """Whether a text is Python that ``ast.parse`` accepts, with at least one statement."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # such as "is" with a literal: odd, but Python
        try:
            return bool(ast.parse(source).body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False


def _grams(text: Sequence, n: int) -> list[tuple]:
    if n < 1 or len(text) < n:
        raise ValueError(f"n is {n} and the text has a length of {len(text)}; expected 1 to {len(text)} for n.")
    symbols = list(text)
    return [tuple(symbols[i : i + n]) for i in range(len(symbols) - n + 1)]
