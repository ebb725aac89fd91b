"""From a body of Anthropic's Messages to a request of ours, and how large that is."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse
from agentbench.protocol.content import InputFile, InputImage, InputText, OutputText, SummaryText
from agentbench.protocol.decode import convert
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning
from agentbench.protocol.request import (
    FunctionTool,
    FunctionToolChoice,
    JsonSchemaFormat,
    ReasoningConfig,
    TextConfig,
)
from agentbench.protocol.values import new_id
from agentbench.surfaces import anthropic_schema as a
from agentbench.surfaces.anthropic_seal import unsealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agentbench.protocol import InputItem
    from agentbench.protocol.request import ToolChoice

__all__ = ["decode_messages", "decode_prompt"]

_Part = InputText | InputImage | InputFile

_LOW, _MEDIUM = 4096, 16384
"""Budgets for thinking below these, in tokens, are low and medium effort."""


def decode_messages(raw: Mapping[str, Any]) -> CreateResponse:
    """Return the request that a client means; nothing of it is stored. Its errors name the client's own fields."""
    given = convert(raw, a.MessagesRequest)
    return msgspec.structs.replace(
        _request(given),
        max_output_tokens=given.max_tokens,
        stop=given.stop_sequences or (),
        stream=bool(given.stream),
        temperature=given.temperature,
        top_p=given.top_p,
        service_tier="default" if given.service_tier == "standard_only" else given.service_tier,
        user=None if given.metadata is None else given.metadata.user_id,
    )


def decode_prompt(raw: Mapping[str, Any]) -> CreateResponse:
    """Return the part of a request that goes into the model, which is all that is counted."""
    return _request(convert(raw, a.Prompt))


def _request(given: a.Prompt) -> CreateResponse:
    choice = given.tool_choice
    form = None if given.output_config is None else given.output_config.format
    return CreateResponse(
        model=given.model,
        input=tuple(item for message in given.messages for item in _items(message)),
        instructions=_system(given.system),
        tools=tuple(_tool(tool, f"tools[{n}]") for n, tool in enumerate(given.tools or ())),
        tool_choice=_tool_choice(choice),
        parallel_tool_calls=False if choice is not None and choice.disable_parallel_tool_use else None,
        text=TextConfig() if form is None else TextConfig(format=JsonSchemaFormat(schema=form.schema, strict=True)),
        reasoning=_reasoning(given),
        store=False,
    )


def _system(system: str | tuple[a.Text, ...] | None) -> str | None:
    text = system if isinstance(system, str) else "\n\n".join(block.text for block in system or ())
    return text or None


def _tool(tool: a.ToolParam, at: str) -> FunctionTool:
    if tool.type not in (None, "custom"):
        raise InvalidRequest(
            f"{at}: tools of type {tool.type!r} are not run here. Send tools with an `input_schema`.", param=at
        )
    if not tool.name or tool.input_schema is None:
        raise InvalidRequest(f"{at}: a tool needs a `name` and an `input_schema`.", param=at)
    # OpenAI's Responses take an absent `strict` for true; Anthropic's clients mean false.
    return FunctionTool(
        name=tool.name, description=tool.description, parameters=tool.input_schema, strict=bool(tool.strict)
    )


def _tool_choice(choice: a.ToolChoiceParam | None) -> ToolChoice:
    if choice is None or choice.type == "auto":
        return "auto"
    if choice.type == "tool":
        if not choice.name:
            raise InvalidRequest("tool_choice: a choice of type 'tool' needs a `name`.", param="tool_choice.name")
        return FunctionToolChoice(name=choice.name)
    return "required" if choice.type == "any" else "none"


def _reasoning(given: a.Prompt) -> ReasoningConfig | None:
    """Return how hard to think. To switch thinking off means what saying nothing does: it is Anthropic's default."""
    thinking = given.thinking
    if thinking is None or thinking.type == "disabled":
        return None
    effort = None if given.output_config is None else given.output_config.effort
    if effort is not None:
        return ReasoningConfig(effort="xhigh" if effort == "max" else effort, summary="auto")
    budget = thinking.budget_tokens
    if budget is None:
        return ReasoningConfig(summary="auto")
    return ReasoningConfig(effort="low" if budget < _LOW else "medium" if budget < _MEDIUM else "high", summary="auto")


