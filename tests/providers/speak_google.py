"""A server that speaks the Gemini API, under `v1` and `v1beta`.

Takes what google-genai's own types can hold, and refuses what the API refuses beyond that: empty texts, results that
aren't as many as the calls, a first call without its signature.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from google.genai import types
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.providers.scenes import Answer, Asked, answer, endless
from tests.providers.scenes import Refused as Unfit
from tests.providers.speaker import KEY, SCENES

from agentbench.config import Endpoint, Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from starlette.requests import Request

__all__ = ["CALL_SIGNATURE", "TEXT_SIGNATURE", "Speaker"]

TEXT_SIGNATURE = "EjQKMgG+PvYgdGV4dA=="
CALL_SIGNATURE = "EpoBCpcBAXLI2iBjYWxs"
STAND_IN = "skip_thought_signature_validator"
RPC = "type.googleapis.com/google.rpc."
SIGNATURE = {"thoughtSignature"}
ENDS = {"length": "MAX_TOKENS", "filter": "SAFETY", "stop": "STOP"}

Chunk = dict[str, Any]


class Refused(Exception):
    """The protocol's error."""

    def __init__(self, code: int, status: str, message: str, **detail: str) -> None:
        super().__init__(message)
        self.code = code
        self.body: Chunk = {"error": {"code": code, "message": message, "status": status}}
        if detail:
            kind = f"{RPC}{'RetryInfo' if code == 429 else 'ErrorInfo'}"
            self.body["error"]["details"] = [{"@type": kind} | detail]


def invalid(message: str, **detail: str) -> Refused:
    """Return the error for a request that is wrong."""
    return Refused(400, "INVALID_ARGUMENT", message, **detail)


