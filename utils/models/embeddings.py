"""Vectors of words: by counting (PPMI and SVD, GloVe) and by predicting (skip-gram, CBOW with negative sampling).

Taught in lesson 11. A text is an array of whole numbers, one a word, below ``vocabulary``; vectors are arrays of shape
(vocabulary, size), row by row the vector of a word.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from utils.files import replacing
from utils.runtime import keras
from utils.training.fit import fit


def count_pairs(text, vocabulary: int, window: int = 5, *, by_distance: bool = False) -> sparse.csr_array:
    """How often each word stands near each other word.

    Args:
        text: shape (words,).
        vocabulary: its size.
        window: words to the left and to the right that count as near.
        by_distance: a pair d words apart counts 1 / d, as in GloVe, instead of 1.

    Returns:
        Symmetric, shape (vocabulary, vocabulary).

    Raises:
        ValueError: (here and below) numbers outside the vocabulary, a window below 1, or a text too short.
    """
    text = _checked(text, vocabulary, window)
    counts = sparse.csr_array((vocabulary, vocabulary), dtype=np.float64)
    for distance in range(1, min(window, len(text) - 1) + 1):
        weight = np.full(len(text) - distance, 1 / distance if by_distance else 1.0)
        places = (text[:-distance], text[distance:])
        counts = counts + sparse.coo_array((weight, places), shape=counts.shape).tocsr()
    return (counts + counts.T).tocsr()


def ppmi(counts: sparse.csr_array, negatives: float = 1.0, smoothing: float = 0.75) -> sparse.csr_array:
    """Positive pointwise mutual information: how much oftener two words meet than by chance, where oftener at all.

    max(0, log(p(a, b) / (p(a) p(b)^smoothing)) - log negatives), the smoothed p normalised again (Levy, Goldberg and
    Dagan 2015, section 3.2). Skip-gram with k negatives factorises the matrix that is shifted by log k (Levy and
    Goldberg 2014).

    Args:
        counts: of :func:`count_pairs`.
        negatives: 1 shifts nothing.
        smoothing: power of the counts of the second word; 1 for plain mutual information.

    Raises:
        ValueError: no counts, or ``negatives`` or ``smoothing`` not above 0.
    """
    if counts.nnz == 0 or negatives <= 0 or smoothing <= 0:
        raise ValueError(f"{counts.nnz} counts, negatives {negatives}, smoothing {smoothing}; expected all above 0.")
    pairs = counts.tocoo()
    total = pairs.data.sum()
    of_first = np.asarray(counts.sum(axis=1)).ravel() / total
    of_second = np.asarray(counts.sum(axis=0)).ravel() ** smoothing
    of_second = of_second / of_second.sum()
    row, column = pairs.coords
    information = np.log(pairs.data / total / (of_first[row] * of_second[column])) - np.log(negatives)
    above = information > 0
    return sparse.coo_array((information[above], (row[above], column[above])), shape=counts.shape).tocsr()


def svd_vectors(matrix: sparse.csr_array, size: int = 50, power: float = 0.5, seed: int = 0) -> np.ndarray:
    """Vectors whose products come closest to a matrix: U S^power of its singular value decomposition.

    Args:
        matrix: such as of :func:`ppmi`.
        size: of a vector, below the size of the vocabulary.
        power: of the singular values; 0.5 shares them between word and context, 0 leaves them out.
        seed: of the start of the iteration.

    Raises:
        ValueError: a size that is not between 1 and the vocabulary less one.
    """
    if not 1 <= size < min(matrix.shape):
        raise ValueError(f"size is {size}; expected 1 to {min(matrix.shape) - 1}.")
    u, s, _ = svds(matrix.astype(np.float64), k=size, rng=np.random.default_rng(seed))
    order = np.argsort(-s)
    return (u[:, order] * s[order] ** power).astype(np.float32)


def skip_gram_pairs(
    text, vocabulary: int, window: int, rng: np.random.Generator, subsample: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Words and what stands near them, pair by pair, in an order by chance.

    As in Mikolov et al. (2013): each word has a window of 1 to ``window`` words by chance, so that near ones count
    more, and with ``subsample`` t a word of frequency f stays in the text with probability sqrt(t / f), if below 1.

    Args:
        text, vocabulary, window: as of :func:`count_pairs`.
        rng: NumPy generator.
        subsample: 0 keeps every word.

    Returns:
        ``(words, contexts)``, each of shape (pairs,).
    """
    text = _checked(text, vocabulary, window)
    if subsample > 0:
        frequency = np.bincount(text, minlength=vocabulary) / len(text)
        text = text[rng.random(len(text)) < np.sqrt(subsample / np.maximum(frequency, 1e-12))[text]]
    reach = rng.integers(1, window + 1, size=len(text))  # of each word, to both sides
    words, contexts = [], []
    for distance in range(1, window + 1):
        left, right = text[:-distance], text[distance:]
        for word, context, far in ((left, right, reach[:-distance]), (right, left, reach[distance:])):
            near = far >= distance
            words.append(word[near])
            contexts.append(context[near])
    order = rng.permutation(sum(map(len, words)))
    return np.concatenate(words)[order], np.concatenate(contexts)[order]


