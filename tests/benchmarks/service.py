"""What the service reaches, and what it costs: batching, time between characters, and health under load."""

import threading
import time
from functools import partial

import numpy as np

STREAMS, RULES, T = (1, 8, 64), [["temperature", 0.8]], 0.8
SLOTS, REQUESTS, SHORTEST, LONGEST = 64, 1024, 20, 400


def batching() -> dict:
    """Characters a second and engine calls of continuous and of static batching, for texts of 20 to 400 characters."""
    from utils.generation.batching import Batcher, Request
    from utils.generation.sampling import temperature
    from utils.generation.stored import load_engine
    from utils.serving import MODEL

    engine, vocabulary, _ = load_engine(MODEL)
    lengths = np.random.default_rng(0).integers(SHORTEST, LONGEST + 1, size=REQUESTS)
    prompt, rules = vocabulary.encode("And "), (partial(temperature, t=T),)
    seconds, calls = {}, {}
    for _ in range(3):  # in turns; the best of each
        for name, continuous in (("continuous", True), ("static", False)):
            batcher = Batcher(engine, SLOTS, continuous=continuous)
            for i, length in enumerate(lengths.tolist()):
                batcher.submit(Request(prompt, length, rules, seed=i))
            started = time.perf_counter()
            batcher.run()
            seconds[name] = min(seconds.get(name, np.inf), time.perf_counter() - started)
            calls[name] = batcher.rounds
    return {name: [int(lengths.sum()) / seconds[name], calls[name]] for name in seconds}


def service() -> dict:
    """By the number of streams: the engine's own characters a second, the service's, and milliseconds between pieces.

    The engine's own are those of `generate` with as many streams and the same rules, measured before and after, the
    service being idle; client and service are processes of their own.
    """
    from utils.generation.sampling import temperature
    from utils.generation.stored import load_engine
    from utils.generation.text import generate
    from utils.serving import MODEL
    from utils.serving.load import PROMPT, characters_a_second, closed_loop, open_loop, percentiles, running

    engine, vocabulary, _ = load_engine(MODEL)
    prompt, rng = vocabulary.encode(PROMPT), np.random.default_rng(0)

    def own(streams: int) -> float:
        started = time.perf_counter()
        generate(engine, [prompt] * streams, 2000, [partial(temperature, t=T)], rng=rng)
        return streams * 2000 / (time.perf_counter() - started)

    rows = {}
    for streams in STREAMS:
        with running("--streams", str(streams)) as server:
            ask = {"length": 10_000 if streams < 64 else 4000, "rules": RULES}
            closed_loop(server.url, streams, streams, length=500, rules=RULES)  # to warm up
            alone, measured = [own(streams)], []
            for _ in range(3):
                measured.append(closed_loop(server.url, streams, 2 * streams, **ask))
                alone.append(own(streams))
            best = max(measured, key=characters_a_second)
            gaps = np.concatenate(best["gaps"])
            rows[streams] = {
                "engine": float(np.median(alone)),
                "service": characters_a_second(best),
                **percentiles(gaps, of=(50, 99)),
                "first": percentiles(best["first"], of=(99,))["p99"],
                "health": _health(
                    server.url, lambda ask=ask, streams=streams: closed_loop(server.url, streams, 2 * streams, **ask)
                ),
            }
            if streams == 8:
                texts = {"length": 300, "rules": RULES}
                closed = closed_loop(server.url, streams, 20 * streams, **texts)
                rate = 0.8 * len(closed) / closed["ended"].max()
                opened = open_loop(server.url, rate, 20 * streams, **texts)
                opened = opened[opened["status"] == 200]
                loops = {
                    "closed": percentiles(closed["first"], of=(50, 99)),
                    "open": percentiles(opened["first"], of=(50, 99)),
                }
    return {"streams": rows, "loops": loops}


def _health(url: str, load) -> float:
    """The 99th percentile, in milliseconds, of how long `/health` takes while a load runs."""
    import httpx

    seconds = []
    busy = threading.Thread(target=load)
    busy.start()
    with httpx.Client(trust_env=False) as client:
        while busy.is_alive():
            started = time.perf_counter()
            client.get(f"{url}/health").raise_for_status()
            seconds.append(time.perf_counter() - started)
            time.sleep(0.005)
    busy.join()
    return 1000 * float(np.percentile(seconds, 99))
