"""What the speakers of OpenAI's two wire formats share: keys, checks, errors and frames."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from tests.providers.scenes import Answer, Asked, Refused, answer, endless
from tests.providers.speaker import KEY, SCENES

from agentbench.config import Endpoint, Secret

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["OpenAIServer", "data_url"]

_ERRORS = {
    "overloaded": (503, "server_error", None, "The engine is currently overloaded, please try again later"),
    "limited": (429, "requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 7s."),
    "too_long": (400, "invalid_request_error", "context_length_exceeded", "Your input exceeds the context window."),
}


class OpenAIServer(ABC):
    """Streams the scenes in one of OpenAI's wire formats; refuses what the `openai` package's types don't hold."""

    cannot: frozenset[str] = frozenset()
    provider: Literal["openai_chat", "openai_responses"]
    path: str
    params: TypeAdapter[Any]
    """The type of a request."""

    def __init__(self) -> None:
        self.left = threading.Event()
        self.seen: list[dict[str, Any]] = []
        routes = [Route(f"/v1{self.path}", self._create, methods=["POST"]), Route("/v1/models", self._models)]
        self.app = Starlette(routes=routes)

    def endpoint(self, url: str, key: str = KEY) -> Endpoint:
        """Return the server as an endpoint."""
        return Endpoint(
            name=self.provider, provider=self.provider, base_url=f"{url}/v1", api_key=Secret(key), models=SCENES
        )

    @abstractmethod
    def asked(self, body: dict[str, Any]) -> Asked:
        """Return what the scenes want to know of a request."""

    @abstractmethod
    def frames(self, body: dict[str, Any], said: Answer) -> Iterable[bytes]:
        """Return the events of an answer."""

    def checkable(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the request with what the server itself fills in."""
        return body

    async def _models(self, request: Request) -> Response:
        if not _knows(request):
            return _wrong_key()
        rows = [{"id": scene, "object": "model", "created": 1700000000, "owned_by": "tests"} for scene in SCENES]
        return _json({"object": "list", "data": rows})

    async def _create(self, request: Request) -> Response:
        if not _knows(request):
            return _wrong_key()
        body = msgspec.json.decode(await request.body())
        self.seen.append(body)
        scene = body.get("model")
        try:
            _exhaust(self.params.validate_python(self.checkable(body), extra="forbid"))
            if scene not in SCENES:
                return _error(404, "invalid_request_error", "model_not_found", f"The model `{scene}` does not exist.")
            if scene in _ERRORS:
                return _error(*_ERRORS[scene])
            frames = self.frames(body, answer(scene, self.asked(body)))
            stream = endless(self.left, frames) if scene == "endless" else frames
            return StreamingResponse(stream, media_type="text/event-stream")
        except (ValidationError, Refused) as error:
            return _error(400, "invalid_request_error", None, str(error))


def data_url(url: str) -> tuple[str, int]:
    """Return the media type and the size of what a data: URL holds."""
    head, _, data = url.partition(";base64,")
    if not head.startswith("data:") or not data:
        raise Refused("This model doesn't fetch images.")
    return head.removeprefix("data:"), len(b64decode(data, validate=True))


def _exhaust(value: Any) -> None:
    """Go through the parts that pydantic checks only as they are read."""
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, Iterable) and not isinstance(value, str):
        for each in value:
            _exhaust(each)


def _knows(request: Request) -> bool:
    return request.headers.get("authorization") == f"Bearer {KEY}"


def _wrong_key() -> Response:
    return _error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _error(status: int, kind: str, code: str | None, message: str) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return _json({"error": error}, status, {"retry-after": "7"} if status == 429 else None)