def draw_negatives(contexts, counts, negatives: int, rng: np.random.Generator, smoothing: float = 0.75) -> np.ndarray:
    """For each true context words that stand there by chance: drawn by their counts to a power, never the true one.

    A word that is drawn and is the true one is drawn again. (Implementations that leave it in train a word against
    itself.)

    Args:
        contexts: the true ones, shape (pairs,).
        counts: of each word in the text, shape (vocabulary,).
        negatives: how many for each.
        rng: NumPy generator.
        smoothing: power of the counts.

    Returns:
        Shape (pairs, negatives).

    Raises:
        ValueError: fewer than two words with a count above 0, or no negative to be drawn.
    """
    weights = np.asarray(counts, dtype=float) ** smoothing * (np.asarray(counts) > 0)
    if np.count_nonzero(weights) < 2 or negatives < 1:
        raise ValueError(
            f"{np.count_nonzero(weights)} words and {negatives} negatives; expected at least two words, so that one "
            "can be wrong, and one negative."
        )
    edges = np.cumsum(weights / weights.sum())
    contexts = np.asarray(contexts)
    drawn = np.minimum(np.searchsorted(edges, rng.random((len(contexts), negatives)), side="right"), len(edges) - 1)
    while (same := drawn == contexts[:, None]).any():
        again = np.searchsorted(edges, rng.random(np.count_nonzero(same)), side="right")
        drawn[same] = np.minimum(again, len(edges) - 1)
    return drawn


def build_skip_gram(vocabulary: int, size: int = 50) -> "keras.Model":
    """Two tables of vectors and their products: ``(word, candidates)`` to logits that a candidate stands near.

    Args:
        vocabulary, size: of each table.

    Returns:
        A model of inputs (batch,) and (batch, candidates) and logits (batch, candidates). Its first table, named
        "words", holds the vectors; the second, "contexts", starts at zero as in word2vec.
    """
    word = keras.Input((), dtype="int32", name="word")
    candidates = keras.Input((None,), dtype="int32", name="candidates")
    start = keras.initializers.RandomUniform(-0.5 / size, 0.5 / size)
    words = keras.layers.Embedding(vocabulary, size, embeddings_initializer=start, name="words")
    contexts = keras.layers.Embedding(vocabulary, size, embeddings_initializer="zeros", name="contexts")
    logits = keras.ops.sum(words(word)[:, None] * contexts(candidates), axis=-1)  # (batch, candidates)
    return keras.Model([word, candidates], logits)


