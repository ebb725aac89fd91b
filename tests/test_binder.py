"""What lies in binder/ is what Binder's builder picks up, and holds to what Binder expects."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
BINDER = PROJECT / "binder"
REQUIREMENTS = [
    line for line in (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
]


@cache
def dockerfile() -> str:
    """Return the file that the builder would build from; it needs no docker for that."""
    command = [
        sys.executable,
        "-m",
        "repo2docker",
        "--no-build",
        "--debug",
        "--user-id=1000",
        "--user-name=jovyan",
        ".",
    ]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_binder_is_picked_up() -> None:
    """The builder installs the requirements from the whole repository, then runs postBuild, and starts with start."""
    steps = [
        "COPY --chown=1000:1000 src/ ${REPO_DIR}/",
        '-r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
        'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
    ]
    places = [dockerfile().find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)


def test_python_is_chosen() -> None:
    """The builder takes the Python of runtime.txt, which is one that the package runs on."""
    version = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    assert f"python={version}" in dockerfile()
    assert tuple(map(int, version.split("."))) >= (3, 11)


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_are_programs(name: str) -> None:
    """A script may be run, and bash can read it."""
    script = BINDER / name
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/bin/bash\n")
    checked = subprocess.run(["/bin/bash", "-n", script], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_failures_end_the_build() -> None:
    """A step of postBuild that fails fails the build, and the session is whatever Binder starts."""
    assert re.search(r"^set -e", (BINDER / "postBuild").read_text(encoding="utf-8"), re.MULTILINE)
    assert (BINDER / "start").read_text(encoding="utf-8").rstrip().endswith('exec "$@"')


def test_lab_is_pinned() -> None:
    """JupyterLab, its kernel and the widgets are those that the tests know."""
    pins = dict(line.split("==") for line in REQUIREMENTS if "==" in line)
    assert {"jupyterlab": "4.6.*", "ipykernel": "7.*", "anywidget": "0.11.*"}.items() <= pins.items()


def test_extras_are_those_of_the_notebooks() -> None:
    """The package comes from the repository itself, with extras that it has, and without those for servers."""
    [package] = [line for line in REQUIREMENTS if line.startswith("-e ")]
    extras = set(re.fullmatch(r"-e \.\[(.+)\]", package)[1].split(","))
    with (PROJECT / "pyproject.toml").open("rb") as file:
        known = set(tomllib.load(file)["project"]["optional-dependencies"])
    written = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "notebooks").glob("*.ipynb"))
    wanted = {name for each in re.findall(r"agentbench\[([\w,]+)\]", written) for name in each.split(",")}
    assert wanted <= extras <= known - {"all", "bedrock", "postgres"}
