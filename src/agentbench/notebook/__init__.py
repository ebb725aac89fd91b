"""The only room that knows Jupyter: magics, what they draw, and the objects that they leave behind."""

from __future__ import annotations

from agentbench.notebook.extension import (
    assistant,
    get_workbench,
    last,
    load_ipython_extension,
    set_workbench,
    unload_ipython_extension,
)

__all__ = ["assistant", "get_workbench", "last", "load_ipython_extension", "set_workbench", "unload_ipython_extension"]
