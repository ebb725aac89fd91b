"""Logs of Responses: events one a line or as a server-sent stream, recordings of ours, and whole responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from agentbench.archives import pieces
from agentbench.archives.values import Said, Talk, derived
from agentbench.errors import InvalidRequest
from agentbench.protocol.builder import EventBuilder
from agentbench.protocol.decode import decode_request
from agentbench.protocol.items import ItemReference
from agentbench.protocol.request import CreateResponse
from agentbench.protocol.response import Response, draft
from agentbench.providers.responses_stream import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol.items import Item

__all__ = ["is_event", "is_response", "talks"]

_HEADER = "agentbench.recording"
_ENDS = ("response.completed", "response.failed", "response.incomplete")


def is_event(raw: dict[str, Any]) -> bool:
    """Tell whether an object is a line of a log of events."""
    event = raw["event"] if isinstance(raw.get("event"), dict) else raw
    return raw.get("object") == _HEADER or str(event.get("type", "")).startswith(("response.", "error"))


def is_response(raw: dict[str, Any]) -> bool:
    """Tell whether an object is a whole response."""
    return raw.get("object") == "response" and isinstance(raw.get("output"), list)


def talks(objects: Iterable[dict[str, Any]]) -> list[Talk]:
    """Return the conversations that a log tells: responses that follow each other are one."""
    notes: list[str] = []
    told = [_said(run, notes) for run in _runs(objects)]
    found: dict[str, list[Said]] = {}
    first_of: dict[str, str] = {}
    for said in told:
        answer = said[-1]
        before = answer.response.previous_response_id if answer.response is not None else None
        first = first_of.get(before or "", answer.id)
        first_of[answer.id] = first
        begins = replace(said[0], parent=before if before in first_of else None)
        found.setdefault(first, []).extend((begins, *said[1:]))
    made = [_talk(key, each) for key, each in found.items()]
    return [replace(each, notes=tuple(notes) if place == 0 else ()) for place, each in enumerate(made)]


class _Run(NamedTuple):
    """One response's lines: what is known of its request, and its events."""

    header: dict[str, Any]
    events: list[dict[str, Any]]


def _runs(objects: Iterable[dict[str, Any]]) -> list[_Run]:
    runs: list[_Run] = []
    key: object = None
    for raw in objects:
        if raw.get("object") == _HEADER:
            runs.append(_Run(raw, []))
            key = None
            continue
        event = raw["event"] if isinstance(raw.get("event"), dict) else raw
        event = {"type": _ENDS[0], "response": event} if is_response(event) else event
        response = event["response"] if isinstance(event.get("response"), dict) else {}
        other = key is not None and response.get("id") not in (None, key)
        if not runs or other or (runs[-1].events and str(runs[-1].events[-1].get("type")) in _ENDS):
            runs.append(_Run({}, []))
        key = response.get("id") or (None if other else key)
        runs[-1].events.append(event)
    return [run for run in runs if run.events]


def _said(run: _Run, notes: list[str]) -> tuple[Said, ...]:
    """Return what was asked, if that is known, and the answer."""
    response = _response(run, notes)
    key = _told_id(run) or derived("resp", response.model, response.reasoning_text, response.output_text)
    at = pieces.moment(run.header.get("started_at")) or pieces.moment(response.created_at)
    asked = _asked(run, notes)
    answer = Said(
        id=key,
        parent=f"{key} asked" if asked else None,
        role="assistant",
        items=response.output,
        at=at,
        response=response,
    )
    if not asked:
        notes.append("an answer whose question the log does not have")
        return (answer,)
    return (Said(id=f"{key} asked", parent=None, role="user", items=asked, at=at), answer)


def _told_id(run: _Run) -> str | None:
    for event in run.events:
        response = event.get("response")
        if isinstance(response, dict) and (found := pieces.text(response.get("id"))):
            return found
    return None


def _asked(run: _Run, notes: list[str]) -> tuple[Item, ...]:
    request = run.header.get("request")
    if not isinstance(request, dict):
        return ()
    try:
        items = decode_request({"input": request.get("input") or []}).input
    except InvalidRequest:
        notes.append("a question that can't be read")
        return ()
    return tuple(item for item in items if not isinstance(item, ItemReference))


def _response(run: _Run, notes: list[str]) -> Response:
    """Return the response that a run told: as its last event has it, else made of all the others."""
    last = run.events[-1].get("response") if str(run.events[-1].get("type")) in _ENDS else None
    if isinstance(last, dict):
        try:
            return msgspec.convert(last, Response)
        except msgspec.ValidationError:
            pass  # another program's; what is known of such is read from the events
    else:
        notes.append("an answer whose end the log does not have")
    told = [each["response"] for each in run.events if isinstance(each.get("response"), dict)]
    first: dict[str, Any] = told[0] if told else {}
    builder = EventBuilder(draft(CreateResponse(), model=pieces.text(first.get("model")) or "unknown"))
    builder.start()
    decoder = ResponsesDecoder(builder)
    for event in run.events:
        decoder.feed(b"data: " + msgspec.json.encode(event) + b"\n\n")
    decoder.close()
    if last is None:
        builder.cut("interrupted")
    builder.finish()
    return replace(
        builder.response,
        id=_told_id(run) or builder.response.id,
        previous_response_id=pieces.text(first.get("previous_response_id")),
    )


def _talk(key: str, said: list[Said]) -> Talk:
    response = said[-1].response
    model = response.model if response is not None else None
    endpoint = model.partition("/")[0] if model and "/" in model else None
    begun = said[0].at
    return Talk(
        program="responses",
        key=key,
        endpoint=endpoint,
        model=model,
        begun=begun,
        said=tuple(said),
        current=said[-1].id,
    )
