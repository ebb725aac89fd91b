"""Loading agentbench is cheap: what is heavy comes with its first use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).parent.parent / "benchmarks" / "load.py"
HEAVY = {
    "fastapi",
    "httpx",
    "httpx2",
    "numpy",
    "openai",
    "pandas",
    "pydantic",
    "ruamel",
    "sqlalchemy",
    "starlette",
    "tqdm",
    "xllamacpp",
}


@pytest.fixture(scope="module")
def extension_cost() -> Any:
    """Give what `%load_ext agentbench` cost, the best of three."""
    lines = run(BENCHMARK, "--runs", "3", "--json").splitlines()
    return {cost["statement"]: cost for cost in map(json.loads, lines)}["%load_ext agentbench"]


def run(*arguments: str | Path) -> str:
    """Run Python in a fresh process; return what it prints."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout


def packages(modules: list[str]) -> set[str]:
    """Return the top-level packages of the modules."""
    return {module.partition(".")[0] for module in modules}


def test_import_loads_nothing_heavy() -> None:
    """`import agentbench` alone loads no heavy package, nor IPython."""
    loaded = run("-c", "import agentbench, sys; print(*sys.modules)").split()
    assert packages(loaded) & (HEAVY | {"IPython"}) == set()


def test_extension_loads_nothing_heavy(extension_cost: dict[str, list[str]]) -> None:
    """`%load_ext agentbench` loads the notebook room, but no heavy package."""
    assert "agentbench.notebook" in extension_cost["modules"]
    assert packages(extension_cost["modules"]) & HEAVY == set()


def test_extension_is_quick(extension_cost: dict[str, float]) -> None:
    """`%load_ext agentbench` takes under 0.3 s of CPU time."""
    assert extension_cost["cpu_seconds"] < 0.3


def test_extension_is_small(extension_cost: dict[str, float]) -> None:
    """`%load_ext agentbench` adds under 15 MiB of memory."""
    assert extension_cost["rss_mib"] < 15
