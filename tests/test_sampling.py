"""What may be drawn and what is: every rule against its definition, tried on all sets of a small vocabulary."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.special import entr, softmax

from utils.generation.sampling import (
    choose,
    draw,
    greedy,
    min_p,
    nucleus,
    probabilities,
    temperature,
    top_k,
    typical,
    uniforms,
)

SYMBOLS = 6
LOGITS = arrays(float, SYMBOLS, elements=st.floats(-8, 8, width=16), unique=True)
SHARES = st.floats(0.01, 1)
RULES = {
    "temperature": partial(temperature, t=0.7),
    "top_k": partial(top_k, k=3),
    "nucleus": partial(nucleus, p=0.8),
    "min_p": partial(min_p, p=0.1),
    "typical": partial(typical, p=0.8),
}


def kept(logits) -> set[int]:
    return set(np.flatnonzero(np.isfinite(logits)).tolist())


def sets():
    """All sets of symbols that are not empty, small ones first."""
    for size in range(1, SYMBOLS + 1):
        yield from itertools.combinations(range(SYMBOLS), size)


def mass(chances, symbols) -> float:
    return float(sum(chances[list(symbols)]))


@given(LOGITS, SHARES)
def test_nucleus_is_the_smallest_set_that_holds_its_share_and_of_these_the_likeliest(logits, p):
    chances = softmax(logits)
    enough = [chosen for chosen in sets() if mass(chances, chosen) >= p]
    if not enough:  # all together are 1 up to rounding
        enough = [tuple(range(SYMBOLS))]
    fewest = [chosen for chosen in enough if len(chosen) == len(enough[0])]
    found = kept(nucleus(logits, p))
    assert len(found) in {len(enough[0]), len(enough[0]) + (abs(mass(chances, enough[0]) - p) < 1e-9)}
    if len(found) == len(enough[0]):
        assert mass(chances, found) == pytest.approx(max(mass(chances, chosen) for chosen in fewest), abs=1e-12)


@given(LOGITS, st.integers(1, SYMBOLS + 2))
def test_top_k_is_the_likeliest_set_of_its_size(logits, k):
    chances = softmax(logits)
    found = kept(top_k(logits, k))
    assert len(found) == min(k, SYMBOLS)
    best = max(mass(chances, chosen) for chosen in sets() if len(chosen) == len(found))
    assert mass(chances, found) == pytest.approx(best, abs=1e-12)


@given(LOGITS, SHARES)
def test_min_p_keeps_what_is_likely_enough_beside_the_likeliest(logits, p):
    chances = softmax(logits)
    clear = np.abs(chances / chances.max() - p) > 1e-9  # not on the border, where rounding decides
    expected = set(np.flatnonzero(chances >= p * chances.max()).tolist())
    assert {i for i in kept(min_p(logits, p)) if clear[i]} == {i for i in expected if clear[i]}


@given(LOGITS, SHARES)
def test_typical_keeps_no_symbol_further_from_the_entropy_than_one_it_cuts(logits, p):
    chances = softmax(logits)
    distance = np.abs(-np.log(chances) - entr(chances).sum())
    found = kept(typical(logits, p))
    cut = set(range(SYMBOLS)) - found
    assert mass(chances, found) >= p - 1e-9
    assert all(distance[i] <= distance[j] + 1e-9 for i in found for j in cut)
    furthest = max(found, key=lambda i: distance[i])
    assert len(found) == 1 or mass(chances, found - {furthest}) < p + 1e-9


def test_typical_may_cut_the_likeliest_symbol():
    logits = np.log([0.4] + [0.6 / 40] * 40)  # the entropy is near the surprise of the many, not of the one
    assert 0 not in kept(typical(logits, 0.5))
    assert 0 in kept(nucleus(logits, 0.5))


@given(LOGITS, st.floats(0.05, 20))
def test_temperature_is_a_power_of_the_probabilities(logits, t):
    powers = softmax(logits) ** (1 / t)
    np.testing.assert_allclose(softmax(temperature(logits, t)), powers / powers.sum(), atol=1e-9)


@given(LOGITS)
@settings(max_examples=50)
def test_a_tiny_temperature_and_one_symbol_are_greedy(logits):
    for rule in (partial(temperature, t=1e-300), partial(top_k, k=1), partial(min_p, p=1), partial(nucleus, p=1e-12)):
        assert np.flatnonzero(softmax(rule(logits))).tolist() == [greedy(logits)]


@pytest.mark.parametrize("name", [name for name in RULES if name != "temperature"])
@given(LOGITS)
@settings(max_examples=50)
def test_what_is_kept_keeps_its_ratios(name, logits):
    after = RULES[name](logits)
    left = sorted(kept(after))
    assert left
    np.testing.assert_allclose(softmax(after)[left], softmax(logits[left]), atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_rows_do_not_influence_each_other_and_numbers_may_be_shifted(name):
    logits = np.random.default_rng(0).normal(size=(3, 4, SYMBOLS))
    together = softmax(RULES[name](logits), axis=-1)
    shifted = softmax(RULES[name](logits - 50), axis=-1)
    np.testing.assert_allclose(together, shifted, atol=1e-12)
    for row in np.ndindex(3, 4):
        np.testing.assert_array_equal(together[row], softmax(RULES[name](logits[row])))


def test_the_order_of_the_rules_matters():
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    hot, narrow = partial(temperature, t=3.0), partial(nucleus, p=0.7)
    assert np.count_nonzero(probabilities(logits, [narrow, hot])) == 2
    assert np.count_nonzero(probabilities(logits, [hot, narrow])) == 3


def test_of_equally_likely_symbols_the_first_are_kept():
    for rule in (partial(top_k, k=2), partial(nucleus, p=0.5), partial(typical, p=0.5)):
        assert kept(rule(np.zeros(4))) == {0, 1}
    assert kept(min_p(np.zeros(4), 0.5)) == {0, 1, 2, 3}
    assert greedy(np.zeros((2, 4))).tolist() == [0, 0]


def test_a_symbol_that_cannot_come_stays_out():
    logits = np.array([-np.inf, 2.0, 1.0, -np.inf, 0.0])
    for rule in [*RULES.values(), partial(top_k, k=9), partial(nucleus, p=1), partial(typical, p=1)]:
        assert kept(rule(logits)) <= {1, 2, 4}
    assert set(draw(np.tile(logits, (999, 1)), uniforms=np.linspace(0, 1, 999, endpoint=False)).tolist()) == {1, 2, 4}


def test_draws_come_as_often_as_their_probability_says():
    logits = np.random.default_rng(1).normal(size=SYMBOLS)
    rules = [partial(temperature, t=1.5), partial(top_k, k=4)]
    uniforms = np.random.default_rng(2).random(50_000)
    drawn = draw(np.broadcast_to(logits, (50_000, SYMBOLS)), rules, uniforms=uniforms)
    expected = probabilities(logits, rules)
    counts = np.bincount(drawn, minlength=SYMBOLS)
    assert (counts[expected == 0] == 0).all()
    assert stats.chisquare(counts[expected > 0], 50_000 * expected[expected > 0]).pvalue > 1e-3


def test_a_number_picks_the_symbol_whose_interval_it_lies_in():
    logits = np.log([0.25, 0.5, 0.25])
    numbers = np.array([0.0, 0.249, 0.251, 0.749, 0.751, np.nextafter(1, 0)])
    assert draw(np.tile(logits, (6, 1)), uniforms=numbers).tolist() == [0, 0, 1, 1, 2, 2]
    assert int(draw(logits, uniforms=0.5)) == 1


def mulberry32(seed, count):
    """One number after the other, with whole numbers of any size cut to 32 bits."""
    bits, numbers = 2**32 - 1, []
    for _ in range(count):
        seed = (seed + 0x6D2B79F5) & bits
        t = (seed ^ seed >> 15) * (seed | 1) & bits
        t ^= (t + (t ^ t >> 7) * (t | 61)) & bits
        numbers.append((t ^ t >> 14) / 2**32)
    return numbers


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_uniforms_are_those_of_mulberry32(seed):
    assert uniforms(seed, (5, 4)).ravel().tolist() == mulberry32(seed, 20)
    assert uniforms(seed, 3).tolist() == mulberry32(seed, 3)


def test_uniforms_are_uniform_and_those_of_other_seeds_others():
    numbers = uniforms(1, 100_000)
    assert numbers.dtype == float
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert stats.kstest(numbers, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.01
    assert not np.isin(uniforms(2, 100), numbers[:100]).any()


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5])
def test_uniforms_refuse_a_seed_of_another_kind(seed):
    with pytest.raises(ValueError, match=f"The seed is {seed}; expected a whole number from 0 to 4294967295"):
        uniforms(seed, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(temperature, t=0), "temperature is 0; expected a number above 0.*greedy"),
        (partial(temperature, t=-1), "temperature is -1"),
        (partial(temperature, t=np.inf), "temperature is inf"),
        (partial(temperature, t=np.nan), "temperature is nan"),
        (partial(top_k, k=0), "k is 0; expected a whole number of at least 1"),
        (partial(top_k, k=2.5), "k is 2.5"),
        (partial(nucleus, p=0), "p is 0; expected a share above 0 and at most 1"),
        (partial(nucleus, p=1.01), "p is 1.01"),
        (partial(min_p, p=-0.1), "p is -0.1"),
        (partial(typical, p=np.nan), "p is nan"),
        (partial(draw, uniforms=1.0), "uniforms holds numbers outside"),
        (partial(draw, uniforms=[0.5]), r"uniforms has the shape \(1,\); expected one for each row, \(\)"),
    ],
)
def test_bad_settings_are_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("call", [*RULES.values(), greedy, probabilities, partial(draw, uniforms=0.5)])
@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([1.0, np.nan], "NaN or plus infinity: the model has diverged"),
        ([1.0, np.inf], "NaN or plus infinity"),
        ([-np.inf, -np.inf], "nothing is left to draw"),
        ([], "at least one symbol"),
        (1.0, r"shape \(\); expected \(\.\.\., vocabulary\)"),
    ],
)
def test_logits_that_cannot_be_drawn_from_are_refused_in_words(call, logits, message):
    with pytest.raises(ValueError, match=message):
        call(np.array(logits))


@given(LOGITS, st.floats(0, 0.999))
def test_choosing_is_drawing_or_taking_the_likeliest_of_what_the_rules_leave(logits, number):
    rules = [RULES["temperature"], RULES["nucleus"]]
    assert choose(logits, rules, number) == draw(logits, rules, uniforms=number)
    without = partial(lambda logits, best: np.where(np.arange(SYMBOLS) == best, -np.inf, logits), best=logits.argmax())
    assert choose(logits) == logits.argmax()
    assert choose(logits, [without]) == np.argsort(logits)[-2]
