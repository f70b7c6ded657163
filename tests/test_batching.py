"""Many requests side by side: each gets the text that it would get alone, and nobody waits longer than for a slot."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from tests.networks import random_engine
from utils.generation.batching import BLOCK, Batcher, Request
from utils.generation.sampling import draw, greedy, min_p, nucleus, temperature, top_k, uniforms
from utils.generation.stored import load_engine
from utils.serving import MODEL

RULES = [
    (),
    (partial(temperature, t=0.7),),
    (partial(top_k, k=3), partial(temperature, t=1.3)),
    (partial(nucleus, p=0.8),),
]


def read_again(engine, request):
    """The text of a request from its definition: everything is read anew for every symbol."""
    text, numbers = list(request.prompt), uniforms(request.seed or 0, request.length)
    for number in numbers:
        logits = engine.read([text], request.state)[0][0, -1]
        if request.seed is None:
            for rule in request.rules:
                logits = rule(logits)
            text.append(int(greedy(logits)))
        else:
            text.append(int(draw(logits, request.rules, uniforms=number)))
        if text[-1] == request.end:
            break
    return text[len(request.prompt) :]


def some_requests(count, symbols=9, longest=25, seed=0):
    rng = np.random.default_rng(seed)
    return [
        Request(
            rng.integers(symbols, size=rng.integers(1, 8)).tolist(),
            int(rng.integers(1, longest)),
            RULES[i % len(RULES)],
            None if i % 5 == 0 else i,
            end=None if i % 3 else 2,
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize(("cell", "layers", "tied"), [("LSTM", 1, False), ("GRU", 2, False), ("RNN", 1, True)])
def test_every_text_is_what_reading_it_again_for_every_symbol_gives(cell, layers, tied, continuous):
    engine = random_engine(cell, layers=layers, tied=tied)
    requests = some_requests(30)
    batcher = Batcher(engine, slots=7, continuous=continuous)
    streams = [batcher.submit(request) for request in requests]
    batcher.run()
    for stream, request in zip(streams, requests, strict=True):
        assert stream.symbols == read_again(engine, request)
        assert stream.ended == ("end" if stream.symbols[-1] == request.end else "length")


def test_a_text_is_the_same_whatever_runs_beside_it():
    """With the network of the service, to the last bit of every logarithm."""
    engine, vocabulary, _ = load_engine(MODEL)
    request = Request(vocabulary.encode("And it came to pass"), 120, RULES[1], seed=5)
    expected = None
    for slots, others in ((1, 0), (8, 3), (64, 63), (64, 100), (20, 40)):
        batcher = Batcher(engine, slots)
        before = [batcher.submit(each) for each in some_requests(others // 2, 64, 90, seed=others)]
        stream = batcher.submit(request)
        for each in some_requests(others - len(before), 64, 90, seed=others + 1):
            batcher.submit(each)
        batcher.run()
        expected = expected or stream
        assert stream.symbols == expected.symbols
        assert stream.log_probabilities == expected.log_probabilities
        assert stream.read_log_probabilities == expected.read_log_probabilities


@pytest.mark.parametrize("units", [32, 100, 128, 256])
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_a_row_of_a_step_is_the_same_among_any_number_of_blocks(cell, units):
    engine = random_engine(cell, units, symbols=64)
    rng = np.random.default_rng(1)
    symbols = rng.integers(64, size=64)
    state = engine.read(rng.integers(64, size=(64, 3)))[1]
    logits, after = engine.step(state, symbols, block=BLOCK)
    np.testing.assert_allclose(logits, engine.step(state, symbols)[0], rtol=1e-4, atol=1e-3)
    for count in range(BLOCK, 64, BLOCK):
        for rows in (rng.permutation(64)[:count], np.arange(count)):
            some, then = engine.step(state.take(rows), symbols[rows], block=BLOCK)
            np.testing.assert_array_equal(some, logits[rows])
            np.testing.assert_array_equal(then.layers[0][0], after.layers[0][0][rows])


def test_log_probabilities_are_those_of_the_network_before_any_rule():
    engine = random_engine()
    batcher = Batcher(engine, 3)
    streams = [batcher.submit(request) for request in some_requests(9)]
    batcher.run()
    for stream in streams:
        prompt = list(stream.request.prompt)
        text = np.array(prompt + stream.symbols)
        expected = log_softmax(engine.read(text[None, :-1])[0][0].astype(float), axis=-1)[
            np.arange(len(text) - 1), text[1:]
        ]
        found = stream.read_log_probabilities + stream.log_probabilities
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert len(stream.read_log_probabilities) == len(prompt) - 1


def test_streams_join_and_leave_while_others_go_on():
    engine = random_engine()
    batcher = Batcher(engine, slots=2)
    long = batcher.submit(Request([1], 20, seed=1))
    short = [batcher.submit(Request([1], 4, seed=i)) for i in range(4)]
    ended = {}
    while not batcher.idle:
        batcher.step()
        assert len(batcher.streams) <= 2
        ended |= {i: batcher.rounds for i, stream in enumerate([long, *short]) if stream.ended and i not in ended}
    assert ended == {1: 4, 2: 8, 3: 12, 4: 16, 0: 20}
    assert batcher.steps == 20 + 4 * 4


def test_a_static_batch_waits_for_its_longest():
    batcher = Batcher(random_engine(), slots=2, continuous=False)
    lengths = [20, 4, 4, 4, 9]
    for i, length in enumerate(lengths):
        batcher.submit(Request([1], length, seed=i))
    batcher.run()
    assert batcher.rounds == 20 + 4 + 9
    assert batcher.steps == sum(lengths)


def test_continuous_batching_needs_far_fewer_rounds():
    """Lengths drawn from 20 to 400, as in the benchmark: rounds can be counted on any machine."""
    rng, rounds = np.random.default_rng(0), {}
    lengths = rng.integers(20, 401, size=192)
    for continuous in (True, False):
        batcher = Batcher(random_engine(), 64, continuous=continuous)
        for i, length in enumerate(lengths):
            batcher.submit(Request([i % 9], int(length), seed=i))
        batcher.run()
        rounds[continuous] = batcher.rounds
    assert rounds[False] == sum(max(lengths[i : i + 64]) for i in range(0, 192, 64))
    assert rounds[False] >= 1.3 * rounds[True]


def test_a_cancelled_stream_frees_its_slot_and_leaves_the_others_alone():
    engine = random_engine()
    requests = some_requests(12, longest=60)
    batcher = Batcher(engine, slots=3)
    streams = [batcher.submit(request._replace(end=None, length=30)) for request in requests]
    for _ in range(12):
        batcher.step()
    gone = [streams[1], streams[11]]  # one in work, one that waits
    for stream in gone:
        batcher.cancel(stream, "gone")
        batcher.cancel(stream)
    assert len(batcher.streams) == 2
    batcher.step()
    assert len(batcher.streams) == 3
    batcher.run()
    for stream in streams:
        assert stream.ended == ("gone" if stream in gone else "length")
        expected = read_again(engine, stream.request)
        assert stream.symbols == (expected[: len(stream.symbols)] if stream in gone else expected)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=60))
@settings(max_examples=30)
def test_a_stream_that_is_held_waits_and_then_goes_on_as_if_nothing_had_been(moves):
    engine = random_engine(units=6)
    requests = some_requests(6, longest=15)
    batcher = Batcher(engine, slots=4)
    streams = [batcher.submit(request) for request in requests]
    for which, held in moves:
        streams[which].held = held
        before = list(streams[which].symbols)
        batcher.step()
        assert not held or streams[which].symbols == before
    for stream in streams:
        stream.held = False
    batcher.run()
    assert [stream.symbols for stream in streams] == [read_again(engine, request) for request in requests]


@pytest.mark.parametrize("when", [0, 2, 9, 30])
def test_a_snapshot_goes_on_elsewhere_where_the_stream_is(when):
    engine = random_engine("GRU", layers=2)
    whole = Request([1, 4, 2, 7], 26, RULES[1])
    batcher = Batcher(engine)
    first, other = batcher.submit(whole), batcher.submit(Request([3], 26, seed=9))
    for _ in range(when):
        batcher.step()
    state, unread = batcher.snapshot(first)
    written = len(first.symbols)
    batcher.cancel(first)
    cancelled, still = batcher.snapshot(first)
    assert still == unread
    assert all(map(np.array_equal, cancelled.layers[0], state.layers[0]))
    if left := whole.length - written:
        next_one = Batcher(engine).submit(whole._replace(prompt=unread, length=left, state=state))
        alone = Batcher(engine)
        again = alone.submit(next_one.request)
        alone.run()
        assert first.symbols + again.symbols == read_again(engine, whole)
    assert other.ended == ("length" if when == 30 else None)


def test_rules_and_seeds_do_not_mix():
    """Streams of the same rules are drawn together, all with numbers of their own."""
    engine = random_engine()
    batcher = Batcher(engine)
    same = (partial(min_p, p=0.1),)
    twins = [batcher.submit(Request([1], 30, same, seed=3)) for _ in range(2)]
    sister, likeliest = batcher.submit(Request([1], 30, same, seed=4)), batcher.submit(Request([1], 30, same))
    batcher.run()
    assert twins[0].symbols == twins[1].symbols
    assert len({tuple(stream.symbols) for stream in (twins[0], sister, likeliest)}) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": []}, r"prompt has the shape \(0,\)"),
        ({"prompt": [[1]]}, r"prompt has the shape \(1, 1\)"),
        ({"prompt": [0.5]}, "holds float64; expected whole numbers"),
        ({"prompt": [0, 9]}, "prompt holds 0 to 9; expected 0 to 8"),
        ({"prompt": [-1]}, "prompt holds -1"),
        ({"length": 0}, "length is 0; expected at least 1"),
        ({"end": 9}, "end is 9; expected one of the symbols 0 to 8"),
        ({"seed": -1}, "The seed is -1"),
        ({"state": random_engine().start(2)}, "state has 2 streams"),
    ],
)
def test_requests_that_cannot_be_are_refused_in_words(change, message):
    batcher = Batcher(random_engine())
    with pytest.raises(ValueError, match=message):
        batcher.submit(Request([1], 5)._replace(**change))
    assert batcher.idle


def test_a_batcher_without_slots_is_refused():
    with pytest.raises(ValueError, match="slots is 0"):
        Batcher(random_engine(), 0)
