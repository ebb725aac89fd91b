"""From what people say in Python to a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.decode import decode_request
from agentbench.protocol.items import user_message
from agentbench.protocol.request import CreateResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["request_of"]

# How a response is delivered is the method's business, not a parameter's.
_NOT_PARAMETERS = ("input", "stream", "stream_options", "background")


def request_of(question: str | Sequence[Any], /, *, images: Sequence[str] = (), **fields: Any) -> CreateResponse:
    """Return a request with a question, or with items; what is too long may be shortened unless a field says no.

    Raises `UnknownName` for a field that there isn't, `InvalidRequest` for a wrong value or an empty question.
    """
    known = [name for name in CreateResponse.__struct_fields__ if name not in _NOT_PARAMETERS]
    if unknown := next((name for name in fields if name not in known), None):
        raise UnknownName("parameter", unknown, known, param=unknown)
    raw = {"truncation": "auto", **msgspec.to_builtins(fields), "input": _input(question, images)}
    return decode_request(raw)


def _input(text: str | Sequence[Any], images: Sequence[str]) -> list[Any]:
    if not isinstance(text, str):
        return [msgspec.to_builtins(item) for item in text]
    if not text.strip():
        raise InvalidRequest("The question is empty.", param="input")
    for image in images:
        if not image.startswith(("https://", "http://", "data:")):
            raise InvalidRequest(f"{image[:60]!r} is not an image's URL: https or data.", param="images")
    return [msgspec.to_builtins(user_message(text, *images))]
