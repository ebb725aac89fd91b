"""The frames of a streamed response, byte by byte, and in the eyes of the spec's own types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import openresponses_types
import pytest
from tests.grammar import check_grammar
from tests.surfaces.scripts import TOLD

from agentbench.protocol import Event, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2
    from pydantic import BaseModel

FRAME = re.compile(rb"event: ([a-z._]+)\ndata: (\{[^\n]*\})\n\n")


def spec_models() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield each event type of the spec with its model."""
    for name, model in vars(openresponses_types).items():
        if name.endswith("StreamingEvent"):
            (kind,) = model.model_fields["type"].annotation
            yield kind.value, model


SPEC = dict(spec_models())


def pieces(http: httpx2.Client, name: str) -> list[bytes]:
    """Return the body of a streamed response as the gateway sent it, frame by frame."""
    body = {"model": f"scripted/{name}", "input": "Hi", "stream": True}
    with http.stream("POST", "responses", json=body) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        return [frame + b"\n\n" for frame in response.read().split(b"\n\n")[:-1]]


@pytest.mark.parametrize("name", sorted(TOLD))
def test_frames(http: httpx2.Client, name: str) -> None:
    """Between frames there is nothing; each one's `event` line repeats the type; the literal [DONE] ends the stream."""
    *sent, last = pieces(http, name)
    assert last == b"data: [DONE]\n\n"
    for piece in sent:
        found = FRAME.fullmatch(piece)
        assert found
        assert msgspec.json.decode(found[2])["type"] == found[1].decode()


@pytest.mark.parametrize("name", sorted(TOLD))
def test_the_spec(http: httpx2.Client, name: str) -> None:
    """Each event is valid by the spec, and all together obey its grammar."""
    data = [piece.partition(b"data: ")[2] for piece in pieces(http, name)[:-1]]
    for each in data:
        SPEC[msgspec.json.decode(each)["type"]].model_validate_json(each, strict=True)
    check_grammar([msgspec.json.decode(each, type=Event) for each in data])


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_whole_response(http: httpx2.Client, name: str) -> None:
    """The unstreamed response is valid by the spec too."""
    body = http.post("responses", json={"model": f"scripted/{name}", "input": "Hi"}).content
    openresponses_types.ResponseResource.model_validate_json(body, strict=True)


def test_the_request_is_echoed(http: httpx2.Client) -> None:
    """What was asked for stands in the response."""
    asked: dict[str, Any] = {
        "instructions": "Be brief.",
        "temperature": 0.5,
        "metadata": {"course": "4"},
        "tools": [{"type": "function", "name": "now", "description": None, "parameters": None, "strict": None}],
        "tool_choice": {"type": "function", "name": "now"},
        "max_output_tokens": 99,
        "store": False,
    }
    body = {"model": "scripted/text", "input": "Hi", **asked}
    raw = http.post("responses", json=body).content
    echoed = msgspec.json.decode(raw)
    assert {name: echoed[name] for name in asked} == asked
    assert msgspec.json.decode(raw, type=Response).model == "scripted/text"
