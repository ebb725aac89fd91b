"""The agent loop's decisions: which calls of an answer run here, under which limits, and what the model reads back."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import anyio
import msgspec

from agentbench.errors import CassetteMiss
from agentbench.protocol.items import FunctionCall, FunctionCallOutput
from agentbench.protocol.request import AllowedTools
from agentbench.protocol.values import new_id
from agentbench.providers.cassettes.deck import Asked, Deck
from agentbench.telemetry import SILENT, Watch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from agentbench.protocol import CreateResponse, Item
    from agentbench.protocol.request import ToolChoice
    from agentbench.runner.tools import Tool

__all__ = ["Approve", "Steps"]

Approve = Callable[[FunctionCall], Awaitable[bool]]


class Steps:
    """The tools of one turn, and how many calls it may still make.

    `limit` counts upstream calls; the last one must answer without tools. What is `unoffered` runs too if the model
    calls it, as an assistant upstream knows functions that it wasn't told of here.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool],
        request: CreateResponse,
        approve: Approve | None,
        *,
        limit: int = 25,
        more: Callable[[Collection[str]], Awaitable[Mapping[str, Tool]]] | None = None,
        unoffered: Mapping[str, Tool] | None = None,
        deck: Deck | None = None,
        watch: Watch = SILENT,
    ) -> None:
        self._limit = limit
        theirs = {each.name for each in request.tools}
        unasked = {name: tool for name, tool in (unoffered or {}).items() if name not in {*tools, *theirs}}
        self._unoffered = frozenset(unasked)
        self.tools = {**tools, **unasked}
        self._more = more
        self._request = request
        self._approve = approve
        self._deck = deck or Deck()
        self._watch = watch
        self._left = request.max_tool_calls
        self._count = 0
        self._used_up = False
        self.seconds: dict[str, float] = {}
        """How long each call took that has run, by `call_id`."""

    async def prepare(self) -> None:
        """Find the tools that only their servers know; before it, `tools` are the Python functions."""
        if self._more is not None:
            self.tools = {**self.tools, **await self._more(self.tools)}

    def request(self, request: CreateResponse) -> CreateResponse:
        """Return the next step's request: with our tools in front of the client's, and with none at the last step.

        A choice that forces a call holds for the first step only: the model must be free to answer after it.
        """
        self._count += 1
        theirs = [each for each in request.tools if each.name not in self.tools]
        ours = (each.spec for name, each in self.tools.items() if name not in self._unoffered)
        tools = (*ours, *theirs)
        choice = request.tool_choice if self._count == 1 else _freed(request.tool_choice)
        self._used_up = self._left == 0
        if self.limit is not None:
            choice = "none"
        return msgspec.structs.replace(request, tools=tools, tool_choice=choice)

    @property
    def limit(self) -> Literal["max_tool_calls", "recursion_limit"] | None:
        """The limit that makes this step the last; None if another may follow."""
        if self._used_up:
            return "max_tool_calls"
        return "recursion_limit" if self._count >= self._limit else None

    def ours(self, items: Iterable[Item]) -> list[FunctionCall]:
        """Return the calls that run here."""
        return [item for item in items if isinstance(item, FunctionCall) and item.name in self.tools]

    def theirs(self, items: Iterable[Item]) -> list[FunctionCall]:
        """Return the calls that the client runs."""
        return [item for item in items if isinstance(item, FunctionCall) and item.name not in self.tools]

    def forbidden(self, calls: Iterable[FunctionCall]) -> FunctionCall | None:
        """Return the first call of the client's tools that its `allowed_tools` rules out."""
        return next((call for call in calls if not self._is_allowed(call.name)), None)

    async def run(self, calls: Sequence[FunctionCall]) -> list[FunctionCallOutput]:
        """Run calls side by side and return their results in the calls' order. Raises nothing but `CassetteMiss`."""
        results = [""] * len(calls)
        missed: list[CassetteMiss] = []

        async def work(place: int, call: FunctionCall) -> None:
            try:
                results[place] = await self._watch.tool(call, self._result(call, place))
            except CassetteMiss as miss:
                missed.append(miss)

        async with anyio.create_task_group() as group:
            for place, call in enumerate(calls):
                group.start_soon(work, place, call)
        if missed:
            raise missed[0]
        if self._left is not None:
            self._left = max(0, self._left - len(calls))
        return [
            FunctionCallOutput(id=new_id("fco"), call_id=call.call_id, output=result)
            for call, result in zip(calls, results, strict=True)
        ]

    async def _result(self, call: FunctionCall, place: int) -> str:
        if not self._is_allowed(call.name):
            return f"Error: {call.name} may not be called now."
        if self._count >= self._limit or (self._left is not None and place >= self._left):
            return "Error: not run, as no more tool calls are allowed in this answer."
        tool, tape = self.tools[call.name], self._deck.tape
        if tape is None:
            return await self._run_tool(tool, call)
        start = time.perf_counter()
        asked = Asked(kind="tool", name=tool.origin, body=_as_json(call.arguments))
        result = await tape.value(asked, partial(self._run_tool, tool, call))
        self.seconds.setdefault(call.call_id, time.perf_counter() - start)
        return result

    async def _run_tool(self, tool: Tool, call: FunctionCall) -> str:
        if tool.approval == "ask" and not (self._approve and await self._approve(call)):
            return "Error: the person declined this call." if self._approve else "Error: nobody is here to approve it."
        start = time.perf_counter()
        try:
            return await tool.call(call.arguments)
        finally:
            self.seconds[call.call_id] = time.perf_counter() - start

    def _is_allowed(self, name: str) -> bool:
        choice = self._request.tool_choice
        return not isinstance(choice, AllowedTools) or any(tool.name == name for tool in choice.tools)


def _as_json(arguments: str) -> Any:
    """Return arguments as what they say; a model may have written no JSON."""
    try:
        return msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return arguments


def _freed(choice: ToolChoice) -> ToolChoice:
    """Return a choice that forces no call, and still keeps its limits."""
    if isinstance(choice, AllowedTools):
        return msgspec.structs.replace(choice, mode="none" if choice.mode == "none" else "auto")
    return "none" if choice == "none" else "auto"
