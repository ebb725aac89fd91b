"""What the routes of the Assistants API share: the bodies and queries that they read, and what they tell of deletions.

Keys that a type doesn't know are passed over, and a null is as good as nothing, except in a change, where it clears.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import convert, decode_json
from agentbench.surfaces.base import json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

__all__ = ["body_of", "change_of", "deleted", "id_in", "query_of"]

T = TypeVar("T")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"Invalid value '(?P<type>[^']*)'")
_TYPE = re.compile(r"(?:^|\.)(?P<list>tools|content)\[\d+\]\.type$")
_KNOWN = {"tools": "code_interpreter, file_search and function", "content": "text, image_file and image_url"}


async def body_of(request: Request, kind: type[T]) -> T:
    """Return a body as a value of that type; no body at all is an empty one. Raises `InvalidRequest`."""
    given = {name: value for name, value in (await _object_of(request)).items() if value is not None}
    return _typed(given, kind)


async def change_of(request: Request, kind: type[T]) -> T:
    """Return a body as `body_of` does, with its nulls."""
    return _typed(await _object_of(request), kind)


def query_of(request: Request, kind: type[T]) -> T:
    """Return the query as a value of that type; what is empty counts as absent. Raises `InvalidRequest`."""
    try:
        return msgspec.convert(_given(request, kind), kind, strict=False)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        name = re.split(r"[.`\[]", path)[0]
        raise InvalidRequest(f"{name}: {what}.", param=name) from None


def id_in(request: Request, name: str) -> str:
    """Return an id that stands in the address."""
    found: str = request.path_params[name]
    return found


def deleted(kind: str, object_id: str) -> HTTPResponse:
    """Return what a deletion is answered with."""
    return json_response({"id": object_id, "object": f"{kind}.deleted", "deleted": True})


async def _object_of(request: Request) -> dict[str, Any]:
    return decode_json(await request.body() or b"{}")


def _typed(raw: Mapping[str, Any], kind: type[T]) -> T:
    try:
        return convert(raw, kind)
    except InvalidRequest as error:
        raise _clearer(error) from None


def _clearer(error: InvalidRequest) -> InvalidRequest:
    """Return the error with the names that there are, or that of what is missing."""
    if missing := _MISSING.search(error.message):
        name = f"{error.param}.{missing['name']}" if error.param else missing["name"]
        return InvalidRequest(f"`{name}` is missing.", param=name)
    place, unknown = _TYPE.search(error.param or ""), _UNKNOWN.search(error.message)
    if place is None or unknown is None:
        return error
    known = f"There is no type {unknown['type']!r} here: there are {_KNOWN[place['list']]}."
    if unknown["type"] == "retrieval":
        known = "The type 'retrieval' of version 1 is called file_search in version 2: write that."
    return InvalidRequest(f"{error.param}: {known}", param=error.param)


def _given(request: Request, kind: type) -> dict[str, Any]:
    """Return what the query says; lists may come with brackets at their names or without."""
    query = request.query_params
    given: dict[str, Any] = {name: value for name, value in query.items() if value}
    if "include" in kind.__struct_fields__:  # type: ignore[attr-defined]
        given["include"] = [*query.getlist("include[]"), *query.getlist("include")]
    return given
