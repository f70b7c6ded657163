"""Measures of text against NLTK, against arithmetic, and against Python's own compiler."""

import warnings

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from nltk.util import ngrams

from utils.evaluation.baselines import ngram_probabilities
from utils.evaluation.text import cycle, distinct, invented, judge_bits, parses, repetition, self_bleu, words

TEXTS = st.lists(st.integers(0, 3), min_size=4, max_size=40)


@given(TEXTS, st.integers(1, 4))
def test_repetition_counts_as_nltk_does(text, n):
    grams = list(ngrams(text, n))
    assert repetition(text, n) == repetition(np.array(text), n) == pytest.approx(1 - len(set(grams)) / len(grams))


def test_repetition_by_hand():
    assert repetition("abcdef", 2) == 0
    assert repetition("ababab", 2) == pytest.approx(3 / 5)  # ab ba ab ba ab
    assert repetition(["the", "end", "the", "end"], 1) == 0.5


@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(1, 3))
def test_distinct_counts_the_same_length_of_every_text(texts, n):
    grams = [gram for text in texts for gram in ngrams(text[:4], n)]
    assert distinct(texts, n, length=4) == pytest.approx(len(set(grams)) / len(grams))


@given(st.lists(st.lists(st.integers(0, 2), min_size=9, max_size=9), min_size=2, max_size=5), st.integers(1, 4))
def test_self_bleu_is_the_mean_of_sacrebleus(texts, order):
    lines = [" ".join(map(str, text)) for text in texts]
    metric = sacrebleu.BLEU(tokenize="none", smooth_method="none", force=True, max_ngram_order=order)
    scores = [metric.sentence_score(line, lines[:i] + lines[i + 1 :]).score for i, line in enumerate(lines)]
    assert self_bleu(texts, order) == pytest.approx(np.mean(scores) / 100, abs=1e-9)


def test_self_bleu_by_hand():
    assert self_bleu(["abcd", "abcd", "xyzw"], 2) == pytest.approx(2 / 3)  # the third shares nothing
    with pytest.raises(ValueError, match=r"2 texts of the lengths \[2, 3\]; expected at least two, of one length"):
        self_bleu(["abc", "ab"])
    with pytest.raises(ValueError, match="1 texts"):
        self_bleu(["abc"])
    with pytest.raises(ValueError, match="expected 1 to 3 for n"):
        self_bleu(["abc", "abd"])


def test_a_longer_text_looks_less_varied():
    text = np.random.default_rng(0).integers(20, size=4000)
    short, long = (distinct([text], 2, length=length) for length in (100, 4000))
    assert short > 0.8
    assert long < 0.2


@given(st.lists(st.integers(0, 5), max_size=20), st.lists(st.integers(0, 5), min_size=2, max_size=6), st.integers(3, 6))
def test_a_phrase_at_the_end_is_found_whatever_stands_before(start, phrase, times):
    found = cycle(start + phrase * times)
    assert 2 <= found <= len(phrase)
    assert cycle(start + phrase * times, shortest=len(phrase), times=times) == len(phrase)
    end = (start + phrase * times)[-3 * found :]
    assert end == end[:found] * 3


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("and so on and on and on and on", 7),
        ("and so on and on and on", 0),  # twice and a half
        ("aaaaaa", 2),
        ("aaaaa", 0),
        ("abcabcabcd", 0),
        ("", 0),
        ([5, 1, 2, 1, 2, 1, 2], 2),
    ],
)
def test_cycles_by_hand(text, length):
    assert cycle(text) == length


def test_a_single_symbol_may_be_allowed():
    assert cycle("oh nooo", shortest=1) == 1
    assert cycle("oh noo", shortest=1) == 0


@pytest.mark.parametrize(
    ("source", "right"),
    [
        ("x = 1\n", True),
        ("def f(a):\n    return a is 1\n", True),  # a SyntaxWarning is none of a reader's
        ("def f(:\n", False),
        ("  x = 1", False),
        ("# a remark\n", False),
        ("", False),
        ("x = '\0'", False),
        ("(" * 5000 + ")" * 5000, False),
    ],
)
def test_python_is_what_the_compiler_takes(source, right):
    assert parses(source) is right
    if right:
        with warnings.catch_warnings(action="ignore"):
            compile(source, "text", "exec")


def test_bad_settings_are_refused_in_words():
    for n in (0, 4):
        with pytest.raises(ValueError, match=f"n is {n} and the text has a length of 3; expected 1 to 3"):
            repetition("abc", n)
    with pytest.raises(ValueError, match="shortest of 2 texts has a length of 2; expected at least 3"):
        distinct(["abc", "ab"], 1, length=3)
    with pytest.raises(ValueError, match="0 texts"):
        distinct([], 1, length=3)
    with pytest.raises(ValueError, match="shortest is 0"):
        cycle("abc", shortest=0)
    with pytest.raises(ValueError, match="times is 1"):
        cycle("abc", times=1)


def test_words_and_those_that_nobody_knows():
    assert words("And he saith unto them, Moses’ rod isn't 3 cubits_long.") == [
        *["And", "he", "saith", "unto", "them", "Moses", "rod", "isn't", "cubits", "long"]
    ]
    assert invented("xx the son of Absamon, the sonne yy", {"the", "son", "of"}) == pytest.approx(2 / 6)
    with pytest.raises(ValueError, match="no word between"):
        invented("two words", set())


def test_the_judge_hears_each_text_by_itself():
    """The n-gram is held against NLTK elsewhere; here every text alone gives what all give together."""
    rng = np.random.default_rng(0)
    train = rng.choice(4, size=500, p=[0.4, 0.3, 0.2, 0.1])
    texts = rng.choice(4, size=(3, 12))
    bits = judge_bits(texts, train, 2, 4)
    for row, measured in zip(texts, bits, strict=True):
        assert measured == pytest.approx(-np.log2(ngram_probabilities(train, row, 2, 4)[2, 2:]).mean())
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        judge_bits(texts[:, :2], train, 2, 4)
