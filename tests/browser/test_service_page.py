"""The page of the service, talking to the service: what is written, stopped, gone on with and lost."""

import re

import pytest

from utils.serving.load import ask, running

from ..test_serving import metric, until
from .test_site import PHONE, VIOLATIONS, WIDE

DONE = "#write:enabled"
SAID = "document.getElementById('said').textContent"


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


@pytest.fixture(scope="module")
def url(states):
    with running("--states", str(states), "--longest", "20000") as server:
        yield server.url


@pytest.fixture
def writer(page, trouble, url):
    """The page as it opens; what it asks of its own server is no trouble.

    Nor is what Chromium says of an answer that has been read to its end before the connection was told so.
    """
    page.goto(url)
    page.wait_for_selector("#service:has-text('in work')")
    yield page
    assert [line for line in trouble if not line.startswith((url, f"not found: {url}/generate"))] == []


def knob(page, name, value):
    page.fill(f"#{name}", str(value))


def written(page, prompt, **fields):
    """Write to the end, as fast as it goes."""
    knob(page, "pace", 205)
    page.fill("#prompt", prompt)
    for name, value in fields.items():
        knob(page, name, value)
    page.click("#write")
    page.wait_for_selector(DONE)
    return page.evaluate(SAID)


def test_what_is_shown_is_what_the_service_writes(writer, url):
    prompt = "And the king said, "
    shown = written(writer, prompt, length=120, seed=5, temperature=0.5, nucleus=0.9, top_k=20)
    rules = [["temperature", 0.5], ["top_k", 20], ["nucleus", 0.9]]
    assert shown == prompt + ask(url, prompt, length=120, seed=5, rules=rules).text
    assert writer.inner_text("#status") == "It has the length that you asked for. 120 characters written."
    assert writer.inner_text("#order") == "Now: temperature 0.5, then top-k 20, then nucleus 0.9."
    assert writer.text_content("#said b") == prompt
    assert writer.is_hidden("#doubt")
    assert writer.is_hidden("#trouble")


def test_knobs_can_be_applied_in_another_order(writer, url):
    writer.check("#cut-first")
    shown = written(writer, "In the ", length=80, seed=2, temperature=2, min_p=0.1, typical=0.8)
    rules = [["min_p", 0.1], ["typical", 0.8], ["temperature", 2]]
    assert shown == "In the " + ask(url, "In the ", length=80, seed=2, rules=rules).text


def test_a_text_is_stopped_and_gone_on_with(writer, url):
    writer.check("#greedy")
    knob(writer, "temperature", 1)
    knob(writer, "pace", 100)
    knob(writer, "length", 5000)
    writer.fill("#prompt", "And the king ")
    writer.click("#write")
    until(lambda: writer.evaluate(f"{SAID}.length") > 20)
    assert writer.is_disabled("#anew")
    writer.click("#stop")
    writer.wait_for_selector(DONE)
    first = writer.evaluate(SAID)
    assert writer.inner_text("#status").startswith("You stopped it.")
    assert writer.inner_text("#kept") == f"Kept at the service: {len(first)} characters."
    assert writer.inner_text("#write") == "Go on"
    second = written(writer, "", length=30)
    third = written(writer, " And behold,", length=30)
    whole = ask(url, "And the king ", length=len(second) - 13, greedy=True).text
    assert second == "And the king " + whole
    assert third.startswith(second + " And behold,")
    assert len(third) == len(second) + 12 + 30


def test_with_the_keyboard_alone(writer):
    writer.keyboard.press("Tab")
    assert writer.evaluate("document.activeElement.id") == "prompt"
    writer.keyboard.press("Control+Enter")
    until(lambda: writer.evaluate(f"{SAID}.length") > 70)
    writer.keyboard.press("Escape")
    writer.wait_for_selector(DONE)
    assert writer.inner_text("#status").startswith("You stopped it.")
    reached = []
    for _ in range(20):
        reached.append(writer.evaluate("document.activeElement.id"))
        writer.keyboard.press("Tab")
    expected = ["prompt", "write", "anew", "said", "temperature", "top_k", "nucleus", "min_p", "typical", "pace"]
    expected += ["cut-first", "greedy", "bits", "length", "seed"]
    assert reached[: len(expected)] == expected


