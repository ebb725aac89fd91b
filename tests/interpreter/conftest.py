"""An interpreter, and which of its promises this machine can keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.interpreter.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.interpreter.values import Confinement


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests once: nothing here depends on the loop."""
    return "asyncio"


@pytest.fixture
async def interpreter(anyio_backend: str) -> AsyncIterator[Interpreter]:
    """Give an interpreter that is closed afterwards."""
    async with Interpreter(seconds=20, memory=512, output=2_000) as made:
        yield made


@pytest.fixture
async def confinement(interpreter: Interpreter) -> Confinement:
    """Tell what this machine forbids the code."""
    await interpreter.run("None")
    assert interpreter.confinement is not None
    return interpreter.confinement
