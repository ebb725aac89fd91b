"""The check of a stream of chat completion chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.protocol.grammar.frames import DONE
from agentbench.protocol.grammar.report import Report, Violation, same, shown
from agentbench.protocol.grammar.shapes import INTEGER, LIST, TEXT, wrong_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_chat"]

_Object = dict[str, Any]
_HEAD = {"id": TEXT, "object": TEXT, "created": INTEGER, "model": TEXT, "choices": LIST}
_COUNTS = {"prompt_tokens": INTEGER, "completion_tokens": INTEGER, "total_tokens": INTEGER}
_STABLE = ("id", "created", "model")
_WORDS = ("content", "refusal", "reasoning_content", "reasoning")
_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")


def check_chat(chunks: Iterable[Any], *, with_usage: bool = False) -> tuple[Violation, ...]:
    """Return what is wrong with a stream of chunks, given as JSON objects, and the text `[DONE]`.

    `with_usage` says that the usage was asked for. Whatever the chunks hold, nothing is raised.
    """
    report = Report()
    stream = _Stream(report)
    for index, chunk in enumerate(chunks):
        report.index = index
        stream.take(chunk)
    report.index = None
    stream.end(with_usage=with_usage)
    return tuple(report.violations)


class _Choice:
    """What came of one choice."""

    def __init__(self) -> None:
        self.begun = False
        self.finish: str | None = None
        self.calls: dict[int, object] = {}


class _Stream:
    """Takes one chunk after the other."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._head: _Object = {}
        self._choices: dict[object, _Choice] = {}
        self._call_ids: set[str] = set()
        self._usages = 0
        self._failed = False
        self._done = False

    def take(self, chunk: Any) -> None:
        """Take a chunk, whatever it is."""
        if self._done:
            self._report.add("done-last", f"{shown(chunk)} comes after [DONE].")
        elif chunk == DONE:
            self._done = True
        elif not isinstance(chunk, dict):
            self._report.add("chunk-object", f"Expected an object, got {shown(chunk)}.")
        elif self._failed:
            self._report.add("error-ends", "A chunk comes after an error.")
        elif chunk.get("error"):
            self._failed = True
        else:
            self._chunk(chunk)

    def end(self, *, with_usage: bool) -> None:
        """Say what is missing at the end."""
        report = self._report
        if not self._done:
            report.add("done-last", "The stream ends without [DONE].")
        if self._failed:
            return
        if not self._choices:
            report.add("role-first", "The stream has no choice.")
        for index, choice in self._choices.items():
            if choice.finish is None:
                report.add("finish-once", f"Choice {shown(index)} has no finish_reason.")
        if with_usage and not self._usages:
            report.add("usage-chunk", "The usage was asked for with stream_options, and didn't come.")

    def _chunk(self, chunk: _Object) -> None:
        report = self._report
        for wrong in wrong_keys(chunk, _HEAD):
            report.add("chunk-keys", f"chunk {wrong}.")
        if isinstance(kind := chunk.get("object"), str) and kind != "chat.completion.chunk":
            report.differs("chunk-kind", "object", "chat.completion.chunk", kind)
        for key in _STABLE:
            if key in chunk and not same(before := self._head.get(key, chunk[key]), chunk[key]):
                report.differs("chunk-head-stable", key, before, chunk[key])
        self._head |= {key: chunk[key] for key in _STABLE if key in chunk}
        choices = chunk.get("choices")
        choices = choices if isinstance(choices, list) else []
        for choice in choices:
            self._choice(choice)
        if chunk.get("usage") is not None:
            self._usage(chunk["usage"], choices)
        elif "usage" in chunk and not choices:  # it is asked for, and nobody knows it
            self._usages += 1

    def _choice(self, raw: Any) -> None:
        report = self._report
        if not isinstance(raw, dict) or type(raw.get("index")) is not int or not isinstance(raw.get("delta"), dict):
            report.add("choice-keys", f"A choice needs an index and a delta, got {shown(raw)}.")
            return
        delta, finish = raw["delta"], raw.get("finish_reason")
        choice = self._choices.setdefault(raw["index"], _Choice())
        if choice.finish is not None and (finish is not None or any(delta.values())):
            rule = "finish-once" if finish is not None else "nothing-after-finish"
            report.add(rule, f"Choice {shown(raw['index'])} had finished with {shown(choice.finish)} before.")
            return
        self._delta(choice, delta)
        if finish is not None:
            self._finish(choice, finish)

    def _delta(self, choice: _Choice, delta: _Object) -> None:
        report, role = self._report, delta.get("role")
        if role != "assistant" and (role is not None or not choice.begun):
            report.differs("role-first", "role", "assistant", role)
        choice.begun = True
        for key in _WORDS:
            if not isinstance(delta.get(key), str | None):
                report.add("delta-types", f"delta {key}: expected a text or null, got {shown(delta[key])}.")
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            self._call(choice, call)

    def _finish(self, choice: _Choice, finish: object) -> None:
        if finish not in _REASONS:
            self._report.add("choice-keys", f"finish_reason is {shown(finish)}, expected one of {', '.join(_REASONS)}.")
        choice.finish = finish if isinstance(finish, str) else "unknown"
        if finish == "tool_calls" and not choice.calls:
            self._report.add("calls-have-finish", "The finish_reason is tool_calls, and no tool was called.")

    # -- calls and usage ----------------------------------------------------------------------------------------

    def _call(self, choice: _Choice, call: Any) -> None:
        report = self._report
        index = call.get("index") if isinstance(call, dict) else None
        if type(index) is not int:
            report.add("call-index", f"A piece of a tool call needs an index, got {shown(call)}.")
            return
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        if index not in choice.calls:
            self._call_begins(choice, index, call, function)
        elif call.get("id") and not same(call["id"], choice.calls[index]):
            report.differs("call-id-stable", f"call {shown(index)} id", choice.calls[index], call["id"])
        if not isinstance(function.get("arguments"), str | None):
            report.add("call-arguments", f"arguments: expected a text, got {shown(function['arguments'])}.")

    def _call_begins(self, choice: _Choice, index: int, call: _Object, function: _Object) -> None:
        report, call_id = self._report, call.get("id")
        if index != len(choice.calls):
            report.differs("call-index", "index of a new call", len(choice.calls), index)
        choice.calls[index] = call_id
        named = isinstance(function.get("name"), str) and function["name"]
        if not (isinstance(call_id, str) and call_id and named and call.get("type") == "function"):
            report.add("call-begins-whole", f"Call {shown(index)} begins without its id, type or name.")
        if isinstance(call_id, str):
            if call_id in self._call_ids:
                report.add("call-id-stable", f"The id {shown(call_id)} was another call's already.")
            self._call_ids.add(call_id)

    def _usage(self, usage: Any, choices: list[Any]) -> None:
        report = self._report
        self._usages += 1
        if self._usages == (1 if choices else 2):  # some servers tell it with every chunk, which is said once
            what = "comes beside choices" if choices else "comes again"
            report.add("usage-chunk", f"The usage {what}, expected once, in a chunk without choices.")
        if not isinstance(usage, dict):
            report.add("usage-counts", f"usage: expected an object, got {shown(usage)}.")
            return
        wrong = list(wrong_keys(usage, _COUNTS))
        for each in wrong:
            report.add("usage-counts", f"usage {each}.")
        if not wrong and usage["total_tokens"] != usage["prompt_tokens"] + usage["completion_tokens"]:
            total = usage["prompt_tokens"] + usage["completion_tokens"]
            report.differs("usage-counts", "usage total_tokens", total, usage["total_tokens"])
