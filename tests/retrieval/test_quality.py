"""How well files are found, on the labelled questions of benchmarks/retrieval, with the embedder in the kernel."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentbench import Workbench

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "retrieval" / "quality.py"


def benchmark() -> ModuleType:
    """Import the benchmark, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("quality", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_beat_each(tmp_path: Path) -> None:
    """Vectors and words together find more than either alone, and nearly everything among the first three."""
    quality: Any = benchmark()
    with Workbench(home=tmp_path) as bench:
        found = quality.measured(bench)
    assert quality.beats(found["fused"], found["vectors"])
    assert quality.beats(found["fused"], found["text"])
    assert found["fused"].recall_at_3 > 0.95
