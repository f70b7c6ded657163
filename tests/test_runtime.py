"""Seeds, quiet TensorFlow, and imports that cost nothing."""

import os
import re
import subprocess
import sys

import pytest

from utils import runtime


def run(code: str, **environment) -> subprocess.CompletedProcess:
    env = {**os.environ, **environment}
    for name in ("TF_CPP_MIN_LOG_LEVEL", "OPENBLAS_NUM_THREADS"):
        env.pop(name, None)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=120)


def test_seeds_follow_the_offset(monkeypatch):
    monkeypatch.delenv("SEED_OFFSET", raising=False)
    assert runtime.seeds(3) == [0, 1, 2]
    monkeypatch.setenv("SEED_OFFSET", "2000")
    assert runtime.seeds(3) == [2000, 2001, 2002]


@pytest.mark.parametrize("n", [0, -1, 2.5, True, "5"])
def test_impossible_numbers_of_seeds(n):
    with pytest.raises(ValueError, match="at least 1"):
        runtime.seeds(n)


def test_products_of_numpy_and_scipy_take_one_thread_in_a_lesson():
    code = """
from threadpoolctl import threadpool_info, threadpool_limits
def threads():
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
import numpy
threadpool_limits(2)
print(threads())
from utils import runtime
runtime.start()
import scipy.linalg, sklearn.linear_model
print(threads())"""
    lines = run(code, STUDY_WORKERS="1").stdout.split("\n")
    assert int(lines[0]) == 2
    assert int(lines[-2]) == 1


def test_impossible_settings_are_named(monkeypatch):
    monkeypatch.setenv("SEED_OFFSET", "-1")
    with pytest.raises(ValueError, match="SEED_OFFSET is '-1'"):
        runtime.seeds(1)
    monkeypatch.setenv("STUDY_WORKERS", "none")
    with pytest.raises(ValueError, match="STUDY_WORKERS is 'none'"):
        runtime.workers()
    monkeypatch.setenv("STUDY_WORKERS", "3")
    assert runtime.workers() == 3


def test_what_does_not_train_does_not_import_tensorflow():
    modules = "runtime plotting findings files private exercises exercises.lesson_01 datasets.prices datasets.climate "
    modules += "datasets.windows models.numpy_cells training.study evaluation.baselines evaluation.metrics"
    code = f"""
import importlib, sys
for module in {modules!r}.split():
    importlib.import_module(f"utils.{{module}}")
    if "tensorflow" in sys.modules:
        sys.exit(f"utils.{{module}} imports TensorFlow")"""
    result = run(code)
    assert result.returncode == 0, result.stderr


def test_tensorflow_starts_and_compiles_without_a_log_line():
    code = "from utils import runtime; runtime.start(); from utils.runtime import tf\n"
    code += "tf.function(lambda x: x * 2, jit_compile=True)(tf.ones(3)); tf.random.normal((3, 3)) @ tf.ones((3, 3))"
    result = run(code)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.startswith("Running on: ")
    assert len(result.stdout.splitlines()) == 1


def test_keras_from_the_runtime_is_quiet_as_well():
    result = run("from utils.models.recurrent import build_recurrent")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_loss_that_has_travelled_trains_without_a_word():
    """It has no source where a study runs it, which in a notebook with one worker is the notebook itself."""
    code = """
import sys
sys.ps1 = "> "  # as in a notebook, where AutoGraph prints its complaints
import numpy as np
from utils.models.recurrent import build_recurrent
from utils.training.fit import fit
from utils.training.study import study
def loss(y, made):
    return (y - made) ** 2
def trial(seed):
    x = np.zeros((8, 3, 1), "float32")
    model = build_recurrent("LSTM", 2, features=1)
    return {"loss": fit(model, (x, x[:, 0]), loss=loss, epochs=1)["loss"][-1]}
study(trial, {}, seeds=1, workers=1)"""
    result = run(code, UNWATCHED="1")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_python_can_still_write_to_stderr():
    result = run("from utils import runtime; runtime.start_tensorflow(); import sys; print('seen', file=sys.stderr)")
    assert result.stderr == "seen\n"


def test_a_worker_keeps_its_tongue_but_not_tensorflow():
    code = """
import os, sys, warnings
from utils.training.study import study
def noisy(seed):
    os.write(2, b'native line')
    print('python line', file=sys.stderr)
    return {}
study(noisy, {}, seeds=1, workers=2)
"""
    result = run(code)
    assert result.returncode == 0, result.stderr
    assert "native line" not in result.stderr
    assert "python line" in result.stderr


def test_a_person_in_a_notebook_sees_a_progress_bar_and_no_log_line(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    sources = [
        "from utils import runtime\nruntime.start()",
        "from utils.training.study import study\nfrom utils.models.recurrent import build_recurrent\n"
        "from utils.training.fit import fit\nimport numpy as np\n"
        "def trial(units, seed):\n"
        "    x = np.zeros((8, 3, 1), 'float32')\n"
        "    return {'loss': fit(build_recurrent('LSTM', units, features=1), (x, x[:, 0]))['loss'][-1]}",
        "len(study(trial, {'units': [2, 3]}, seeds=2, workers=2))",
        "runtime.tf.function(lambda x: x * 2, jit_compile=True)(runtime.tf.ones(3)).numpy().sum()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTEST_CURRENT_TEST", "UNWATCHED")
    }
    # The kernel watches its file descriptors, as in JupyterLab and unlike under nbval.
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute(env=environment)
    streams = [output for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}, streams
    text = "".join(output.text for output in streams)
    assert "trial" in text
    assert text.count("\n") <= 1, text  # the line of runtime.start(); the bar rewrites itself


def test_who_is_watching(monkeypatch):
    monkeypatch.delenv("UNWATCHED", raising=False)
    assert not runtime.watched()  # under pytest
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert runtime.watched()
    monkeypatch.setenv("UNWATCHED", "1")
    assert not runtime.watched()


def test_every_environment_variable_stands_in_the_table():
    read = set()
    for folder in ("utils", "tools"):
        for path in (runtime.REPOSITORY / folder).rglob("*.py"):
            read |= set(re.findall(r"""environ(?:\.get\(|\[)["']([A-Z_]+)["']""", path.read_text(encoding="utf-8")))
    own = read - {"TF_CONFIG", "TF_CPP_MIN_LOG_LEVEL", "PYTEST_CURRENT_TEST", "PYTHONPATH"}
    assert own == {"SEED_OFFSET", "STUDY_WORKERS", "REPLICATE", "STUDIES", "UNWATCHED"}
    contributing = (runtime.REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in own:
        assert f"``{name}``" in runtime.__doc__
        assert f"| `{name}` |" in contributing


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        runtime.nothing  # noqa: B018
