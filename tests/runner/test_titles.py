"""When conversations get their titles: from a question's first words, from a model, from a person."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import HANG, FakeProvider, answer, drain, play
from tests.runner.talks import GatedProvider, spend

from agentbench.errors import UpstreamRefused, UpstreamUnavailable
from agentbench.runner import Cell
from agentbench.runner import titles as module
from agentbench.storage import conversations

if TYPE_CHECKING:
    from tests.runner.talks import Make

    from agentbench.storage.database import Database


pytestmark = pytest.mark.anyio


# -- the first words ------------------------------------------------------------------------------------------------


async def test_the_first_words(make: Make) -> None:
    """Where no model makes titles, a conversation has its question's first words before the answer begins."""
    talk = make(FakeProvider(), FakeProvider(HANG), enabled=False)
    run = talk.play("Why " * 30)
    reading = asyncio.create_task(drain(run))
    await talk.says.hung.acquire()
    assert await talk.title() == ("Why " * 14 + "Why…", "words")
    run.stop()
    await reading
    assert talk.names.requests == []


async def test_a_question_that_is_not_stored(make: Make) -> None:
    """It leaves no trace in a title."""
    talk = make(FakeProvider("Sky"))
    await talk.ask(request={"store": False})
    assert (talk.names.requests, await talk.title()) == ([], (None, None))


async def test_a_question_outside_a_conversation(make: Make) -> None:
    """There is nothing to name."""
    talk = make(FakeProvider("Sky"))
    await answer(play(talk.runner))
    await talk.runner.titles.settled()
    assert (talk.names.requests, await talk.title()) == ([], (None, None))


# -- when -----------------------------------------------------------------------------------------------------------


async def test_immediate(make: Make) -> None:
    """The title comes while the answer is still on its way, which is not asked for it; a stop keeps it."""
    talk = make(FakeProvider("Blue", " Sky"), FakeProvider("one ", HANG))
    run = talk.play()
    reading = asyncio.create_task(drain(run))
    await talk.says.hung.acquire()
    await talk.runner.titles.settled()
    assert await talk.title() == ("Blue Sky", "model")
    assert "\n\nUser: Why is the sky blue?\n\n" in talk.asked[0]
    assert "AI:" not in talk.asked[0]
    run.stop()
    await reading
    assert await talk.title() == ("Blue Sky", "model")


async def test_an_answer_does_not_wait(make: Make) -> None:
    """The last event comes while the title is still being made."""
    talk = make(FakeProvider(HANG))
    run = talk.play()
    await drain(run)
    await talk.names.hung.acquire()
    assert (run.response.status, talk.names.closed) == ("completed", 0)
    assert await talk.title() == ("Why is the sky blue?", "words")


async def test_closing_waits(make: Make) -> None:
    """A title that is nearly there when all ends is kept."""
    names = GatedProvider("Blue Sky")
    talk = make(names)
    await answer(talk.play())
    closing = asyncio.create_task(talk.runner.aclose())
    names.gate.set()
    await closing
    assert await talk.title() == ("Blue Sky", "model")


