"""Reads what comes of many questions at once and has it drawn, until all have ended or somebody interrupts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentbench.notebook.display import INTERRUPTS, taking_interrupts
from agentbench.protocol.trial import Trial

if TYPE_CHECKING:
    from agentbench.notebook.comparing.board import Board
    from agentbench.workbench.experiments.live import Live

__all__ = ["watch"]


async def watch(live: Live, board: Board, *, blocking: bool, interrupted: bool = False) -> bool:
    """Draw what comes until its end; return whether it was interrupted.

    The first interrupt stops the answers, a second one is raised; `interrupted` says that one has come before in this
    cell. `blocking` holds up this thread between events.
    """
    goes_on, stopped = True, False
    try:
        with taking_interrupts(blocking=blocking):
            while goes_on:
                try:
                    goes_on = await _step(live, board, blocking=blocking)
                except INTERRUPTS as interrupt:
                    if stopped or interrupted:
                        raise
                    stopped = True
                    if isinstance(interrupt, asyncio.CancelledError) and (task := asyncio.current_task()):
                        task.uncancel()
                    live.stop()
    finally:
        live.close()
    return stopped


async def _step(live: Live, board: Board, *, blocking: bool) -> bool:
    """Wait for what comes next, or for the time to draw; False at the end."""
    seconds = board.tick()
    try:
        if blocking:
            came = live.read(seconds)
        else:
            async with asyncio.timeout(seconds):  # `wait_for` loses an interrupt that comes together with a piece
                came = await live.aread()
    except TimeoutError:
        return True
    if came is None:
        return False
    place, told = came
    if isinstance(told, Trial):
        board.end(place, told)
    else:
        board.feed(place, told)
    return True
