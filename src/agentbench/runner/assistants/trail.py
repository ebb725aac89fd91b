"""What a run leaves behind: from the events of the answer to steps, messages, and the events of the Assistants API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol import events as ev
from agentbench.protocol.assistants.objects import RunStep, ThreadMessage
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.protocol.values import new_id
from agentbench.retrieval.values import similarity
from agentbench.runner.assistants.calling import Calling, required_calls, shown
from agentbench.runner.assistants.endings import message_reason
from agentbench.runner.assistants.personas import search_options
from agentbench.runner.assistants.writing import Writing
from agentbench.runner.citations import link
from agentbench.runner.documents import FILE_SEARCH, Passage, is_search

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from agentbench.protocol import Event, Item
    from agentbench.protocol.assistants.events import AssistantEvent
    from agentbench.protocol.assistants.objects import LastError, RequiredCall, Run
    from agentbench.runner.assistants.made import MadeFile
    from agentbench.runner.documents import Source

__all__ = ["CODE", "Trail"]

CODE = "code_interpreter"
"""The name of the tool that runs code."""

_RANKER = "default_2024_08_21"


class _Found(msgspec.Struct):
    """What the output of a search holds that is shown."""

    passages: tuple[Passage, ...] = ()


class Trail:
    """The steps and messages of one stretch of a run, up to where the client has to act or the run ends.

    `unsaved` are those that have changed and aren't stored. What code has put out stands in `outputs` by the call, and
    the files that it has made in `made`. With `code`, the tool of that name is the code interpreter. The passages that
    were found are told `whole` or not.
    """

    def __init__(self, run: Run, *, code: bool = False, whole: bool = False) -> None:
        self.unsaved: dict[str, RunStep | ThreadMessage] = {}
        self.outputs: dict[str, Sequence[Mapping[str, Any]]] = {}
        self.made: list[MadeFile] = []
        self._run = run
        self._code = code
        self._whole = whole
        self._cited: dict[str, str] = {}
        self._pieces: list[FunctionCall] = []  # of code that have not begun to run
        self._message: Writing | None = None
        self._group: Calling | None = None
        self._callings: dict[str, Calling] = {}

    def take(self, batch: Iterable[Event], sources: Iterable[Source] = ()) -> list[AssistantEvent]:
        """Return what a batch of the answer's events means; `sources` is what the answer may cite."""
        if not self._cited:
            found = (passage for source in sources for passage in source.passages)
            self._cited = {link(passage): passage.file for passage in found if passage.file is not None}
        return self._told([news for event in batch for news in self._news(event)])

    def waiting(self, own: Collection[str]) -> tuple[RequiredCall, ...]:
        """Return the calls that the client has to answer: of tools that don't run here, by their names."""
        steps = [each.step for each in dict.fromkeys(self._callings.values())]
        self.unsaved |= {each.id: each for each in steps}  # no event had the whole arguments
        return tuple(call for call in required_calls(steps) if call.function.name not in own)

    def claimed(self, arguments: str) -> str:
        """Return the id of the next call of the code interpreter that has these arguments."""
        call = next(each for each in self._pieces if each.arguments == arguments)
        self._pieces.remove(call)
        return call.call_id

    def show_made(self) -> list[AssistantEvent]:
        """Show what code has made in a message of its own, if no other does."""
        if not self.made:
            return []
        message = self._begun(new_id("msg"))
        return self._told([*message.begin(), *message.complete()])

    def close(self, status: str, *, reason: str | None = None, error: LastError | None = None) -> list[AssistantEvent]:
        """End what is open as the run ends, which was cut for the `reason`."""
        out = []
        if self._message is not None:
            out += self._message.close(status, message_reason(status, reason))
            self._message = None
        for calling in dict.fromkeys(self._callings.values()):
            if calling.step.status == "in_progress":
                out += calling.close(status, error)
        return self._told(out)

    def _told(self, news: Sequence[AssistantEvent]) -> list[AssistantEvent]:
        """Note what the events change, and return them as they are told."""
        out = []
        for each in news:
            if isinstance(each.data, RunStep | ThreadMessage):
                self.unsaved[each.data.id] = each.data
            if isinstance(each.data, RunStep):
                each = msgspec.structs.replace(each, data=shown(each.data, whole=self._whole))  # noqa: PLW2901
            out.append(each)
        return out

    def _news(self, event: Event) -> list[AssistantEvent]:
        if isinstance(event, ev.ItemAdded):
            return self._added(event.item)
        if isinstance(event, ev.ItemDone):
            return self._done(event.item)
        if isinstance(event, ev.ArgumentsDelta) and event.item_id in self._callings:
            return self._callings[event.item_id].arguments(event.item_id, event.delta)
        return [] if self._message is None else _growth(self._message, event)

    def _added(self, item: Item) -> list[AssistantEvent]:
        if isinstance(item, Message):
            self._group = None
            self._message = self._begun(item.id)
            return self._message.begin()
        if isinstance(item, FunctionCall):
            out, calling = self._grouped()
            self._callings[item.id] = self._callings[item.call_id] = calling
            return out + calling.add(item, self._kind(item))
        return []

    def _done(self, item: Item) -> list[AssistantEvent]:
        if isinstance(item, Message) and self._message is not None:
            out = self._message.done(item)
            self._message = None if item.status == "completed" else self._message
            return out
        if isinstance(item, FunctionCall):
            if self._kind(item) == CODE:
                self._pieces.append(item)
            return self._callings[item.id].done(item)
        if isinstance(item, FunctionCallOutput) and item.call_id in self._callings:
            self._group = None
            calling = self._callings[item.call_id]
            return calling.output(item.call_id, self._output(calling.kind(item.call_id), item))
        return []

    def _begun(self, message_id: str) -> Writing:
        """Return a new message, which shows what code has made since the one before."""
        made, self.made = tuple(self.made), []
        return Writing(self._run, message_id, made=made, cited=self._cited)

    def _grouped(self) -> tuple[list[AssistantEvent], Calling]:
        """Return the step that a call belongs to: calls of one answer of the model's are one."""
        if self._group is not None:
            return [], self._group
        self._group = Calling(self._run)
        return self._group.begin(), self._group

    def _kind(self, call: FunctionCall) -> str:
        if is_search(call):
            return FILE_SEARCH
        return CODE if self._code and call.name == CODE else "function"

    def _output(self, kind: str, item: FunctionCallOutput) -> dict[str, Any]:
        text = item.output if isinstance(item.output, str) else ""
        if kind == CODE:
            return {"outputs": list(self.outputs.get(item.call_id, [{"type": "logs", "logs": text}]))}
        return self._results(text) if kind == FILE_SEARCH else {"output": text}

    def _results(self, found: str) -> dict[str, Any]:
        """Return what a search has found, as its step shows it: the score is what a threshold is held against."""
        options = search_options(self._run.tools)
        ranking = None if options is None else options.ranking_options
        threshold = 0.0 if ranking is None else ranking.score_threshold
        return {"ranking_options": {"ranker": _RANKER, "score_threshold": threshold}, "results": _shown(found)}


def _growth(message: Writing, event: Event) -> list[AssistantEvent]:
    if isinstance(event, ev.TextDelta):
        return message.text(event.content_index, event.delta)
    return message.refusal(event.content_index, event.delta) if isinstance(event, ev.RefusalDelta) else []


def _shown(found: str) -> list[dict[str, Any]]:
    passages = msgspec.json.decode(found, type=_Found).passages
    return [
        {
            "file_id": each.file,
            "file_name": each.name,
            "score": min(1.0, max(0.0, similarity(each))),
            "content": [{"type": "text", "text": each.text}],
        }
        for each in passages
        if each.file is not None
    ]