def test_surprise_is_coloured_letter_by_letter(writer):
    writer.check("#bits")
    text = written(writer, "And he ", length=100, seed=3, temperature=1)
    letters = writer.eval_on_selector_all(
        "#said i", "all => all.map((each) => [each.textContent, each.title, each.style.background])"
    )
    assert "".join(letter for letter, *_ in letters) == text[7:]
    bits = [float(title.removesuffix(" bits")) for _, title, _ in letters]
    levels = [int(re.search(r"--s(\d)", colour)[1]) if colour else 0 for *_, colour in letters]
    assert levels == [min(7, int(each)) for each in bits]
    assert max(levels) > 2
    assert writer.is_visible("#scale")


def test_doubt_and_what_is_not_understood_are_said(writer):
    written(writer, "In 1999 ", length=300, seed=1, temperature=3)
    assert "A person should look" in writer.inner_text("#doubt")
    assert writer.inner_text("#trouble") == "The network has never seen 1 9: read as a space."


def test_a_request_that_is_refused_says_why(page, url):
    page.goto(url)
    written(page, "And", length=0)
    assert page.inner_text("#trouble") == "length: expected a whole number from 1 to 20000; got 0"
    assert page.inner_text("#status") == "Nothing was written."
    assert page.input_value("#prompt") == "And"


def test_a_page_that_is_opened_again_goes_on(writer, url):
    first = written(writer, "And it ", length=50, seed=1, temperature=0.7)
    writer.reload()
    assert writer.evaluate(SAID) == first
    assert writer.inner_text("#write") == "Go on"
    assert written(writer, "", length=20).startswith(first)
    writer.click("#anew")
    assert writer.evaluate(SAID) == ""
    assert writer.inner_text("#write") == "Write"
    writer.reload()
    assert writer.evaluate(SAID) == ""


def test_when_the_page_is_closed_its_stream_ends(browser, url):
    gone = metric(url, "serving_streams_ended_total", reason="gone")
    page = browser.new_page()
    page.goto(url)
    page.fill("#length", "20000")
    page.click("#write")
    until(lambda: page.evaluate(f"{SAID}.length") > 70)
    page.close()
    until(lambda: metric(url, "serving_streams_ended_total", reason="gone") == gone + 1)


def test_a_service_that_was_killed_is_gone_on_with(page, tmp_path):
    """The page shows what was written; the service knows what was kept; from there they go on together."""
    options = ("--states", str(tmp_path), "--chunk", "50")
    with running(*options) as server:
        port = server.url.rpartition(":")[2]
        page.goto(server.url)
        page.fill("#length", "20000")
        page.check("#greedy")
        page.fill("#pace", "200")
        page.fill("#temperature", "1")
        page.fill("#prompt", "And the king ")
        page.click("#write")
        page.wait_for_selector("#kept:has-text('Kept')")
        server.process.kill()
        page.wait_for_selector(DONE)
    shown = page.evaluate(SAID)
    assert "at most the last characters are lost" in page.inner_text("#trouble")
    with running(*options, "--port", port) as server:
        text = written(page, "", length=100)
        again = ask(server.url, "And the king ", length=len(text) - 13, greedy=True).text
    assert text == "And the king " + again
    assert len(shown) - 50 <= len(text) - 100 <= len(shown) + 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_usable_by_everyone(writer, axe, scheme):
    writer.emulate_media(color_scheme=scheme)
    writer.check("#bits")
    written(writer, "In 7 days ", length=300, seed=1, temperature=3)
    writer.evaluate(axe)
    assert writer.evaluate(VIOLATIONS) == []
    writer.set_viewport_size(PHONE)
    assert writer.evaluate(WIDE) <= 0


def test_without_storage_it_works_all_the_same(browser, url):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('closed'); }})")
    page = context.new_page()
    page.goto(url)
    assert len(written(page, "And ", length=20)) == 24
    context.close()
