"""What the openai package makes of the events: the same messages and steps as are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from openai import AssistantEventHandler
from openai._models import construct_type
from openai.types.beta import AssistantStreamEvent
from tests.runner.assistants.settled import settle
from tests.runner.assistants.threads import WEATHER, Talked, talking
from tests.runner.fakes import SteppedProvider, wants

from agentbench.protocol.assistants.tools import CodeInterpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol.assistants.events import AssistantEvent
    from agentbench.protocol.assistants.objects import Run
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


class Stream:
    """Events as the package reads them off the wire."""

    def __init__(self, events: list[AssistantEvent]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[Any]:
        for event in self._events:
            wire = msgspec.json.decode(msgspec.json.encode({"event": event.name, "data": event.data}))
            yield construct_type(type_=AssistantStreamEvent, value=wire)

    def close(self) -> None:
        """Do nothing."""


class Handler(AssistantEventHandler):
    """Notes what is built of deltas, before the whole objects come."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.calls: list[Any] = []

    def on_text_done(self, text: Any) -> None:
        """Note a text."""
        self.texts.append(text.value)

    def on_tool_call_done(self, tool_call: Any) -> None:
        """Note a call."""
        self.calls.append(tool_call)


async def handled(thread: Talked, run: Run) -> Handler:
    """Return a handler that has had what a stretch of a run tells."""
    handler, stream = Handler(), Stream(await thread.told(run))
    handler._init(stream)  # type: ignore[arg-type]
    handler.until_done()
    return handler


async def test_text_and_functions(database: Database) -> None:
    """Texts, calls and their arguments grow out of the deltas, and both stretches end in the run."""
    calls = wants("weather", city="Rome"), wants("weather", city="Oslo")
    async with talking(database, ["Well, ", "now. ", *calls], ["Sunny."], tools=(WEATHER,)) as thread:
        run = await thread.start()
        first = await handled(thread, run)
        assert first.texts[0] == "Well, now. "
        assert [call.function.arguments for call in first.calls[-2:]] == ['{"city":"Rome"}', '{"city":"Oslo"}']
        assert first.get_final_run().status == "requires_action"
        assert len(first.get_final_run_steps()) == 2
        await thread.submit(await thread.run(run), "warm", "cold")
        second = await handled(thread, run)
    assert second.get_final_run().status == "completed"
    assert second.get_final_messages()[0].content[0].text.value == "Sunny."  # type: ignore[union-attr]


async def test_code_and_pictures(database: Database) -> None:
    """Code, what it printed and its pictures grow out of the deltas."""
    code = "print(42); open('a.png', 'wb').write(b'\\x89PNG')"
    provider = SteppedProvider([wants("code_interpreter", code=code)], ["There."])
    async with talking(database, provider=provider) as thread:
        settle(thread.runner, code_interpreter=True)
        handler = await handled(thread, await thread.start(tools=(CodeInterpreter(),)))
        (message,) = handler.get_final_messages()
    assert [part.type for part in message.content] == ["image_file", "text"]
    snapshot = handler.calls[-1].code_interpreter
    assert (snapshot.input, [each.type for each in snapshot.outputs]) == (code, ["logs", "image"])
