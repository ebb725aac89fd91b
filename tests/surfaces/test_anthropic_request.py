"""From the JSON of Anthropic's clients to a request of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputText, OutputText, SummaryText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning
from agentbench.protocol.request import (
    FunctionTool,
    FunctionToolChoice,
    JsonSchemaFormat,
    ReasoningConfig,
    TextConfig,
)
from agentbench.surfaces.anthropic_request import decode_messages, decode_prompt
from agentbench.surfaces.anthropic_tokens import estimate

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse

USER = {"role": "user", "content": "Hi"}
PNG = {"type": "base64", "media_type": "image/png", "data": "AA=="}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "AA=="}
TOOL = {"name": "f", "description": "Does it.", "input_schema": {"type": "object"}}
CACHED = {"cache_control": {"type": "ephemeral"}}


def decoded(*messages: Any, **fields: Any) -> CreateResponse:
    """Return the request that these messages make."""
    return decode_messages({"model": "m", "max_tokens": 9, "messages": list(messages or [USER]), **fields})


def said(*blocks: Any, role: str = "user") -> tuple[Any, ...]:
    """Return the content of the one message that these blocks make."""
    (item,) = decoded({"role": role, "content": list(blocks)}).input
    assert isinstance(item, Message)
    assert item.role == role
    return item.content


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
@pytest.mark.parametrize("content", ["Hi", [{"type": "text", "text": "Hi", **CACHED}]])
def test_text(role: str, content: Any) -> None:
    """A role stays itself; an assistant's text is output, any other's input."""
    (item,) = decoded({"role": role, "content": content}).input
    assert isinstance(item, Message)
    part = OutputText(text="Hi") if role == "assistant" else InputText(text="Hi")
    assert (item.role, item.content) == (role, (part,))


@pytest.mark.parametrize("content", ["", [], [{"type": "text", "text": ""}]])
def test_nothing_said(content: Any) -> None:
    """An empty turn is left out."""
    assert len(decoded(USER, {"role": "assistant", "content": content}).input) == 1


def test_images() -> None:
    """By content or by address."""
    url = {"type": "url", "url": "https://example.org/a.png"}
    assert said({"type": "image", "source": PNG}, {"type": "image", "source": url}) == (
        InputImage(image_url="data:image/png;base64,AA=="),
        InputImage(image_url="https://example.org/a.png"),
    )


def test_files() -> None:
    """A PDF stays a file, by content or by address; its context is text before it."""
    url = {"type": "url", "url": "https://example.org/a.pdf"}
    named = {"type": "document", "source": PDF, "title": "Eggs.pdf", "context": "A cookbook.", **CACHED}
    assert said(named, {"type": "document", "source": url}) == (
        InputText(text="A cookbook."),
        InputFile(filename="Eggs.pdf", file_data="data:application/pdf;base64,AA=="),
        InputFile(filename="document.pdf", file_url="https://example.org/a.pdf"),
    )


def test_documents_of_text() -> None:
    """Plain text, text of blocks, and search results are text, each with its title."""
    plain = {"type": "text", "media_type": "text/plain", "data": "Seven minutes."}
    inner = {"type": "content", "content": [{"type": "text", "text": "Boil."}, {"type": "image", "source": PNG}]}
    found = {"type": "search_result", "title": "T", "source": "S", "content": [{"type": "text", "text": "Found."}]}
    assert said(
        {"type": "document", "source": plain, "title": "Eggs"},
        {"type": "document", "source": inner},
        {"type": "document", "source": {"type": "content", "content": "Stir."}},
        found,
    ) == (
        InputText(text="Eggs"),
        InputText(text="Seven minutes."),
        InputText(text="Boil."),
        InputImage(image_url="data:image/png;base64,AA=="),
        InputText(text="Stir."),
        InputText(text="T\n\nS\n\nFound."),
    )


def test_a_tool_round_trip() -> None:
    """Thought, text, calls, what they gave, and more text: each an item, in order."""
    calls = [{"type": "tool_use", "id": f"c{n}", "name": "f", "input": {"x": n}} for n in (1, 2)]
    results = [{"type": "tool_result", "tool_use_id": f"c{n}", "content": str(n)} for n in (1, 2)]
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "rs_9|SEAL"}
    items = decoded(
        USER,
        {"role": "assistant", "content": [thought, {"type": "text", "text": "Let me see."}, *calls]},
        {"role": "user", "content": [*results, {"type": "text", "text": "Well?"}]},
    ).input
    kinds = [Message, Reasoning, Message, FunctionCall, FunctionCall, FunctionCallOutput, FunctionCallOutput, Message]
    assert [type(item) for item in items] == kinds
    assert msgspec.to_builtins(items[3])["arguments"] == '{"x":1}'
    assert [getattr(item, "call_id", None) for item in items[3:7]] == ["c1", "c2", "c1", "c2"]


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ({}, ""),
        ({"content": None}, ""),
        ({"content": []}, ""),
        ({"content": "5"}, "5"),
        ({"content": "No.", "is_error": True}, "Error: No."),
        ({"content": [{"type": "text", "text": "5"}]}, (InputText(text="5"),)),
        (
            {"content": [{"type": "text", "text": "No."}], "is_error": True},
            (InputText(text="Error:"), InputText(text="No.")),
        ),
        ({"content": [{"type": "image", "source": PNG}]}, (InputImage(image_url="data:image/png;base64,AA=="),)),
    ],
)
def test_tool_results(result: Any, output: Any) -> None:
    """Text or blocks; a failure says so in its text."""
    block = {"type": "tool_result", "tool_use_id": "c1", **result}
    (item,) = decoded({"role": "user", "content": [block]}).input
    assert isinstance(item, FunctionCallOutput)
    assert (item.call_id, item.output) == ("c1", output)


def test_thinking() -> None:
    """A signed thought goes back as the item that it was; an unsigned one is left out."""
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "rs_9|SEAL"},
        {"type": "redacted_thinking", "data": "rs_8|SEAL"},
        {"type": "thinking", "thinking": "Well.", "signature": ""},
        {"type": "thinking", "thinking": "Well."},
    ]
    assert decoded(USER, {"role": "assistant", "content": blocks}).input[1:] == (
        Reasoning(id="rs_9", summary=(SummaryText(text="Hm."),), encrypted_content="SEAL"),
        Reasoning(id="rs_8", encrypted_content="SEAL"),
    )


def test_a_foreign_signature() -> None:
    """One that another gateway made is a seal as it is."""
    block = {"type": "redacted_thinking", "data": "Eo0B=="}
    (item,) = decoded({"role": "assistant", "content": [block]}).input
    assert isinstance(item, Reasoning)
    assert (item.id[:3], item.encrypted_content) == ("rs_", "Eo0B==")


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("Be kind.", "Be kind."),
        (
            [{"type": "text", "text": "Be kind.", **CACHED}, {"type": "text", "text": "Be brief."}],
            "Be kind.\n\nBe brief.",
        ),
        ("", None),
        ([], None),
        (None, None),
    ],
)
def test_system(system: Any, expected: str | None) -> None:
    """Text or blocks are the instructions."""
    assert decoded(system=system).instructions == expected


def test_parameters() -> None:
    """All that has a place is passed on; what nobody knows is ignored."""
    request = decoded(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop_sequences=["END"],
        stream=True,
        metadata={"user_id": "u1"},
        service_tier="standard_only",
        container=None,
        mcp_servers=[],
    )
    assert (request.model, request.max_output_tokens, request.store, request.stream) == ("m", 9, False, True)
    assert (request.temperature, request.top_p, request.stop) == (0.5, 0.9, ("END",))
    assert (request.user, request.service_tier) == ("u1", "default")


def test_tools() -> None:
    """A tool is a function; unless it says so, it isn't strict."""
    strict = {**TOOL, "name": "g", "type": "custom", "strict": True, **CACHED}
    assert decoded(tools=[TOOL, strict]).tools == (
        FunctionTool(name="f", description="Does it.", parameters={"type": "object"}, strict=False),
        FunctionTool(name="g", description="Does it.", parameters={"type": "object"}, strict=True),
    )


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, FunctionToolChoice(name="f")),
        (None, "auto"),
    ],
)
def test_tool_choice(choice: Any, expected: Any) -> None:
    """Each choice has its like."""
    assert decoded(tools=[TOOL], tool_choice=choice).tool_choice == expected


