"""Vectors of words against counting by hand, against the optimum in closed form, and against gensim."""

from collections import Counter

import gensim
import numpy as np
import pytest
from scipy import sparse
from scipy.stats import spearmanr

from utils import runtime
from utils.datasets.corpora import load_bible
from utils.evaluation.text import words
from utils.models.embeddings import (
    analogy,
    build_skip_gram,
    count_pairs,
    draw_negatives,
    embedding_layer,
    load_vectors,
    nearest,
    ppmi,
    save_vectors,
    skip_gram_pairs,
    svd_vectors,
    train_cbow,
    train_glove,
    train_skip_gram,
)
from utils.runtime import keras
from utils.training.fit import fit

TEXT = np.random.default_rng(0).integers(0, 6, 200) ** 2 // 5  # numbers 0 to 5, unevenly


@pytest.mark.parametrize("by_distance", [False, True])
def test_pairs_counted_by_hand(by_distance):
    expected = np.zeros((6, 6))
    for i, a in enumerate(TEXT):
        for j, b in enumerate(TEXT):
            if 0 < abs(i - j) <= 3:
                expected[a, b] += 1 / abs(i - j) if by_distance else 1
    np.testing.assert_allclose(count_pairs(TEXT, 6, 3, by_distance=by_distance).toarray(), expected)


@pytest.mark.parametrize("negatives", [1, 5])
def test_mutual_information_by_the_formula(negatives):
    counts = count_pairs(TEXT, 6, 2)
    n = counts.toarray()
    smoothed = n.sum(axis=0) ** 0.75 / np.sum(n.sum(axis=0) ** 0.75)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.log(n / n.sum() / np.outer(n.sum(axis=1) / n.sum(), smoothed)) - np.log(negatives)
    np.testing.assert_allclose(ppmi(counts, negatives).toarray(), np.maximum(np.nan_to_num(expected, neginf=0), 0))


def test_vectors_are_those_of_the_dense_decomposition():
    matrix = sparse.csr_array(np.random.default_rng(0).normal(size=(12, 12)))
    u, s, _ = np.linalg.svd(matrix.toarray())
    got = svd_vectors(matrix, 4, power=0.5)
    np.testing.assert_allclose(np.abs(got), np.abs(u[:, :4] * s[:4] ** 0.5), atol=1e-5)


def test_every_pair_stands_within_the_window_and_near_ones_come_oftener():
    text = np.arange(5000)  # every word once, so that distances can be told
    word, context = skip_gram_pairs(text, 5000, 4, np.random.default_rng(0))
    distance = np.abs(word - context)
    assert set(distance) == {1, 2, 3, 4}
    shares = np.bincount(distance)[1:] / (2 * len(text))
    np.testing.assert_allclose(shares, [1, 0.75, 0.5, 0.25], atol=0.03)


def test_frequent_words_are_left_out_as_often_as_asked():
    text = np.random.default_rng(0).choice(3, 60_000, p=[0.9, 0.09, 0.01])
    word, _ = skip_gram_pairs(text, 3, 1, np.random.default_rng(1), subsample=0.01)
    kept = np.array([0.9, 0.09, 0.01]) * np.minimum(1, np.sqrt(0.01 / np.array([0.9, 0.09, 0.01])))
    np.testing.assert_allclose(np.bincount(word) / len(word), kept / kept.sum(), atol=0.02)


def test_negatives_are_never_the_true_word_and_follow_the_counts():
    counts, contexts = np.array([50, 10, 0, 40]), np.tile([0, 1, 3], 20_000)
    drawn = draw_negatives(contexts, counts, 3, np.random.default_rng(0))
    assert drawn.shape == (60_000, 3)
    assert not (drawn == contexts[:, None]).any()
    assert 2 not in drawn
    weights = counts**0.75
    for true in (0, 1, 3):
        expected = np.where(np.arange(4) == true, 0, weights)
        measured = np.bincount(drawn[contexts == true].ravel(), minlength=4)
        np.testing.assert_allclose(measured / measured.sum(), expected / expected.sum(), atol=0.01)


def test_skip_gram_goes_to_the_optimum_in_closed_form():
    """The product of word and context is the log of how often they meet over how often they are a negative."""
    runtime.set_seed(0)
    rng = np.random.default_rng(0)
    text = np.repeat(rng.integers(0, 4, 4000), 2)  # every word stands beside itself
    pairs = skip_gram_pairs(text, 4, 1, rng)
    met = np.zeros((4, 4))
    np.add.at(met, pairs, 1)
    weights = np.bincount(text) ** 0.75
    q = weights / weights.sum()
    k = 2
    # A word c is drawn against the true word t with q(c) / (1 - q(t)), and never where c is t.
    against = np.where(np.eye(4, dtype=bool), 0, q[None] / (1 - q[:, None]))  # (t, c)
    of_negative = met @ against
    expected = np.log(met / (k * of_negative))

    model = build_skip_gram(4, 4)
    for rate in (0.05, 0.01, 0.003):
        negatives = draw_negatives(np.tile(pairs[1], 8), np.bincount(text), k, rng)
        candidates = np.column_stack([np.tile(pairs[1], 8), negatives])
        labels = np.eye(k + 1, dtype="float32")[np.zeros(len(candidates), int)]
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        data = ((np.tile(pairs[0], 8), candidates), labels)
        fit(model, data, epochs=2, batch_size=512, loss=loss, optimizer=keras.optimizers.Adam(rate))
    got = model.get_layer("words").get_weights()[0] @ model.get_layer("contexts").get_weights()[0].T
    np.testing.assert_allclose(got, expected, atol=0.1)


