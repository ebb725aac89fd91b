"""A server of Azure's routes: deployments in the address, `/openai/v1` and `/openai/responses`; it only streams."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from tests.providers import speak_openai_chat, speak_openai_responses
from tests.providers.scenes import Refused, answer, endless
from tests.providers.speaker import KEY, SCENES

from agentbench.config import Endpoint
from agentbench.config.azure import AzurePlace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request
    from tests.providers.openai_server import OpenAIServer

__all__ = ["TOKEN", "Speaker"]

TOKEN = "token-of-entra"
"""A bearer token that stands for the key."""

_FOUND = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
_NO_ROUTE = (404, {"code": "404", "message": "Resource not found"})
_NO_KEY = (401, {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."})
_NO_DEPLOYMENT = (
    404,
    {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."},
)
_FILTERED = {
    "message": "The response was filtered due to the prompt triggering the content management policy.",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": _FOUND | {"violence": {"filtered": True, "severity": "medium"}},
    },
}
_TOO_LONG = {
    "message": "This model's maximum context length is 128000 tokens. However, your messages resulted in more.",
    "type": "invalid_request_error",
    "param": "messages",
    "code": "context_length_exceeded",
}
_ERRORS: Mapping[str, tuple[int, dict[str, Any]]] = {
    "overloaded": (503, {"code": "ServiceUnavailable", "message": "The service is temporarily unable to answer."}),
    "limited": (429, {"code": "429", "message": "Requests have exceeded the call rate limit."}),
    "too_long": (400, _TOO_LONG),
    "filtered": (400, _FILTERED),
}
_SINCE_SEPTEMBER = ("max_completion_tokens", "stream_options")


class Speaker:
    """Speaks as an Azure resource does; `filtered` is one more scene, whose prompt the content filter stops."""

    cannot: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.left = threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        """Address and headers of each request."""
        self._formats = (speak_openai_chat.Speaker(), speak_openai_responses.Speaker())
        paths = (
            "/openai/deployments/{deployment}/chat/completions",
            "/openai/v1/chat/completions",
            "/openai/responses",
            "/openai/v1/responses",
        )
        self.app = Starlette(routes=[Route(path, self._create, methods=["POST"]) for path in paths])

    def endpoint(
        self, url: str, key: str = KEY, *, version: str = "2024-10-21", use_responses_api: bool = False
    ) -> Endpoint:
        """Return the server as an endpoint; the version decides which routes it uses."""
        place = AzurePlace(base_url=url, version=version)
        names = (*SCENES, "filtered")
        deployments = {name: place.deployment(name, api_key=key, use_responses_api=use_responses_api) for name in names}
        return Endpoint(name="azureOpenAI", provider="azure_openai", models=SCENES, deployments=deployments)

    async def _create(self, request: Request) -> Response:
        body: dict[str, Any] = msgspec.json.decode(await request.body())
        self.seen.append(body)
        self.asked.append((f"{request.url.path}?{request.url.query}", dict(request.headers)))
        scene = str(request.path_params.get("deployment") or body.get("model"))
        if (wrong := _wrong(request, scene) or _too_new(request, body)) is not None:
            return _error(*wrong)
        try:
            frames = self._frames(request.url.path, scene, body | {"model": scene})
        except (ValidationError, Refused) as error:
            return _error(400, _invalid(str(error)))
        stream = endless(self.left, frames) if scene == "endless" else frames
        return StreamingResponse(stream, media_type="text/event-stream")

    def _frames(self, path: str, scene: str, body: dict[str, Any]) -> Iterable[bytes]:
        is_responses = path.endswith("/responses")
        spoken: OpenAIServer = self._formats[is_responses]
        _look_through(spoken.params.validate_python(spoken.checkable(body), extra="forbid"))
        frames = spoken.frames(body, answer(scene, spoken.asked(body)))
        return frames if is_responses else _with_findings(frames)


def _wrong(request: Request, scene: str) -> tuple[int, dict[str, Any]] | None:
    """Return what is wrong before the body counts: v1 takes no dated version, the other routes need one."""
    is_v1 = request.url.path.startswith("/openai/v1/")
    if is_v1 == request.query_params.get("api-version", "").startswith("20"):
        return _NO_ROUTE
    if not _knows(request, is_v1=is_v1):
        return _NO_KEY
    return _ERRORS.get(scene) if scene in {*SCENES, "filtered"} else _NO_DEPLOYMENT


def _knows(request: Request, *, is_v1: bool) -> bool:
    """Tell whether the credential counts: a bearer is a token of Entra's, in front of v1 the key too."""
    bearer = request.headers.get("authorization")
    if bearer is None:
        return request.headers.get("api-key") == KEY
    return bearer == f"Bearer {TOKEN}" or (is_v1 and bearer == f"Bearer {KEY}")


def _too_new(request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """Refuse what a version doesn't know yet."""
    unknown = [key for key in _SINCE_SEPTEMBER if key in body]
    if not unknown or request.query_params.get("api-version", "v1") >= "2024-09":
        return None
    return 400, _invalid(f"Unrecognized request argument supplied: {', '.join(unknown)}")


def _look_through(value: Any) -> None:
    """Look at all of a validated value: pydantic checks what is iterable only as it is read."""
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, Iterable) and not isinstance(value, str):
        for each in value:
            _look_through(each)


def _with_findings(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Add what the content filter finds: in a chunk without choices, in each choice, and late in one without delta."""
    prompt = [{"prompt_index": 0, "content_filter_results": _FOUND}]
    yield _frame({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": prompt})
    for frame in frames:
        if b"[DONE]" in frame:
            yield frame
            continue
        chunk = msgspec.json.decode(frame.removeprefix(b"data: "))
        for choice in chunk.get("choices", ()):
            choice["content_filter_results"] = _FOUND
            if choice["finish_reason"]:
                offsets = {"check_offset": 44, "start_offset": 44, "end_offset": 198}
                late = {"index": 0, "finish_reason": None, "content_filter_results": _FOUND}
                yield _frame(chunk | {"choices": [late | {"content_filter_offsets": offsets}]})
        yield _frame(chunk)


def _frame(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def _invalid(message: str) -> dict[str, Any]:
    return {"message": message, "type": "invalid_request_error", "param": None, "code": None}


def _error(status: int, error: dict[str, Any]) -> Response:
    waits = {"retry-after": "7", "retry-after-ms": "7000"} if status == 429 else None
    return Response(msgspec.json.encode({"error": error}), status, waits, media_type="application/json")