async def test_closing_does_not_wait_for_ever(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes too long is dropped, and its upstream closed."""
    monkeypatch.setattr(module, "_CLOSING_SECONDS", 0.01)
    talk = make(FakeProvider("Blue", HANG))
    await answer(talk.play())
    await talk.runner.titles.aclose()
    assert (talk.names.closed, await talk.title()) == (1, ("Why is the sky blue?", "words"))


async def test_final(make: Make) -> None:
    """The title is asked for once the answer is whole, with both."""
    talk = make(FakeProvider("Blue Sky"), timing="final")
    run = talk.play()
    async for _ in run.events():
        if run.response.status != "completed":
            assert talk.names.requests == []
    await talk.runner.titles.settled()
    assert "User: Why is the sky blue?\nAI: one two three" in talk.asked[0]
    assert await talk.title() == ("Blue Sky", "model")


@pytest.mark.parametrize("chunks", [(UpstreamUnavailable("Dead."),), ("one ", UpstreamUnavailable("Dead."))])
async def test_final_after_a_failure(make: Make, chunks: tuple[Any, ...]) -> None:
    """A turn that failed is not named by a model; the question that is asked instead is."""
    talk = make(FakeProvider("Blue Sky"), FakeProvider(*chunks), timing="final")
    await drain(talk.play())
    assert (talk.names.requests, await talk.title()) == ([], ("Why is the sky blue?", "words"))
    talk.says.chunks = ("one",)
    await talk.ask("Why is it?")
    assert await talk.title() == ("Blue Sky", "model")


async def test_immediate_and_a_refused_question(make: Make) -> None:
    """What the model says of a question stays, though nobody answered that."""
    talk = make(FakeProvider("Blue Sky"), FakeProvider(refusals=(UpstreamRefused("No."),)))
    with pytest.raises(UpstreamRefused):
        await drain(talk.play())
    await talk.runner.titles.settled()
    assert await talk.title() == ("Blue Sky", "model")


@pytest.mark.parametrize("timing", ["immediate", "final"])
async def test_only_the_first_turn(make: Make, timing: str) -> None:
    """Later turns leave the title alone."""
    talk = make(FakeProvider("Blue Sky"), timing=timing)
    await talk.ask()
    await talk.ask("And the sea?")
    assert (await talk.title(), len(talk.names.requests)) == (("Blue Sky", "model"), 1)


async def test_running_the_first_cell_again(make: Make) -> None:
    """It is a first turn again, whose title replaces the one before; of two at once the later counts."""
    talk = make(FakeProvider("Sky", HANG))
    await answer(talk.play(cell=Cell(id="cell1", run="run1")))
    await talk.names.hung.acquire()
    talk.names.chunks = ("Sea",)
    await talk.ask("Why is the sea blue?", cell=Cell(id="cell1", run="run2"))
    assert (await talk.title(), talk.names.closed) == (("Sea", "model"), 2)
    talk.names.chunks = ("Land",)
    await talk.ask("Why is the land green?", cell=Cell(id="cell1", run="run3"))
    assert await talk.title() == ("Land", "model")


@pytest.mark.parametrize(("first", "expected"), [("Sky", ("Sky", "model")), ("", ("Why is the sea blue?", "words"))])
async def test_another_branch_from_the_beginning(make: Make, first: str, expected: tuple[str, str]) -> None:
    """A first question that is put differently takes the place of a title in words, and of no model's."""
    talk = make(FakeProvider(first))
    await talk.ask()
    await talk.ask("Why is the sea blue?", past=(), cell=Cell(id=None, run="run1"))
    assert (await talk.title(), len(talk.names.requests)) == (expected, 1 if first else 2)


@pytest.mark.parametrize("gone", [False, True])
async def test_a_stopped_answer(make: Make, *, gone: bool) -> None:
    """It stops its title too, whether it is told to or its reader is gone; what was spent is counted."""
    talk = make(FakeProvider(spend, "Blue", HANG), FakeProvider("one ", HANG))
    run = talk.play()
    reading = asyncio.create_task(drain(run))
    await talk.names.hung.acquire()
    await talk.says.hung.acquire()
    reading.cancel() if gone else run.stop()
    await asyncio.wait([reading])
    await talk.runner.titles.settled()
    assert (talk.names.closed, await talk.title()) == (1, ("Why is the sky blue?", "words"))
    assert [(row.status, row.output_tokens) for row in await talk.title_rows()] == [("incomplete", 4)]


@pytest.mark.parametrize("timing", ["immediate", "final"])
async def test_a_stopped_answer_has_no_final_title(make: Make, timing: str) -> None:
    """After a stop none is asked for."""
    talk = make(FakeProvider("Blue Sky"), FakeProvider("one ", HANG), timing=timing)
    run = talk.play()
    run.stop()
    await drain(run)
    await talk.runner.titles.settled()
    assert talk.names.requests == []


# -- a person's title -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timing", ["immediate", "final"])
async def test_a_persons_title(make: Make, database: Database, timing: str) -> None:
    """It stays, and no model is asked for one."""
    talk = make(FakeProvider("Blue Sky"), timing=timing)
    await database.write(partial(conversations.rename, conversation_id=talk.id, title="Mine"))
    await talk.ask()
    assert (talk.names.requests, await talk.title()) == ([], ("Mine", "person"))


async def test_a_person_is_quicker(make: Make, database: Database) -> None:
    """A title that a person gives while a model makes one stays."""
    names = GatedProvider("Blue Sky")
    talk = make(names)
    await answer(talk.play())
    await database.write(partial(conversations.rename, conversation_id=talk.id, title="Mine"))
    names.gate.set()
    await talk.runner.titles.settled()
    assert [row.status for row in await talk.title_rows()] == ["completed"]
    assert await talk.title() == ("Mine", "person")
