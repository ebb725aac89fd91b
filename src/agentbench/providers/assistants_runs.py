"""One run of an upstream assistant: streamed or looked at until it settles, within its time, and never left running.

Ends that a person wants or that the time limit brings cancel the run upstream and fetch what it took.
"""

from __future__ import annotations

import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import msgspec

from agentbench.errors import AgentbenchError, UpstreamError, UpstreamRefused, UpstreamRejected, UpstreamTimeout
from agentbench.providers.assistants_files import FileFacts
from agentbench.providers.assistants_shapes import UpstreamRun, told_usage
from agentbench.providers.assistants_stream import Piece
from agentbench.providers.assistants_wire import Seal, place_of, sealed
from agentbench.providers.mask import shown
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from agentbench.protocol import EventBuilder, Usage
    from agentbench.providers.assistants_api import Upstream
    from agentbench.providers.assistants_files import KnownFiles

__all__ = ["KnownRun", "Session", "ended"]

T = TypeVar("T")

_log = logging.getLogger(__name__)
_LEAVING = 5.0
_SHORT = 0.5
"""Seconds between two looks at a run that is ending."""


class _Named(msgspec.Struct):
    object: str = ""
    id: str = ""


class KnownRun:
    """What is remembered of a run between the rounds of its tools."""

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.told: set[str] = set()
        """The messages and steps that were told in earlier rounds."""


