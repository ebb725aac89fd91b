"""Validators that others wrote, against the gateway on a port."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.surfaces.reference_model import ReferenceModel
from tests.surfaces.served import served

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "scripted/gpt-5-claude-opus"  # llm-comply asks only models with such names for their thoughts
LLM_COMPLY = Path(sys.executable).with_name("llm-comply")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a gateway whose model does as it is told."""
    config: dict[str, Any] = {"endpoints": {"scripted": {"models": {MODEL.partition("/")[2]: []}}}}
    with Workbench(config, home=tmp_path_factory.mktemp("home")) as bench:
        made: Any = bench._providers._made
        made["scripted"] = ReferenceModel()
        with served(bench.app) as address:
            yield f"http://{address}"


@pytest.mark.parametrize(("surface", "tests"), [("open-responses", 13), ("openai-chat", 9), ("anthropic", 9)])
def test_llm_comply(address: str, surface: str, tests: int) -> None:
    """All tests of llm-comply pass, and none is skipped."""
    command = [str(LLM_COMPLY), "-u", address, "-k", "any", "-m", MODEL, "--format", surface, "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    told = msgspec.json.decode(done.stdout)
    failed = {each["id"]: each.get("errors") for each in told["results"] if each["status"] != "passed"}
    assert (len(told["results"]), failed) == (tests, {})


def test_llmprobe(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No assertion of llmprobe fails, on any surface that is here."""
    program = shutil.which("llmprobe")
    if program is None:
        pytest.skip("llmprobe is not installed; run: npm install --global llmprobe@0.6.12")
    monkeypatch.setenv("HOME", str(tmp_path))  # where it keeps a library
    command = [program, address, "-k", "any", "-m", MODEL, "--no-bench", "--no-save", "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=150)
    conformance = msgspec.json.decode(done.stdout)["conformance"]
    failed = [each for each in conformance["results"] if each["outcome"] == "fail"]
    assert failed == []
    assert conformance["passed"] == conformance["total"] > 180
