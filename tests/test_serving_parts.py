"""What the service is made of, each by itself: the filter, what is asked, what is kept."""

import itertools
import json
import os
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks import random_engine
from utils.generation.sampling import probabilities
from utils.serving.asked import RULES, Asked, Limits, Refused, rules_of, understand
from utils.serving.conversations import ABANDONED, TAIL, Conversation, Conversations
from utils.serving.filtering import OutputFilter

# ---- the filter


def filtered(pieces, words, before=""):
    each = OutputFilter(words, before)
    return "".join([*map(each.add, pieces), each.end()])


def masked_at_once(text, words):
    """The definition: words that stand by themselves, the longest first, found in the whole text."""
    longest = sorted(words, key=len, reverse=True)
    pattern = "|".join(re.escape(word).replace(r"\ ", r"\s") for word in longest)
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda found: "*" * len(found[0]), text, flags=re.IGNORECASE)


@pytest.mark.parametrize("cuts", [1, 2])
def test_a_word_is_caught_wherever_it_is_cut(cuts):
    text = "It is a Forbidden word, and unforbidden is not; forbidden"
    expected = "It is a ********* word, and unforbidden is not; *********"
    for places in itertools.combinations(range(len(text) + 1), cuts):
        pieces = [text[a:b] for a, b in itertools.pairwise([0, *places, len(text)])]
        assert filtered(pieces, ["forbidden"]) == expected
    assert filtered(text, ["forbidden"]) == expected  # a character at a time


WORDS = st.lists(
    st.text("ab -", min_size=1, max_size=5).filter(lambda word: word == word.strip()), min_size=1, max_size=4
)


@given(WORDS, st.text("abA \n-", max_size=30), st.lists(st.integers(0, 30), max_size=6))
@settings(max_examples=500)
def test_however_a_text_is_cut_the_same_is_masked(words, text, places):
    places = sorted(min(place, len(text)) for place in places)
    pieces = [text[a:b] for a, b in itertools.pairwise([0, *places, len(text)])]
    assert filtered(pieces, words) == masked_at_once(text, words)


@given(WORDS, st.text("ab -", max_size=12), st.text("ab -", max_size=12))
@settings(max_examples=300)
def test_what_was_read_before_counts_but_is_not_changed(words, before, text):
    assert filtered([text[:3], text[3:]], words, before) == masked_at_once(before + text, words)[len(before) :]


def test_no_more_is_held_back_than_may_become_a_word():
    each = OutputFilter(["forbidden", "fox"])
    assert each.add("a fo") == "a "
    assert each.add("r") == ""
    assert each.add("ty f") == "forty "
    assert each.add("ox") == ""  # foxes may be said
    assert each.add("es ") == "foxes "
    assert each.add("fox!") == "***!"
    assert each.masked == 3
    assert OutputFilter([]).add("a fo") == "a fo"


@pytest.mark.parametrize("word", ["", " a", "a ", "a" * 101])
def test_a_word_that_is_none_is_refused(word):
    with pytest.raises(ValueError, match="is no word or phrase of 1 to 100 characters"):
        OutputFilter(["good", word])


# ---- what is asked

LIMITS = Limits(longest=1000, deadline=60.0)


def read(**fields) -> Asked:
    return understand(json.dumps(fields).encode(), LIMITS)


def test_a_request_is_understood_and_what_is_missing_has_a_default():
    assert read(prompt="And") == Asked("And", 200, (), False, None, None, None, False, "tell", None, 60.0)
    name = "0123456789abcdef01234567"
    given = {
        "prompt": "",
        "length": 1000,
        "rules": [["top_k", 3], ["temperature", 0.7]],
        "greedy": True,
        "seed": 2**32 - 1,
        "end": "\n",
        "conversation": name,
        "bits": True,
        "in_doubt": "stop",
        "pace": 0.5,
        "deadline": 3,
    }
    assert read(**given) == Asked(**given | {"rules": (("top_k", 3), ("temperature", 0.7))})


