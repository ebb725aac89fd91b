"""Find a Chromium for the browser tests, or get one.

    python tools/browser.py [--install]

Prints the path of the browser, or says that there is none and exits with 1. In order: one that is installed,
Debian's package where this user may install it, Playwright's own download.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: list[str]) -> int:
    """Print the browser's path; return the exit status."""
    path = find_or_install() if "--install" in arguments else find()
    print(path or "There is no Chromium or Chrome. Install one, or run: python tools/browser.py --install")
    return 0 if path else 1


def find_or_install() -> Path | None:
    """Return a browser, installed first if need be; None if that can't be done here."""
    for get in (find, install_from_debian, install_from_playwright):
        if path := get():
            return path
    return None


def find() -> Path | None:
    """Return a browser that is there and starts, or None."""
    return next((path for path in candidates() if starts(path)), None)


def candidates() -> Iterator[Path]:
    """Yield where a browser may be, last where Playwright would put its own."""
    yield from (Path(path) for path in map(shutil.which, NAMES) if path)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return
    with sync_playwright() as playwright:
        yield Path(playwright.chromium.executable_path)


def starts(path: Path) -> bool:
    """Tell whether the browser runs: on some systems a mere signpost to an app store has its name."""
    return run(str(path), "--version", seconds=30)


def install_from_debian() -> Path | None:
    """Install Debian's package, as root or with a sudo that asks no password; Ubuntu's is but a signpost."""
    if platform.system() != "Linux" or platform.freedesktop_os_release().get("ID") != "debian":
        return None
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and not (shutil.which("sudo") and run(*sudo, "true", seconds=10)):
        return None
    say("Installing Chromium for the browser tests, from Debian.")
    get = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    run(*get, "update", seconds=120)
    run(*get, "install", "--no-install-recommends", "chromium", seconds=600)
    return find()


def install_from_playwright() -> Path | None:
    """Let Playwright download the Chromium that it was made with."""
    say("Installing Chromium for the browser tests, from Playwright.")
    run(sys.executable, "-m", "playwright", "install", "chromium", seconds=600)
    return find()


def run(*command: str, seconds: float) -> bool:
    """Run a command silently; return whether it could be run and did well in time."""
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def say(text: str) -> None:
    """Tell the person who waits; the standard output carries the path alone."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
