"""A workbench with scripted models, and a talk on it whose views are lists."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.chat.fake_views import FakeViews, threads
from tests.notebook.chat.scripts import CONFIG

from agentbench import Workbench, tool
from agentbench.notebook.chat.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench with the scripted agents and two tools."""

    @tool
    def add(a: int, b: int) -> dict[str, int]:
        """Add two numbers."""
        time.sleep(0.02)
        return {"sum": a + b}

    @tool(approval="ask")
    def erase(path: str) -> str:
        """Erase a file."""
        return f"erased {path}"

    with Workbench(CONFIG) as bench:
        bench.add_tool(add, erase)
        yield bench


@pytest.fixture
def views() -> FakeViews:
    """Give views that keep what they are told."""
    return FakeViews()


@pytest.fixture
def open_talk(bench: Workbench, views: FakeViews) -> Iterator[Callable[..., Talk]]:
    """Give a way to open talks, all of which are closed at the end."""
    opened: list[Talk] = []

    def talk(**options: Any) -> Talk:
        opened.append(Talk(bench, views, lock=threading.RLock(), **options))
        opened[-1].show()
        return opened[-1]

    yield talk
    for each in opened:
        each.close()
    assert threads() == []


@pytest.fixture
def talk(open_talk: Callable[..., Talk]) -> Talk:
    """Give a talk with an agent whose answers count its turns."""
    return open_talk(agent="counter")
