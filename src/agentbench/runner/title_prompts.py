"""What a model is asked for a title: the words, and the request around them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from agentbench.config.settings import Titles
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import Message, user_message
from agentbench.protocol.request import JsonSchemaFormat, TextConfig

if TYPE_CHECKING:
    from agentbench.runner.target import Target

__all__ = ["first_question", "title_request"]

_TEXT_LENGTH = 2_000
"""Characters of a question or an answer: a title needs no more."""

_TOKENS = 2_000
"""Room for a model that thinks first, and not much to hold of a balance or a budget."""
_LOCAL_TOKENS = 64

_COMPLETION = """\
Write a short headline, five words at most, for this conversation. Write only the headline.

{convo}

Use the language of the conversation."""
_STRUCTURED = """\
Name the language of this conversation, and write a title of at most five words in that language, without quotes or \
end punctuation. Answer in JSON: {"language": …, "title": …}

{convo}"""
_PROMPTS = {"completion": _COMPLETION, "structured": _STRUCTURED}
_FORMAT = JsonSchemaFormat(
    name="title",
    schema={
        "type": "object",
        "properties": {"language": {"type": "string"}, "title": {"type": "string"}},
        "required": ["language", "title"],
        "additionalProperties": False,
    },
    strict=True,
)
_PLACEHOLDER = re.compile(r"\{(convo|input|output)\}")


def first_question(request: CreateResponse) -> str:
    """Return the text of the first user message; empty if it has none."""
    return next((item.text for item in request.input if isinstance(item, Message) and item.role == "user"), "")


def title_request(question: str, answer: str, titles: Titles, target: Target) -> CreateResponse:
    """Return the request for a title; without an answer, the default template's line for it is left out."""
    texts = {"input": question[:_TEXT_LENGTH], "output": answer[:_TEXT_LENGTH]}
    template = titles.template
    if not answer and template == Titles().template:
        template = template.partition("\n")[0]
    texts["convo"] = _filled(template, texts)
    request = CreateResponse(
        model=target.model,
        input=(user_message(_filled(titles.prompt or _PROMPTS[titles.method], texts)),),
        text=TextConfig(format=_FORMAT) if titles.method == "structured" else TextConfig(),
        max_output_tokens=_TOKENS,
        store=False,
    )
    if target.endpoint.provider == "llama_cpp":  # small models ramble
        request = msgspec.structs.replace(request, temperature=0, max_output_tokens=_LOCAL_TOKENS)
    return request


def _filled(template: str, texts: dict[str, str]) -> str:
    """Put texts in the place of their names, in one pass: braces in what people say stay as they are."""
    return _PLACEHOLDER.sub(lambda found: texts.get(found[1], found[0]), template)
