"""Make `.venv` and install agentbench into it, with everything that the notebooks, tests and linters need.

Run by `make` with any Python from 3.11 on. uv does the work where the package index has it; else pip, twenty
times slower. Running it again brings an older `.venv` up to date.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / ".venv"
PYTHON = str(FOLDER / "bin" / "python")
UV = str(FOLDER / "bin" / "uv")
WHAT = ["--editable", ".[all]", "--group", "dev"]


def main() -> int:
    """Set up; return the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - PYTHON=... may name any Python
        print(f"agentbench needs Python 3.11 or newer; {sys.executable} is {platform.python_version()}.")
        return 1
    print("Setting up .venv: half a minute with uv, a few minutes with pip.", flush=True)
    if not (FOLDER / "bin" / "pip").exists():
        venv.create(FOLDER, with_pip=True)
    if install_with_uv():
        return 0
    print("uv is not usable here; going on with pip.", flush=True)
    return install_with_pip()


def install_with_uv() -> bool:
    """Return whether uv is to be had and could install all."""
    if pip("install", "uv", stderr=subprocess.DEVNULL) != 0:
        return False
    command = [UV, "pip", "install", "--quiet", "--python", PYTHON, *WHAT]
    return subprocess.call(command, cwd=PROJECT, env=index_environment()) == 0


def install_with_pip() -> int:
    """Install with pip alone; the one that comes with Python 3.11 is too old to know dependency groups."""
    return pip("install", "--upgrade", "pip>=25.1") or pip("install", *WHAT)


def pip(*arguments: str, stderr: int | None = None) -> int:
    """Run the pip of `.venv`; return its exit status."""
    command = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.call(command, cwd=PROJECT, stderr=stderr)


def index_environment() -> dict[str, str]:
    """Return the environment for uv, with the index from pip's settings, which uv doesn't read."""
    environment = dict(os.environ)
    command = [PYTHON, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    index = environment.get("PIP_INDEX_URL") or configured
    if index:
        environment.setdefault("UV_DEFAULT_INDEX", index)
    return environment


if __name__ == "__main__":
    sys.exit(main())
