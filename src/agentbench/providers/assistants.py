"""An upstream that speaks the Assistants API: OpenAI's way, or Azure's. Its models are assistants, by their ids.

An answer is a run in a thread that lives upstream. The next turn goes on in that thread if the conversation does; else
a new thread gets the whole past. Files that were uploaded for a message stay upstream, with its thread.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.errors import UnknownName, UpstreamNotFound, UpstreamRefused, UpstreamRejected
from agentbench.providers.assistants_api import Upstream
from agentbench.providers.assistants_files import KnownFiles, as_bodies
from agentbench.providers.assistants_runs import KnownRun, Session, ended
from agentbench.providers.assistants_shapes import UpstreamAssistant, told_usage
from agentbench.providers.assistants_stream import AssistantsDecoder
from agentbench.providers.assistants_wire import AssistantsWire, WireMessage, encode_run, place_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, EventBuilder
    from agentbench.providers.assistants_shapes import UpstreamRun
    from agentbench.providers.assistants_stream import Piece
    from agentbench.providers.assistants_wire import Seal
    from agentbench.providers.http import Http

__all__ = ["Assistants"]

_PATIENCE = 10.0
"""Seconds for the end of a run that is in the way."""
_REMEMBERED = 1000
_KINDS = ("code_interpreter", "file_search", "function")


class _Start(NamedTuple):
    """What begins a run, or goes on with it."""

    session: Session
    path: str
    body: dict[str, Any]


class Assistants:
    """An endpoint whose models are assistants. `clock` gives seconds and never goes back."""

    def __init__(self, http: Http, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._clock = clock
        self._titles = KnownFiles()
        self._waiting: dict[tuple[str, str], KnownRun] = {}

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> AssistantsWire:
        return encode_run(request, endpoint)

    def decoder(self, builder: EventBuilder) -> AssistantsDecoder:
        return AssistantsDecoder(builder)

    @asynccontextmanager
    async def open(self, wire: AssistantsWire, endpoint: Endpoint) -> AsyncIterator[AsyncIterator[Piece]]:
        session, path, body = await self._start(wire, Upstream(self._http, endpoint))
        try:
            async with AsyncExitStack() as stack:
                session.is_asked = True
                posted = Upstream(self._http, endpoint).events(path, body)
                try:
                    chunks = await session.timely(stack.enter_async_context(posted))
                except (UpstreamRefused, UpstreamRejected):  # nothing has begun
                    session.is_asked = not session.is_new
                    raise
                yield await stack.enter_async_context(aclosing(session.pieces(chunks)))
        finally:
            await session.leave()
            self._remember(session, endpoint)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        return tuple(each.id for each in await self.described(endpoint))

    async def described(self, endpoint: Endpoint) -> tuple[UpstreamAssistant, ...]:
        """Return the assistants that the endpoint's user may see, the newest first."""
        upstream = Upstream(self._http, endpoint)
        return tuple(each for each in await upstream.assistants() if _is_allowed(each, upstream))

    async def _start(self, wire: AssistantsWire, upstream: Upstream) -> _Start:
        assistant = await _allowed(wire.assistant, upstream)
        if wire.seal is not None:
            try:
                start = await self._continued(wire, wire.seal, assistant, upstream)
            except UpstreamNotFound:  # the thread is gone
                start = None
            if start is not None:
                return start
        thread = await upstream.create_thread(await as_bodies(wire.messages, upstream, assistant.tool_types))
        return self._new_run(wire, thread, assistant, upstream)

    async def _continued(
        self, wire: AssistantsWire, seal: Seal, assistant: UpstreamAssistant, upstream: Upstream
    ) -> _Start | None:
        """Go on in the seal's thread; None if it isn't as the seal's run left it."""
        new, spent = wire.new, None
        if wire.is_called:
            run = await upstream.run(seal.thread, seal.run)
            if run.has_ended:
                return None
            if run.calls and not new and all(call.id in wire.outputs for call in run.calls):
                return await self._submission(wire, seal, run, upstream)
            results = tuple(f"[Result of {each.id}: {wire.outputs.get(each.id, 'none')}]" for each in run.calls)
            new = (WireMessage(role="user", parts=results), *new) if wire.outputs else new
            spent = told_usage(await ended(upstream, seal.thread, run, seconds=_PATIENCE))
        elif not await _is_left_so(seal, upstream):
            return None
        for body in await as_bodies(new, upstream, assistant.tool_types):
            await _add(seal.thread, body, upstream)
        start = self._new_run(wire, seal.thread, assistant, upstream)
        start.session.previous, start.session.spent = seal.run, spent
        return start

    def _new_run(self, wire: AssistantsWire, thread: str, assistant: UpstreamAssistant, upstream: Upstream) -> _Start:
        session = Session(upstream, self._titles, thread, self._clock)
        body = {"assistant_id": wire.assistant, **wire.options, **_tools(wire, assistant, upstream), **_mode(upstream)}
        return _Start(session, upstream.path("threads", thread, "runs"), body)

    async def _submission(self, wire: AssistantsWire, seal: Seal, run: UpstreamRun, upstream: Upstream) -> _Start:
        session = Session(upstream, self._titles, seal.thread, self._clock)
        session.run, session.is_new = msgspec.structs.replace(run, status="queued", required_action=None), False
        known = self._waiting.pop((seal.place, seal.run), None)
        if known is None:  # it began elsewhere
            session.known.told = {str(each.get("id")) for each in await upstream.messages(seal.thread, seal.run)}
        else:
            session.known = known
        outputs = [{"tool_call_id": each.id, "output": wire.outputs[each.id]} for each in run.calls]
        path = upstream.path("threads", seal.thread, "runs", seal.run, "submit_tool_outputs")
        return _Start(session, path, {"tool_outputs": outputs, **_mode(upstream)})

    def _remember(self, session: Session, endpoint: Endpoint) -> None:
        """Keep what the next round of a run's tools wants to know."""
        if session.run is None or not session.run.calls:
            return
        if len(self._waiting) >= _REMEMBERED:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[place_of(endpoint), session.run.id] = session.known


