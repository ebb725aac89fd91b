"""Loading and unloading the IPython extension, and the way to its state from Python code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics import AgentMagics
from agentbench.notebook.magics.awaiting import AWAITED, await_magics, keep_questions

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentbench.notebook.result import Result
    from agentbench.workbench import Workbench
    from agentbench.workbench.assistant import AssistantHandle

__all__ = [
    "assistant",
    "get_workbench",
    "last",
    "load_ipython_extension",
    "remember",
    "set_workbench",
    "unload_ipython_extension",
]

_NAME = AgentMagics.__name__


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register `%agent` and `%%agent`, their completions, and the rule that cells wait for their answers."""
    if _NAME in shell.magics_manager.registry:
        return
    magics = AgentMagics(shell)
    shell.register_magics(magics)
    shell.input_transformers_cleanup.append(keep_questions)
    shell.input_transformers_post.append(await_magics)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(magics.completer)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Undo all that loading did, and close the workbench."""
    magics = shell.magics_manager.registry.pop(_NAME, None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        for name in ("agent", AWAITED):
            shell.magics_manager.magics[kind].pop(name, None)
    shell.configurables[:] = [each for each in shell.configurables if each is not magics]
    shell.input_transformers_cleanup.remove(keep_questions)
    shell.input_transformers_post.remove(await_magics)
    if shell.Completer is not None:
        matchers = shell.Completer.custom_matchers
        matchers[:] = [each for each in matchers if each is not magics.completer]
    magics.session.close()


def last() -> Result | None:
    """Return the result of the newest `%agent chat` or turn of a chat widget; None before the first."""
    return _magics().session.last


def remember(bench: Workbench, result: Result) -> None:
    """Let `last` return the result of a question that was asked elsewhere, if the magics use that workbench."""
    shell = get_ipython()
    magics = None if shell is None else shell.magics_manager.registry.get(_NAME)
    if isinstance(magics, AgentMagics) and magics.session.has_bench and magics.session.bench is bench:
        magics.session.last = result


def get_workbench() -> Workbench:
    """Return the workbench that the magics use, made on first use."""
    return _magics().session.bench


def assistant(name: str, **options: Any) -> AssistantHandle:
    """Make an assistant, or change yours of that name, and return it; takes what `Workbench.assistant` takes."""
    return get_workbench().assistant(name, **options)


def set_workbench(bench: Workbench) -> None:
    """Let the magics use this workbench from now on; a new conversation begins. Whoever made it closes it."""
    magics = _magics()
    magics.session.use_bench(bench)
    magics.agent = magics.model = ""


def _magics() -> AgentMagics:
    shell = get_ipython()
    magics = None if shell is None else shell.magics_manager.registry.get(_NAME)
    if not isinstance(magics, AgentMagics):
        raise InvalidRequest("The magics aren't loaded here. Run: %load_ext agentbench")
    return magics
