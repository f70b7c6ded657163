"""Reference answers to the exercises of lesson 11. Try first: the check cells tell you what is missing."""

import numpy as np

from utils.datasets import corpora
from utils.evaluation.analogies import ask_analogies
from utils.evaluation.text import words as words_of
from utils.models.embeddings import count_pairs, ppmi, svd_vectors


def acquaintance(counts: np.ndarray) -> np.ndarray:
    """Two words that never met have a ratio of 0; a ratio of 1 has the logarithm 0."""
    p = counts / counts.sum()
    ratio = p / np.outer(p.sum(axis=1), p.sum(axis=0))
    return np.log(np.maximum(ratio, 1))


def ask(vectors: np.ndarray, a: int, b: int, c: int, rule: bool) -> int:
    """With all vectors of length 1 the product sorts as the cosine does."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = unit @ (unit[b] - unit[a] + unit[c])
    if rule:
        likeness[[a, b, c]] = -np.inf
    return int(likeness.argmax())


def table_for(vocabulary: list[str], words: list[str], vectors: np.ndarray) -> np.ndarray:
    """Row i + 1 is looked up by the name of word i."""
    row = dict(zip(words, vectors, strict=True))
    nothing = np.zeros(vectors.shape[1])
    return np.array([nothing, *(row.get(word, nothing) for word in vocabulary)])


_known, _text = corpora.number_words(words_of(corpora.load_bible("web").lower()), least=10)
_number = {word: i for i, word in enumerate(_known)}
_pairs = [("walk", "walking"), ("come", "coming"), ("go", "going"), ("say", "saying"), ("eat", "eating")]
_pairs += [("live", "living"), ("speak", "speaking"), ("stand", "standing")]
_vectors = svd_vectors(ppmi(count_pairs(_text, len(_known), 2)), 50)
_measured = ask_analogies(_vectors, [(_number[a], _number[b]) for a, b in _pairs]).mean()
own_relation = {
    "pairs": _pairs,
    "predicted": "offset",
    "offset": float(_measured["offset"]),
    "neighbour": float(_measured["neighbour"]),
}