@pytest.mark.parametrize(("disabled", "expected"), [(True, False), (False, None), (None, None)])
def test_parallel_calls(*, disabled: bool | None, expected: bool | None) -> None:
    """They can be switched off."""
    choice = {"type": "auto", "disable_parallel_tool_use": disabled}
    assert decoded(tools=[TOOL], tool_choice=choice).parallel_tool_calls is expected


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16384}}, "high"),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}, "medium"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "xhigh"),
    ],
)
def test_thinking_asked_for(fields: Any, effort: Any) -> None:
    """A budget or an effort says how hard to think; words of it are wanted."""
    assert decoded(**fields).reasoning == ReasoningConfig(effort=effort, summary="auto")


@pytest.mark.parametrize("fields", [{}, {"thinking": None}, {"thinking": {"type": "disabled"}}])
def test_thinking_not_asked_for(fields: Any) -> None:
    """Then it is the endpoint's business."""
    assert decoded(**fields).reasoning is None


def test_a_format() -> None:
    """JSON of a schema."""
    form = {"type": "json_schema", "schema": {"type": "object"}}
    expected = TextConfig(format=JsonSchemaFormat(schema={"type": "object"}, strict=True))
    assert decoded(output_config={"format": form}).text == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_tokens": 0}, "max_tokens: Expected `int` >= 1"),
        ({"max_tokens": None}, "max_tokens: Expected `int`"),
        ({"model": 5}, "model: Expected `str`"),
        ({"messages": []}, "messages: Expected `array` of length >= 1"),
        ({"messages": [{"role": "tool", "content": "Hi"}]}, "messages[0].role: Invalid enum value 'tool'"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content: Expected"),
        (
            {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
            "messages[0].content[0].type: Invalid value",
        ),
        ({"temperature": 2}, "temperature: Expected `float` <= 1"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "tools[0]: tools of type 'web_search_2025",
        ),
        ({"tools": [{"name": "f"}]}, "tools[0]: a tool needs a `name` and an `input_schema`"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice: a choice of type 'tool' needs a `name`"),
    ],
)
def test_what_is_wrong(fields: dict[str, Any], message: str) -> None:
    """The message names the client's own field."""
    with pytest.raises(InvalidRequest) as caught:
        decoded(**fields)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("field", ["model", "messages", "max_tokens"])
def test_what_is_missing(field: str) -> None:
    """Three fields must be there."""
    body: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [USER]}
    del body[field]
    with pytest.raises(InvalidRequest, match=f"missing required field `{field}`"):
        decode_messages(body)


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"messages": [{"role": "user", "content": "a" * 9}]}, 3),
        ({"messages": [{"role": "user", "content": "세계"}]}, 2),
        ({"messages": [{"role": "user", "content": '{"x": 123}'}]}, 5),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": PNG}]}]}, 0),
        ({"messages": [USER], "system": "Be kind."}, 3),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "abcd"}]}
                ]
            },
            1,
        ),
    ],
)
def test_an_estimate(fields: dict[str, Any], tokens: int) -> None:
    """Four bytes of text are a token, or two of JSON; what isn't text counts nothing."""
    assert estimate(decode_prompt({"model": "m", **fields})) == tokens


def test_an_estimate_of_everything() -> None:
    """Tools, calls, thoughts and the agent's instructions count too."""
    bare = estimate(decode_prompt({"model": "m", "messages": [USER]}))
    call = {"type": "tool_use", "id": "c", "name": "abcd", "input": {"x": 1}}
    thought = {"type": "thinking", "thinking": "abcd", "signature": "s"}
    messages = [USER, {"role": "assistant", "content": [thought, call]}]
    whole = decode_prompt({"model": "m", "messages": messages})
    assert estimate(whole) == bare + 1 + 1 + 4
    assert estimate(whole, "abcd") == estimate(whole) + 1
    assert estimate(decode_prompt({"model": "m", "messages": messages, "tools": [TOOL]})) > estimate(whole) + 30