def test_likeness_is_that_of_gensim_and_of_counting():
    sentence = words(load_bible("bbe")[:1_500_000].lower())
    frequent = [word for word, _ in Counter(sentence).most_common(800)]
    number = {word: i for i, word in enumerate(frequent)}
    text = np.array([number[word] for word in sentence if word in number])
    runtime.set_seed(0)
    ours = train_skip_gram(text, 800, 32, epochs=2, rate=0.01)
    theirs = gensim.models.Word2Vec(
        [list(map(str, part)) for part in np.array_split(text, 400)],
        vector_size=32, window=5, sg=1, negative=5, sample=0, epochs=4, seed=0, min_count=1, workers=1,
    )  # fmt: skip
    gensim_vectors = np.array([theirs.wv[str(i)] for i in range(800)])
    counted = svd_vectors(ppmi(count_pairs(text, 800, 5)), 32)

    def likeness(vectors):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return (unit @ unit.T)[np.triu_indices(800, 1)]

    runtime.set_seed(0)
    by_glove = train_glove(count_pairs(text, 800, 5, by_distance=True), 32)
    by_cbow = train_cbow(text, 800, 32)

    assert spearmanr(likeness(ours), likeness(gensim_vectors)).statistic > 0.5
    assert spearmanr(likeness(ours), likeness(by_cbow)).statistic > 0.3
    assert spearmanr(likeness(ours), likeness(by_glove)).statistic > 0.15
    assert spearmanr(likeness(ours), likeness(counted)).statistic > 0.4


def test_neighbours_and_analogies_in_a_plane():
    vectors = np.array([[1, 0], [1, 1], [0, 1], [-1, 0], [2, 0.1]])
    assert nearest(vectors, 0, 2).tolist() == [4, 1]
    assert nearest(vectors, 0, 1, exclude=[4]).tolist() == [1]
    corners = np.array([[1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 1, 0.9], [0.5, 0.5, -1]])
    assert analogy(corners, 0, 1, 2).tolist() == [3]
    assert analogy(corners, 0, 1, 2, exclude=False)[0] in (2, 3)


def test_what_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match="window of 0"):
        count_pairs([0, 1], 2, 0)
    with pytest.raises(ValueError, match="numbered 0 to 1"):
        count_pairs([0, 5], 2)
    with pytest.raises(ValueError, match="size is 6"):
        svd_vectors(count_pairs(TEXT, 6), 6)
    with pytest.raises(ValueError, match="1 words and 3 negatives"):
        draw_negatives([0], [5, 0], 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="0 counts"):
        ppmi(sparse.csr_array((3, 3)))


WORDS, VECTORS = ["sea", "land", "sky"], np.array([[1, 2], [3, 4], [5, 6]], dtype="float32")


def test_vectors_come_back_as_they_were_saved(tmp_path):
    save_vectors(tmp_path / "vectors.npz", WORDS, VECTORS)
    words, vectors = load_vectors(tmp_path / "vectors.npz")
    assert words == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)
    np.savez(tmp_path / "other.npz", weights=VECTORS)
    with pytest.raises(ValueError, match="expected words and vectors, as save_vectors writes"):
        load_vectors(tmp_path / "other.npz")


def test_a_layer_looks_up_the_vector_of_each_word_in_the_order_of_its_own_vocabulary():
    layer = embedding_layer(["sky", "ship", "sea"], WORDS, VECTORS)
    rows = layer(np.array([[1, 3, 0]])).numpy()[0]
    np.testing.assert_array_equal(rows, [[5, 6], [1, 2], [0, 0]])
    unknown = layer(np.array([[2]])).numpy()[0, 0]
    np.testing.assert_allclose(np.linalg.norm(unknown), np.linalg.norm(VECTORS, axis=1).mean(), rtol=1e-5)
    assert layer.compute_mask(np.array([[1, 0]])).numpy().tolist() == [[True, False]]


@pytest.mark.parametrize("tuned", [False, True])
def test_only_a_tuned_layer_is_trained(tuned):
    layer = embedding_layer(WORDS, WORDS, VECTORS, tuned=tuned)
    inputs = keras.Input((2,), dtype="int32")
    mean = keras.layers.GlobalAveragePooling1D()(layer(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(mean))
    fit(model, (np.array([[1, 2], [2, 0]]), np.array([[0.0], [9.0]])), epochs=3, optimizer=keras.optimizers.Adam(0.1))
    moved = np.abs(layer.get_weights()[0] - np.vstack([[0, 0], VECTORS])).max(axis=1) > 1e-3
    assert moved.tolist() == [False, tuned, tuned, False]  # the sky is in no text


@pytest.mark.parametrize(
    ("vocabulary", "words", "vectors", "said"),
    [
        (["Sea", "Land", "sky"], WORDS, VECTORS, "1 of 3 words .* Were both texts cut into words alike"),
        (["sea", "sea"], WORDS, VECTORS, "2 words, 1 of them different"),
        (WORDS, WORDS[:2], VECTORS, "2 words and vectors of shape"),
        (WORDS, ["sea", "sea", "sky"], VECTORS, "expected each once"),
        (WORDS, WORDS, VECTORS * np.nan, "NaN or infinity"),
    ],
)
def test_vectors_that_do_not_match_are_refused(vocabulary, words, vectors, said):
    with pytest.raises(ValueError, match=said):
        embedding_layer(vocabulary, words, vectors)
