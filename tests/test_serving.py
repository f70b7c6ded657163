"""The service as a client meets it: in a process of its own, asked over HTTP, under load, bad input and misfortune."""

import asyncio
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from scipy.special import log_softmax

from tests.networks import random_engine
from tests.test_serving_parts import FIELDS, JSON, masked_at_once
from utils.datasets.corpora import Vocabulary
from utils.files import write_whole
from utils.generation import batching
from utils.generation.sampling import draw, greedy, uniforms
from utils.generation.stored import load_engine, pack_state, save_engine
from utils.generation.text import generate
from utils.serving import MODEL
from utils.serving.__main__ import listen, main
from utils.serving.asked import LARGEST_BODY, rules_of
from utils.serving.conversations import Conversations
from utils.serving.load import (
    PROMPT,
    REPOSITORY,
    ask,
    characters_a_second,
    closed_loop,
    open_loop,
    percentiles,
    running,
)
from utils.serving.service import Service, losses
from utils.serving.worker import Job, Worker

ENGINE, VOCABULARY, _ = load_engine(MODEL)
STREAMS, QUEUE, ENDLESS = 4, 2, 1_000_000
WORDS = ["LORD", "and of"]
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of Unix")


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


@pytest.fixture(scope="module")
def server(states):
    words = states / "words.txt"
    words.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    size = ["--streams", str(STREAMS), "--queue", str(QUEUE), "--longest", str(ENDLESS)]
    with running(*size, "--states", str(states / "kept"), "--words", str(words)) as server:
        yield server


@pytest.fixture
def client():
    with httpx.Client(timeout=60, trust_env=False) as client:
        yield client


