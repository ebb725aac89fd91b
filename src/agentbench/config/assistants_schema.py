"""The keys of `endpoints.assistants` and `endpoints.azureAssistants`, named as in librechat.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, PlainValidator

from agentbench.config.endpoint_schema import BuiltInSection

__all__ = ["LATER", "AssistantsSection"]

Capability: TypeAlias = Literal["code_interpreter", "image_vision", "retrieval", "actions", "tools"]
_ALL: list[Capability] = ["code_interpreter", "image_vision", "retrieval", "actions", "tools"]
LATER = "assistants are not served yet"


def _version(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or str(value) not in {"1", "2"}:
        raise ValueError("expected 1 or 2")
    return str(value)


_Id = Annotated[str, Field(min_length=1)]
_Ids = Annotated[list[_Id], Field(min_length=1)]


class AssistantsSection(BuiltInSection):
    """Assistants: checked, so that a file can be brought along."""

    unused: ClassVar = {"*": LATER}

    disable_builder: bool = Field(
        default=False, alias="disableBuilder", examples=[True], description="whether nobody may make assistants"
    )
    poll_interval_ms: int = Field(
        default=2000, ge=1, alias="pollIntervalMs", examples=[3000], description="how often a run is looked at"
    )
    timeout_ms: int = Field(
        default=180_000, ge=1, alias="timeoutMs", examples=[60000], description="how long a run may take"
    )
    version: Annotated[str, PlainValidator(_version)] = Field(
        default="2", examples=[2], description="of the Assistants API: 1 or 2"
    )
    supported_ids: _Ids | None = Field(
        default=None, alias="supportedIds", examples=["[asst_a]"], description="only these assistants"
    )
    excluded_ids: _Ids | None = Field(
        default=None, alias="excludedIds", examples=["[asst_b]"], description="all but these"
    )
    private_assistants: bool = Field(
        default=False, alias="privateAssistants", examples=[True], description="whether each person sees only their own"
    )
    retrieval_models: list[_Id] = Field(
        default_factory=list,
        alias="retrievalModels",
        examples=["[gpt-4o]"],
        description="the models that may search files",
    )
    capabilities: list[Capability] = Field(
        default_factory=_ALL.copy,
        examples=["[retrieval, tools]"],
        description="what assistants may do",
    )
