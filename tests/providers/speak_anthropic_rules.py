"""What Anthropic's Messages API refuses: what its official types can't hold, and what they can but it doesn't take.

`refusal` says what is wrong with a body. The types are those of the `anthropic` SDK, with no unknown key let through;
what the API took before its version 2026-10-21 (`temperature` …) is known here.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from anthropic.types import ContentBlockParam, MessageCreateParams
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["VERSIONS", "refusal", "signature"]

VERSIONS = ("2023-06-01", "2026-10-21")

_Object = dict[str, Any]
_SAMPLING = ("temperature", "top_p", "top_k")
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_LEAST_BUDGET = 1024
_MOST_BREAKPOINTS = 4
_THOUGHTS = ("thinking", "redacted_thinking")


class _Message(TypedDict):
    role: Literal["user", "assistant"]
    content: str | list[ContentBlockParam]


def signature(thinking: str) -> str:
    """Return what seals a thought."""
    return hashlib.sha256(f"a seal of {thinking}".encode()).hexdigest()


def refusal(body: _Object, version: str) -> str | None:
    """Return what the API says about a body that it refuses; None if it takes it."""
    sampling = {key: body[key] for key in _SAMPLING if key in body}
    if sampling and version != VERSIONS[0]:
        return f"{', '.join(sampling)}: Extra inputs are not permitted"
    if not all(0 <= value <= 1 for value in sampling.values()):
        return "temperature: range: 0..1"
    try:
        _consume(_params().validate_python({k: v for k, v in body.items() if k not in _SAMPLING} | {"messages": []}))
        _consume(_messages().validate_python(body.get("messages")))
    except ValidationError as error:
        deepest = max(error.errors(), key=lambda each: len(each["loc"]))
        return f"{'.'.join(map(str, deepest['loc']))}: {deepest['msg']}"
    return next((said for rule in _RULES for said in rule(body)), None)


@cache
def _params() -> TypeAdapter[Any]:
    return TypeAdapter(MessageCreateParams, config=ConfigDict(extra="forbid"))


@cache
def _messages() -> TypeAdapter[Any]:
    return TypeAdapter(list[_Message], config=ConfigDict(extra="forbid"))


def _consume(value: Any) -> None:
    """Go through all of a value: pydantic checks what the SDK calls an iterable only when it is read."""
    if isinstance(value, dict):
        value = value.values()
    if not isinstance(value, str | int | float | None):
        for each in value:
            _consume(each)


def _blocks(message: _Object) -> list[_Object]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


# -- rules, each yields what is wrong -------------------------------------------------------------------------------


def _turns(body: _Object) -> Iterator[str]:
    roles = [message["role"] for message in body["messages"]]
    if not roles:
        yield "messages: at least one message is required"
    if body["max_tokens"] < 1:
        yield "max_tokens: must be greater than or equal to 1"
    if roles != [("user", "assistant")[n % 2] for n in range(len(roles))]:
        yield "messages: roles must alternate between user and assistant, beginning with user"


def _texts(body: _Object) -> Iterator[str]:
    system = body.get("system") or []
    blocks = [block for message in body["messages"] for block in _blocks(message)]
    for block in [*blocks, *(system if isinstance(system, list) else [])]:
        if block["type"] == "text" and not block["text"].strip():
            yield "messages: text content blocks must contain non-whitespace text"
    if any(not _blocks(message) for message in body["messages"]):
        yield "messages: all messages must have non-empty content"
    last = body["messages"][-1]
    text = _blocks(last)[-1].get("text", "")
    if last["role"] == "assistant" and text != text.rstrip():
        yield "messages: final assistant content cannot end with trailing whitespace"


def _sides(body: _Object) -> Iterator[str]:
    for message in body["messages"]:
        kinds = {block["type"] for block in _blocks(message)}
        if message["role"] == "assistant" and kinds & {"image", "document", "tool_result"}:
            yield "messages: assistant messages hold text, thinking and tool_use blocks"
        if message["role"] == "user" and kinds & {"tool_use", *_THOUGHTS}:
            yield "messages: `tool_use` and `thinking` blocks can only be in assistant messages"


def _results(body: _Object) -> Iterator[str]:
    asked: list[str] = []
    for message in body["messages"]:
        blocks = _blocks(message)
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if any(block["type"] != "tool_result" for block in blocks[: len(results)]):
            yield "messages: `tool_result` blocks must come first in a user message"
        if sorted(asked) != sorted(results):
            yield "messages: `tool_use` ids were found without `tool_result` blocks immediately after, or the reverse"
        asked = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if not all(_ID.fullmatch(each) for each in asked):
            yield "messages: tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
    if asked:
        yield "messages: `tool_use` ids were found without `tool_result` blocks immediately after"


def _seals(body: _Object) -> Iterator[str]:
    for message in body["messages"]:
        for block in _blocks(message):
            if block["type"] == "thinking" and block["signature"] != signature(block["thinking"]):
                yield "messages: Invalid `signature` in `thinking` block"
            if block["type"] == "redacted_thinking" and block["data"] != signature(""):
                yield "messages: Invalid `data` in `redacted_thinking` block"
        if _blocks(message)[-1]["type"] in _THOUGHTS:
            yield "messages: The final block in an assistant message cannot be `thinking`."


def _thinking(body: _Object) -> Iterator[str]:
    thinking = body.get("thinking", {"type": "disabled"})
    if thinking["type"] not in {"enabled", "adaptive"}:
        return
    budget = thinking.get("budget_tokens", _LEAST_BUDGET)
    if budget < _LEAST_BUDGET:
        yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if thinking["type"] == "enabled" and budget >= body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`"
    if any(key in body for key in _SAMPLING):
        yield "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode"
    if body.get("tool_choice", {}).get("type") in {"any", "tool"}:
        yield "Thinking may not be enabled when tool_choice forces tool use."


def _tools(body: _Object) -> Iterator[str]:
    choice, names = body.get("tool_choice"), [tool["name"] for tool in body.get("tools", ())]
    if choice and not names:
        yield "tool_choice: may only be specified while providing `tools`."
    if choice and choice["type"] == "tool" and choice["name"] not in names:
        yield f"tool_choice: Tool '{choice['name']}' not found in provided tools"
    if any(tool["input_schema"].get("type") != "object" for tool in body.get("tools", ())):
        yield "tools: input_schema.type: Field required"


def _schemas(body: _Object) -> Iterator[str]:
    form = body.get("output_config", {}).get("format") or {}
    schemas = [tool["input_schema"] for tool in body.get("tools", ()) if tool.get("strict")]
    for schema in (*schemas, form.get("schema", {})):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            yield "For 'object' type, 'additionalProperties' must be explicitly set to false"


def _caching(body: _Object) -> Iterator[str]:
    system = body.get("system") or []
    blocks = [block for message in body["messages"] for block in _blocks(message)]
    places = [*body.get("tools", ()), *(system if isinstance(system, list) else []), *blocks]
    if len([each for each in places if "cache_control" in each]) > _MOST_BREAKPOINTS:
        yield "A maximum of 4 blocks with cache_control may be provided."


_RULES: tuple[Callable[[_Object], Iterator[str]], ...] = (
    _turns,
    _texts,
    _sides,
    _results,
    _seals,
    _thinking,
    _tools,
    _schemas,
    _caching,
)
