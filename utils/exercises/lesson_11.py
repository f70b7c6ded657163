"""What the answers to the exercises of lesson 11 must do."""

from collections import Counter
from functools import lru_cache

import numpy as np
from scipy import sparse

from utils.datasets import corpora
from utils.evaluation.analogies import RELATIONS, ask_analogies
from utils.evaluation.text import words as words_of
from utils.exercises import NotAttempted, Wrong, array, call, exercise, number
from utils.models.embeddings import count_pairs, ppmi, svd_vectors

COUNTS = np.array([[4, 6, 0, 2], [6, 0, 3, 1], [0, 3, 0, 5], [2, 1, 5, 0]])


@exercise("11 acquaintance")
def acquaintance(answer) -> None:
    """PPMI by its definition."""
    for counts in (COUNTS, 3 * COUNTS, COUNTS[:3, :3]):
        p = counts / counts.sum()
        by_chance = np.outer(p.sum(axis=1), p.sum(axis=0))
        with np.errstate(divide="ignore"):
            pmi = np.log(p / by_chance)
        expected = np.maximum(pmi, 0)
        got = call(answer, counts.copy())
        where = f"for the counts {counts.tolist()}"
        if sparse.issparse(got):
            raise Wrong("the table is sparse; expected a NumPy array: call its method toarray.")
        if np.shape(got) == counts.shape and not np.isfinite(np.asarray(got, float)).all():
            raise Wrong(f"{where} the table holds infinity or NaN: the logarithm of 0 for two words that never met.")
        got = array(got, counts.shape, "the table")
        if np.allclose(got, expected, atol=1e-6):
            continue
        if (got < 0).any():
            raise Wrong(f"{where} the table has numbers below 0; PPMI keeps only what is above.")
        if np.allclose(got, expected / np.log(2), atol=1e-6):
            raise Wrong(f"{where} you take the logarithm to base 2; expected the natural one, np.log.")
        if np.allclose(got, np.maximum(np.log(np.maximum(counts, 1e-300) / by_chance), 0), atol=1e-6):
            raise Wrong(f"{where} you divide counts by shares; p(a, b) is the count over the sum of all counts.")
        ones = np.maximum(counts, 1)
        for p_ones, chance in (
            (ones / ones.sum(), np.outer(ones.sum(axis=1), ones.sum(axis=0)) / ones.sum() ** 2),
            (ones / counts.sum(), by_chance),
        ):
            if np.allclose(got, np.maximum(np.log(p_ones / chance), 0), atol=1e-6):
                raise Wrong(
                    f"{where} you count words that never met as if they had met once; their place in PPMI is 0."
                )
        worst = np.unravel_index(np.abs(got - expected).argmax(), expected.shape)
        raise Wrong(
            f"{where} place {tuple(map(int, worst))} is {got[worst]:.3f}, expected {expected[worst]:.3f}. p(a) is the "
            "sum of the row of a over the sum of all."
        )


