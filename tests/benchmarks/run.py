"""``python -m tests.benchmarks.run``: speed and memory as ratios measured in one run, written to BENCHMARKS.md.

Every measurement runs in a process of its own, one after the other, so that none profits from what another compiled.
"""

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.service import LONGEST, REQUESTS, SHORTEST, SLOTS, batching, service
from tests.benchmarks.text import context, decoding, keystroke, minute_of_training

PAGE = Path(__file__).resolve().parents[2] / "BENCHMARKS.md"
CELLS, SEEDS, UNITS, TIME, BATCH, STEPS, EPOCHS = ("LSTM", "GRU"), 5, 64, 100, 64, 64, 3


def data() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(STEPS * BATCH, TIME, 1)).astype("float32")
    return x, x[:, 0]


def build(cell: str):
    from utils.models.recurrent import build_recurrent

    return build_recurrent(cell, UNITS, features=1, sequence_length=TIME)


def plain_keras(jit: bool = False) -> dict:
    """The loop as Keras gives it: one process, a model compiled for every seed."""
    import keras

    x, y = data()
    build("RNN")  # TensorFlow's own start is not counted, here and below
    started = time.perf_counter()
    for cell in CELLS:
        for seed in range(SEEDS):
            keras.utils.set_random_seed(seed)
            model = build(cell)
            model.compile("adam", "mean_squared_error", jit_compile=jit)
            model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return {"seconds": time.perf_counter() - started}


def plain_keras_xla() -> dict:
    return plain_keras(jit=True)


def trial(cell: str, seed: int) -> dict:
    from utils.private import peak_memory
    from utils.training.fit import fit

    fit(build(cell), data(), epochs=EPOCHS, batch_size=BATCH)
    return {"peak": peak_memory()}


def fresh_steps() -> dict:
    """`fit` in one process, its compiled step thrown away after every model."""
    from utils import runtime
    from utils.training.compiled import forget_compiled

    runtime.start_tensorflow()
    started = time.perf_counter()
    for cell in CELLS:
        for seed in range(SEEDS):
            forget_compiled()
            runtime.set_seed(seed)
            trial(cell, seed)
    return {"seconds": time.perf_counter() - started}


def one_process() -> dict:
    return run_study(workers=1)


def two_processes() -> dict:
    return run_study(workers=2, wait=True)


def two_processes_cold() -> dict:
    return run_study(workers=2)


def run_study(workers: int, wait: bool = False) -> dict:
    """`study` and `fit`; with ``wait`` its workers are up before it begins, as in a lesson that has been opened."""
    os.environ["STUDY_WORKERS"] = str(workers)
    from utils import runtime
    from utils.training.study import study

    runtime.start_tensorflow()
    if wait:
        runtime.start_workers()
        runtime.wait_for_workers()
    started = time.perf_counter()
    table = study(trial, {"cell": list(CELLS)}, SEEDS)
    return {"seconds": time.perf_counter() - started, "peak": int(table["peak"].max())}


def step_times() -> dict:
    """Milliseconds per training step of one LSTM on one thread: Keras as it comes, XLA, TensorFlow's fused kernel."""
    from utils import runtime

    runtime.start_tensorflow()
    import keras
    import tensorflow as tf

    x, y = data()
    results = {}
    for name, jit in (("Keras", False), ("XLA", True)):
        model, optimizer = build("LSTM"), keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)
        results[name] = step_time(lambda x, model=model: model(x), model.trainable_variables, optimizer, x, y, jit)

    weights = [keras.Variable(w) for w in build("LSTM").get_weights()]
    kernel, recurrent_kernel, bias, head, head_bias = weights
    zero, none = tf.zeros((BATCH, UNITS)), tf.zeros(UNITS)

    def fused(x):  # random weights, so the order of the gates does not matter here
        outputs = tf.raw_ops.BlockLSTMV2(
            seq_len_max=TIME,
            x=tf.transpose(x, (1, 0, 2)),
            cs_prev=zero,
            h_prev=zero,
            w=tf.concat([kernel, recurrent_kernel], 0),
            wci=none,
            wcf=none,
            wco=none,
            b=bias.value,
            use_peephole=False,
        )
        return outputs.h[-1] @ head + head_bias

    optimizer = keras.optimizers.Adam()
    optimizer.build(weights)
    results["TensorFlow's fused kernel `BlockLSTMV2`"] = step_time(fused, weights, optimizer, x, y, jit=False)
    return results


