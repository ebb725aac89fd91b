"""What a model is asked for a title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentbench.config import Endpoint, Titles
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import Message, assistant_message, user_message
from agentbench.protocol.request import JsonSchemaFormat
from agentbench.runner.target import Target
from agentbench.runner.title_prompts import first_question, title_request

if TYPE_CHECKING:
    from agentbench.config import Provider


def request_of(question: str, answer: str = "", provider: Provider = "scripted", **titles: Any) -> CreateResponse:
    """Return the request for a title."""
    target = Target(agent=None, endpoint=Endpoint(name="acme", provider=provider), model="m")
    return title_request(question, answer, Titles(enabled=True, **titles), target)


def prompt(question: str, answer: str = "", **titles: Any) -> str:
    """Return what is asked."""
    (message,) = request_of(question, answer, **titles).input
    assert isinstance(message, Message)
    return message.text


@pytest.mark.parametrize(
    ("said", "titles", "expected"),
    [
        (("Q", "A"), {"prompt": "Name {convo}!"}, "Name User: Q\nAI: A!"),
        (("Q", ""), {"prompt": "Name {convo}!"}, "Name User: Q!"),
        (("Q", ""), {"prompt": "{convo}", "template": "U {input} / A {output}"}, "U Q / A "),
        (("Q", "A"), {"prompt": "{convo} {convo} {input}", "template": "{output}{input}"}, "AQ AQ Q"),
        (
            ("{output} {convo} {0} {x!r}", "{input}"),
            {"prompt": "{convo}"},
            "User: {output} {convo} {0} {x!r}\nAI: {input}",
        ),
        (
            ("Q", "A"),
            {"prompt": "{ {} {{convo}} {other} {convo.x} }", "template": "{input}"},
            "{ {} {Q} {other} {convo.x} }",
        ),
        (("Q", "A"), {"prompt": "{convo}", "template": "{convo} {input}"}, "{convo} Q"),
        (("\\1 \\g<0>", ""), {"prompt": "{convo}"}, "User: \\1 \\g<0>"),
        (("q" * 3000, "a" * 3000), {"prompt": "{convo}", "template": "{input}{output}"}, "q" * 2000 + "a" * 2000),
    ],
)
def test_placeholders(said: tuple[str, str], titles: dict[str, Any], expected: str) -> None:
    """Only the placeholders are filled, once; braces in what was said and elsewhere stay; long texts are cut."""
    assert prompt(*said, **titles) == expected


@pytest.mark.parametrize("method", ["completion", "structured"])
def test_our_own_words(method: str) -> None:
    """Without a prompt of the operator's the method has its own, with the conversation in it."""
    asked = prompt("Why?", "So.", method=method)
    assert "five words" in asked
    assert "\n\nUser: Why?\nAI: So." in asked
    assert "{convo}" not in asked


def test_the_request() -> None:
    """It asks for text: no tools, no thinking, room for a model that thinks anyway, nothing stored."""
    request = request_of("Why?")
    assert request == CreateResponse(model="m", input=request.input, max_output_tokens=2000, store=False)


def test_the_structured_request() -> None:
    """It asks for JSON with the language and the title, and nothing else."""
    form = request_of("Why?", method="structured").text.format
    assert isinstance(form, JsonSchemaFormat)
    assert form.strict
    assert form.schema is not None
    assert (form.schema["required"], form.schema["additionalProperties"]) == (["language", "title"], False)


def test_the_local_model_is_held_short() -> None:
    """A small model rambles."""
    request = request_of("Why?", provider="llama_cpp")
    assert (request.max_output_tokens, request.temperature) == (64, 0)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((user_message("One?"), assistant_message("Two."), user_message("Three?")), "One?"),
        ((assistant_message("Two."),), ""),
        ((user_message("", "https://example.org/cat.png"),), ""),
        ((), ""),
    ],
)
def test_the_first_question(items: tuple[Message, ...], expected: str) -> None:
    """The first thing that the user says counts."""
    assert first_question(CreateResponse(input=items)) == expected
