"""From the body of a chat to a request of ours: OpenAI's fields, and those that Open WebUI puts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.surfaces.chat_request import decode_chat
from agentbench.surfaces.webui.documents import documents_of

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse
    from agentbench.runner.documents import Document

__all__ = ["decode_webui_chat"]

_IGNORED = (
    *("automation_id", "background_tasks", "chat_variables", "id", "message_ids", "metadata", "model_item"),
    *("parent_id", "session_id", "user_message", "variables"),
)
"""Fields of the web interface's own that change nothing of an answer."""

_REFUSED = {
    "chat_id": "Chats are not kept here: send all messages, and no chat_id",
    "tool_ids": "There are no tools of the server's to choose: give an agent its tools in the config",
    "tool_servers": "Tool servers are not asked: give an agent its tools in the config",
    "terminal_id": "There are no terminals",
    "filter_ids": "There are no filters",
    "folder_id": "There are no folders: name files and collections in `files`",
}
"""Fields that would change an answer, and why they can't."""

_SAMPLING = (
    *("frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "parallel_tool_calls"),
    *("presence_penalty", "reasoning_effort", "response_format", "seed", "stop", "temperature", "top_logprobs"),
    *("top_p", "verbosity"),
)
"""What `params` may hold; the rest are the web interface's own, or a local server's."""


def decode_webui_chat(body: dict[str, Any]) -> tuple[CreateResponse, tuple[Document, ...]]:
    """Return the request that a client means, and what its answer is to rest on.

    Raises `Malformed` for what isn't read, and `InvalidRequest` for what would change the answer but can't be done.
    """
    plain = dict(body)
    if body.get("session_id") and "parent_id" in body:
        raise InvalidRequest(
            "Answers come in the response, not over a WebSocket: send no session_id.", param="session_id"
        )
    for name in _IGNORED:
        plain.pop(name, None)
    for name, why in _REFUSED.items():
        if plain.pop(name, None):
            raise InvalidRequest(f"{why}.", param=name)
    _check_features(plain.pop("features", None))
    documents = documents_of(plain.pop("files", None))
    return decode_chat(_with_params(plain)), documents


def _check_features(features: Any) -> None:
    wanted = [name for name, on in features.items() if on] if isinstance(features, dict) else []
    if wanted:
        raise InvalidRequest(f"features.{wanted[0]} can't be had here: leave it out.", param=f"features.{wanted[0]}")


def _with_params(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with its `params` taken in; `system` becomes the first message."""
    params = body.pop("params", None)
    if not isinstance(params, dict):
        return body
    merged = body | {name: params[name] for name in _SAMPLING if params.get(name) is not None}
    if isinstance(system := params.get("system"), str) and isinstance(messages := body.get("messages"), list):
        merged["messages"] = [{"role": "system", "content": system}, *messages]
    return merged