class Session(FileFacts):
    """Follows a run in its thread. Iterate `pieces`, and `leave` at the end, however it comes.

    `clock` gives seconds and never goes back.
    """

    def __init__(self, upstream: Upstream, titles: KnownFiles, thread: str, clock: Callable[[], float]) -> None:
        super().__init__(upstream, titles)
        self.builder: EventBuilder | None = None
        self.spent: Usage | None = None
        self.run: UpstreamRun | None = None
        self.known = KnownRun(clock())
        self.is_asked = False
        """Whether a run may have begun."""
        self.is_new = True
        """Whether this is the run's first round."""
        self.previous: str | None = None
        """The run before this one in its thread."""
        self._met: set[str] = set()
        self._thread = thread
        self._clock = clock

    @property
    def seal(self) -> str | None:
        """What lets the next turn go on from here; the first round of a run has it."""
        if not self.is_new or self.run is None:
            return None
        return sealed(Seal(place=place_of(self._upstream.endpoint), thread=self._thread, run=self.run.id))

    async def pieces(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[Piece]:
        """Yield what the stream tells, then, if it ends before the run, what looking at the run tells."""
        yield Piece(self, [])  # whoever reads it is known from here on
        async with aclosing(self._streamed(chunks)) as pieces:
            async for piece in pieces:
                yield piece
        if self.run is None or not self.run.is_settled:
            yield Piece(self, await self._looked())

    async def leave(self) -> None:
        """Cancel the run if it still works, and tell what it took; takes a few seconds at most."""
        if not self.is_asked or (self.run is not None and (self.run.has_ended or self.run.calls)):
            return
        with anyio.move_on_after(_LEAVING, shield=True):
            try:
                await self._cancel()
            except AgentbenchError as error:
                _log.warning("%s: a run may go on. %s", self._upstream.endpoint.name, error.message)
        usage = None if self.run is None else told_usage(self.run)
        if usage is not None and self.builder is not None:
            self.builder.usage(usage if self.spent is None else usage + self.spent)

    def without_secrets(self, text: object) -> str:
        """Return the beginning of what the upstream says, without its key and header values."""
        return shown(text, self._upstream.endpoint)

    # -- streaming ----------------------------------------------------------------------------------------------

    async def _streamed(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[Piece]:
        frames = SSEDecoder()
        while self.run is None or not self.run.is_settled:
            try:
                chunk = await self.timely(anext(chunks, b""))
            except (UpstreamRefused, UpstreamRejected):
                raise
            except UpstreamError as error:
                if self._left <= 0:
                    raise
                _log.info("%s: the stream of a run broke off: %s", self._upstream.endpoint.name, error.message)
                return
            if not chunk:
                return
            whole = frames.feed(chunk)
            for frame in whole:
                await self._meet(frame)
            yield Piece(self, whole)
        self.known.told |= self._met

    async def _meet(self, frame: bytes) -> None:
        """Note what a frame says of the run, and learn of its files."""
        with suppress(msgspec.DecodeError):  # which the decoder tells
            told = msgspec.json.decode(frame, type=_Named)
            if told.object == "thread.run":
                self.run = msgspec.json.decode(frame, type=UpstreamRun)
            else:
                self._met.add(told.id)
        await self.meet(frame)

    # -- looking ------------------------------------------------------------------------------------------------

    async def _looked(self) -> list[bytes]:
        """Look at the run until it settles; return all that it has made, and the run itself."""
        if self.run is None:
            self.run = await self._patiently(self._found)
        if self.run is None:
            name = self._upstream.endpoint.name
            raise UpstreamError(f"{name} broke off before the run had begun. Try again.", endpoint=name)
        run_id = self.run.id
        while not self.run.is_settled:
            await self._sleep(self._upstream.settings.poll_interval)
            self.run = await self._patiently(lambda: self._upstream.run(self._thread, run_id, tries=1))
        made = await self._patiently(lambda: self._made(run_id))
        frames = [msgspec.json.encode(each) for each in made]
        for frame in frames:
            await self.meet(frame)
        self.known.told |= {str(each.get("id")) for each in made}
        return [*frames, msgspec.json.encode(msgspec.to_builtins(self.run) | {"object": "thread.run"})]

    async def _made(self, run_id: str) -> list[dict[str, Any]]:
        """Return the messages and steps of the run that weren't told in earlier rounds, oldest first."""
        made = await self._upstream.messages(self._thread, run_id)
        tools = None if self.run is None else self.run.tools
        if any(each.get("type") == "code_interpreter" for each in tools or ()):
            made = _in_order(made, await self._upstream.steps(self._thread, run_id))
        return [each for each in made if each.get("id") not in self.known.told]

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what the upstream says, once it can say it; a refusal ends the wait."""
        while True:
            try:
                return await self.timely(ask())
            except (UpstreamRefused, UpstreamRejected):
                raise
            except UpstreamError as error:
                if self._left <= 0:
                    raise
                interval = self._upstream.settings.poll_interval
                await self._sleep(max(error.retry_after or 0, interval))

    # -- time ---------------------------------------------------------------------------------------------------

    @property
    def _left(self) -> float:
        return self.known.begun + self._upstream.settings.time_limit - self._clock()

    async def timely(self, waited: Awaitable[T]) -> T:
        """Return what is waited for, if it comes within the run's time."""
        with anyio.move_on_after(max(0.0, self._left)):
            return await waited
        raise self._too_long()

    async def _sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, min(seconds, self._left)))
        if self._left <= 0:
            raise self._too_long()

    def _too_long(self) -> UpstreamTimeout:
        name, limit = self._upstream.endpoint.name, self._upstream.settings.time_limit
        message = (
            f"{name} didn't end the run within {limit:g} s, so it was cancelled. Ask for less, or raise timeoutMs."
        )
        return UpstreamTimeout(message, endpoint=name)

    async def _found(self) -> UpstreamRun | None:
        """Return the run, which has begun if it is there, where nothing has told its id."""
        run = await self._upstream.latest_run(self._thread)
        return None if run is None or run.id == self.previous else run

    # -- the end ------------------------------------------------------------------------------------------------

    async def _cancel(self) -> None:
        run = self.run or await self._found()
        if run is not None:
            self.run = await ended(self._upstream, self._thread, run, seconds=_LEAVING)


async def ended(upstream: Upstream, thread: str, run: UpstreamRun, *, seconds: float) -> UpstreamRun:
    """Cancel a run if it hasn't ended, and wait so long for its end; return it as it is then."""
    with anyio.move_on_after(seconds):
        if not run.has_ended and run.status != "cancelling":
            try:
                run = await upstream.cancel(thread, run.id)
            except UpstreamRejected:  # it has ended meanwhile
                run = await upstream.run(thread, run.id)
        while not run.has_ended:
            await anyio.sleep(min(_SHORT, upstream.settings.poll_interval))
            run = await upstream.run(thread, run.id)
    return run


def _in_order(messages: list[dict[str, Any]], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return steps, each that made a message with it behind it, and the messages that no step tells of."""
    left = {each.get("id"): each for each in messages}
    made: list[dict[str, Any]] = []
    for step in steps:
        made.append(step)
        details = step.get("step_details")
        creation = details.get("message_creation") if isinstance(details, dict) else None
        message = left.pop(creation.get("message_id"), None) if isinstance(creation, dict) else None
        made += [] if message is None else [message]
    return [*made, *left.values()]