def until(what, seconds=30.0):
    """Wait for something to become true; how long it takes does not matter."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


def health(url):
    return httpx.get(f"{url}/health", trust_env=False, timeout=30).json()


def metric(url, name, **labels):
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def read_again(prompt, length, rules=(), seed=None):
    """A text and the logarithms of its probabilities from their definition, every character drawn after reading all."""
    symbols, rules = VOCABULARY.encode(prompt).tolist(), rules_of(rules)
    logits, state = ENGINE.read([symbols])
    logits, made, chances = logits[:, -1], [], []
    for number in uniforms(seed or 0, length):
        symbol = greedy(logits) if seed is None else draw(logits, rules, uniforms=np.array([number]))
        made.append(int(symbol[0]))
        chances.append(log_softmax(logits[0].astype(float))[made[-1]])
        logits, state = ENGINE.step(state, symbol)
    return VOCABULARY.decode(made), chances


@contextlib.contextmanager
def going(client, url, **fields):
    """A stream in work, with its first event and the lines that follow."""
    body = {"prompt": PROMPT, "length": ENDLESS, **fields}
    with client.stream("POST", f"{url}/generate", json=body) as response:
        assert response.status_code == 200, response.read()
        lines = response.iter_lines()
        assert next(lines) == "event: start"
        yield json.loads(next(lines).removeprefix("data: ")), lines


def pieces(lines):
    """Text that comes, and the event that ends it."""
    text, name = [], None
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            if name is None:
                text.append(data["text"])
            elif name == "end":
                return "".join(text), data
            name = None
    return "".join(text), None


# ---- what is answered


def test_the_service_needs_no_library_that_make_serve_does_not_install():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    (few,) = re.findall(r'grep -E "\^\((.*)\)>" requirements\.txt', makefile)
    needed = {
        line.partition(">")[0] for line in (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").split("\n")
    }
    assert set(few.split("|")) <= needed
    others = sorted(name for name in needed - set(few.split("|")) if name.isidentifier())
    assert "tensorflow" in others
    assert "pandas" in others
    code = f"import sys, utils.serving.__main__; assert not {set(others)} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


@pytest.mark.parametrize(
    ("rules", "seed"),
    [((), None), ((), 1), ((("temperature", 0.7),), 2), ((("top_k", 5), ("typical", 0.9)), 3), ((("min_p", 0.1),), 4)],
)
def test_a_text_is_that_of_the_engine_with_forbidden_words_masked(server, rules, seed):
    expected, chances = read_again(PROMPT, 300, rules, seed)
    answer = ask(server.url, length=300, rules=rules, greedy=seed is None, **({} if seed is None else {"seed": seed}))
    assert answer.text == masked_at_once(PROMPT + expected, WORDS)[len(PROMPT) :]
    (_, start), (_, end) = answer.events
    assert (start["seed"], start["unknown"]) == (seed, [])
    read = log_softmax(ENGINE.read([VOCABULARY.encode(PROMPT)])[0][0].astype(float), axis=-1)[:-1]
    read = read[np.arange(len(PROMPT) - 1), VOCABULARY.encode(PROMPT)[1:]]
    assert end["mean_log_probability"] == pytest.approx(np.mean([*read, *chances]), abs=2e-3)
    assert (end["reason"], end["written"]) == ("length", 300)


def test_how_surprising_each_character_was_comes_with_it_on_request(server):
    _, chances = read_again(PROMPT, 60, (("temperature", 1.0),), 8)
    found = []
    with going(httpx, server.url, length=60, rules=[["temperature", 1.0]], seed=8, bits=True) as (_, lines):
        for line in lines:
            data = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if "text" in data:
                assert len(data["bits"]) == len(data["text"])
                found += data["bits"]
    np.testing.assert_allclose(found, -np.array(chances) / np.log(2), atol=0.06)


def test_a_text_ends_at_the_character_that_was_named(server):
    answer = ask(server.url, length=5000, seed=1, end=".")
    assert answer.events[-1][1]["reason"] == "end"
    assert answer.text.index(".") == len(answer.text) - 1


def test_without_a_seed_one_is_drawn_and_told(server):
    answers = [ask(server.url, length=40) for _ in range(2)]
    assert answers[0].text != answers[1].text
    seed = answers[0].events[0][1]["seed"]
    assert ask(server.url, length=40, seed=seed).text == answers[0].text


def test_unknown_characters_are_read_as_spaces_and_named(server, client):
    known = ask(server.url, "In     days, ", length=50, seed=1)
    body = json.dumps({"prompt": "In 7\U0001f600\ud83d days, ", "length": 50, "seed": 1})  # half a character among them
    headers = {"content-type": "application/json"}
    with client.stream("POST", f"{server.url}/generate", content=body, headers=headers) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert json.loads(next(lines).removeprefix("data: "))["unknown"] == ["7", "\ud83d", "\U0001f600"]
        assert pieces(lines)[0] == known.text


def test_a_text_that_the_network_finds_unlikely_is_one_for_a_person(server):
    usual = ask(server.url, length=100, seed=1, rules=[["temperature", 0.7]])
    assert [name for name, _ in usual.events] == ["start", "end"]
    wild = ask(server.url, length=400, seed=1, rules=[["temperature", 3.0]])
    (doubt,) = [data for name, data in wild.events if name == "doubt"]
    assert "A person should look" in doubt["message"]
    assert doubt["mean_log_probability"] < doubt["limit"] == -2.0
    assert wild.events[-1][1]["written"] == 400
    stopped = ask(server.url, length=ENDLESS, seed=1, rules=[["temperature", 3.0]], in_doubt="stop")
    assert stopped.events[-1][1]["reason"] == "doubt"


def test_the_page_is_served_and_may_load_nothing(server, client):
    answer = client.get(server.url)
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.text.startswith("<!DOCTYPE html>")
    assert re.findall(r"""(?:src|href)=["']?([^"'> ]+)""", answer.text) == ["data:,"]


def test_metrics_count_what_happened(server):
    before = {name: metric(server.url, name) for name in ("serving_characters_total", "serving_text_loss_count")}
    ended = metric(server.url, "serving_streams_ended_total", reason="length")
    refused = metric(server.url, "serving_answers_total", status="422")
    for seed in range(3):
        ask(server.url, length=70, seed=seed)
    ask(server.url, length=0)
    ask(server.url, "And", length=5)  # too short a prompt to judge
    assert metric(server.url, "serving_characters_total") - before["serving_characters_total"] == 3 * 70 + 5
    assert metric(server.url, "serving_text_loss_count") - before["serving_text_loss_count"] == 3
    assert metric(server.url, "serving_streams_ended_total", reason="length") - ended == 4
    assert metric(server.url, "serving_answers_total", status="422") - refused == 1
    assert metric(server.url, "serving_gap_seconds_count") > 0
    assert metric(server.url, "serving_characters_masked_total") > 0


# ---- load


def test_health_answers_while_everything_generates_and_beyond_the_queue_comes_429(server, client):
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(httpx.Client(timeout=60, trust_env=False))
        streams = [stack.enter_context(going(pool, server.url))[0]["stream"] for _ in range(STREAMS + QUEUE)]
        until(lambda: health(server.url) == {"status": "ok", "streams": STREAMS, "waiting": QUEUE})
        refused = client.post(f"{server.url}/generate", json={"prompt": "And", "length": 5})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["field"] == "service"
        assert client.post(f"{server.url}/stop", json={"stream": streams[0]}).json() == {"stopped": streams[0]}
        one_joined = {"status": "ok", "streams": STREAMS, "waiting": QUEUE - 1}
        until(lambda: health(server.url) == one_joined)
        for stream in streams[1:]:
            client.post(f"{server.url}/stop", json={"stream": stream})
    until(lambda: health(server.url)["streams"] == 0)
    assert ask(server.url, length=5).status == 200


def test_answers_are_sent_at_once():
    """Of a connection whose protocol is not named, asyncio would hold back every second packet for 40 milliseconds."""

    async def delays() -> int:
        accepted = asyncio.get_running_loop().create_future()

        def connected(_, writer):
            accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listen("127.0.0.1", 0) as listening:
            async with await asyncio.start_server(connected, sock=listening):
                _, writer = await asyncio.open_connection(*listening.getsockname())
                writer.close()
                return await accepted

    assert asyncio.run(delays()) != 0


def test_a_client_that_vanishes_frees_its_slot(server, client):
    gone = metric(server.url, "serving_streams_ended_total", reason="gone")
    with going(client, server.url) as (_, lines):
        next(lines)
        until(lambda: health(server.url)["streams"] == 1)
    until(lambda: health(server.url)["streams"] == 0)
    assert until(lambda: metric(server.url, "serving_streams_ended_total", reason="gone")) == gone + 1
    with going(client, server.url, pace=0.1):  # one that has not been told anything yet
        pass
    until(lambda: health(server.url)["streams"] == 0)


def test_a_deadline_ends_a_text_whether_it_writes_or_waits(server, client):
    with contextlib.ExitStack() as stack:
        for _ in range(STREAMS):
            stack.enter_context(going(stack.enter_context(httpx.Client(timeout=60, trust_env=False)), server.url))
        waited = ask(server.url, length=10, deadline=0.05)
    until(lambda: health(server.url)["streams"] == 0)
    assert waited.text == ""
    assert waited.events[-1] == ("end", {"reason": "deadline", "written": 0})
    assert ask(server.url, length=ENDLESS, deadline=0.2).events[-1][1]["reason"] == "deadline"


def test_a_pace_changes_when_a_text_comes_and_not_what(server):
    slow, quick = (ask(server.url, length=12, seed=3, **pace) for pace in ({"pace": 100.0}, {}))
    assert slow.text == quick.text
    assert slow.seconds >= 11 / 100


def test_loads_are_what_they_say(server):
    closed = closed_loop(server.url, clients=3, requests=9, length=50, rules=[["temperature", 0.8]], seed=10)
    assert len(closed) == 9
    assert (closed["status"] == 200).all()
    again = {ask(server.url, length=50, rules=[["temperature", 0.8]], seed=10 + i).text for i in range(9)}
    assert set(closed["text"]) == again
    assert all(sum((row.begun < closed["ended"]) & (closed["begun"] <= row.begun)) <= 3 for row in closed.itertuples())
    opened = open_loop(server.url, rate=200.0, requests=12, seed=5, length=20)
    arrivals = np.cumsum(np.random.default_rng(5).exponential(1 / 200, size=12))
    assert (opened["begun"].to_numpy() >= arrivals - 0.01).all()
    assert set(opened["status"]) <= {200, 429}
    assert (opened["ended"] > opened["begun"]).all()
    assert (opened["first"].dropna() > 0).all()
    assert characters_a_second(closed) == pytest.approx(450 / (closed["ended"].max() - closed["begun"].min()))


def test_percentiles_are_those_of_numpy():
    seconds = np.random.default_rng(0).exponential(size=1000)
    found = percentiles([*seconds, float("nan")], of=(50, 99.9))
    assert found == pytest.approx(
        {"p50": 1000 * np.quantile(seconds, 0.5), "p99.9": 1000 * np.quantile(seconds, 0.999)}
    )


# ---- bad input

REQUESTS = st.tuples(
    st.sampled_from(["/generate", "/stop"]),
    st.binary(max_size=200) | (JSON | FIELDS).map(lambda value: json.dumps(value).encode()),
)


def test_five_hundred_malformed_requests_are_refused_by_name(server, client):
    seen = []

    @given(REQUESTS)
    @settings(max_examples=500)
    def refuse(request):
        path, body = request
        headers = {"content-type": "application/json"}
        with client.stream("POST", server.url + path, content=body, headers=headers) as answer:
            seen.append(answer.status_code)
            if answer.status_code == 200:  # hypothesis found a request that makes sense
                return
            error = json.loads(answer.read())["error"]
        assert 400 <= answer.status_code < 500
        assert set(error) == {"field", "got", "expected"}
        assert error["field"]
        assert error["expected"]

    refuse()
    assert len(seen) >= 500
    assert sum(400 <= status < 500 for status in seen) > 450
    until(lambda: health(server.url) == {"status": "ok", "streams": 0, "waiting": 0})


@pytest.mark.parametrize(
    ("request_", "status", "field"),
    [
        (("POST", "/generate", {"content": b"{}", "headers": {"content-type": "text/plain"}}), 415, "content-type"),
        (("POST", "/generate", {"content": b"{}"}), 415, "content-type"),
        (("POST", "/generate", {"json": {"prompt": "x" * LARGEST_BODY}}), 413, "body"),
        (("POST", "/generate", {"json": {}}), 422, "prompt"),
        (("POST", "/generate", {"json": {"prompt": "And", "end": "7"}}), 422, "end"),
        (("POST", "/generate", {"json": {"conversation": "0" * 24}}), 404, "conversation"),
        (("GET", "/generate", {}), 405, "method"),
        (("DELETE", "/", {}), 405, "method"),
        (("GET", "/etc/passwd", {}), 404, "path"),
        (("POST", "/stop", {"json": {"stream": "nobody"}}), 404, "stream"),
        (("POST", "/stop", {"json": {"stream": [1]}}), 422, "stream"),
        (("POST", "/stop", {"json": []}), 422, "stream"),
    ],
)
def test_other_requests_that_make_no_sense_are_refused_by_name(server, client, request_, status, field):
    method, path, more = request_
    answer = client.request(method, server.url + path, **more)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


def test_a_body_that_never_ends_is_cut_off(server):
    def endless():
        for _ in range(10 * LARGEST_BODY // 1000):
            yield b" " * 1000

    headers = {"content-type": "application/json"}
    with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        answer = httpx.post(f"{server.url}/generate", content=endless(), headers=headers, trust_env=False)
        assert answer.status_code == 413
    assert ask(server.url, length=5).status == 200


def test_only_names_of_this_machine_are_answered(server, client):
    """Or a page in the browser could send its reader's requests here under a name of its own."""
    assert client.get(f"{server.url}/health", headers={"host": "elsewhere.example"}).status_code == 400
    assert client.get(f"{server.url}/health", headers={"host": "localhost:1"}).status_code == 200


# ---- conversations


def after(text):
    """The state after reading a text but for its last character."""
    return ENGINE.read([VOCABULARY.encode(text[:-1])])[1].layers[0]


def test_a_conversation_goes_on_as_if_it_had_never_paused(server):
    whole, _ = read_again(PROMPT, 90)
    first = ask(server.url, length=40, greedy=True, conversation=True)
    name = first.events[0][1]["conversation"]
    second = ask(server.url, "", length=50, greedy=True, conversation=name)
    assert masked_at_once(PROMPT + whole, WORDS) == PROMPT + first.text + second.text
    start = dict(second.events)["start"]
    assert start["characters"] == len(PROMPT) + 40
    assert start["tail"] == masked_at_once(PROMPT + whole[:40], WORDS)[-120:]
    third = ask(server.url, " And he said", length=30, greedy=True, conversation=name)
    expected, _ = read_again(PROMPT + whole + " And he said", 30)
    assert masked_at_once(PROMPT + whole + " And he said" + expected, WORDS)[-30:] == third.text
    assert third.events[-2] == ("kept", {"characters": len(PROMPT) + 90 + 12 + 30})


def test_a_word_that_one_request_begins_and_the_next_ends_is_masked(server):
    first = ask(server.url, "And of the L", length=1, greedy=True, conversation=True)
    name = first.events[0][1]["conversation"]
    assert first.text == "O"  # nothing forbidden yet
    assert ask(server.url, "", length=3, greedy=True, conversation=name).text[:2] == "**"


def test_what_was_stopped_goes_on_from_its_last_character(server, client, states):
    with going(client, server.url, conversation=True, seed=4) as (start, lines):
        begun = json.loads(next(line for line in lines if line.startswith("data: ")).removeprefix("data: "))["text"]
        client.post(f"{server.url}/stop", json={"stream": start["stream"]})
        rest, end = pieces(lines)
    text = begun + rest
    assert end["reason"] == "stopped"
    kept = Conversations(states / "kept", ENGINE).load(start["conversation"])
    assert kept.characters == len(PROMPT) + end["written"] == len(PROMPT + text)
    assert (PROMPT + text).endswith(masked_at_once(kept.tail, WORDS)[-30:])


def test_a_conversation_has_one_stream_at_a_time(server, client):
    name = ask(server.url, length=5, conversation=True).events[0][1]["conversation"]
    with going(client, server.url, conversation=name):
        refused = ask(server.url, length=5, conversation=name)
        assert refused.status == 409
        assert refused.events[0][1]["field"] == "conversation"
    until(lambda: ask(server.url, length=5, conversation=name).status == 200)


def test_a_state_file_that_cannot_be_used_is_refused_and_the_rest_goes_on(server, states):
    name = ask(server.url, length=5, conversation=True).events[0][1]["conversation"]
    path = states / "kept" / f"{name}.state"
    whole = path.read_bytes()
    assert len(whole) < 1500
    other = pack_state(ENGINE.start(), ENGINE).replace(b'"model":"', b'"model":"x')
    for content, said in ((whole[:-7], "truncated"), (b"\x80\x04K\x07.", "no stored state"), (other, "checksum")):
        path.write_bytes(content)
        refused = ask(server.url, length=5, conversation=name)
        assert refused.status == 422
        assert said in refused.events[0][1]["expected"]
    assert ask(server.url, length=5, conversation=True).status == 200
    write_whole(path, whole)
    assert ask(server.url, length=5, conversation=name).status == 200


# ---- misfortune


@UNIX
def test_what_had_come_when_the_line_went_dead_is_kept():
    with running("--longest", str(ENDLESS)) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, server.url, length=ENDLESS, seed=1)
        until(lambda: metric(server.url, "serving_characters_total") > 100)
        server.process.kill()
        status, text, events, *_ = answer.result(60)
    assert status == 200
    assert text
    assert [name for name, _ in events] == ["start", "cut"]


@UNIX
def test_a_killed_service_loses_at_most_the_last_chunk_and_goes_on_elsewhere(tmp_path):
    options = ("--states", str(tmp_path), "--chunk", "100", "--longest", str(ENDLESS))
    text, kept, name = "", [], None
    broken = contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError)
    with running(*options) as server, going(httpx, server.url, conversation=True, seed=2) as (start, lines), broken:
        for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                text, kept = text + data.get("text", ""), kept + ([data["characters"]] if name == "kept" else [])
                name = None
            if len(kept) == 3 and server.process.poll() is None:
                server.process.kill()
    assert server.process.returncode == -signal.SIGKILL
    with running(*options) as server:
        again = ask(server.url, "", length=20, seed=3, conversation=start["conversation"])
    told = dict(again.events)["start"]
    said = PROMPT + text
    assert told["characters"] >= kept[-1]  # what was said to be kept is
    assert len(said) - told["characters"] <= 100
    tail = told["tail"]
    overlap = min(len(said), told["characters"]) - (told["characters"] - len(tail))
    assert said[told["characters"] - len(tail) :][:overlap] == tail[:overlap]
    if told["characters"] <= len(said):  # the state is that of the text up to there
        expected, _ = ENGINE.read([VOCABULARY.encode(said[: told["characters"]])])
        assert again.text == VOCABULARY.decode(_drawn(expected[:, -1], said[: told["characters"]], 3, 20))