def train_skip_gram(
    text,
    vocabulary: int,
    size: int = 50,
    *,
    window: int = 5,
    negatives: int = 5,
    epochs: int = 1,
    rate: float = 0.01,
    batch_size: int = 1024,
    subsample: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Vectors by skip-gram with negative sampling (Mikolov et al. 2013), trained with Adam.

    Args:
        text, vocabulary, window, subsample: as of :func:`skip_gram_pairs`.
        size: of a vector.
        negatives: words by chance for each true context.
        epochs: passes over the text, each with other windows and negatives.
        rate, batch_size: of Adam; pairs per step.
        seed: of pairs and negatives; the start of the vectors is Keras' (see :func:`utils.runtime.set_seed`).

    Returns:
        Shape (vocabulary, size).
    """
    model, rng = build_skip_gram(vocabulary, size), np.random.default_rng(seed)
    counts = np.bincount(_checked(text, vocabulary, window), minlength=vocabulary)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    for _ in range(epochs):
        words, contexts = skip_gram_pairs(text, vocabulary, window, rng, subsample)
        candidates = np.column_stack([contexts, draw_negatives(contexts, counts, negatives, rng)])
        labels = np.zeros(candidates.shape, np.float32)
        labels[:, 0] = 1
        optimizer = keras.optimizers.Adam(rate)
        fit(model, ((words, candidates), labels), batch_size=batch_size, loss=loss, optimizer=optimizer)
    return model.get_layer("words").get_weights()[0]


def train_cbow(
    text,
    vocabulary: int,
    size: int = 50,
    *,
    window: int = 5,
    negatives: int = 5,
    epochs: int = 1,
    rate: float = 0.01,
    batch_size: int = 256,
    seed: int = 0,
) -> np.ndarray:
    """Vectors by CBOW: the mean vector around a place tells the word in it from negatives (Mikolov et al. 2013).

    Args:
        text, vocabulary, window: as of :func:`count_pairs`; the window is always whole, and cut at the ends.
        size, negatives, epochs, rate, batch_size, seed: as of :func:`train_skip_gram`; a step has ``batch_size``
            places.

    Returns:
        Shape (vocabulary, size).
    """
    text = _checked(text, vocabulary, window)
    around = keras.Input((2 * window,), dtype="int32", name="around")  # one more than the word, 0 where there is none
    candidates = keras.Input((None,), dtype="int32", name="candidates")
    start = keras.initializers.RandomUniform(-0.5 / size, 0.5 / size)
    table = keras.layers.Embedding(vocabulary + 1, size, embeddings_initializer=start, name="words")
    there = keras.ops.cast(keras.ops.not_equal(around, 0), "float32")[..., None]  # (batch, 2 window, 1)
    mean = keras.ops.sum(table(around) * there, axis=1) / keras.ops.sum(there, axis=1)  # (batch, size)
    contexts = keras.layers.Embedding(vocabulary, size, embeddings_initializer="zeros", name="contexts")
    model = keras.Model([around, candidates], keras.ops.sum(mean[:, None] * contexts(candidates), axis=-1))

    rng, counts = np.random.default_rng(seed), np.bincount(text, minlength=vocabulary)
    padded = np.pad(text + 1, window)
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * window + 1)  # (words, 2 window + 1)
    neighbours = np.delete(views, window, axis=1)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    for _ in range(epochs):
        candidates = np.column_stack([text, draw_negatives(text, counts, negatives, rng)])
        labels = np.zeros(candidates.shape, np.float32)
        labels[:, 0] = 1
        optimizer = keras.optimizers.Adam(rate)
        fit(model, ((neighbours, candidates), labels), batch_size=batch_size, loss=loss, optimizer=optimizer)
    return model.get_layer("words").get_weights()[0][1:]


def train_glove(
    counts: sparse.csr_array,
    size: int = 50,
    *,
    epochs: int = 10,
    rate: float = 0.05,
    batch_size: int = 1024,
    most: float = 100.0,
    power: float = 0.75,
) -> np.ndarray:
    """Vectors whose products, with a bias for each word, are the logs of counts (Pennington, Socher and Manning 2014).

    Each count x that is not 0 weighs min(1, (x / most)^power); trained with Adagrad as in the paper. Word and context
    vectors are added, as there.

    Args:
        counts: of :func:`count_pairs` with ``by_distance``.
        size: of a vector.
        epochs, rate, batch_size: passes over the counts, and of Adagrad.
        most, power: of the weights.

    Returns:
        Shape (vocabulary, size).

    Raises:
        ValueError: no counts.
    """
    if counts.nnz == 0:
        raise ValueError("There are no counts; expected some pair that stands together.")
    vocabulary, pairs = counts.shape[0], counts.tocoo()
    word, context = (keras.Input((), dtype="int32", name=name) for name in ("word", "context"))
    start = keras.initializers.RandomUniform(-0.5 / size, 0.5 / size)
    tables = [keras.layers.Embedding(vocabulary, size, embeddings_initializer=start) for _ in range(2)]
    biases = [keras.layers.Embedding(vocabulary, 1, embeddings_initializer="zeros") for _ in range(2)]
    product = keras.ops.sum(tables[0](word) * tables[1](context), axis=-1, keepdims=True)
    model = keras.Model([word, context], product + biases[0](word) + biases[1](context))  # (batch, 1)
    target = np.column_stack([np.log(pairs.data), np.minimum(1, (pairs.data / most) ** power)]).astype(np.float32)
    settings = {"epochs": epochs, "batch_size": batch_size, "loss": _weighted_square}
    # Keras starts the sum of squares at 0.1, far above the squares of a batch's mean gradient.
    optimizer = keras.optimizers.Adagrad(rate, initial_accumulator_value=1e-10)
    fit(model, (tuple(pairs.coords), target), optimizer=optimizer, **settings)
    return sum(table.get_weights()[0] for table in tables)


def save_vectors(path: str | Path, words: Sequence[str], vectors) -> None:
    """Write words and their vectors into one compressed NumPy file, which :func:`load_vectors` reads.

    Args:
        path: of the file, by custom ending in ``.npz``.
        words: each once, in the order of the rows.
        vectors: shape (words, size).

    Raises:
        ValueError: not one finite vector for each word, or a word twice.
    """
    words, vectors = _checked_vectors(words, vectors)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, words=np.array(words), vectors=vectors)


def load_vectors(path: str | Path) -> tuple[list[str], np.ndarray]:
    """``(words, vectors)`` as :func:`save_vectors` wrote them.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that holds something else.
    """
    with np.load(path, allow_pickle=False) as file:
        if set(file.files) != {"words", "vectors"}:
            raise ValueError(f"{path} holds {sorted(file.files)}; expected words and vectors, as save_vectors writes.")
        return _checked_vectors(file["words"].tolist(), file["vectors"])


def embedding_layer(
    vocabulary: Sequence[str], words: Sequence[str], vectors, *, tuned: bool = False, least: float = 0.5
) -> "keras.layers.Embedding":
    """An embedding layer that starts from vectors made elsewhere: symbol 0 is padding, word i of a vocabulary is i + 1.

    Args:
        vocabulary: words of the network, each once.
        words, vectors: as of :func:`load_vectors`, in whatever order. A word of the vocabulary that is not among them
            starts from a vector by chance, as long as theirs are on average.
        tuned: the vectors are trained on with the network; frozen otherwise.
        least: share of the vocabulary that must have a vector.

    Returns:
        A built layer from integers (batch, time) to (batch, time, size), which masks padding.

    Raises:
        ValueError: vectors that do not match their words, a word twice, or too few words of the vocabulary among them.
    """
    words, vectors = _checked_vectors(words, vectors)
    vocabulary = list(vocabulary)
    if len(set(vocabulary)) < len(vocabulary) or not vocabulary:
        raise ValueError(f"The vocabulary has {len(vocabulary)} words, {len(set(vocabulary))} of them different.")
    row = {word: i for i, word in enumerate(words)}
    known = np.array([word in row for word in vocabulary])
    if known.mean() < least:
        missing = [word for word in vocabulary if word not in row][:3]
        raise ValueError(
            f"Only {known.sum()} of {len(vocabulary)} words of the vocabulary have a vector (not {missing}); expected "
            f"at least {least:.0%}. Were both texts cut into words alike, as to capitals above all?"
        )
    table = np.random.normal(size=(len(vocabulary) + 1, vectors.shape[1])).astype(np.float32)
    table *= np.linalg.norm(vectors, axis=1).mean() / np.linalg.norm(table, axis=1, keepdims=True)
    table[0] = 0
    table[1:][known] = vectors[[row[word] for word in vocabulary if word in row]]
    layer = keras.layers.Embedding(*table.shape, mask_zero=True, trainable=tuned)
    layer.build()
    layer.set_weights([table])
    return layer


def _checked_vectors(words: Sequence[str], vectors) -> tuple[list[str], np.ndarray]:
    words, vectors = list(words), np.asarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(words) or not len(words):
        raise ValueError(f"{len(words)} words and vectors of shape {vectors.shape}; expected (words, size).")
    if len(set(words)) < len(words):
        raise ValueError(f"Of {len(words)} words {len(set(words))} are different; expected each once.")
    if not np.isfinite(vectors).all():
        raise ValueError("A vector holds NaN or infinity; did the training diverge?")
    return words, vectors


def _weighted_square(target, said):
    """Of (log of a count, its weight) and a product."""
    return target[:, 1] * keras.ops.square(said[:, 0] - target[:, 0])


def nearest(vectors, word: int, count: int = 10, exclude=()) -> np.ndarray:
    """The words whose vectors point most nearly in a word's direction, the nearest first, itself left out."""
    return _nearest(vectors, np.asarray(vectors)[word], count, {word, *exclude})


def analogy(vectors, a: int, b: int, c: int, count: int = 1, *, exclude: bool = True) -> np.ndarray:
    """a is to b as c is to ...: the words nearest to b - a + c, all vectors of length 1 (Mikolov et al. 2013).

    Args:
        vectors: shape (vocabulary, size).
        a, b, c: words.
        count: how many answers.
        exclude: leave out a, b and c, as is nearly always done, mostly without saying so (Linzen 2016).
    """
    unit = _unit(vectors)
    return _nearest(unit, unit[b] - unit[a] + unit[c], count, {a, b, c} if exclude else set())


def _nearest(vectors, direction: np.ndarray, count: int, exclude: set) -> np.ndarray:
    likeness = _unit(vectors) @ (direction / max(np.linalg.norm(direction), 1e-12))
    likeness[list(exclude)] = -np.inf
    return np.argsort(-likeness, kind="stable")[:count]


def _unit(vectors) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _checked(text, vocabulary: int, window: int) -> np.ndarray:
    text = np.asarray(text)
    if window < 1 or len(text) < 2 or text.min() < 0 or text.max() >= vocabulary:
        raise ValueError(
            f"A text of {len(text)} words and a window of {window}; expected at least 2 words, numbered 0 to "
            f"{vocabulary - 1}, and a window of at least 1."
        )
    return text
