"""The settings of assistants as a frozen value, and the one rule of who uses which; LibreChat names the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec

__all__ = ["ANY_MODEL", "CAPABILITIES", "AssistantSettings", "Capability"]

Capability: TypeAlias = Literal["code_interpreter", "image_vision", "retrieval", "actions", "tools"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)

ANY_MODEL = "*"
"""Among the substitutes: every model that nobody here offers."""

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