def _drawn(logits, text, seed, length):
    state, made = ENGINE.read([VOCABULARY.encode(text)])[1], []
    for number in uniforms(seed, length):
        made.append(int(draw(logits, uniforms=np.array([number]))[0]))
        logits, state = ENGINE.step(state, made[-1:])
    return made


@UNIX
def test_a_full_disk_does_not_end_a_text(tmp_path):
    import resource

    def nothing_may_be_written():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))  # less than a state

    with running("--states", str(tmp_path), "--chunk", "50", limit=nothing_may_be_written) as server:
        answer = ask(server.url, length=160, seed=1, conversation=True)
        names = [name for name, _ in answer.events]
        assert names == ["start", *["not_kept"] * 4, "end"]
        assert "File too large" in answer.events[1][1]["why"]
        assert len(answer.text) == 160
        assert metric(server.url, "serving_states_not_kept_total") == 4
        assert ask(server.url, length=10).status == 200
        assert list(tmp_path.iterdir()) == []


@UNIX
def test_at_sigterm_texts_in_work_end_and_new_ones_are_refused():
    with running("--streams", "2") as server, httpx.Client(timeout=60, trust_env=False) as client:
        with going(client, server.url, length=100, pace=50.0, seed=1) as (_, lines):
            server.process.send_signal(signal.SIGTERM)
            until(lambda: health(server.url)["status"] == "draining")
            with httpx.Client(trust_env=False) as other:
                refused = other.post(f"{server.url}/generate", json={"prompt": "And"})
                assert refused.status_code == 503
                assert refused.headers["retry-after"]
                assert refused.json()["error"]["got"] == "ending"
                assert other.get(f"{server.url}/health").status_code == 503
            text, end = pieces(lines)
        assert (end["reason"], len(text)) == ("length", 100)
        assert server.process.wait(30) == 0


