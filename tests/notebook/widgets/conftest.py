"""The workbench that widgets are shown with, where a test needs no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.notebook.scripts import CONFIG

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench with the scripted models."""
    with Workbench(CONFIG) as bench:
        yield bench
