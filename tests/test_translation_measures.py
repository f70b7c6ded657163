"""Measures of translations against sacrebleu, jiwer and arithmetic by hand."""

import jiwer
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from utils.evaluation.translation import bleu, edit_distance, error_rate, exact_match, pinc

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd", "e,"]), min_size=1, max_size=9)
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6)


@given(PAIRS, st.booleans())
def test_bleu_is_that_of_sacrebleu(pairs, smooth):
    said, meant = zip(*pairs, strict=True)
    method = "exp" if smooth else "none"
    lines, references = ([" ".join(words) for words in side] for side in (said, meant))
    expected = sacrebleu.corpus_bleu(lines, [references], tokenize="none", smooth_method=method, force=True)
    got = bleu(said, meant, smooth=smooth)
    assert got.score == pytest.approx(expected.score, abs=1e-11)
    assert got.precisions == pytest.approx(tuple(expected.precisions), abs=1e-11)
    assert got.brevity_penalty == pytest.approx(expected.bp, abs=1e-12)


@given(PAIRS)
def test_error_rate_is_that_of_jiwer(pairs):
    said, meant = zip(*pairs, strict=True)
    lines, references = ([" ".join(words) for words in side] for side in (said, meant))
    assert error_rate(said, meant) == pytest.approx(jiwer.wer(references, lines), abs=1e-12)


def test_letters_are_tokens_of_a_string():
    assert edit_distance("kitten", "sitting") == 3
    assert error_rate(["kitten"], ["sitting"]) == 3 / 7
    assert exact_match(["ab", "c"], ["ab", "d"]) == 0.5


def test_pinc_by_hand():
    assert pinc([["a", "b", "c", "d"]], [["a", "b", "c", "d"]]) == 0
    assert pinc([["x", "y"]], [["a", "b"]]) == 1
    assert pinc([["a", "b", "x"]], [["a", "b", "c"]], order=2) == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert pinc([[]], [["a"]]) == 0


def test_one_number_wrong_in_every_sentence_scores_high():
    meant = [f"the price of house {i} is nine hundred and {i} pounds today".split() for i in range(1, 60)]
    said = [[str(int(word) + 1000) if j == 9 else word for j, word in enumerate(words)] for words in meant]
    assert exact_match(said, meant) == 0
    assert bleu(said, meant).score > 60


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="1 hypotheses and 2"):
        bleu([["a"]], [["a"], ["b"]])
    with pytest.raises(ValueError, match="0 hypotheses"):
        exact_match([], [])
    with pytest.raises(ValueError, match="order is 0"):
        bleu([["a"]], [["a"]], order=0)
    with pytest.raises(ValueError, match="references are empty"):
        error_rate([["a"]], [[]])