@UNIX
def test_a_second_sigterm_ends_texts_at_once_and_keeps_them(tmp_path):
    with running("--states", str(tmp_path), "--longest", str(ENDLESS)) as server:
        with going(httpx, server.url, conversation=True, seed=1) as (start, lines):
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: health(server.url)["status"] == "draining")
            server.process.send_signal(signal.SIGTERM)
            text, end = pieces(lines)
        assert end["reason"] == "shutdown"
        assert server.process.wait(30) == 0
    assert Conversations(tmp_path, ENGINE).load(start["conversation"]).characters == len(PROMPT + text)


def test_a_second_service_on_the_same_port_says_so_in_one_line(server):
    port = server.url.rpartition(":")[2]
    command = [sys.executable, "-m", "utils.serving", "--port", port]
    second = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert second.returncode == 1
    assert second.stdout == ""
    assert re.fullmatch(rf"The service cannot start on 127\.0\.0\.1:{port}: .*[Aa]ddress.*\n", second.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nothing.npz"], "nothing.npz"),
        (["--model", __file__], "is no stored engine"),
        (["--streams", "0"], "streams is 0"),
        (["--words", "nothing.txt"], "nothing.txt"),
        (["--port", "99999"], "99999"),
        (["--host", "256.1.1.1"], "256.1.1.1"),
    ],
)
def test_a_service_that_cannot_start_says_why_in_one_line(arguments, message):
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", *arguments])
    assert message in ended.value.code
    assert "\n" not in ended.value.code


