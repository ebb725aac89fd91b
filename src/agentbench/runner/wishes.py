"""Asking a person before a tool runs: from the loop to whoever reads the answer, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.protocol.items import FunctionCall

__all__ = ["Wish", "Wishes"]


class Wish:
    """A call that waits for a yes; `granted` counts once `answered` is set."""

    def __init__(self, call: FunctionCall) -> None:
        self.call = call
        self.granted = False
        self.answered = anyio.Event()


class Wishes:
    """Hands calls over to a reader; `ask` is the reader's question to the person, `put` the way to the reader."""

    def __init__(self, ask: Callable[[FunctionCall], bool]) -> None:
        self.ask = ask
        self.put: Callable[[Wish], None] | None = None

    async def approve(self, call: FunctionCall) -> bool:
        """Wait for the person's answer; no, while nobody reads."""
        if self.put is None:
            return False
        wish = Wish(call)
        self.put(wish)
        await wish.answered.wait()
        return wish.granted