def test_rules_are_those_of_sampling_in_their_order_and_equal_ones_are_the_same_object():
    pairs = (("nucleus", 0.5), ("temperature", 2.0))
    logits = np.array([2.0, 1.0, 0.0, -1.0])
    np.testing.assert_array_equal(np.flatnonzero(probabilities(logits, rules_of(pairs))), [0])
    np.testing.assert_array_equal(np.flatnonzero(probabilities(logits, rules_of(pairs[::-1]))), [0, 1])
    assert rules_of((("nucleus", 0.5), ("temperature", 2.0))) is rules_of(pairs)
    for name in RULES:
        assert rules_of(((name, 1),))[0](logits).shape == (4,)


@pytest.mark.parametrize(
    ("body", "status", "field", "expected"),
    [
        (b"", 400, "body", "JSON in UTF-8"),
        (b"\xff{}", 400, "body", "JSON in UTF-8"),
        (b'{"length": NaN}', 400, "body", "NaN is not JSON"),
        (b"[" * 60_000, 400, "body", "JSON in UTF-8"),
        (b'{"length": ' + b"9" * 5000 + b"}", 400, "body", "JSON in UTF-8"),
        (b"[]", 422, "body", "a JSON object"),
        (b'"text"', 422, "body", "a JSON object"),
        (b'{"temperature": 0.8}', 422, "temperature", 'Rules are given as "rules": [["temperature", 0.8]]'),
        (b'{"Prompt": "x"}', 422, "Prompt", "one of the fields prompt, length, rules"),
        (b'{"prompt": null}', 422, "prompt", "text of at most 10000"),
        (b'{"prompt": "%s"}' % (b"x" * 10_001), 422, "prompt", "text of at most 10000"),
        (b'{"length": 0}', 422, "length", "a whole number from 1 to 1000"),
        (b'{"length": 1001}', 422, "length", "a whole number from 1 to 1000"),
        (b'{"length": 5.0}', 422, "length", "a whole number"),
        (b'{"length": true}', 422, "length", "a whole number"),
        (b'{"length": [[[]]]}', 422, "length", "a whole number"),
        (b'{"seed": -1}', 422, "seed", "from 0 to 4294967295"),
        (b'{"greedy": 1}', 422, "greedy", "true or false"),
        (b'{"end": "ab"}', 422, "end", "one character"),
        (b'{"end": ""}', 422, "end", "one character"),
        (b'{"conversation": false}', 422, "conversation", "true to begin one"),
        (b'{"conversation": "../../etc/passwd"}', 422, "conversation", "true to begin one"),
        (b'{"in_doubt": ["tell"]}', 422, "in_doubt", "'tell' or 'stop'"),
        (b'{"pace": 0}', 422, "pace", "from 0.1 to 1000"),
        (b'{"pace": 1e999}', 422, "pace", "from 0.1 to 1000"),
        (b'{"deadline": 61}', 422, "deadline", "from 0.001 to 60"),
        (b'{"rules": {"temperature": 1}}', 422, "rules", "a list of at most 10 pairs"),
        (b'{"rules": [%s]}' % b",".join([b'["top_k", 1]'] * 11), 422, "rules", "a list of at most 10 pairs"),
        (b'{"rules": ["temperature"]}', 422, "rules[0]", "a list of at most 10 pairs"),
        (b'{"rules": [["top_k", 3], ["beam", 3]]}', 422, "rules[1]", "temperature, top_k, nucleus, min_p, typical"),
        (b'{"rules": [["temperature", "hot"]]}', 422, "rules[0]", "a number for temperature"),
        (b'{"rules": [["temperature", true]]}', 422, "rules[0]", "a number for temperature"),
        (b'{"rules": [["temperature", 0]]}', 422, "rules[0]", "a number above 0"),
        (b'{"rules": [["temperature", 1e999]]}', 422, "rules[0]", "a number for temperature"),
        (b'{"rules": [["top_k", 1e999]]}', 422, "rules[0]", "a number for top_k"),
        (b'{"rules": [["top_k", 2.5]]}', 422, "rules[0]", "a whole number of at least 1"),
        (b'{"rules": [["nucleus", 1.5]]}', 422, "rules[0]", "a share above 0 and at most 1"),
    ],
)
def test_whatever_is_wrong_is_named(body, status, field, expected):
    with pytest.raises(Refused) as refused:
        understand(body, LIMITS)
    assert (refused.value.status, refused.value.field) == (status, field)
    assert expected in refused.value.expected
    assert len(str(refused.value.got)) <= 81


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from([*Asked._fields, "rule"]), JSON, max_size=4)