def test_a_service_is_ended_whatever_happens_meanwhile():
    with pytest.raises(ZeroDivisionError), running() as server, going(httpx, server.url, length=20_000, pace=1.0):
        raise ZeroDivisionError
    assert server.process.poll() is not None


@UNIX
@pytest.mark.parametrize("sign", ["SIGTERM", "SIGINT"])
def test_a_service_that_has_just_begun_can_be_ended_in_order(sign):
    with running() as server:
        server.process.send_signal(getattr(signal, sign))
        assert server.process.wait(30) == 0


def test_a_service_that_did_not_start_is_told_with_its_words():
    with (
        pytest.raises(RuntimeError, match=r"did not start: The service cannot start.*streams is 0"),
        running("--streams", "0"),
    ):
        pass


# ---- without a process of its own


class Monitor:
    score, drifting = 0.25, True

    def __init__(self):
        self.losses = []

    def add(self, loss):
        self.losses.append(loss)


@contextlib.asynccontextmanager
async def in_this_process(service):
    """A client of a service that has no process and no port."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://here", timeout=60)
    async with service.app.router.lifespan_context(service.app), client:
        yield client


def test_the_loss_on_incoming_text_is_told_to_the_monitor(tmp_path):
    monitor, prompts = Monitor(), (PROMPT, "Too short", "zqzq zqzq zqzq zqzq zqzq")

    async def talk():
        async with in_this_process(Service(load_engine(MODEL), tmp_path, monitor=monitor)) as client:
            for prompt in prompts:
                await client.post("/generate", json={"prompt": prompt, "length": 3})
            return (await client.get("/metrics")).text

    shown, expected = asyncio.run(talk()), []
    for prompt in (prompts[0], prompts[2]):
        symbols = VOCABULARY.encode(prompt)
        chances = log_softmax(ENGINE.read([symbols[:-1]])[0][0].astype(float), axis=-1)
        expected.append(-chances[np.arange(len(symbols) - 1), symbols[1:]].mean())
    assert monitor.losses == pytest.approx(expected, abs=1e-4)
    assert "serving_drift_score 0.25" in shown
    assert "serving_drifting 1.0" in shown


def test_any_stored_network_is_served(tmp_path):
    """Another cell, two layers, and characters without a space to stand in for those that it does not know."""
    save_engine(tmp_path / "net.npz", random_engine("GRU", layers=2), Vocabulary("abcdefghi"), dtype="float32")
    stored = load_engine(tmp_path / "net.npz")

    async def talk():
        async with in_this_process(Service(stored, tmp_path / "states")) as client:
            ask = {"prompt": "abba", "length": 30, "greedy": True, "conversation": True}
            first = (await client.post("/generate", json=ask)).text.splitlines()
            name = json.loads(first[1].removeprefix("data: "))["conversation"]
            second = (await client.post("/generate", json=ask | {"prompt": "", "conversation": name})).text.splitlines()
            return pieces(first)[0] + pieces(second)[0], await client.post("/generate", json={"prompt": "a cab"})

    text, refused = asyncio.run(talk())
    expected = generate(stored.engine, [stored.vocabulary.encode("abba")], 60)[0]
    assert text == stored.vocabulary.decode(expected)
    assert refused.status_code == 422
    assert refused.json()["error"] == {"field": "prompt", "got": " ", "expected": "the characters 'abcdefghi' only"}


def test_of_two_that_go_on_with_one_conversation_at_the_same_time_one_is_refused(tmp_path):
    async def talk():
        async with in_this_process(Service(load_engine(MODEL), tmp_path)) as client:
            first = await client.post("/generate", json={"prompt": PROMPT, "length": 5, "conversation": True})
            name = json.loads(first.text.split("data: ")[1].split("\n")[0])["conversation"]
            again = {"prompt": "", "length": 50, "conversation": name}
            both = await asyncio.gather(*(client.post("/generate", json=again) for _ in range(2)))
            after = await client.post("/generate", json=again)
            return sorted(answer.status_code for answer in both), after.status_code

    assert asyncio.run(talk()) == ([200, 409], 200)


def test_a_client_that_never_reads_does_not_stay_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.serving.service.PATIENCE", 0.1)
    service = Service(load_engine(MODEL), tmp_path, streams=1, queue=0)
    body = json.dumps({"prompt": PROMPT, "deadline": 0.1}).encode()
    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/generate", "headers": headers, "query_string": b""}
    received = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        if (message := next(received, None)) is None:
            await asyncio.Event().wait()
        return message

    async def send(message):
        await asyncio.Event().wait()

    async def talk():
        async with in_this_process(service) as client:
            await service.app(scope, receive, send)
            return (await client.post("/generate", json={"prompt": PROMPT, "length": 5})).status_code

    assert asyncio.run(talk()) == 200


def test_a_job_that_was_never_submitted_may_be_cancelled():
    async def work():
        worker = Worker(ENGINE, 2)
        worker.start()
        never, job = (Job(batching.Request([1], 5, seed=1), chunk=2) for _ in range(2))
        worker.cancel(never, "gone")
        worker.submit(job)
        written = []
        while True:
            news = await job.news()
            written += news.symbols
            if news.snapshot:
                worker.go_on(job)
            if news.ended:
                worker.close()
                return written, news.ended, worker.failed

    written, ended, failed = asyncio.run(work())
    assert (len(written), ended, failed) == (5, "length", None)


def test_losses_of_usual_texts_are_those_that_the_service_will_count():
    texts = ["And he said unto them, Go", "Too short", "7" * 30]
    found = losses(load_engine(MODEL), texts)
    expected = []
    for text in (texts[0], " " * 30):
        symbols = VOCABULARY.encode(text)
        chances = log_softmax(ENGINE.read([symbols[:-1]])[0][0].astype(float), axis=-1)
        expected.append(-chances[np.arange(len(symbols) - 1), symbols[1:]].mean())
    assert found == pytest.approx(expected, abs=1e-4)


def test_a_service_that_knows_what_is_usual_tells_of_drift(tmp_path):
    pytest.importorskip("utils.serving.drift")
    usual = tmp_path / "usual.txt"
    usual.write_text(
        "\n".join(read_again(f"And {name} said unto ", 60, seed=i)[0] for i, name in enumerate(30 * ["he"]))
    )
    with running("--usual", str(usual)) as server:
        for _ in range(40):
            ask(server.url, "zqzq zqzq zqzq zqzq zqzq", length=1)
        assert metric(server.url, "serving_drifting") == 1
        assert metric(server.url, "serving_drift_score") >= 1


def test_when_the_engine_fails_nobody_waits_for_ever(tmp_path, monkeypatch):
    stored = load_engine(MODEL)
    step, calls = stored.engine.step, iter(range(50))

    def breaks(*arguments):
        if next(calls, None) is None:
            raise FloatingPointError("a bit has flipped")
        return step(*arguments)

    async def talk():
        async with in_this_process(Service(stored, tmp_path)) as client:
            text = (await client.post("/generate", json={"prompt": PROMPT, "length": 500})).text
            again = await client.post("/generate", json={"prompt": PROMPT})
            return text, await client.get("/health"), again

    monkeypatch.setattr(stored.engine, "step", breaks)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    text, found, again = asyncio.run(talk())
    assert '"reason": "error"' in text
    assert (found.status_code, found.json()["status"]) == (503, "failed")
    assert (again.status_code, again.json()["error"]["got"]) == (503, "stopped")


@pytest.mark.parametrize("change", [{"streams": 0}, {"queue": -1}, {"chunk": 0}, {"deadline": 0.0}, {"longest": 0}])
def test_a_service_that_cannot_be_is_refused_in_words(tmp_path, change):
    with pytest.raises(ValueError, match=r"expected at least 1 of the first three"):
        Service(load_engine(MODEL), tmp_path, **change)