def step_time(forward, variables, optimizer, x, y, jit: bool) -> float:
    import tensorflow as tf

    @tf.function(jit_compile=jit)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((forward(x) - y) ** 2)
        gradients = tape.gradient(loss, [v.value for v in variables])
        optimizer.apply(gradients, variables)
        return loss

    batches = [(x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, len(x), BATCH)]
    step(*batches[0])
    started = time.perf_counter()
    for batch in batches:
        loss = step(*batch)
    float(loss)
    return (time.perf_counter() - started) / len(batches) * 1000


def import_time() -> dict:
    """Seconds that ``import utils`` adds to a Python that starts."""

    def seconds(code: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - started)
        return min(times)

    return {"seconds": max(0.0, seconds("import utils") - seconds("pass"))}


GROWTH = {"": {}, "time steps": {"time": 2}, "layers": {"layers": 2}, "units": {"units": 2}, "sequences": {"batch": 2}}


def growth() -> dict:
    """How many times as long, and as much memory, a training step takes when one of its sizes is doubled."""
    from utils.evaluation.cost import seconds_per_step, training_memory
    from utils.models.recurrent import build_recurrent

    results = {}
    for name, factors in GROWTH.items():
        time_steps, layers, units, batch = (factors.get(size, 1) for size in ("time", "layers", "units", "batch"))
        size = {"units": UNITS * units, "layers": layers, "features": 1, "sequence_length": 4 * TIME * time_steps}
        x = np.zeros((2 * BATCH * batch, size["sequence_length"], 1), "float32")
        work = {name: (build_recurrent("LSTM", **size), (x, x[:, 0]))}
        seconds = seconds_per_step(work, steps=2, batch_size=BATCH * batch)[name]
        results[name] = [seconds, training_memory([{"cell": "LSTM", **size}], batch_size=BATCH * batch)[0]]
    return results


def scan() -> dict:
    """Seconds per training step at 512 time steps: a recurrence step by step, and one whose steps are joined."""
    from utils.evaluation.cost import seconds_per_step
    from utils.models.recurrent import build_recurrent

    x = np.zeros((2 * BATCH, 512, 1), "float32")
    cells = ("GRU", "minGRU")
    return seconds_per_step(
        {cell: (build_recurrent(cell, UNITS, features=1, sequence_length=512), (x, x[:, 0])) for cell in cells}, steps=2
    )


STREAMED = (5_000_000, 50_000_000, 100_000_000)


def streaming() -> dict:
    """Most resident memory of a process that reads a load to its end and trains on every tenth block, by length."""
    from utils.datasets.electricity import write_load
    from utils.evaluation.cost import streaming_memory

    with tempfile.TemporaryDirectory() as folder:
        paths = [str(write_load(Path(folder) / f"{steps}.bin", steps)) for steps in STREAMED]
        points = [{"path": path, "streams": 256, "length": 64, "train_every": 10} for path in paths]
        return dict(zip(STREAMED, streaming_memory(points), strict=True))


def two_workers() -> dict:
    """Seconds per training step of one process and of two workers on this machine, for a small and a large step."""
    from utils.datasets.electricity import write_load

    def seconds(workers: int, units: int, steps: int) -> float:
        """Between two checkpoints, as the chief reports them: starting does not count, saving once does."""
        with tempfile.TemporaryDirectory() as run:
            command = [sys.executable, "-m", "utils.training.distributed", "--workers", str(workers)]
            places = ["--series", str(series), "--folder", run]
            sizes = ["--steps", str(2 * steps), "--save-every", str(steps), "--units", str(units)]
            command += [*places, *sizes, "--batch-size", str(4 * units)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                reported = [time.perf_counter() for line in process.stdout if line.startswith("step ")]
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, command)
        return (reported[1] - reported[0]) / steps

    with tempfile.TemporaryDirectory() as folder:
        series = write_load(Path(folder) / "load.bin", 5_000_000)
        sizes = {16: 300, 128: 30}  # units, and steps to measure
        return {units: [seconds(workers, units, steps) for workers in (1, 2)] for units, steps in sizes.items()}


