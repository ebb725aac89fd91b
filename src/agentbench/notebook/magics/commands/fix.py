"""`%agent fix`: have the last error explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.commands.chat import Chat
from agentbench.notebook.magics.interpolate import interpolate

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.result import Result
    from agentbench.notebook.tables import Table

__all__ = ["Fix"]

_OPTIONS = ("agent", "model", "temperature", "max_output_tokens", "system", "to", "raw", "dry_run")


class Fix(Chat):
    """Ask about the last error, in the conversation that goes on."""

    name = "fix"
    summary = (
        "Have the last error explained: an agent sees the traceback and the cell that raised it. Words may follow."
    )
    argument = "[WORDS]"
    options = tuple(option for option in Chat.options if option.key in _OPTIONS)

    async def run(self, call: Call) -> Result | Table:
        """Show the answer as it comes; raise `InvalidRequest` if nothing was raised."""
        from agentbench.notebook.problem import last_problem

        session, problem = call.session, last_problem()
        if problem is session.fix_failed:  # what keeps an explanation from coming isn't what is to be explained
            problem = session.problem
        session.problem = problem
        try:
            return await self.ask(call, _prompt(call, problem))
        except BaseException as error:
            session.fix_failed = error
            raise


def _prompt(call: Call, problem: BaseException | None) -> str:
    from agentbench.notebook.problem import described

    if problem is None:
        raise InvalidRequest("There is nothing to fix: no cell of this kernel has raised an error yet.")
    kind = type(problem).__name__
    words = "\n".join(part for part in (call.text, (call.body or "").strip("\n")) if part.strip())
    if not call.options.get("raw"):
        words = interpolate(words, call.namespace)
    asked = words or f"Why does this raise {kind}, and how do I fix it? Be brief, and show the lines to change."
    return f"{asked}\n\n{f'The {kind}:' if words else 'The traceback:'}\n\n{described(problem, call.magics.ip)}"
