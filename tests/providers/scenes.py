"""What the scenes of `speaker.py` ask of a request and answer, in no protocol's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Literal

import anyio

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Iterable, Mapping

__all__ = ["CALLS", "Answer", "Asked", "Refused", "answer", "endless", "image_type"]

CALLS = {"call_seoul": '{"city":"Seoul"}', "call_jeju": '{"city":"Jeju"}'}
"""The arguments of each call of get_weather, by the call's id."""


class Refused(Exception):
    """The request isn't fit for its scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a request the scenes want to know."""

    tools: bool = False
    results: Mapping[str, str] = field(default_factory=dict)
    """By the call's id."""
    image: tuple[str, int] | None = None
    """Media type and size in bytes."""
    schema: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a scene answers."""

    thought: str = ""
    pieces: Iterable[str] = ()
    calls: Mapping[str, str] = field(default_factory=dict)
    end: Literal["stop", "length", "filter", "error"] = "stop"
    tokens: tuple[int, int] = (12, 5)
    cached: int = 0
    written: int = 0
    reasoned: int = 0


_HELLO = ("Hello", " from", " here.")
_PLAIN = {
    "text": Answer(pieces=_HELLO),
    "cached": Answer(pieces=_HELLO, tokens=(1200, 7), cached=1000, written=100, reasoned=3),
    "thinks": Answer(thought="Let me see.", pieces=("42", ".")),
    "cut": Answer(pieces=("Once", " upon"), end="length"),
    "blocked": Answer(pieces=("I", " would"), end="filter"),
    "breaks": Answer(pieces=("So", " far"), end="error"),
    "endless": Answer(pieces=repeat("on and ")),
}


def answer(scene: str, asked: Asked) -> Answer:
    """Return what the scene answers to a request; raise `Refused` if that lacks what the scene is about."""
    if scene == "calls":
        return _calls(asked)
    if scene == "sees":
        if asked.image is None:
            raise Refused("There is no image to see.")
        media_type, size = asked.image
        return Answer(pieces=(media_type, " ", str(size)))
    if scene == "json":
        if not asked.schema:
            raise Refused("This model writes by a schema only.")
        return Answer(pieces=('{"city":', '"Seoul"}'))
    return _PLAIN[scene]


def _calls(asked: Asked) -> Answer:
    if not asked.tools:
        raise Refused("This model wants tools.")
    if not asked.results:
        return Answer(calls=CALLS)
    if asked.results.keys() != CALLS.keys():
        raise Refused("Each call must have one result.")
    return Answer(pieces=(f"Seoul: {asked.results['call_seoul']}", f", Jeju: {asked.results['call_jeju']}"))


async def endless(left: threading.Event, frames: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield what never ends, and set the event when the client has left."""
    try:
        for frame in frames:
            yield frame
            await anyio.sleep(0.01)
    finally:
        left.set()


def image_type(data: bytes) -> str:
    """Return the media type that an image's first bytes tell."""
    return "image/png" if data.startswith(b"\x89PNG") else "application/octet-stream"
