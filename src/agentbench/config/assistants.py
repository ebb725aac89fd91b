"""The settings of assistants as a frozen value, and the one rule of who uses which; LibreChat names the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from agentbench.config.header_facts import KERNEL_USER

__all__ = [
    "ANY_MODEL",
    "CAPABILITIES",
    "VERSIONS",
    "AssistantSettings",
    "Capability",
    "assistant_settings",
    "overruled",
]

Capability: TypeAlias = Literal["code_interpreter", "image_vision", "retrieval", "actions", "tools"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)

VERSIONS = ("1", "2")
"""Of the Assistants API."""

ANY_MODEL = "*"
"""Among the substitutes: every model that nobody here offers."""

# key in the config: field of AssistantSettings
_PLAIN = {
    "disableBuilder": "disable_builder",
    "version": "version",
    "privateAssistants": "private",
    "codeInterpreter": "code_interpreter",
    "codeInterpreterTime": "code_seconds",
    "codeInterpreterMemory": "code_memory",
    "substitutes": "substitutes",
}
_MILLISECONDS = {"pollIntervalMs": "poll_interval", "timeoutMs": "time_limit"}
_LISTS = {
    "supportedIds": "supported_ids",
    "excludedIds": "excluded_ids",
    "retrievalModels": "retrieval_models",
    "capabilities": "capabilities",
}

_NEEDED: Mapping[str, tuple[Capability, ...]] = {
    "code_interpreter": ("code_interpreter",),
    "file_search": ("retrieval",),
    "function": ("tools", "actions"),
}


class AssistantSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `endpoints.assistants`, or `azureAssistants`, says; the same holds for lists and for use, for everybody."""

    disable_builder: bool = False
    poll_interval: float = 2.0
    """Seconds between two looks at a run."""
    time_limit: float = 180.0
    """Seconds that a run may take."""
    version: str = "2"
    api_version: str | None = None
    """Azure's, in every address."""
    user: str = KERNEL_USER
    """Who asks; set for each request."""
    supported_ids: tuple[str, ...] = ()
    """Only these, where there are any."""
    excluded_ids: tuple[str, ...] = ()
    """All but these; they don't count where `supported_ids` are."""
    private: bool = False
    """Only its author sees and uses an assistant; both lists don't count then."""
    retrieval_models: tuple[str, ...] = ()
    """The models that may search files; none: all."""
    capabilities: tuple[Capability, ...] = CAPABILITIES
    code_interpreter: bool = False
    """Whether code may run on this machine at all."""
    code_seconds: float = 60.0
    """For one piece of code."""
    code_memory: int = 512
    """Megabytes."""
    substitutes: Mapping[str, str] | None = None
    """Who answers for a model that isn't here, by its name or `ANY_MODEL`; None: the default agent for all."""

    def allows(self, assistant_id: str, *, author: str | None, user: str) -> bool:
        """Tell whether a user may see and use an assistant."""
        if self.private:
            return author is not None and author == user
        if self.supported_ids:
            return assistant_id in self.supported_ids
        return assistant_id not in self.excluded_ids

    def refusal(self, tool: str, *, model: str) -> str | None:
        """Return why an assistant on that model may not have a type of tool; None if it may."""
        needed = _NEEDED.get(tool)
        if needed is None:
            return f"There is no type of tool {tool!r}. There are {', '.join(_NEEDED)}."
        if not set(needed) & set(self.capabilities):
            return f"Assistants here may not have {tool}: endpoints.assistants.capabilities leaves it out."
        if tool == "file_search" and self.retrieval_models and model not in self.retrieval_models:
            return f"The model {model!r} may not search files: it isn't among endpoints.assistants.retrievalModels."
        return None


def assistant_settings(values: Mapping[str, Any]) -> AssistantSettings:
    """Return what a merged block says; keys that nobody wrote keep their defaults."""
    fields: dict[str, Any] = {field: values[key] for key, field in _PLAIN.items() if key in values}
    fields |= {field: values[key] / 1000 for key, field in _MILLISECONDS.items() if key in values}
    fields |= {field: tuple(dict.fromkeys(values[key])) for key, field in _LISTS.items() if values.get(key) is not None}
    return AssistantSettings(**fields)


def overruled(settings: AssistantSettings) -> dict[str, str]:
    """Return the keys that another one leaves without effect, each with the sentence that says so."""
    lists = {"supportedIds": settings.supported_ids, "excludedIds": settings.excluded_ids}
    if settings.private:
        why = "It has no effect, because privateAssistants is on: everybody has just their own."
        return {key: why for key, ids in lists.items() if ids}
    if all(lists.values()):
        return {"excludedIds": "It has no effect, because supportedIds is set."}
    return {}
