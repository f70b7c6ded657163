"""A learner's way: JupyterLab opens a lesson, *Run All Cells*, and every figure is there."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import TimeoutError

from tools import notebooks
from utils.findings import render

TROUBLE = ", ".join(f'[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in ("error", "stderr"))
PROMPT = ".jp-CodeCell .jp-InputArea .jp-InputPrompt"  # a folded cell's placeholder has no number
PROMPTS = f"[...document.querySelectorAll('{PROMPT}')].map((prompt) => prompt.textContent)"
MINUTES = 8  # for all cells of lesson 01, on two busy cores
SETTINGS = {  # every cell is drawn, and nothing pops up
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab, and the folder it shows."""
    folder, settings = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")
    for name, values in SETTINGS.items():
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / name).write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--IdentityProvider.token="]
    command += [f"--ServerApp.port={address.rsplit(':', 1)[1]}", f"--ServerApp.root_dir={folder}"]
    # As a learner starts it: a person is watching, so that progress is shown.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    environment |= {"JUPYTERLAB_SETTINGS_DIR": str(settings)}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.5)
        yield address, folder
    finally:
        server.terminate()
        server.wait(30)


def run_all(browser, address: str, name: str, minutes: float):
    """Open a notebook, choose Run > Run All Cells, and wait for the last one.

    Returns:
        What went wrong, one line each, and the number of figures that can be seen.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    # In a workspace of its own: another would open the notebooks of the run before as well.
    page.goto(f"{address}/lab/workspaces/{Path(name).stem}/tree/{name}", timeout=120_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=120_000)
    for _ in range(10):  # the menu may open before it works
        with contextlib.suppress(TimeoutError):
            page.click('.lm-MenuBar-item:has-text("Run")', timeout=10_000)
            page.click('.lm-Menu-item[data-command="runmenu:run-all"]', timeout=10_000)
            page.wait_for_function(f"{PROMPTS}.some((prompt) => /[*0-9]/.test(prompt))", timeout=10_000)
            break
        page.keyboard.press("Escape")  # close a menu left open
    done = f"(trouble) => document.querySelector(trouble) || {PROMPTS}.every((prompt) => /[0-9]/.test(prompt))"
    page.wait_for_function(done, arg=TROUBLE, timeout=minutes * 60_000)
    errors = page.locator(TROUBLE).all_inner_texts()
    shown = 0
    for image in page.locator(".jp-OutputArea img").all():
        image.scroll_into_view_if_needed()
        shown += image.is_visible() and image.evaluate("image => image.naturalWidth > 0")
    context.close()
    return errors, shown


def test_run_all_of_lesson_01_ends_with_its_figures(browser, lab):
    address, folder = lab
    (path,) = notebooks.lessons("01")
    notebook = nbformat.read(path, as_version=4)
    figures = sum("image/png" in o.get("data", {}) for cell in notebooks.code_cells(notebook) for o in cell.outputs)
    for cell in notebooks.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / path.name)
    shutil.copytree(path.parent / "images", folder / "images")
    errors, shown = run_all(browser, address, path.name, MINUTES)
    assert errors == []
    assert shown == figures > 5


def test_a_cell_that_raises_is_noticed(browser, lab):
    address, folder = lab
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in ("1 + 1", "1 / 0", "2")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, Path(folder) / "raises.ipynb")
    errors, _ = run_all(browser, address, "raises.ipynb", 1)
    assert "ZeroDivisionError" in errors[0]


def test_the_card_of_a_finding_is_whole_in_a_notebook_that_nobody_has_trusted(browser, lab):
    """JupyterLab shows stored outputs without what it holds to be unsafe: SVG and style sheets among it."""
    address, folder = lab
    record = {"claim": "It works", "rule": "at least 1", "low": 1, "high": None, "holds": False, "no_effect": 0.1}
    record |= {"measured": [0.5, *[2] * 9, 3.1, 90], "published": "2", "source": "Somebody", "published_value": 2}
    estimate = {"claim": "And this", "rule": "between 0 and 1", "low": 0, "high": 1, "holds": True}
    estimate |= {"measured": [0.5], "interval": [0.2, 0.8], "n": 20}
    cards = [render(each) for each in (record, estimate)]
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", data=card) for card in cards]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "card.ipynb")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/lab/workspaces/card/tree/card.ipynb", timeout=120_000)
    page.wait_for_selector(".finding-strip", timeout=120_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=120_000)  # then it can stop
    shown = page.locator(".finding").evaluate_all("cards => cards.map((card) => card.outerHTML)")
    context.close()
    for stored, left in zip(cards, shown, strict=True):
        assert "role=" not in left  # it was cleaned
        assert _words_and_styles(left) == _words_and_styles(stored["text/html"])


def _words_and_styles(html: str):
    page = BeautifulSoup(html, "html.parser")
    return page.text, [(tag.name, tag.get("style", "").replace(" ", "")) for tag in page.find_all()]


def test_folded_cells_run_as_well(browser, lab):
    address, folder = lab
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in ("1 + 1", "2", "3")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells[1].metadata["tags"] = [notebooks.FOLDED]
    notebooks.write(notebook, Path(folder) / "folded.ipynb")
    assert run_all(browser, address, "folded.ipynb", 0.5) == ([], 0)
