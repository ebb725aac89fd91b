"""Files as other programs write them, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentbench.archives.reading import Read, read

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = Path(__file__).parent / "files"


@pytest.fixture
def opened() -> Callable[[str], Read]:
    """Give what is read from one of the files, as Ann's."""
    return lambda name: read((FILES / name).read_bytes(), "ann")
