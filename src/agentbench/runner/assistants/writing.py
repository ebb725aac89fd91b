"""One message of an assistant's while it is written: its step, its parts, and the events that tell of both."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.assistants.content import (
    FileCitation,
    FileId,
    FilePath,
    RefusalPart,
    TextPart,
    TextValue,
)
from agentbench.protocol.assistants.events import AssistantEvent, MessageDelta
from agentbench.protocol.assistants.objects import Attachment, Reason, RunStep, ThreadMessage
from agentbench.protocol.assistants.tools import CodeInterpreter
from agentbench.protocol.content import OutputText, Refusal
from agentbench.protocol.values import new_id
from agentbench.runner.assistants.endings import closed_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentbench.protocol.assistants.content import Annotation, MessageContent
    from agentbench.protocol.assistants.objects import Run
    from agentbench.protocol.content import ContentPart, UrlCitation
    from agentbench.protocol.items import Message
    from agentbench.runner.assistants.made import MadeFile

__all__ = ["Writing"]


class Writing:
    """A message and its step, as they are now.

    The pictures that code has made come first in it. `cited` gives the files behind the addresses of citations.
    """

    def __init__(
        self, run: Run, message_id: str, *, made: Sequence[MadeFile] = (), cited: Mapping[str, str] | None = None
    ) -> None:
        now = int(time.time())
        self._made = made
        self._cited = cited or {}
        self._pictures = tuple(each.part for each in made if each.is_picture)
        self._begun: set[int] = set()
        attachments = tuple(Attachment(file_id=each.id, tools=(CodeInterpreter(),)) for each in made)
        self.message = ThreadMessage(
            id=message_id,
            created_at=now,
            thread_id=run.thread_id,
            status="in_progress",
            role="assistant",
            assistant_id=run.assistant_id,
            run_id=run.id,
            attachments=attachments,
        )
        self.step = RunStep(
            id=new_id("step"),
            created_at=now,
            run_id=run.id,
            assistant_id=run.assistant_id,
            thread_id=run.thread_id,
            type="message_creation",
            step_details={"type": "message_creation", "message_creation": {"message_id": message_id}},
        )

    def begin(self) -> list[AssistantEvent]:
        """Announce both, and show the pictures."""
        out = [AssistantEvent(name=f"thread.run.step.{name}", data=self.step) for name in ("created", "in_progress")]
        out += [AssistantEvent(name=f"thread.message.{name}", data=self.message) for name in ("created", "in_progress")]
        for place, part in enumerate(self._pictures):
            shown = {"index": place, "type": "image_file", "image_file": {"file_id": part.image_file.file_id}}
            out.append(self._delta(shown))
        return out

    def text(self, place: int, delta: str) -> list[AssistantEvent]:
        """Return the news that a part has more text; the first of a part says that nothing is cited yet."""
        if not delta:
            return []
        text: dict[str, Any] = {"value": delta}
        if place not in self._begun:
            self._begun.add(place)
            text["annotations"] = []
        return [self._delta({"index": self._index(place), "type": "text", "text": text})]

    def refusal(self, place: int, delta: str) -> list[AssistantEvent]:
        """Return the news that a part has more of a refusal."""
        return [self._delta({"index": self._index(place), "type": "refusal", "refusal": delta})]

    def done(self, item: Message) -> list[AssistantEvent]:
        """Take the whole message as the model wrote it; one that was cut waits for `close`."""
        out = []
        parts: list[MessageContent] = list(self._pictures)
        for part in item.content:
            made = self._part(part)
            if isinstance(made, TextPart):
                out += self._cites(len(parts), made.text.annotations)
            if made is not None:
                parts.append(made)
        self._change(content=tuple(parts))
        return out if item.status != "completed" else [*out, *self.complete()]

    def complete(self) -> list[AssistantEvent]:
        """End the message, and its step, well."""
        now = int(time.time())
        self._change(status="completed", completed_at=now, content=self.message.content or self._pictures)
        self.step = msgspec.structs.replace(self.step, status="completed", completed_at=now)
        return self._ended("completed", "completed")

    def close(self, status: str, reason: str) -> list[AssistantEvent]:
        """End it as the run ends: the message stays incomplete for a reason."""
        self._change(status="incomplete", incomplete_at=int(time.time()), incomplete_details=Reason(reason=reason))
        self.step = closed_step(self.step, status)
        return self._ended("incomplete", self.step.status)

    def _ended(self, message: str, step: str) -> list[AssistantEvent]:
        return [
            AssistantEvent(name=f"thread.message.{message}", data=self.message),
            AssistantEvent(name=f"thread.run.step.{step}", data=self.step),
        ]

    def _index(self, place: int) -> int:
        return place + len(self._pictures)

    def _change(self, **changes: object) -> None:
        self.message = msgspec.structs.replace(self.message, **changes)

    def _delta(self, part: dict[str, Any]) -> AssistantEvent:
        data = MessageDelta(id=self.message.id, delta={"content": [part]})
        return AssistantEvent(name="thread.message.delta", data=data)

    def _part(self, part: ContentPart) -> MessageContent | None:
        if isinstance(part, Refusal):
            return RefusalPart(refusal=part.refusal)
        if not isinstance(part, OutputText):
            return None
        found = [*self._citations(part.text, part.annotations), *self._paths(part.text)]
        return TextPart(text=TextValue(value=part.text, annotations=tuple(found)))

    def _citations(self, text: str, annotations: Sequence[UrlCitation]) -> Iterator[Annotation]:
        for each in annotations:
            if (file := self._cited.get(each.url)) is not None:
                yield FileCitation(
                    text=text[each.start_index : each.end_index],
                    start_index=each.start_index,
                    end_index=each.end_index,
                    file_citation=FileId(file_id=file),
                )

    def _paths(self, text: str) -> Iterator[Annotation]:
        """Yield where the text names a file that code has made."""
        for made in self._made:
            begin = text.find(made.path)
            if begin >= 0:
                end = begin + len(made.path)
                yield FilePath(text=made.path, start_index=begin, end_index=end, file_path=FileId(file_id=made.id))

    def _cites(self, index: int, annotations: Sequence[Annotation]) -> list[AssistantEvent]:
        news = [{"index": place, **msgspec.to_builtins(each)} for place, each in enumerate(annotations)]
        return [self._delta({"index": index, "type": "text", "text": {"annotations": news}})] if news else []