ERRORS = {
    "overloaded": Refused(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "limited": Refused(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", retryDelay="7s"),
    "too_long": invalid("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
}


class Body(BaseModel):
    """The body of a request that generates content."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    contents: list[types.Content]
    system_instruction: types.Content | None = None
    generation_config: types.GenerationConfig | None = None
    tools: list[types.Tool] | None = None
    tool_config: types.ToolConfig | None = None
    safety_settings: list[types.SafetySetting] | None = None

    @property
    def parts(self) -> list[types.Part]:
        """All parts of all turns."""
        return [part for turn in self.contents for part in turn.parts or ()]


# -- what the API refuses ----------------------------------------------------------------------------------------------


def checked(raw: bytes) -> Body:
    """Return a request that the API would take."""
    try:
        body = Body.model_validate_json(raw)
    except ValidationError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from None
    if not body.contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified")
    for turn in body.contents:
        if turn.role not in {"user", "model"}:
            raise invalid("Please use a valid role: user, model.")
        for part in turn.parts or ():
            _check_part(part)
        _check_signatures(turn)
    _check_results(body.contents)
    return body


def _check_part(part: types.Part) -> None:
    given = part.model_dump(exclude_none=True, exclude={"thought", "thought_signature"})
    if len(given) != 1:
        raise invalid("* contents.parts: data is required, and one of its kinds")
    if given == {"text": ""} and not part.thought_signature:
        raise invalid("Unable to submit request because it has an empty text parameter.")


def _check_signatures(turn: types.Content) -> None:
    """Refuse a first call without its signature, thoughts without the text's, and signatures that are made up."""
    parts = turn.parts or []
    signatures = [part.thought_signature for part in parts if part.thought_signature]
    if not {*signatures} <= {*map(_bytes, (TEXT_SIGNATURE, CALL_SIGNATURE, STAND_IN))}:
        raise invalid("Corrupted thought signature.")
    calls = [part for part in parts if part.function_call]
    if calls and not calls[0].thought_signature:
        raise invalid("Function call is missing a thought_signature in functionCall parts.")
    if any(part.thought for part in parts) and not signatures:
        raise invalid("Thoughts are missing their thought_signature.")


def _bytes(signature: str) -> bytes | None:
    return types.Part.model_validate({"thoughtSignature": signature}).thought_signature


def _check_results(turns: list[types.Content]) -> None:
    """Refuse results that aren't as many as the calls in the turn before, under the same names."""
    for turn, following in zip(turns, [*turns[1:], types.Content(parts=[])], strict=True):
        calls = [part.function_call for part in turn.parts or () if part.function_call]
        results = [part.function_response for part in following.parts or () if part.function_response]
        if [(call.name, call.id) for call in calls] != [(result.name, result.id) for result in results]:
            raise invalid(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )


# -- requests and answers --------------------------------------------------------------------------------------------


def asked(body: Body) -> Asked:
    """Return what the scenes want to know of a request."""
    blob = next((part.inline_data for part in body.parts if part.inline_data), None)
    results = [part.function_response for part in body.parts if part.function_response]
    config = body.generation_config or types.GenerationConfig()
    return Asked(
        tools=any(tool.function_declarations for tool in body.tools or ()),
        results={result.id or "": _result(result.response or {}) for result in results},
        image=None if blob is None else (blob.mime_type or "", len(blob.data or b"")),
        schema=config.response_mime_type == "application/json" and config.response_json_schema is not None,
    )


def _result(response: dict[str, Any]) -> str:
    return str(response["result"]) if set(response) == {"result"} else msgspec.json.encode(response).decode()


def chunks(told: Answer) -> Iterator[Chunk]:
    """Yield an answer in the API's pieces; its end comes in a piece without content."""
    usage = {
        "promptTokenCount": told.tokens[0],
        "candidatesTokenCount": told.tokens[1] - told.reasoned,
        "thoughtsTokenCount": told.reasoned,
        "cachedContentTokenCount": told.cached,
        "totalTokenCount": sum(told.tokens),
    }
    said = {"usageMetadata": {key: count for key, count in usage.items() if count}, "modelVersion": "gemini-3-pro"}
    for part in _parts(told):
        yield {"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}]} | said
    if told.end == "error":
        yield ERRORS["overloaded"].body
    else:
        yield {"candidates": [{"finishReason": ENDS[told.end], "index": 0}]} | said


def _parts(told: Answer) -> Iterator[Chunk]:
    if told.thought:
        yield {"text": told.thought, "thought": True}
    for piece in told.pieces:
        yield {"text": piece}
    if told.thought:
        yield {"text": "", "thoughtSignature": TEXT_SIGNATURE}
    signature = {"thoughtSignature": CALL_SIGNATURE}  # the first of parallel calls alone has one
    for call_id, arguments in told.calls.items():
        call = {"id": call_id, "name": "get_weather", "args": msgspec.json.decode(arguments)}
        yield {"functionCall": call} | signature
        signature = {}


def whole(pieces: Iterable[Chunk]) -> Chunk:
    """Return an answer's pieces as one, where texts of one kind are one part."""
    parts: list[Chunk] = []
    last: Chunk = {}
    for last in pieces:
        for part in last["candidates"][0].get("content", {}).get("parts", ()):
            if "text" in part and parts and parts[-1].keys() - SIGNATURE == part.keys() - SIGNATURE:
                parts[-1] = parts[-1] | part | {"text": parts[-1]["text"] + part["text"]}
            else:
                parts.append(part)
    return last | {"candidates": [last["candidates"][0] | {"content": {"parts": parts, "role": "model"}}]}


def frame(piece: Chunk) -> bytes:
    """Return a piece as an event; an error comes bare, as it does from the API."""
    if "error" in piece:
        return msgspec.json.format(msgspec.json.encode(piece), indent=2) + b"\n"
    return b"data: " + msgspec.json.encode(piece) + b"\r\n\r\n"


async def framed(pieces: Iterable[Chunk]) -> AsyncIterator[bytes]:
    """Stream the pieces, each in a write of its own."""
    for piece in pieces:
        yield frame(piece)
        await asyncio.sleep(0)


# -- the server --------------------------------------------------------------------------------------------------------


class Speaker:
    """Speaks the Gemini API."""

    cannot: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.left = threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.app = Starlette(
            routes=[
                Route("/{version}/models", self._models),
                Route("/{version}/models/{call:path}", self._generate, methods=["POST"]),
            ],
            exception_handlers={Refused: _refuse, Unfit: _refuse},
        )

    def endpoint(self, url: str, key: str = KEY) -> Endpoint:
        """Return the server as an endpoint."""
        return Endpoint(name="google", provider="google", base_url=f"{url}/v1beta", api_key=Secret(key), models=SCENES)

    async def _models(self, request: Request) -> Response:
        """List the models in two pages."""
        _admit(request)
        generating = ["generateContent", "countTokens"]
        rows = [{"name": f"models/{name}", "supportedGenerationMethods": generating} for name in SCENES]
        rows.append({"name": "models/embeds", "supportedGenerationMethods": ["embedContent"]})
        if request.query_params.get("pageToken") == "second/page":
            return JSONResponse({"models": rows[5:]})
        return JSONResponse({"models": rows[:5], "nextPageToken": "second/page"})

    async def _generate(self, request: Request) -> Response:
        _admit(request)
        scene, _, method = request.path_params["call"].rpartition(":")
        if scene not in SCENES or method not in {"generateContent", "streamGenerateContent"}:
            raise Refused(404, "NOT_FOUND", f"models/{scene} is not found for API version v1beta.")
        raw = await request.body()
        body = checked(raw)
        self.seen.append(msgspec.json.decode(raw))
        if scene in ERRORS:
            raise ERRORS[scene]
        pieces = chunks(answer(scene, asked(body)))
        if method == "generateContent":
            return JSONResponse(whole(pieces))
        if request.query_params.get("alt") != "sse":
            return JSONResponse(list(pieces))
        stream = endless(self.left, map(frame, pieces)) if scene == "endless" else framed(pieces)
        return StreamingResponse(stream, media_type="text/event-stream")


async def _refuse(_: Request, error: Exception) -> Response:
    refused = error if isinstance(error, Refused) else invalid(str(error))
    return JSONResponse(refused.body, refused.code)


def _admit(request: Request) -> None:
    if request.path_params["version"] not in {"v1", "v1beta"}:
        raise Refused(404, "NOT_FOUND", "Requested entity was not found.")
    key = request.headers.get("x-goog-api-key")
    if key is None:
        raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
    if key != KEY:
        raise invalid("API key not valid. Please pass a valid API key.", reason="API_KEY_INVALID")