def _is_allowed(assistant: UpstreamAssistant, upstream: Upstream) -> bool:
    settings = upstream.settings
    return settings.allows(assistant.id, author=assistant.author, user=settings.user)


async def _allowed(assistant_id: str, upstream: Upstream) -> UpstreamAssistant:
    """Return an assistant; raise `UnknownName` if it isn't there, or isn't for whoever asks."""
    try:
        assistant = await upstream.assistant(assistant_id)
    except UpstreamNotFound:
        assistant = None
    if assistant is None or not _is_allowed(assistant, upstream):
        raise UnknownName("assistant", assistant_id, param="model")
    return assistant


def _tools(wire: AssistantsWire, assistant: UpstreamAssistant, upstream: Upstream) -> dict[str, Any]:
    """Return the run's tools where they aren't just the assistant's: those that are allowed, and the request's."""
    own = assistant.tools or ()
    kinds = zip(own, assistant.tool_types, strict=True)
    allowed = [each for each, kind in kinds if _may_have(kind, assistant, upstream)]
    if len(allowed) == len(own) and not wire.functions:
        return {}
    given = {each["function"]["name"] for each in wire.functions}
    return {"tools": [*(each for each in allowed if _name(each) not in given), *wire.functions]}


def _may_have(kind: str, assistant: UpstreamAssistant, upstream: Upstream) -> bool:
    settings = upstream.settings
    if kind not in _KINDS:  # what only this upstream has
        return "tools" in settings.capabilities
    return settings.refusal(kind, model=assistant.model) is None


def _name(tool: dict[str, Any]) -> str | None:
    function = tool.get("function")
    return function.get("name") if isinstance(function, dict) else None


def _mode(upstream: Upstream) -> dict[str, Any]:
    return {} if upstream.is_azure else {"stream": True}


async def _is_left_so(seal: Seal, upstream: Upstream) -> bool:
    """Return whether a thread still ends with what the seal's run wrote."""
    latest = await upstream.latest_message(seal.thread)
    return latest is not None and latest.role == "assistant" and latest.run_id in (seal.run, None)


async def _add(thread: str, body: dict[str, Any], upstream: Upstream) -> None:
    """Add a message to a thread; a run that is in the way is ended, once."""
    try:
        await upstream.add_message(thread, body)
    except UpstreamRejected as error:
        run = None if isinstance(error, UpstreamNotFound) else await upstream.latest_run(thread)
        if run is None or run.has_ended or not (await ended(upstream, thread, run, seconds=_PATIENCE)).has_ended:
            raise
        await upstream.add_message(thread, body)
