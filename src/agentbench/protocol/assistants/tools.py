"""The tools of assistants, the resources that they work on, and what the answer should look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from agentbench.protocol.values import Value

__all__ = [
    "AssistantTool",
    "CodeInterpreter",
    "CodeResources",
    "FileSearch",
    "FileSearchOptions",
    "FunctionSpec",
    "FunctionTool",
    "NamedChoice",
    "RankingOptions",
    "ResponseFormat",
    "SearchResources",
    "ToolChoice",
    "ToolResources",
]


class RankingOptions(Value, frozen=True, kw_only=True):
    """What a passage must reach to be found."""

    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.0
    ranker: str | None = None


class FileSearchOptions(Value, frozen=True, kw_only=True):
    """How many passages are found at most, and which."""

    max_num_results: Annotated[int, Meta(ge=1, le=50)] | None = None
    ranking_options: RankingOptions | None = None


class CodeInterpreter(Value, frozen=True, kw_only=True, tag_field="type", tag="code_interpreter"):
    """Runs Python."""


class FileSearch(Value, frozen=True, kw_only=True, tag_field="type", tag="file_search", omit_defaults=True):
    """Searches vector stores."""

    file_search: FileSearchOptions | None = None


class FunctionSpec(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A function that the client runs; `parameters` is a JSON schema."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Value, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function that the model may ask for."""

    function: FunctionSpec


AssistantTool = CodeInterpreter | FileSearch | FunctionTool


class CodeResources(Value, frozen=True, kw_only=True):
    """The files that code may read."""

    file_ids: Annotated[tuple[str, ...], Meta(max_length=20)] = ()


class SearchResources(Value, frozen=True, kw_only=True):
    """The vector stores that are searched."""

    vector_store_ids: Annotated[tuple[str, ...], Meta(max_length=1)] = ()


class ToolResources(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What tools work on."""

    code_interpreter: CodeResources | None = None
    file_search: SearchResources | None = None


class FunctionName(Value, frozen=True, kw_only=True):
    """Names a function."""

    name: str


class NamedChoice(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Forces one tool."""

    type: Literal["function", "code_interpreter", "file_search"]
    function: FunctionName | None = None


ToolChoice = Literal["none", "auto", "required"] | NamedChoice
ResponseFormat = Literal["auto"] | dict[str, Any]
"""`{"type": "text"}`, `{"type": "json_object"}` or `{"type": "json_schema", "json_schema": {…}}`."""