def _nearest(vectors, a, b, c, left_out, *, before: bool = True, cosine: bool = True) -> int:
    """The answer, or what it becomes where vectors are not brought to length 1 before they are added or compared."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    start = unit if before else vectors
    likeness = (unit if cosine else vectors) @ (start[b] - start[a] + start[c])
    likeness[left_out] = -np.inf
    return int(likeness.argmax())


def _shifted(vectors, a, b, c, rule) -> int:
    """The answer where the words of the question are deleted, so that those behind them get other numbers."""
    word = _nearest(vectors, a, b, c, [a, b, c] if rule else [])
    return word - sum(other < word for other in (a, b, c)) if rule else word


@exercise("11 ask")
def ask(answer) -> None:
    """The nearest to the offset, with the rule and without."""
    rng, asked, got = np.random.default_rng(0), [], []
    for _ in range(12):
        vectors = rng.normal(size=(9, 4)) * rng.uniform(0.2, 5, size=(9, 1))
        a, b, c = rng.choice(9, 3, replace=False).tolist()
        for rule in (True, False):
            asked.append((vectors, a, b, c, rule))
            got.append(number(call(answer, vectors.copy(), a, b, c, rule), "the word's number"))
    slips = {
        "right": lambda v, a, b, c, rule: _nearest(v, a, b, c, [a, b, c] if rule else []),
        "you leave out the words of the question in any case; without the rule they may be named.": (
            lambda v, a, b, c, rule: _nearest(v, a, b, c, [a, b, c])
        ),
        "bring the vectors to length 1 before you add them.": (
            lambda v, a, b, c, rule: _nearest(v, a, b, c, [a, b, c] if rule else [], before=False)
        ),
        "compare by cosine, not by the product: long vectors win.": (
            lambda v, a, b, c, rule: _nearest(v, a, b, c, [a, b, c] if rule else [], cosine=False)
        ),
        "the sign is swapped: you add a and subtract b; the step leads from a to b.": (
            lambda v, a, b, c, rule: _nearest(v, b, a, c, [a, b, c] if rule else [])
        ),
        "with the rule your numbers are shifted: once words are deleted, those behind them move up. Give a, b and c a "
        "likeness that cannot win instead.": _shifted,
    }
    fits = [slip for slip, function in slips.items() if [function(*question) for question in asked] == got]
    if "right" in fits:
        return
    if fits:
        raise Wrong(fits[0])
    for word, (vectors, a, b, c, rule) in zip(got, asked, strict=True):
        if rule and word in (a, b, c):
            raise Wrong(f"asked ({a}, {b}, {c}) with rule=True you name word {word:g}; with the rule it is left out.")
        expected = slips["right"](vectors, a, b, c, rule)
        if word != expected:
            raise Wrong(f"asked ({a}, {b}, {c}) with rule={rule} you name word {word:g}, expected {expected}.")


@exercise("11 table for")
def table_for(answer) -> None:
    """Padding first, then the vocabulary in its order."""
    words = ["sea", "land", "sky", "rain"]
    vectors = np.random.default_rng(0).normal(size=(4, 3))
    for vocabulary in (["sky", "sea", "ship"], ["land", "rain", "sky", "sea"]):
        expected = np.zeros((len(vocabulary) + 1, 3))
        for i, word in enumerate(vocabulary):
            if word in words:
                expected[i + 1] = vectors[words.index(word)]
        got = call(answer, list(vocabulary), list(words), vectors.copy())
        if np.shape(got) == (len(vocabulary), 3):
            raise Wrong(f"the table has {len(vocabulary)} rows; expected one more: row 0 is for padding.")
        got = array(got, expected.shape, "the table")
        if np.allclose(got, expected):
            continue
        if got[0].any():
            raise Wrong("row 0 is for padding and should be zeros.")
        wrong = int(np.flatnonzero(~np.isclose(got, expected).all(axis=1))[0])
        word = vocabulary[wrong - 1]
        if word not in words:
            raise Wrong(f"row {wrong} belongs to {word!r}, which has no vector; expected zeros.")
        raise Wrong(f"row {wrong} belongs to {word!r}, but is not its vector. Look each word up by its name.")


@lru_cache(maxsize=1)
def _counted() -> tuple[dict[str, int], np.ndarray]:
    """The vectors of the lesson's section 2."""
    known, text = corpora.number_words(words_of(corpora.load_bible("web").lower()), least=10)
    return {word: i for i, word in enumerate(known)}, svd_vectors(ppmi(count_pairs(text, len(known), 2)), 50)


@exercise("11 own relation")
def own_relation(answer) -> None:
    """Six pairs, a prediction, and two shares that can be measured again."""
    names = ("pairs", "predicted", "offset", "neighbour")
    if not isinstance(answer, dict) or set(answer) != set(names):
        raise Wrong(f"expected a dict with {', '.join(names)}, got {answer!r}.")
    if any(answer[name] is ... for name in names):
        raise NotAttempted
    try:
        pairs = [(str(a), str(b)) for a, b in answer["pairs"]]
    except (TypeError, ValueError):
        raise Wrong("pairs should be a list of two words each, such as [('rich', 'riches'), ...].") from None
    place, vectors = _counted()
    unknown = [word for pair in pairs for word in pair if word not in place]
    if unknown and unknown[0].lower() in place:
        raise Wrong(
            f"{unknown[0]!r} has a capital; all words of the text are in small letters: {unknown[0].lower()!r}."
        )
    if unknown:
        raise Wrong(f"{unknown[0]!r} occurs fewer than ten times in the text; choose pairs of words in `number`.")
    for a, b in pairs:
        if a == b:
            raise Wrong(f"({a!r}, {b!r}) is a word with itself; expected two different words in each pair.")
        if any({f"{a} {b}", f"{b} {a}"} & set(row.split(", ")) for row in RELATIONS.values()):
            raise Wrong(f"({a!r}, {b!r}) stands in the lesson's lists; choose pairs of your own.")
    if len(set(pairs)) < 6:
        raise Wrong(f"there are {len(set(pairs))} different pairs; expected at least six, or a share says nothing.")
    if answer["predicted"] not in ("offset", "neighbour"):
        raise Wrong(f"predicted is {answer['predicted']!r}; expected 'offset' or 'neighbour'.")
    try:
        measured = ask_analogies(vectors, [(place[a], place[b]) for a, b in pairs]).mean()
    except ValueError:
        word, times = Counter(word for pair in pairs for word in pair).most_common(1)[0]
        raise Wrong(
            f"{word!r} stands in {times} of {len(pairs)} pairs; a question needs pairs that share no word. Take other "
            "words."
        ) from None
    for name in ("offset", "neighbour"):
        got = number(answer[name], name)
        if not 0 <= got <= 1:
            raise Wrong(f"{name} is {got:g}; expected a share between 0 and 1.")
        if abs(got - measured[name]) > 0.05:
            raise Wrong(
                f"{name} is {got:.2f}, but of these pairs {measured[name]:.2f} are right. Take the column {name!r} of "
                "ask_analogies with the vectors of section 2."
            )
