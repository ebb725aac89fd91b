"""OpenAI's Chat Completions: `POST /chat/completions`, as JSON or as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest, UpstreamError
from agentbench.protocol.content import OutputText
from agentbench.protocol.decode import decode_json
from agentbench.protocol.items import Message
from agentbench.runner import Turn
from agentbench.surfaces.base import Route, finished, json_response, openai_error, streamed
from agentbench.surfaces.chat_chunks import ChatEncoder, citations, finish_reason, usage_body
from agentbench.surfaces.chat_request import decode_chat

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol import Response
    from agentbench.runner import Runner

__all__ = ["ROUTES", "completion"]


async def create_completion(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /chat/completions`."""
    wanted = decode_chat(decode_json(await request.body()))
    if wanted.model is None:
        raise InvalidRequest("Say who should answer: `model` is missing.", param="model")
    run = runner.start(Turn(request=wanted, principal=principal))
    if wanted.stream:
        with_usage = wanted.stream_options is not None and wanted.stream_options.include_usage
        return await streamed(run, ChatEncoder(run.response, with_usage=with_usage), request=request)
    return json_response(completion(await finished(run, request=request)))


def completion(response: Response) -> dict[str, Any]:
    """Return a finished response as a `chat.completion`; raises `UpstreamError` if it failed."""
    if response.error is not None:
        raise UpstreamError(response.error.message)
    refusal = "".join(item.refusal for item in response.output if isinstance(item, Message))
    message: dict[str, Any] = {
        "role": "assistant",
        "content": response.output_text or None,
        "refusal": refusal or None,
        "annotations": citations(response),
    }
    if reasoning := response.reasoning_text:
        message["reasoning_content"] = reasoning
    if calls := response.function_calls:
        message["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    choice = {"index": 0, "message": message, "logprobs": _logprobs(response), "finish_reason": finish_reason(response)}
    return {
        "id": response.id.replace("resp_", "chatcmpl-"),
        "object": "chat.completion",
        "created": response.created_at,
        "model": response.model,
        "choices": [choice],
        "usage": usage_body(response.usage),
    }


def _logprobs(response: Response) -> dict[str, Any] | None:
    parts = [part for item in response.output if isinstance(item, Message) for part in item.content]
    told = [each for part in parts if isinstance(part, OutputText) for each in part.logprobs]
    return {"content": told, "refusal": None} if told else None


ROUTES = (Route("POST", "/chat/completions", create_completion, openai_error, "Create a chat completion (OpenAI)"),)