@given(st.binary(max_size=60) | (JSON | FIELDS).map(lambda value: json.dumps(value).encode()))
@settings(max_examples=500)
def test_any_bytes_are_understood_or_refused(body):
    refused = None
    try:
        asked = understand(body, LIMITS)
    except Refused as error:
        refused = error
    if refused:
        assert 400 <= refused.status < 500
        json.dumps(refused.got)
    else:
        assert 1 <= asked.length <= 1000
        rules_of(asked.rules)


# ---- what is kept


def some_conversation(engine, tail="And it"):
    _, state = engine.read([[1, 2, 3]])
    return Conversation(state, [4, 5], 210, tail)


def test_a_conversation_comes_back_and_is_replaced_as_a_whole(tmp_path):
    engine = random_engine("GRU", layers=2)
    kept, name = Conversations(tmp_path / "new", engine), Conversations.name()
    first = some_conversation(engine)
    for conversation in (first, first._replace(unread=[1], characters=211, tail="é’" * (TAIL // 2))):
        kept.save(name, conversation)
        found = Conversations(tmp_path / "new", engine).load(name)
        assert found[1:] == conversation[1:]
        np.testing.assert_array_equal(found.state.layers[1][0], conversation.state.layers[1][0])
    assert [file.name for file in (tmp_path / "new").iterdir()] == [f"{name}.state"]


def test_a_conversation_that_cannot_be_used_is_refused_in_words_and_the_others_go_on(tmp_path):
    engine = random_engine()
    kept = Conversations(tmp_path, engine)
    good, bad = kept.name(), kept.name()
    kept.save(good, some_conversation(engine))
    path, whole = tmp_path / f"{bad}.state", (tmp_path / f"{good}.state").read_bytes()
    for content, message in (
        (b"", "no stored state"),
        (b"GIF89a", "no stored state"),
        (whole[:-1], "truncated or was changed"),
        (whole[:200], "truncated or was changed"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            kept.load(bad)
    Conversations(tmp_path, random_engine("GRU")).save(bad, some_conversation(random_engine("GRU")))
    with pytest.raises(ValueError, match="belongs to the network"):
        kept.load(bad)
    for wrong in (
        {"unread": []},
        {"unread": [9]},
        {"unread": [True]},
        {"unread": 3},
        {"characters": -1},
        {"tail": "x" * 121},
    ):
        kept.save(bad, some_conversation(engine)._replace(**wrong))
        with pytest.raises(ValueError, match="not that of a conversation"):
            kept.load(bad)
    assert kept.load(good).characters == 210
    with pytest.raises(FileNotFoundError):
        kept.load(kept.name())
    for name in ("../secret", "", "A" * 24, "0" * 25):
        with pytest.raises(ValueError, match="is not the name of a conversation"):
            kept.load(name)


def test_parts_that_a_killed_process_left_are_removed_and_fresh_ones_are_not(tmp_path):
    old, fresh = tmp_path / "a.state.0.part", tmp_path / "b.state.1.part"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * ABANDONED,) * 2)
    Conversations(tmp_path, random_engine())
    assert [path.name for path in tmp_path.iterdir()] == [fresh.name]
