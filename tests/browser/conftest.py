"""One JupyterLab and one Chromium for all browser tests: `lab`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from browser.lab import CHROMIUM_ARGS, VIEW, Lab
from browser.server import jupyterlab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

PROJECT = Path(__file__).parents[2]
FIND_BROWSER = PROJECT / "tools" / "browser.py"

expect.set_options(timeout=20_000)  # milliseconds: two browsers and two kernels share two cores


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the browser; a test marked `browser` is not run without one."""
    found = subprocess.run([sys.executable, FIND_BROWSER], capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.fixture(scope="session")
def running_lab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab and open it in a browser, once."""
    with (
        jupyterlab(tmp_path_factory.mktemp("jupyterlab")) as server,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGS)) as browser,
    ):
        yield Lab(browser.new_page(viewport=VIEW), server)


@pytest.fixture
def plain_page(running_lab: Lab) -> Iterator[Page]:
    """Give a page with nothing in it, in the same browser."""
    browser = running_lab.page.context.browser
    assert browser is not None
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def lab(running_lab: Lab) -> Iterator[Lab]:
    """Give a JupyterLab with nothing open."""
    yield running_lab
    running_lab.close_notebooks()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Return the folder for what pages look like, which people look at afterwards."""
    folder = Path(os.environ.get("TEST_PICTURES", PROJECT / "build" / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
