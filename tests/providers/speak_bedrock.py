"""Amazon Bedrock on loopback. Signatures are checked, bodies must fit the service model, answers are binary frames."""

from __future__ import annotations

import base64
import hmac
import threading
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session
from botocore.validate import ParamValidator
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.providers.bedrock_frames import frame
from tests.providers.scenes import Answer, Asked, Refused, answer, endless
from tests.providers.speaker import KEY, SCENES

from agentbench.config import AwsKeys, Endpoint, Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from starlette.requests import Request

__all__ = ["ACCESS_KEY", "ARN", "REGION", "SECRET_KEY", "Speaker", "complaint"]

ACCESS_KEY, SECRET_KEY, REGION = "AKIDEXAMPLE", "the-secret-that-speakers-know", "eu-west-9"
ARN = f"arn:aws:bedrock:{REGION}:123456789012:inference-profile/eu.acme.text-v1:0"
REASONS = {"stop": "end_turn", "length": "max_tokens", "filter": "guardrail_intervened"}
SIGNATURE = base64.b64encode(b"signed by a speaker").decode()
LISTED = {
    "modelSummaries": [
        {"modelId": name, "outputModalities": ["TEXT"], "responseStreamingSupported": True, **more}
        for name, more in (
            ("text", {"inferenceTypesSupported": ["ON_DEMAND"]}),
            ("profile-only", {"inferenceTypesSupported": ["INFERENCE_PROFILE"]}),
            ("no-stream", {"inferenceTypesSupported": ["ON_DEMAND"], "responseStreamingSupported": False}),
            ("embeds", {"inferenceTypesSupported": ["ON_DEMAND"], "outputModalities": ["EMBEDDING"]}),
            ("cached", {"inferenceTypesSupported": ["ON_DEMAND", "PROVISIONED"]}),
        )
    ]
}
CHAT_ANSWER = b'data: {"choices":[{"index":0,"delta":{"content":"Hello from here."},"finish_reason":"stop"}]}\n\n'
ERRORS = {
    "overloaded": (503, "ServiceUnavailableException", "The service is busy."),
    "limited": (429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "too_long": (400, "ValidationException", "Input is too long for requested model."),
    "expired": (403, "ExpiredTokenException", "The security token included in the request is expired"),
    "closed": (403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
}


@cache
def input_shape() -> Any:
    """Return the service model's description of ConverseStream's parameters."""
    return Session().get_service_model("bedrock-runtime").operation_model("ConverseStream").input_shape


def complaint(parameters: dict[str, Any]) -> str | None:
    """Return what is wrong with ConverseStream's parameters, by the service model and by the rules beside it."""
    report = ParamValidator().validate(parameters, input_shape())
    if report.has_errors():
        return report.generate_report()
    messages = parameters["messages"]
    if [message["role"] for message in messages] != [("user", "assistant")[n % 2] for n in range(len(messages))]:
        return "A conversation must alternate between user and assistant roles."
    blocks = list(_blocks(parameters))
    if any("text" in block and not block["text"].strip() for block in blocks):
        return "The text field in the ContentBlock object is blank."
    if "toolConfig" not in parameters and any(block.keys() & {"toolUse", "toolResult"} for block in blocks):
        return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    names = [block["document"]["name"] for block in blocks if "document" in block]
    return "Document names must be unique." if len(names) != len(set(names)) else None


def _blocks(parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from parameters.get("system", ())
    for message in parameters["messages"]:
        for block in message["content"]:
            yield block
            yield from block.get("toolResult", {}).get("content", ())


class Speaker:
    """The service."""

    def __init__(self) -> None:
        self.cannot: frozenset[str] = frozenset()
        self.left = threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.app = Starlette(
            routes=[
                Route("/model/{model:path}/converse-stream", self._converse, methods=["POST"]),
                Route("/openai/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/openai/v1/models", self._chat_models),
                Route("/foundation-models", self._models),
            ]
        )

    def endpoint(self, url: str, key: str = KEY) -> Endpoint:
        """Return the service as an endpoint with a bearer token."""
        return Endpoint(
            name="bedrock",
            provider="bedrock",
            base_url=url,
            api_key=Secret(key),
            models=SCENES,
            region=REGION,
            origin="environment variable AWS_BEARER_TOKEN_BEDROCK",
        )

    def signing(self, url: str, secret: str = SECRET_KEY) -> Endpoint:
        """Return the service as an endpoint with AWS keys."""
        keys = AwsKeys(access_key_id=ACCESS_KEY, secret_access_key=Secret(secret), session_token=Secret("a-session"))
        return msgspec.structs.replace(self.endpoint(url), api_key=None, aws_keys=keys)

    async def _models(self, request: Request) -> Response:
        return await refused(request) or JSONResponse(LISTED)

    async def _chat_models(self, request: Request) -> Response:
        return await refused(request) or JSONResponse({"data": [{"id": "openai.b"}, {"id": "openai.a"}]})

    async def _chat(self, request: Request) -> Response:
        self.seen.append(await request.json())
        return await refused(request) or Response(CHAT_ANSWER, media_type="text/event-stream")

    async def _converse(self, request: Request) -> Response:
        if no := await refused(request):
            return no
        body, scene = await request.json(), request.path_params["model"]
        self.seen.append(body)
        if no := wrong(scene, body):
            return no
        try:
            frames = _frames(answer("text" if scene == ARN else scene, _asked(body)))
        except Refused as reason:
            return error(400, "ValidationException", str(reason))
        chunks = endless(self.left, frames) if scene == "endless" else _one_by_one(frames)
        return StreamingResponse(chunks, media_type="application/vnd.amazon.eventstream")


# -- who asks --------------------------------------------------------------------------------------------------


async def refused(request: Request) -> Response | None:
    """Return the refusal of a request that has neither the token nor a true signature of now."""
    given = request.headers.get("authorization", "")
    if given.startswith("Bearer "):
        known = hmac.compare_digest(given, f"Bearer {KEY}")
        return None if known else JSONResponse({"Message": "Authentication failed: no such API Key."}, 403)
    if given and given.rpartition("Signature=")[2] == await signature(request):
        return None
    return error(403, "InvalidSignatureException", "The request signature we calculated does not match.")


async def signature(request: Request) -> str:
    """Return the signature that the request should have: botocore's, of what arrived, for the known secret."""
    headers = request.headers
    named = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    query = request.scope["query_string"].decode()
    url = f"http://{headers['host']}{request.scope['raw_path'].decode()}{f'?{query}' if query else ''}"
    received = AWSRequest(
        method=request.method, url=url, data=await request.body(), headers={name: headers[name] for name in named}
    )
    received.context["timestamp"] = headers["x-amz-date"]
    age = datetime.now(UTC) - datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(age.total_seconds()) < 300
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", REGION)
    return str(signer.signature(signer.string_to_sign(received, signer.canonical_request(received)), received))


def error(status: int, name: str, message: str) -> Response:
    """Return an error as AWS shapes it."""
    headers = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/"}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["retry-after"] = "7"
    return JSONResponse({"message": message}, status, headers)


def wrong(scene: str, body: dict[str, Any]) -> Response | None:
    """Return what the service says of a request that it doesn't answer."""
    if complains := complaint({"modelId": scene, **body}):
        return error(400, "ValidationException", complains)
    if scene in ERRORS:
        return error(*ERRORS[scene])
    if scene not in {*SCENES, ARN}:
        return error(404, "ResourceNotFoundException", "Could not resolve the foundation model.")
    if scene == "thinks" and _forgot(body):
        return error(400, "ValidationException", "Expected the thinking block with its signature.")
    return None


async def _one_by_one(frames: Iterable[bytes]) -> AsyncIterator[bytes]:
    for each in frames:
        yield each
        await anyio.lowlevel.checkpoint()


# -- what it answers -------------------------------------------------------------------------------------------


def _asked(body: dict[str, Any]) -> Asked:
    blocks = [block for message in body["messages"] for block in message["content"]]
    images = [block["image"] for block in blocks if "image" in block]
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    form = body.get("outputConfig", {}).get("textFormat", {})
    return Asked(
        tools="toolConfig" in body,
        results={each["toolUseId"]: each["content"][0]["text"] for each in results},
        image=(f"image/{images[0]['format']}", _size(images[0])) if images else None,
        schema=bool(form) and "properties" in msgspec.json.decode(form["structure"]["jsonSchema"]["schema"]),
    )


def _size(image: dict[str, Any]) -> int:
    return len(base64.b64decode(image["source"]["bytes"], validate=True))


def _forgot(body: dict[str, Any]) -> bool:
    """Tell whether a thought came back other than as it was signed."""
    thought = {"reasoningContent": {"reasoningText": {"text": "Let me see.", "signature": SIGNATURE}}}
    blocks = [block for each in body["messages"] for block in each["content"]]
    return any("reasoningContent" in block and block != thought for block in blocks)


def _frames(told: Answer) -> Iterator[bytes]:
    yield frame("messageStart", {"role": "assistant"})
    for index, (start, pieces) in enumerate(_said(told)):
        if start is not None:
            yield frame("contentBlockStart", {"start": start, "contentBlockIndex": index})
        for piece in pieces:
            yield frame("contentBlockDelta", {"delta": piece, "contentBlockIndex": index})
        if told.end != "error":
            yield frame("contentBlockStop", {"contentBlockIndex": index})
    if told.end == "error":
        failure = {"message": "The model stopped.", "originalStatusCode": 500}
        yield frame("modelStreamErrorException", failure, kind="exception")
    else:
        yield frame("messageStop", {"stopReason": "tool_use" if told.calls else REASONS[told.end]})
        yield frame("metadata", {"usage": _usage(told), "metrics": {"latencyMs": 1}})


def _said(told: Answer) -> Iterator[tuple[Any, Iterable[dict[str, Any]]]]:
    """Yield what each block begins with, if anything, and its pieces."""
    if told.thought:
        thought = [{"text": told.thought[:5]}, {"text": told.thought[5:]}, {"signature": SIGNATURE}]
        yield None, [{"reasoningContent": piece} for piece in thought]
    if told.pieces:
        yield None, ({"text": piece} for piece in told.pieces)
    for call_id, arguments in told.calls.items():
        start = {"toolUse": {"toolUseId": call_id, "name": "get_weather"}}
        yield start, [{"toolUse": {"input": piece}} for piece in ("", arguments[:8], arguments[8:])]


def _usage(told: Answer) -> dict[str, int]:
    sent, written = told.tokens
    usage = {"inputTokens": sent - told.cached - told.written, "outputTokens": written, "totalTokens": sent + written}
    return usage | {"cacheReadInputTokens": told.cached, "cacheWriteInputTokens": told.written}
