"""agentbench: an agent workbench that lives inside a notebook.

`%load_ext agentbench` gives the `%agent` magics; `Workbench` is the same for Python code. Importing this package loads
next to nothing: every name below is found on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentbench._version import __version__

if TYPE_CHECKING:
    from agentbench.errors import AgentbenchError
    from agentbench.notebook import (
        assistant,
        get_workbench,
        last,
        load_ipython_extension,
        set_workbench,
        unload_ipython_extension,
    )
    from agentbench.notebook.export import export, import_conversations
    from agentbench.runner.tools import Tool, tool
    from agentbench.workbench import Stream, Workbench
    from agentbench.workbench.experiments.judging import judge

__all__ = [
    "AgentbenchError",
    "Stream",
    "Tool",
    "Workbench",
    "__version__",
    "assistant",
    "export",
    "get_workbench",
    "import_conversations",
    "judge",
    "last",
    "load_ipython_extension",
    "set_workbench",
    "tool",
    "unload_ipython_extension",
]

_HOMES = {
    "AgentbenchError": "errors",
    "Stream": "workbench",
    "Tool": "runner.tools",
    "Workbench": "workbench",
    "assistant": "notebook",
    "export": "notebook.export",
    "get_workbench": "notebook",
    "import_conversations": "notebook.export",
    "judge": "workbench.experiments.judging",
    "last": "notebook",
    "load_ipython_extension": "notebook",
    "set_workbench": "notebook",
    "tool": "runner.tools",
    "unload_ipython_extension": "notebook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agentbench' has no attribute {name!r}")
    return getattr(import_module(f"agentbench.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
