"""What the routes of Open WebUI's API share: their addresses, the bodies that they read, and `{"detail": …}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from agentbench.errors import InvalidRequest, MissingCredential
from agentbench.runner.documents import reader_of
from agentbench.surfaces.base import Route, amounts_of, json_response, when_to_return

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.errors import AgentbenchError
    from agentbench.runner import Runner

    Handler = Callable[[Request, Runner, Principal], Awaitable[HTTPResponse]]

__all__ = [
    "Malformed",
    "ModelNotFound",
    "body_of",
    "detail_error",
    "json_of",
    "object_of",
    "query_of",
    "reader_of",
    "route",
]

T = TypeVar("T")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")


class Malformed(InvalidRequest):
    """A body or query that isn't what the route reads; `place` is the path to what is wrong, from `body` or `query` on.

    What was given isn't repeated: it may hold a secret.
    """

    status = 422

    def __init__(self, message: str, place: tuple[str | int, ...], kind: str = "value_error") -> None:
        super().__init__(message, param=".".join(map(str, place[1:])) or None)
        self.detail = [{"type": kind, "loc": list(place), "msg": message, "input": None}]


class ModelNotFound(InvalidRequest):
    """Nobody of that name answers this caller; clients look for this very sentence."""

    def __init__(self) -> None:
        super().__init__("Model not found", param="model")


def route(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    *,
    body: Any = None,
    query: type | None = None,
    is_open: bool = False,
) -> Route:
    """Return a route of this API; `body` and `query` are the types that it reads, for the generated documents.

    One that `is_open` needs no credential.
    """
    return Route(method, path, handler, detail_error, summary, body=body, query=query, open=is_open)


def detail_error(error: AgentbenchError) -> HTTPResponse:
    """Return an error as Open WebUI's clients expect it."""
    detail: object = error.message
    if isinstance(error, Malformed):
        detail = error.detail
    elif isinstance(error, MissingCredential):
        detail = "Not authenticated"
    return json_response({"detail": detail} | amounts_of(error), error.status, when_to_return(error))


async def body_of(request: Request, kind: type[T]) -> T:
    """Return a JSON body as a value of that type, whatever content type it says; raises `Malformed`.

    What the type doesn't know is ignored.
    """
    return _typed(await json_of(request), kind, "body")


async def json_of(request: Request) -> Any:
    """Return a JSON body, whatever content type it says; raises `Malformed`."""
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Malformed(f"The body is not valid JSON: {error}.", ("body",), "json_invalid") from None


async def object_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in a body, whatever content type it says; raises `Malformed`."""
    decoded = await json_of(request)
    if not isinstance(decoded, dict):
        raise Malformed("Expected `object`", ("body",))
    return decoded


def query_of(request: Request, kind: type[T]) -> T:
    """Return the query as a value of that type, in which numbers and booleans are written as text."""
    return _typed(dict(request.query_params), kind, "query", strict=False)


def _typed(raw: Any, kind: type[T], where: str, *, strict: bool = True) -> T:
    try:
        return msgspec.convert(raw, kind, strict=strict)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        place = (where, *(int(index) if index else name for name, index in _STEP.findall(path)))
        if missing := _MISSING.fullmatch(what):
            raise Malformed("Field required", (*place, missing[1]), "missing") from None
        raise Malformed(what, place) from None
