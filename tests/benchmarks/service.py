"""What the service reaches, and what it costs: batching, time between characters, and health under load."""

import threading
import time
from functools import partial

import numpy as np
import psutil

STREAMS, RULES, T = (1, 8, 64), [["temperature", 0.8]], 0.8
SLOTS, REQUESTS, SHORTEST, LONGEST = 64, 2048, 20, 400


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
    """By the number of streams: the engine's own characters a second, the service's, and how long a client waits.

    The engine's own are those of `generate` with as many streams and the same rules, while the service is idle. Client
    and service are processes of their own.
    """
    from utils.generation.sampling import temperature
    from utils.generation.stored import load_engine
    from utils.generation.text import generate
    from utils.serving import MODEL
    from utils.serving.load import PROMPT, characters_a_second, closed_loop, open_loop, percentiles, running

    engine, vocabulary, _ = load_engine(MODEL)
    prompt, rng = vocabulary.encode(PROMPT), np.random.default_rng(0)

    def own(streams: int) -> tuple[float, float]:
        """Characters a second, and a second of processor time."""
        started, used = time.perf_counter(), time.process_time()
        generate(engine, [prompt] * streams, 1000, [partial(temperature, t=T)], rng=rng)
        count = streams * 1000
        return count / (time.perf_counter() - started), count / (time.process_time() - used)

    rows = {}
    for streams in STREAMS:
        with running("--streams", str(streams)) as server:
            process = psutil.Process(server.process.pid)
            used = lambda process=process: sum(process.cpu_times()[:2])  # noqa: E731
            ask = {"length": 10_000 if streams < 64 else 3000, "rules": RULES}
            load = partial(closed_loop, server.url, streams, streams, **ask)
            load()  # to warm up
            alone, rounds = [own(streams)], []
            for _ in range(3):  # in turns
                before = used()
                table = load()
                rounds.append((characters_a_second(table), table["text"].str.len().sum() / (used() - before), table))
                alone.append(own(streams))
            speed, of_processor, table = max(rounds, key=lambda found: found[0])
            fastest, own_of_processor = np.max(alone, axis=0)
            gaps = percentiles(np.concatenate(table["gaps"]), of=(50, 99))
            rows[streams] = {
                "engine": fastest,
                "service": speed,
                "share": speed / fastest,
                "share of processor time": of_processor / own_of_processor,
                "gap p50": gaps["p50"],
                "gap p99": gaps["p99"],
                "health p99": _health(server.url, load),
            }
            if streams == 8:
                texts = {"length": 300, "rules": RULES}
                closed = closed_loop(server.url, streams, 40 * streams, **texts)
                rate = 0.8 * len(closed) / closed["ended"].max()
                opened = open_loop(server.url, rate, 40 * streams, **texts)
                loops = {"closed": closed, "open": opened[opened["status"] == 200]}
                loops = {name: percentiles(table["first"], of=(50, 99)) for name, table in loops.items()}
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
