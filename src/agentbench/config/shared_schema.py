"""The keys that every endpoint has, `endpoints.all` too, and an agent: LibreChat's shared endpoint settings."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from agentbench.config import header_templates
from agentbench.config.http_headers import http_headers
from agentbench.config.problem import InvalidValueError, Problem
from agentbench.config.section import Section
from agentbench.config.settings import Timeouts, Titles

__all__ = ["SharedSection", "header_values"]

_LABELS = "activity labels belong to LibreChat's browser UI"
_CONVO = "must hold {convo}, where the conversation goes"
_BOTH = "must hold {input} and {output}, where the first message and the answer go"


def _holding(names: tuple[str, ...], missing: str, text: str) -> str:
    """Return a template if it holds just these placeholders; `{{` and `}}` are how it writes braces."""
    try:
        given = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        raise ValueError("a brace with no partner; write '{{' or '}}' for a brace that is meant") from None
    for name in sorted(given.difference(names)):
        known = " and ".join(f"{{{each}}}" for each in names)
        what = f"{{{name}}} is no placeholder here"
        raise ValueError(f"{what}. Known: {known}; write '{{{{' or '}}}}' for a brace that is meant")
    if not given.issuperset(names):
        raise ValueError(missing)
    return text.replace("{{", "{").replace("}}", "}")


def _title_prompt(text: str) -> str:
    return _holding(("convo",), _CONVO, text)


def _title_template(text: str) -> str:
    return _holding(("input", "output"), _BOTH, text)


def header_values(headers: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Return headers whose placeholders can be filled; the variables are in the validation's context."""
    problems = []
    checked = http_headers(headers)
    for name, written in checked.items():
        try:
            header_templates.parse(written, (info.context or {}).get("environ", {}))
        except ValueError as error:
            problems.append(Problem((name,), str(error)))
    if problems:
        raise InvalidValueError(*problems)
    return checked


class SharedSection(Section):
    """How an endpoint's answers come, how its conversations get titles, and what it is sent besides."""

    ignored: ClassVar = {"activity*": _LABELS, "reasoningLabel*": _LABELS}

    stream_rate: float = Field(
        default=1,
        ge=0,
        allow_inf_nan=False,
        alias="streamRate",
        examples=[25],
        description="milliseconds between the pieces that people see; 0 and 1: as fast as they come",
    )
    title_convo: bool = Field(
        default=False, alias="titleConvo", examples=[True], description="whether a model names new conversations"
    )
    title_timing: Literal["immediate", "final"] = Field(
        default="immediate",
        alias="titleTiming",
        examples=["final"],
        description="beside the first answer, or after it",
    )
    title_model: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        alias="titleModel",
        examples=["gpt-4.1-nano"],
        description="who names them; none and `current_model`: the model that answers, or `titleEndpoint`'s default",
    )
    title_method: Literal["completion", "structured", "functions"] = Field(
        default="completion",
        alias="titleMethod",
        examples=["structured"],
        description="ask for text, or for JSON with the language and the title; `functions` means `structured`",
    )
    title_prompt: Annotated[str, AfterValidator(_title_prompt)] | None = Field(
        default=None,
        alias="titlePrompt",
        examples=["Name this chat: {convo}"],
        description="what to ask, with `{convo}` in it; none: the method's own words",
    )
    title_prompt_template: Annotated[str, AfterValidator(_title_template)] = Field(
        default=Titles().template,
        alias="titlePromptTemplate",
        examples=["Q: {input} A: {output}"],
        description="how `{convo}` is written, with `{input}` and `{output}` in it",
    )
    title_endpoint: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        alias="titleEndpoint",
        examples=["anthropic"],
        description="which endpoint names them; none: the one that answers",
    )
    max_tool_result_chars: int | None = Field(
        default=None,
        gt=0,
        alias="maxToolResultChars",
        examples=[50000],
        description="how much of a tool's result the model reads, in characters; none: all of it",
    )
    headers: Annotated[dict[str, str], AfterValidator(header_values)] = Field(
        default_factory=dict,
        examples=["{X-Team: sky}"],
        description="HTTP headers for every request; may hold [placeholders](#headers)",
    )
    connect_timeout: float = Field(
        default=Timeouts().connect,
        gt=0,
        alias="connectTimeout",
        examples=[5],
        description="seconds to wait for a connection",
    )
    first_byte_timeout: float = Field(
        default=Timeouts().first_byte,
        gt=0,
        alias="firstByteTimeout",
        examples=[60],
        description="seconds to wait for the first byte of an answer",
    )
    silence_timeout: float = Field(
        default=Timeouts().silence,
        gt=0,
        alias="silenceTimeout",
        examples=[60],
        description="seconds to wait between two pieces of an answer",
    )
