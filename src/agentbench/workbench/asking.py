"""A workbench's answers: asked for whole or as a stream, quoted beforehand, and limited by budgets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import AnswerFailed
from agentbench.gateway.stream import Stream
from agentbench.runner.budget import Budget
from agentbench.runner.question import turn_of
from agentbench.runner.tools import as_tool
from agentbench.runner.wishes import Wishes
from agentbench.storage.grants import Reader
from agentbench.workbench.answerers import Answerers
from agentbench.workbench.looking_into import documents_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from agentbench.protocol import Response
    from agentbench.protocol.items import FunctionCall
    from agentbench.runner import Cell, Turn
    from agentbench.runner.budget import Budgets
    from agentbench.runner.quote import Quote
    from agentbench.runner.tools import Tool
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench.looking_into import Documents

__all__ = ["Asking"]


class Asking(Answerers):
    """Asks agents."""

    def ask(self, text: str | Sequence[Any], **options: Any) -> Response:
        """Return the whole answer; takes the options of `stream`.

        Raises `AnswerFailed`, which carries the response so far, if the answer breaks off.
        """
        stream = self.stream(text, **{"watching": False, **options})
        for _ in stream:
            pass
        if (error := stream.response.error) is not None:
            raise AnswerFailed(error.message, stream.response)
        return stream.response

    def stream(
        self,
        text: str | Sequence[Any],
        *,
        agent: str | None = None,
        model: str | None = None,
        conversation: str | Conversation | None = None,
        previous: Response | str | None = None,
        instructions: str | None = None,
        images: str | Sequence[str] = (),
        files: Documents = (),
        schema: Any = None,
        cell: Cell | None = None,
        functions: Sequence[Tool | Callable[..., Any]] = (),
        approve: Callable[[FunctionCall], bool] | None = None,
        watching: bool = True,
        **parameters: Any,
    ) -> Stream:
        """Start an answer and return its stream of events; nothing is paced unless `watching`.

        `text` is a question, or items of a Responses request. `agent` is an agent's id (default: the first), or an
        assistant's id or name; `model` an `endpoint/model` in place of its own. `conversation` is continued, or
        `previous`, a response. `images` are https or `data:` URLs; the answer rests on `files`: collections, files,
        paths, web pages. `schema` asks for JSON of that shape. `functions` are tools besides its own; `approve` is
        asked, on the reading thread, before one that wants it. `parameters` are a request's; `past=()` begins a branch.
        """
        turn, own = self._turn(
            text,
            files,
            agent=agent,
            model=model,
            conversation=conversation,
            previous=previous,
            instructions=instructions,
            images=images,
            schema=schema,
            cell=cell,
            **parameters,
        )
        return self._start(turn, [*own, *functions], approve, watching=watching)

    def quote(
        self,
        text: str | Sequence[Any],
        *,
        files: Documents = (),
        functions: Sequence[Tool | Callable[..., Any]] = (),
        **options: Any,
    ) -> tuple[Quote, ...]:
        """Return what a question would cost on each model that is known, the cheapest first; no model is asked.

        Takes the options of `stream`. Tokens are estimated; what the agent's MCP servers offer is looked up, and
        `files` are searched for the question's own words, so that their passages count.
        """
        from agentbench.runner.quote import quotes

        asked = {name: value for name, value in options.items() if name not in ("approve", "watching")}
        turn, own = self._turn(text, files, **asked)
        run = self._runner.start(turn, tools=[*own, *map(as_tool, functions)])
        return self._open_loop().portal.call(quotes, self._runner, run)

    def budget(self, usd: float | None = None, *, tokens: int | None = None) -> AbstractContextManager[Budget]:
        """Limit what the calls within a `with` block may cost, in US dollars, in tokens or in both.

        A call whose worst case would pass the limit raises `BudgetExceeded`, and nothing is sent. Calls of threads
        count against every block that is open, as a thread doesn't know in which it was started; in a tool, a task or
        an in-process client a call counts where it is made. Callers over HTTP don't count.
        """
        return self.budgets.block(Budget(usd, tokens))

    @property
    def budgets(self) -> Budgets:
        """The limits that hold now; `standing` is the one that no block ends."""
        return self._runner.budgets

    def add_tool(self, *tools: Tool | Callable[..., Any]) -> None:
        """Let agents name these tools or plain functions; a later one of the same name replaces the earlier."""
        self._runner.toolbox.add(*tools)

    def _turn(
        self, text: str | Sequence[Any], files: Documents, *, agent: str | None = None, **options: Any
    ) -> tuple[Turn, list[Tool]]:
        """Return the turn that a question is, and the tools that run here because an assistant has them."""
        answerer = self._answerer_of(agent)
        turn = turn_of(self.catalog, text, agent=agent if answerer is None else None, **options)
        turn = self._with_files(turn, files)
        return (turn, []) if answerer is None else answerer.answers(turn, self._runner)

    def _with_files(self, turn: Turn, files: Documents) -> Turn:
        if not files and files != "":
            return turn
        job = partial(documents_of, self._runner.library, Reader(turn.principal.user), files)
        documents = self._open_loop().portal.call(job)
        return msgspec.structs.replace(turn, documents=documents)

    def _start(
        self,
        turn: Turn,
        functions: Sequence[Tool | Callable[..., Any]],
        ask: Callable[[FunctionCall], bool] | None,
        *,
        watching: bool,
    ) -> Stream:
        wishes = None if ask is None else Wishes(ask)
        approve = None if wishes is None else wishes.approve
        run = self._runner.start(turn, tools=map(as_tool, functions), approve=approve)
        return Stream(run, self._open_loop(), wishes, watching=watching)
