"""Calls of tools that a model makes side by side, as one step of a run, and the events that tell of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.assistants.events import AssistantEvent, StepDelta
from agentbench.protocol.assistants.objects import FunctionCallOf, RequiredCall, RunStep
from agentbench.protocol.items import FunctionCallOutput
from agentbench.protocol.values import new_id
from agentbench.runner.assistants.endings import closed_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentbench.protocol import Response
    from agentbench.protocol.assistants.objects import LastError, Run
    from agentbench.protocol.items import FunctionCall

__all__ = ["Calling", "code_in", "outputs_of", "required_calls", "shown", "with_outputs"]


class Calling:
    """A step of calls as it is now. `waiting` are the calls that have no output yet."""

    def __init__(self, run: Run) -> None:
        self._calls: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}
        self.waiting: set[str] = set()
        self.step = RunStep(
            id=new_id("step"),
            created_at=int(time.time()),
            run_id=run.id,
            assistant_id=run.assistant_id,
            thread_id=run.thread_id,
            type="tool_calls",
            step_details={"type": "tool_calls", "tool_calls": []},
        )

    def begin(self) -> list[AssistantEvent]:
        """Announce the step."""
        return [self._event("created"), self._event("in_progress")]

    def add(self, call: FunctionCall, kind: str) -> list[AssistantEvent]:
        """A call begins: of a function, or `code_interpreter` or `file_search`."""
        details: dict[str, Any] = {}
        if kind == "function":
            details = {"name": call.name, "arguments": "", "output": None}
        elif kind == "code_interpreter":
            details = {"input": "", "outputs": []}
        self._places[call.id] = self._places[call.call_id] = len(self._calls)
        self._calls.append({"id": call.call_id, "type": kind, kind: details})
        self.waiting.add(call.call_id)
        return [self._delta(call.id, {"id": call.call_id, kind: details})]

    def arguments(self, item_id: str, delta: str) -> list[AssistantEvent]:
        """Return the news that a function's arguments have grown; those of other calls are told once they are whole."""
        if self._calls[self._places[item_id]]["type"] != "function":
            return []
        return [self._delta(item_id, {"function": {"arguments": delta}})]

    def done(self, call: FunctionCall) -> list[AssistantEvent]:
        """Take the whole call."""
        kind = self._calls[self._places[call.id]]["type"]
        if kind == "function":
            self._set(call.id, {"name": call.name, "arguments": call.arguments, "output": None})
        elif kind == "code_interpreter":
            self._set(call.id, {"input": code_in(call.arguments), "outputs": []})
            return [self._delta(call.id, {kind: {"input": code_in(call.arguments)}})]
        return []

    def kind(self, call_id: str) -> str:
        """Return what a call is of: `function`, `code_interpreter` or `file_search`."""
        return str(self._calls[self._places[call_id]]["type"])

    def output(self, call_id: str, given: Mapping[str, Any]) -> list[AssistantEvent]:
        """A call has its output; once all have, the step is done."""
        kind = self._calls[self._places[call_id]]["type"]
        self._set(call_id, given)
        self.waiting.discard(call_id)
        out = [self._delta(call_id, {kind: _indexed(given)})] if kind == "code_interpreter" else []
        if not self.waiting:
            now = int(time.time())
            self.step = msgspec.structs.replace(self.step, status="completed", completed_at=now)
            out.append(self._event("completed"))
        return out

    def close(self, status: str, error: LastError | None) -> list[AssistantEvent]:
        """End the step as the run ends."""
        self.step = closed_step(self.step, status, error)
        return [self._event(self.step.status)]

    def _set(self, key: str, details: Mapping[str, Any]) -> None:
        place = self._places[key]
        call = self._calls[place]
        self._calls[place] = call | {call["type"]: call[call["type"]] | details}
        self.step = _with_calls(self.step, self._calls)

    def _event(self, name: str) -> AssistantEvent:
        return AssistantEvent(name=f"thread.run.step.{name}", data=self.step)

    def _delta(self, key: str, news: Mapping[str, Any]) -> AssistantEvent:
        place = self._places[key]
        call = {"index": place, "type": self._calls[place]["type"], **news}
        delta = {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
        return AssistantEvent(name="thread.run.step.delta", data=StepDelta(id=self.step.id, delta=delta))


def required_calls(steps: Iterable[RunStep]) -> tuple[RequiredCall, ...]:
    """Return the calls of functions that have no output."""
    calls = [call for step in steps if step.type == "tool_calls" for call in step.step_details["tool_calls"]]
    return tuple(
        RequiredCall(id=call["id"], function=FunctionCallOf(name=each["name"], arguments=each["arguments"]))
        for call in calls
        if (each := call.get("function")) is not None and each["output"] is None
    )


def outputs_of(steps: Iterable[RunStep], response: Response) -> tuple[FunctionCallOutput, ...]:
    """Return what the client gave back for the calls of a response."""
    calls = {call["id"]: call for step in steps for call in step.step_details.get("tool_calls", ())}
    given = {item.call_id for item in response.output if isinstance(item, FunctionCallOutput)}
    return tuple(
        FunctionCallOutput(id=new_id("fco"), call_id=each.call_id, output=calls[each.call_id]["function"]["output"])
        for each in response.function_calls
        if each.call_id not in given and each.call_id in calls
    )


def with_outputs(step: RunStep, outputs: Mapping[str, str]) -> RunStep:
    """Return a step that is done, its functions' outputs filled in."""
    calls = [
        call | {"function": call["function"] | {"output": outputs[call["id"]]}} if call["id"] in outputs else call
        for call in step.step_details["tool_calls"]
    ]
    return msgspec.structs.replace(_with_calls(step, calls), status="completed", completed_at=int(time.time()))


def shown(step: RunStep, *, whole: bool) -> RunStep:
    """Return a step as it is told: the passages of searches only where the `whole` of them was asked for."""
    calls = step.step_details.get("tool_calls", [])
    if whole or not any("file_search" in call for call in calls):
        return step
    return _with_calls(step, [_without_passages(call) for call in calls])


def code_in(arguments: str) -> str:
    """Return the code in the arguments of a call; what isn't as it should be, as it is."""
    try:
        told = msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        return arguments
    return str(told.get("code", ""))


def _without_passages(call: dict[str, Any]) -> dict[str, Any]:
    search = call.get("file_search")
    if search is None or "results" not in search:
        return call
    results = [{key: value for key, value in each.items() if key != "content"} for each in search["results"]]
    return call | {"file_search": search | {"results": results}}


def _with_calls(step: RunStep, calls: list[dict[str, Any]]) -> RunStep:
    return msgspec.structs.replace(step, step_details={"type": "tool_calls", "tool_calls": list(calls)})


def _indexed(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return outputs of code as a delta has them: each with its place."""
    return {"outputs": [{"index": place, **each} for place, each in enumerate(given["outputs"])]}
