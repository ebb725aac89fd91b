"""Views of a chat that keep what they are told, and the threads of chats."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.notebook.result import Result

__all__ = ["FakeViews", "threads"]


class FakeViews:
    """Keeps what views are told."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.results: list[Result | None] = []
        self.times: list[float] = []
        self.kept = 0

    def say(self, event: str, **fields: Any) -> None:
        """Keep a message."""
        self.said.append((event, fields))
        self.times.append(time.monotonic())

    def show(self, **state: Any) -> None:
        """Keep the state."""
        self.state |= state

    def keep(self) -> bool:
        """Count a record."""
        self.kept += 1
        return True

    def ended(self, result: Result | None) -> None:
        """Keep the result."""
        self.results.append(result)

    def until(self, condition: Callable[[], Any], seconds: float = 10.0) -> None:
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.state, self.said[-3:])
            time.sleep(0.005)

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The turns that are shown."""
        turns: list[dict[str, Any]] = self.state["turns"]
        return turns

    @property
    def live_blocks(self) -> list[dict[str, Any]]:
        """The blocks of the turn that is coming, as the last whole told them."""
        live = self.state.get("live")
        return [] if live is None else live["blocks"]


def threads() -> list[threading.Thread]:
    """Return the threads of chats that run."""
    return [each for each in threading.enumerate() if each.name == "agentbench-chat"]
