"""An answer as a caller outside the event loop reads it."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from agentbench.gateway.crossing import Crossing
from agentbench.runner.wishes import Wish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from agentbench.gateway.crossing import LoopThread
    from agentbench.gateway.openai_events import OpenAIEvents
    from agentbench.protocol import Event, Response
    from agentbench.runner import Run
    from agentbench.runner.wishes import Wishes

__all__ = ["Stream"]


class Stream:
    """An answer on its way: iterate it, with `for` or `async for`, for its events. Closing it early cancels it.

    `stop` ends it early but whole: the events go on until `response.incomplete`. If nobody is `watching`, pieces
    come as the upstream sends them, whatever the endpoint's `stream_rate`.
    """

    def __init__(self, run: Run, loop: LoopThread, wishes: Wishes | None = None, *, watching: bool = True) -> None:
        self.run = run
        self._wishes = wishes
        self._stopping = False

        async def work(put: Callable[[list[Event] | Wish], None]) -> None:
            if wishes is not None:
                wishes.put = put
            async with aclosing(run.events(watched=watching)) as batches:
                async for batch in batches:
                    put(batch)

        self._crossing: Crossing[list[Event] | Wish] = Crossing(loop, work)

    @property
    def response(self) -> Response:
        """The response as it stands; final once the events have ended."""
        return self.run.response

    def __iter__(self) -> Iterator[Event]:
        try:
            while (batch := self.read()) is not None:
                yield from batch
        finally:
            self.close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        try:
            while (batch := await self.aread()) is not None:
                for event in batch:
                    yield event
        finally:
            await self.aclose()

    def openai_events(self) -> OpenAIEvents:
        """Return the same events, once, as the openai SDK's own types: iterate that instead, with either loop."""
        from agentbench.gateway.openai_events import OpenAIEvents

        return OpenAIEvents(self)

    def read(self, timeout: float | None = None) -> list[Event] | None:
        """Wait for the next events; None at the end. Raises `TimeoutError` after `timeout` seconds."""
        while isinstance(came := self._crossing.get(timeout), Wish):
            self._answer(came)
        return came

    async def aread(self) -> list[Event] | None:
        """Do what `read` does, from a running event loop. Cancelling it loses nothing."""
        while isinstance(came := await self._crossing.aget(), Wish):
            self._answer(came)
        return came

    def _answer(self, wish: Wish) -> None:
        """Ask the person, on the thread that reads; whatever ends the asking otherwise ends the answer."""
        try:
            wish.granted = self._wishes is not None and not self._stopping and self._wishes.ask(wish.call)
        except BaseException:
            self.stop()
            raise
        finally:
            self._crossing.call(wish.answered.set)

    def stop(self) -> None:
        """Ask the answer to end now; what has come so far is kept."""
        self._stopping = True
        self._crossing.call(self.run.stop)

    def close(self) -> None:
        """Cancel what still runs and wait until it is cleaned up."""
        self._crossing.close()

    async def aclose(self) -> None:
        """Do what `close` does, from a running event loop."""
        await self._crossing.aclose()
