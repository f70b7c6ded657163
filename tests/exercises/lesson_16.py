"""Typical wrong answers to the exercises of lesson 16, each with words that its feedback must contain."""

import numpy as np


def _from_the_start(step, start, cards, caller, letters):
    state = start
    for letter in letters:
        logits, state = step(letter, state)
    cards[caller] = state
    return logits


def _one_card_for_all(step, start, cards, caller, letters):
    state = cards.get("state", start)
    for letter in letters:
        logits, state = step(letter, state)
    cards["state"] = cards[caller] = state
    return logits


def _reads_all_again(step, start, cards, caller, letters):
    read, state = [*cards.get(caller, ()), *letters], start
    for letter in read:
        logits, state = step(letter, state)
    cards[caller] = tuple(read)
    return logits


def _forgets_to_write(step, start, cards, caller, letters):
    state = cards.setdefault(caller, start)
    for letter in letters:
        logits, state = step(letter, state)
    return logits


pick_up = [
    (_from_the_start, "from the start state"),
    (_one_card_for_all, "a card of their own"),
    (_reads_all_again, "what is on the card is read"),
    (_forgets_to_write, "the state after the last letter"),
]


def _chunk_by_chunk(chunks, words):
    out = []
    for chunk in chunks:
        found = [chunk.index(word) for word in words if word in chunk]
        if found:
            return [*out, chunk[: min(found)]]
        out.append(chunk)
    return [*out, ""]


def _always_waits(chunks, words):
    longest, waits, out = max(map(len, words)) - 1, "", []
    for chunk in chunks:
        text = waits + chunk
        found = [text.index(word) for word in words if word in text]
        if found:
            return [*out, text[: min(found)]]
        cut = max(0, len(text) - longest)
        out.append(text[:cut])
        waits = text[cut:]
    return [*out, waits]


def _keeps_the_rest(chunks, words):
    waits, out = "", []
    for chunk in chunks:
        text = waits + chunk
        found = [text.index(word) for word in words if word in text]
        if found:
            return [*out, text[: min(found)]]
        ends = [text[i:] for i in range(len(text))]
        waits = next((end for end in ends if any(word.startswith(end) for word in words)), "")
        out.append(text[: len(text) - len(waits)])
    return out


def _cuts_the_word_out(chunks, words):
    text = "".join(chunks)
    for word in words:
        text = text.replace(word, "")
    return [text]


let_out = [
    (_chunk_by_chunk, "words that two chunks share"),
    (_always_waits, "more than you need"),
    (_keeps_the_rest, "one more piece at the end"),
    (_cuts_the_word_out, "you let out"),
    (lambda chunks, words: "".join(chunks), "expected a list"),
]


def _deals(reference, current, difference, rng, n=None, count=lambda apart, real: apart >= real):
    real, mixed = difference(reference, current), np.concatenate([reference, current])
    n = len(reference) if n is None else n
    deals = [rng.permutation(mixed) for _ in range(1000)]
    return float(np.mean([count(difference(deal[:n], deal[n:]), real) for deal in deals]))


by_chance = [
    (lambda a, b, d, rng: _deals(a, b, d, rng, count=lambda apart, real: apart < real), "at least* as far"),
    (lambda a, b, d, rng: _deals(a, b, d, rng, n=50), "as large as they were"),
    (lambda a, b, d, rng: float(np.mean([d(a, b) >= d(a, b) for _ in range(10)])), "mixed before a deal"),
    (lambda a, b, d, rng: d(a, b), "mix both piles"),
    (lambda a, b, d, rng: 5.0, "a share between"),
]


def _choice(slack, predicted, measured):
    return {"slack": slack, "predicted": predicted, "measured": measured}


alarm = [
    (_choice(0.1, 10, 33), "lets noise add up"),
    (_choice(0.9, 10, 25), "eats up most"),
    (_choice(0.5, 5, 9), "Is every=15,000"),
    (_choice(0, 5, 9), "more than 0"),
    (_choice(0.5, -1, 9), "a number of texts"),
    ([0.5], "expected a dict"),
]
