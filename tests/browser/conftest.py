"""A headless Chromium with the network off, and what it is to look at, built once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tools import libraries, notebooks, site, slides

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "REQUIRE_BROWSER"  # set where its absence is a failure, as in continuous integration


@pytest.fixture(scope="session")
def browser() -> Browser:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        message = f"no Chromium: none of {', '.join(NAMES)} is installed (Debian: apt-get install chromium)"
        pytest.fail(message) if os.environ.get(REQUIRED) else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def trouble() -> list[str]:
    """What a page complained of, or asked of the network."""
    return []


@pytest.fixture
def page(browser, trouble) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on("console", lambda line: trouble.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url) if request.url.startswith("http") else None)
    page.on("requestfailed", lambda request: trouble.append(f"not found: {request.url}"))
    yield page
    context.close()


@pytest.fixture(scope="session")
def decks() -> Path:
    slides.main(None)
    return slides.SLIDES


@pytest.fixture(scope="session")
def pages() -> Path:
    subprocess.run([sys.executable, "-m", "tools.site"], check=True, cwd=notebooks.REPOSITORY)
    return site.SITE


@pytest.fixture(scope="session")
def axe(tmp_path_factory) -> str:
    """The source of axe-core, which finds what keeps people with a disability from using a page."""
    folder = tmp_path_factory.mktemp("axe")
    libraries.copy(libraries.AXE, folder)
    return (folder / "axe.min.js").read_text(encoding="utf-8")
