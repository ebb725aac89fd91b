"""Who asks, and the settings that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from agentbench.auth.principal import Principal
from agentbench.config.assistants import AssistantSettings

if TYPE_CHECKING:
    from agentbench.runner import Runner

ANN, BOB = Principal(user="ann", remote=True), Principal(user="bob", remote=True)
ROOT = Principal(user="root", role="ADMIN", remote=True)


def settle(runner: Runner, **values: Any) -> None:
    """Let other settings of assistants hold from now on."""
    runner.use(replace(runner.catalog, assistants=AssistantSettings(**values)))
