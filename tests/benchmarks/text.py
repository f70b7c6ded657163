"""What generated text costs: characters a second, what a minute of training reaches, and a keystroke on the page."""

import functools
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

SYMBOLS, UNITS, EMBEDDING = 64, 256, 32


def decoding() -> dict:
    """Characters a second of one GRU of 256 units, by the way it is called; greedy, after 100 characters."""
    import tensorflow as tf

    from utils import runtime
    from utils.generation.engine import Engine
    from utils.generation.export import export_step, load_step
    from utils.models.language_model import build_language_model

    runtime.start_tensorflow()
    model = build_language_model(SYMBOLS, UNITS, cell="GRU", embedding=EMBEDDING)
    vectors, layer, head = model.layers
    text = np.random.default_rng(0).integers(SYMBOLS, size=(1, 100))

    def predict(steps: int) -> None:
        for _ in range(steps):
            model.predict(text, verbose=0)[0, -1].argmax()

    def one(symbol, state):
        output, state = layer.cell(vectors(symbol), [state])
        return tf.argmax(head(output), axis=-1, output_type=tf.int32), state[0]

    step = tf.function(one)

    def single(steps: int) -> None:
        symbol, state = tf.constant([1]), tf.zeros((1, UNITS))
        for _ in range(steps):
            symbol, state = step(symbol, state)
            symbol.numpy()

    @tf.function
    def in_a_loop(steps):
        start = (0, tf.constant([1]), tf.zeros((1, UNITS)), tf.TensorArray(tf.int32, size=steps))
        body = lambda i, symbol, state, made: (i + 1, *one(symbol, state), made.write(i, symbol))  # noqa: E731
        return tf.while_loop(lambda i, *_: i < steps, body, start)[3].stack()

    engine = Engine(model)

    def stepwise(step, steps: int, streams: int = 1) -> None:
        symbols, state = np.ones(streams, int), step.start(streams)
        for _ in range(steps):
            logits, state = step.step(state, symbols)
            symbols = logits.argmax(axis=1)

    folder = Path(tempfile.mkdtemp())
    exported = {
        kind: load_step(export_step(model, folder / name, int8="int8" in kind))
        for kind, name in {
            "SavedModel step": "step",
            "ONNX step": "step.onnx",
            "LiteRT step": "step.tflite",
            "LiteRT step, int8": "small.tflite",
        }.items()
    }
    shutil.rmtree(folder)

    _, recurrent, _ = layer.get_weights()
    kernel, h = head.get_weights()[0], np.ones((1, UNITS), "float32")

    def products(steps: int) -> None:
        for _ in range(steps):
            h @ recurrent
            h @ kernel

    ways = {  # characters at a time, and how often
        "`model.predict` for every character, 100 read again": (predict, 1, 20),
        "one step, compiled": (single, 1, 1000),
        "a loop, compiled": (lambda steps: in_a_loop(tf.constant(steps)).numpy(), 1, 4000),
        **{kind: (functools.partial(stepwise, step), 1, 2000) for kind, step in exported.items()},
        "NumPy engine": (functools.partial(stepwise, engine), 1, 8000),
        "its matrix products alone": (products, 1, 8000),
        "NumPy engine, 64 streams": (lambda steps: stepwise(engine, steps, 64), 64, 1000),
    }
    return {name: _fastest(way, steps, at_a_time) for name, (way, at_a_time, steps) in ways.items()}


CONTEXTS = (100, 1000, 4000)


def context() -> dict:
    """Microseconds and bytes of a step after so many symbols: a GRU's state, and a Transformer's key-value cache."""
    from utils import runtime
    from utils.generation.cached import CachedTransformer
    from utils.generation.engine import Engine
    from utils.models.language_model import build_language_model
    from utils.models.seq2seq import build_causal_transformer

    runtime.start_tensorflow()
    gru = Engine(build_language_model(SYMBOLS, UNITS, cell="GRU", embedding=EMBEDDING))
    transformer = CachedTransformer(build_causal_transformer(SYMBOLS, 128, feedforward=256, longest=CONTEXTS[-1] + 1))
    result = {}
    for length in CONTEXTS:
        result[length] = []
        for step in (gru, transformer):
            _, state = step.read(np.ones((1, length), int))
            size = getattr(state, "nbytes", None) or sum(array.nbytes for arrays in state.layers for array in arrays)

            def again(steps: int, step=step, state=state) -> None:
                for _ in range(steps):
                    step.step(state, [1])

            result[length] += [1e6 / _fastest(again, 200, 1), size]
    return result


def _fastest(way, steps: int, at_a_time: int) -> float:
    """Characters a second of the fastest of three rounds, after one to warm up."""
    way(steps)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        way(steps)
        seconds.append(time.perf_counter() - started)
    return steps * at_a_time / min(seconds)


def minute_of_training(budget: float = 60.0) -> dict:
    """Bits per character on unseen text after a minute on one core: lesson 13's recipe, and that of a tutorial."""
    import keras

    from utils import runtime
    from utils.datasets.corpora import build_vocabulary, load_bible
    from utils.datasets.windows import random_text_stretches, text_stretches
    from utils.evaluation.trials import text_bits
    from utils.models.language_model import build_language_model
    from utils.training.language import fit_language_model

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    runtime.start_tensorflow()
    runtime.set_seed(0)
    vocabulary, text = build_vocabulary(load_bible("kjv"), SYMBOLS)
    symbols = vocabulary.encode(text)
    train, test = np.split(symbols, [round(0.9 * len(symbols))])
    x, y = text_stretches(test, 64, most=1024)

    def ours(updates: int) -> tuple[float, float]:
        model = build_language_model(SYMBOLS)
        started = time.perf_counter()
        fit_language_model(model, train, updates=updates)
        return time.perf_counter() - started, text_bits(model, x, y)

    (few, _), (more, _) = ours(20), ours(120)
    compiling = few - 20 * (more - few) / 100
    seconds, bits = ours(int((budget - compiling) / ((more - few) / 100)))

    tutorial = build_language_model(SYMBOLS, 1024, cell="GRU", embedding=256)
    tutorial.layers[0].embeddings.assign(np.random.default_rng(0).uniform(-0.05, 0.05, (SYMBOLS, 256)))  # Keras' start
    tutorial.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng, updates = np.random.default_rng(0), 0
    started = time.perf_counter()
    while time.perf_counter() - started < budget:
        tutorial.train_on_batch(*random_text_stretches(train, 100, 64, rng))
        updates += 1
    taken = time.perf_counter() - started
    return {
        "LSTM 128, recipe of lesson 13": [seconds, bits],
        f"GRU 1024, windows of 100, batch 64, Adam 0.001 ({updates} updates)": [taken, text_bits(tutorial, x, y)],
    }


def keystroke() -> dict:
    """Milliseconds of script on `site/play/text.html` after a keystroke at the end, and at the beginning, of a text."""
    from playwright.sync_api import sync_playwright

    from tools.text_page import TEXT

    verse = "And it came to pass in those days, that he went out into a mountain to pray, and continued all night. "
    text = (2 * verse)[:200]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(TEXT.as_uri())
        timed = """([before, after]) => { const times = [];
            for (let i = 0; i < 15; i++) { keystroke(before); const t = performance.now(); keystroke(after);
                times.push(performance.now() - t); }
            return times.sort((a, b) => a - b)[7]; }"""
        result = {
            "at the end": page.evaluate(timed, [text[:-1], text]),
            "at the beginning (200 characters read again)": page.evaluate(timed, ["T" + text[1:], text]),
        }
        browser.close()
    return result