MEASUREMENTS = (
    plain_keras,
    plain_keras_xla,
    fresh_steps,
    one_process,
    two_processes,
    two_processes_cold,
    step_times,
    growth,
    scan,
    streaming,
    two_workers,
    decoding,
    context,
    minute_of_training,
    keystroke,
    batching,
    service,
    import_time,
)


def measure(name: str) -> dict:
    """Run one measurement in a process of its own."""
    print(f"{name} ...", flush=True)
    command = [sys.executable, "-m", "tests.benchmarks.run", name]
    # What TensorFlow logs in the plain loops is not of interest; an error is.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # as in the workers of a study
    done = subprocess.run(command, capture_output=True, text=True, cwd=PAGE.parent, env=environment)
    if done.returncode:
        raise RuntimeError(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras"))
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {versions}"


def page(m: dict[str, dict]) -> str:
    """BENCHMARKS.md from all measurements."""
    seconds = {name: result["seconds"] for name, result in m.items() if "seconds" in result}
    plain = seconds["plain_keras"]
    rows = [
        ("plain Keras loop, one process", "plain_keras"),
        ("the same with `jit_compile=True`", "plain_keras_xla"),
        ("`fit`, compiling anew for every seed", "fresh_steps"),
        ("`fit`, compiled step reused across seeds", "one_process"),
        ("`study` with two worker processes", "two_processes"),
        ("the same, starting the workers included", "two_processes_cold"),
    ]
    steps, peak = m["step_times"], max(result.get("peak", 0) for name, result in m.items() if "two" in name)
    base = m["growth"][""]
    engine = m["decoding"]["NumPy engine"]
    table = [f"| {label} | {seconds[name]:.1f} | {plain / seconds[name]:.1f} |" for label, name in rows]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Written by `make bench` on {datetime.date.today()}: {machine()}.",
            "Compare the ratios; the seconds belong to this machine.",
            "",
            "## A study of LSTM and GRU over five seeds",
            "",
            f"{UNITS} units, {TIME} time steps, batches of {BATCH}, {EPOCHS} x {STEPS} training steps for each of "
            f"{len(CELLS) * SEEDS} trials. TensorFlow's own start in the main process is not counted.",
            "",
            "| | seconds | times as fast as the plain loop |",
            "|---|---|---|",
            *table,
            "",
            "The workers start in the background when a lesson calls `runtime.start()`, so a reader meets the last row "
            "only when the very first cell is a study.",
            "",
            "## Where a faster step comes from",
            "",
            "One training step of the LSTM on one thread. `fit` uses XLA for every cell: TensorFlow has no fused "
            "kernel for Keras' GRU, and a comparison of cells must not become one of implementations.",
            "",
            "| | milliseconds | times as fast as Keras |",
            "|---|---|---|",
            *(f"| {name} | {value:.1f} | {steps['Keras'] / value:.1f} |" for name, value in steps.items()),
            "",
            "## What grows with what",
            "",
            f"One training step of an LSTM, {4 * TIME} time steps, {UNITS} units, one layer, batches of {BATCH}; one "
            "of these doubled at a time.",
            "",
            "| twice as many | times as long | times the memory of training |",
            "|---|---|---|",
            *(
                f"| {name} | {value[0] / base[0]:.1f} | {value[1] / base[1]:.1f} |"
                for name, value in m["growth"].items()
                if name
            ),
            "",
            "## All time steps at once",
            "",
            f"One training step of {UNITS} units over 512 time steps, compiled by XLA on one thread: a GRU step by "
            "step, and a minGRU whose steps are joined in pairs, in about nine rounds up and as many back. Processors "
            "with thousands of cores gain more.",
            "",
            "| | milliseconds | times as fast as the GRU |",
            "|---|---|---|",
            *(f"| {cell} | {1000 * t:.0f} | {m['scan']['GRU'] / t:.2f} |" for cell, t in m["scan"].items()),
            "",
            "## Training on a series that streams from disk",
            "",
            "Most resident memory of the whole process, Python and TensorFlow included.",
            "",
            "| million steps | GB |",
            "|---|---|",
            *(f"| {int(steps) / 1e6:.0f} | {value / 1e9:.2f} |" for steps, value in m["streaming"].items()),
            "",
            "## Two workers on one machine",
            "",
            "One training step shared by two processes over gRPC, each with one thread.",
            "",
            "| LSTM | one process, ms | two workers, ms | times as fast |",
            "|---|---|---|---|",
            *(
                f"| {units} units, batch {4 * int(units)} | {1000 * one:.1f} | {1000 * two:.1f} | {one / two:.2f} |"
                for units, (one, two) in m["two_workers"].items()
            ),
            "",
            "## Text, one character after the other",
            "",
            "One GRU of 256 units and 64 characters on one thread, greedy.",
            "",
            "| | characters a second | NumPy engine, one stream, over it |",
            "|---|---|---|",
            *(f"| {name} | {value:,.0f} | {engine / value:,.2g} |" for name, value in m["decoding"].items()),
            "",
            "The steps of the other formats are called from Python with the state in NumPy arrays.",
            "",
            "## What has to be kept of a text",
            "",
            "One step after a text of so many characters: a GRU of 256 units, and a Transformer of two layers, width "
            "128, with a key-value cache that every step copies.",
            "",
            "| characters read | GRU, microseconds | its state, KB | Transformer, microseconds | its cache, KB |",
            "|---|---|---|---|---|",
            *(
                f"| {length} | {gru:,.0f} | {state / 1000:,.0f} | {transformer:,.0f} | {cache / 1000:,.0f} |"
                for length, (gru, state, transformer, cache) in m["context"].items()
            ),
            "",
            "## A minute of training on one core",
            "",
            "The King James Bible; bits per character on the last tenth, in stretches of 64 from a state of zero.",
            "",
            "| | seconds | bits per character |",
            "|---|---|---|",
            *(f"| {name} | {t:.0f} | {bits:.2f} |" for name, (t, bits) in m["minute_of_training"].items()),
            "",
            "## A keystroke on the page where a network writes",
            "",
            "Script in Chromium for a text of 200 characters and an LSTM of 128 units.",
            "",
            "| keystroke | milliseconds |",
            "|---|---|",
            *(f"| {name} | {value:.1f} |" for name, value in m["keystroke"].items()),
            "",
            "## Many texts at once",
            "",
            f"{REQUESTS} texts of {SHORTEST} to {LONGEST} characters, {SLOTS} at a time; the service's network, an "
            "LSTM of 128 units, on one thread. Static batching begins new texts when the longest has ended.",
            "",
            "| batching | characters a second | calls of the engine | times as fast as static |",
            "|---|---|---|---|",
            *(
                f"| {name} | {speed:,.0f} | {calls:,} | {speed / m['batching']['static'][0]:.2f} |"
                for name, (speed, calls) in m["batching"].items()
            ),
            "",
            "## The service",
            "",
            "Closed loop over loopback, the clients in a process of their own; milliseconds between two pieces of a "
            "text, and of `/health` meanwhile. The engine's own speed is that of a bare loop with as many streams and "
            "the same rules.",
            "",
            "| streams | engine, characters a second | service | share | share of processor time | gap, p50 | gap, p99 "
            "| health, p99 |",
            "|---|---|---|---|---|---|---|---|",
            *(
                f"| {streams} | {row['engine']:,.0f} | {row['service']:,.0f} | {row['share']:.2f} | "
                f"{row['share of processor time']:.2f} | {row['gap p50']:.1f} | {row['gap p99']:.1f} | "
                f"{row['health p99']:.1f} |"
                for streams, row in m["service"]["streams"].items()
            ),
            "",
            "Milliseconds until the first character, eight streams: in a closed loop of eight clients, and in an open "
            "loop whose requests come at random, at four fifths of the rate that the closed loop reached.",
            "",
            "| loop | p50 | p99 |",
            "|---|---|---|",
            *(f"| {name} | {row['p50']:.1f} | {row['p99']:.1f} |" for name, row in m["service"]["loops"].items()),
            "",
            "## Memory and imports",
            "",
            f"- A worker process peaks at {peak / 1e9:.2f} GB.",
            f"- `import utils` takes {m['import_time']['seconds']:.2f} s.",
            "",
        ]
    )


def main() -> None:
    """Measure everything and write the page."""
    text = page({measurement.__name__: measure(measurement.__name__) for measurement in MEASUREMENTS})
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        chosen = {measurement.__name__: measurement for measurement in MEASUREMENTS}[sys.argv[1]]
        print(json.dumps(chosen()))
    else:
        main()