# -- messages -------------------------------------------------------------------------------------------------------


def _items(message: a.MessageParam) -> Iterator[InputItem]:
    """Yield a message for each run of blocks that are said, and an item for each that is not."""
    content = message.content
    blocks = (a.Text(text=content),) if isinstance(content, str) else content
    for said, group in groupby(blocks, key=lambda block: type(block) in _PARTS):
        if not said:
            yield from (item for block in group for item in _ITEMS[type(block)](block))
        elif parts := _parts(tuple(group)):
            own = message.role == "assistant"
            yield Message(
                id=new_id("msg"),
                role=message.role,
                content=tuple(OutputText(text=p.text) if own and isinstance(p, InputText) else p for p in parts),
            )


def _parts(blocks: tuple[Any, ...]) -> tuple[_Part, ...]:
    return tuple(part for block in blocks for part in _PARTS[type(block)](block))


def _text(block: a.Text) -> Iterator[_Part]:
    if block.text:
        yield InputText(text=block.text)


def _image(block: a.Image) -> Iterator[_Part]:
    yield InputImage(image_url=block.source.url if isinstance(block.source, a.UrlSource) else _data_url(block.source))


def _document(block: a.Document) -> Iterator[_Part]:
    source, name = block.source, block.title or "document.pdf"
    file = isinstance(source, a.Base64Source | a.UrlSource)
    about = "\n\n".join(text for text in (None if file else block.title, block.context) if text)
    yield from _text(a.Text(text=about))
    match source:
        case a.Base64Source():
            yield InputFile(filename=name, file_data=_data_url(source))
        case a.UrlSource():
            yield InputFile(filename=name, file_url=source.url)
        case a.TextSource(data=text) | a.BlocksSource(content=str(text)):
            yield from _text(a.Text(text=text))
        case a.BlocksSource(content=blocks):
            yield from _parts(tuple(blocks))


def _search_result(block: a.SearchResult) -> Iterator[_Part]:
    texts = (block.title, block.source, *(each.text for each in block.content))
    yield InputText(text="\n\n".join(texts))


def _data_url(source: a.Base64Source) -> str:
    return f"data:{source.media_type};base64,{source.data}"


def _tool_use(block: a.ToolUse) -> Iterator[InputItem]:
    arguments = msgspec.json.encode(block.input).decode()
    yield FunctionCall(id=new_id("fc"), call_id=block.id, name=block.name, arguments=arguments)


def _tool_result(block: a.ToolResult) -> Iterator[InputItem]:
    """Yield what a call gave; that it failed stands in its text, as an output has no other place for it."""
    output: str | tuple[_Part, ...]
    if isinstance(block.content, str):
        output = f"Error: {block.content}" if block.is_error else block.content
    else:
        parts = _parts(block.content or ())
        output = (InputText(text="Error:"), *parts) if block.is_error else parts or ""
    yield FunctionCallOutput(id=new_id("fco"), call_id=block.tool_use_id, output=output)


def _thinking(block: a.Thinking) -> Iterator[InputItem]:
    """Yield a thought as the item that it came from; nothing where nobody sealed it: no provider would take it."""
    if block.signature:
        item_id, seal = unsealed(block.signature)
        yield Reasoning(id=item_id, summary=(SummaryText(text=block.thinking),), encrypted_content=seal)


def _redacted_thinking(block: a.RedactedThinking) -> Iterator[InputItem]:
    item_id, seal = unsealed(block.data)
    yield Reasoning(id=item_id, encrypted_content=seal)


_PARTS: dict[type, Callable[[Any], Iterator[_Part]]] = {
    a.Text: _text,
    a.Image: _image,
    a.Document: _document,
    a.SearchResult: _search_result,
}
_ITEMS: dict[type, Callable[[Any], Iterator[InputItem]]] = {
    a.ToolUse: _tool_use,
    a.ToolResult: _tool_result,
    a.Thinking: _thinking,
    a.RedactedThinking: _redacted_thinking,
}
