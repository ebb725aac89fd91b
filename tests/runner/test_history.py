"""What a turn follows: a conversation, a response, or what came before this cell's earlier turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import FakeProvider, answer, play, question, runner_of

from agentbench.auth.principal import Principal
from agentbench.errors import PreviousNotFound, UnknownName
from agentbench.runner import Cell
from agentbench.storage import conversations

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse, Response
    from agentbench.runner import Runner
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

ANN, BOB = Principal(user="ann"), Principal(user="bob")


class Talk:
    """One conversation of Ann's, and what the provider was asked last."""

    def __init__(self, runner: Runner, provider: FakeProvider, conversation: Conversation) -> None:
        self.runner = runner
        self.id = conversation.id
        self._provider = provider

    async def ask(self, text: str, cell: Cell | None = None, **fields: Any) -> Response:
        """Ask within the conversation."""
        fields = {"conversation": self.id, "principal": ANN} | fields
        return await answer(play(self.runner, question(text), cell=cell, **fields))

    @property
    def asked(self) -> list[str]:
        """The user's questions in what the provider saw last."""
        return questions(self._provider.requests[-1])

    async def head(self) -> str | None:
        """Return the conversation's newest response."""
        found = await self.runner.database.read(partial(conversations.get, conversation_id=self.id, user="ann"))
        assert found is not None
        return found.head


def questions(request: CreateResponse) -> list[str]:
    """Return what users said in a request."""
    return [item.text for item in request.input if getattr(item, "role", "") == "user"]


@pytest.fixture
async def talk(database: Database) -> Talk:
    """Give a new conversation."""
    provider = FakeProvider()
    made = await database.write(partial(conversations.create, user="ann"))
    return Talk(runner_of(provider, database), provider, made)


async def test_a_conversation(talk: Talk) -> None:
    """Each turn follows the newest, and becomes the newest."""
    for number in range(1, 4):
        response = await talk.ask(f"q{number}")
        assert await talk.head() == response.id
    assert talk.asked == ["q1", "q2", "q3"]


async def test_no_conversation(talk: Talk) -> None:
    """Without one, a question stands alone."""
    await talk.ask("q1", conversation=None)
    await talk.ask("q2", conversation=None)
    assert talk.asked == ["q2"]


async def test_a_previous_response(talk: Talk) -> None:
    """It is followed exactly, whatever came after it, and then it is the conversation's past."""
    first = await talk.ask("q1")
    await talk.ask("q2")
    request = question("q3", previous_response_id=first.id)
    response = await answer(play(talk.runner, request, principal=ANN, conversation=talk.id))
    assert talk.asked == ["q1", "q3"]
    assert response.previous_response_id == first.id
    assert await talk.head() == response.id


@pytest.mark.parametrize("principal", [ANN, BOB])
async def test_a_previous_response_that_is_not_there(talk: Talk, principal: Principal) -> None:
    """One that never was, and another user's, are the same error."""
    first = await talk.ask("q1")
    name = first.id if principal == BOB else "resp_none"
    run = play(talk.runner, question(previous_response_id=name), principal=principal)
    with pytest.raises(PreviousNotFound) as caught:
        await answer(run)
    assert (caught.value.status, caught.value.param) == (400, "previous_response_id")
    assert name in caught.value.message


async def test_a_conversation_of_somebody_else(talk: Talk) -> None:
    """It doesn't exist for others."""
    with pytest.raises(UnknownName) as caught:
        await talk.ask("q1", principal=BOB)
    assert (caught.value.kind, caught.value.param) == ("conversation", "conversation")


async def test_an_answer_that_is_not_stored(talk: Talk) -> None:
    """With `store` off nothing can follow it, and the conversation goes on as if it hadn't been."""
    run = play(talk.runner, question("secret", store=False), principal=ANN, conversation=talk.id)
    response = await answer(run)
    assert await talk.head() is None
    with pytest.raises(PreviousNotFound):
        await answer(play(talk.runner, question(previous_response_id=response.id), principal=ANN))


async def test_running_a_cell_again(talk: Talk) -> None:
    """The conversation goes back to before the cell's earlier turn, and drops what came after it."""
    for number in range(1, 4):
        await talk.ask(f"q{number}", Cell(id=f"cell{number}", run="run1"))
    await talk.ask("q2, better", Cell(id="cell2", run="run2"))
    assert talk.asked == ["q1", "q2, better"]
    await talk.ask("q4", Cell(id="cell4", run="run1"))
    assert talk.asked == ["q1", "q2, better", "q4"]


async def test_running_the_first_cell_again(talk: Talk) -> None:
    """Nothing is before it."""
    await talk.ask("q1", Cell(id="cell1", run="run1"))
    await talk.ask("q1", Cell(id="cell1", run="run2"))
    assert talk.asked == ["q1"]


async def test_two_turns_of_one_cell(talk: Talk) -> None:
    """Within one run the second follows the first; running the cell again goes back to before both."""
    for run in ("run1", "run2"):
        for text in ("q1", "q2"):
            await talk.ask(text, Cell(id="cell1", run=run))
        assert talk.asked == ["q1", "q2"]


async def test_cells_without_ids(talk: Talk) -> None:
    """Where the notebook gives none, nothing rewinds."""
    await talk.ask("q1", Cell(id=None, run="run1"))
    await talk.ask("q2", Cell(id=None, run="run2"))
    assert talk.asked == ["q1", "q2"]
