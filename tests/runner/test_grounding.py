"""Answers that rest on documents: what is searched, what the model reads, and how the answer shows it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.runner.fakes import HANG, FakeProvider, SteppedProvider, answer, drain, kinds, play, question, wants
from tests.runner.paid import double
from tests.runner.shelf import FakeLibrary, a_file, passages_of, reading_runner, sent

from agentbench.errors import BudgetExceeded, UpstreamUnavailable
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, user_message
from agentbench.protocol.request import FunctionTool, JsonObjectFormat, TextConfig
from agentbench.runner.budget import Budget
from agentbench.runner.documents import FILE_SEARCH
from agentbench.runner.tools import as_tool
from agentbench.runner.turn import Turn
from agentbench.storage import conversations, responses

if TYPE_CHECKING:
    from agentbench.protocol import Response
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

BIRDS = "The falcon dives at 390 km/h.\nThe ostrich runs at 70 km/h.\nThe swift sleeps on the wing."


@pytest.fixture
def library() -> FakeLibrary:
    """Give a library with a file about birds."""
    library = FakeLibrary()
    library.put("birds.pdf", BIRDS)
    return library


def search_of(response: Response) -> tuple[FunctionCall, FunctionCallOutput]:
    """Return an answer's first two items."""
    call, found = response.output[:2]
    assert isinstance(call, FunctionCall)
    assert isinstance(found, FunctionCallOutput)
    return call, found


async def test_the_search_is_the_answers_first_step(database: Database, library: FakeLibrary) -> None:
    """Its call says what was searched for and where, its output what was found."""
    run = play(
        reading_runner(FakeProvider(), database, library),
        question("How fast is the falcon?"),
        documents=(a_file("file-birds.pdf"),),
    )
    events = await drain(run)
    call, found = search_of(run.response)
    assert kinds(events)[:6] == ["created", "in_progress", *(["output_item.added", "output_item.done"] * 2)]
    assert (call.name, call.call_id[:3], found.call_id) == (FILE_SEARCH, "fs_", call.call_id)
    assert msgspec.json.decode(call.arguments) == {
        "queries": ["How fast is the falcon?"],
        "files": ["birds.pdf"],
        "collections": [],
        "ids": ["file-birds.pdf"],
    }
    told = msgspec.json.decode(str(found.output))
    assert (told["searched"], list(told)) == (3, ["searched", "seconds", "passages"])
    assert told["passages"][0] == {
        "n": 1,
        "document": 0,
        "file": "file-birds.pdf",
        "name": "birds.pdf",
        "page": 1,
        "heading": None,
        "start": 0,
        "end": 29,
        "url": None,
        "score": 1.0,
        "similarity": None,
        "vector_rank": None,
        "text_rank": None,
        "text": "The falcon dives at 390 km/h.",
    }
    assert run.response.output_text == "one two three"


async def test_what_the_model_reads(database: Database, library: FakeLibrary) -> None:
    """The passages stand before the words of the last message; what is stored stays as it was said."""
    provider = FakeProvider()
    run = play(
        reading_runner(provider, database, library),
        question("How fast is the ostrich?"),
        documents=(a_file("file-birds.pdf"),),
    )
    await answer(run)
    read = sent(provider)
    assert read.endswith("\n\nHow fast is the ostrich?")
    assert 'number="1" from="birds.pdf, page 1">\nThe falcon dives' in read
    assert [item.text for item in run.record[-1].input if isinstance(item, Message)] == ["How fast is the ostrich?"]


async def test_the_step_stays_here(database: Database, library: FakeLibrary) -> None:
    """No later call of a model gets it: not in the same turn, not in the next."""
    provider = SteppedProvider([wants("double", x=1)], ["Two."], ["Next."])
    runner = reading_runner(provider, database, library)

    turn = Turn(request=question("falcon"), documents=(a_file("file-birds.pdf"),))
    first = runner.start(turn, tools=[as_tool(double)])
    await answer(first)
    await answer(play(runner, question("And?", previous_response_id=first.response.id)))
    names = [[item.name for item in request.input if isinstance(item, FunctionCall)] for request in provider.requests]
    assert names == [[], ["double"], ["double"]]
    assert [isinstance(item, FunctionCallOutput) for item in provider.requests[1].input] == [False, False, True]
    assert "birds.pdf" in provider.requests[1].input[0].text  # type: ignore[union-attr]
    assert "birds.pdf" not in str(provider.requests[2])


async def test_a_clients_own_file_search(database: Database, library: FakeLibrary) -> None:
    """A client's tool of the same name is called as ever, and its calls go upstream."""
    provider = SteppedProvider([wants(FILE_SEARCH, q="x")], ["Well."])
    runner = reading_runner(provider, database, library)
    request = question(tools=(FunctionTool(name=FILE_SEARCH),))
    run = play(runner, request, documents=(a_file("file-birds.pdf"),))
    await answer(run)
    call = run.response.function_calls[1]
    assert run.own_tools == {run.response.function_calls[0].call_id}
    back = FunctionCallOutput(id="fco_1", call_id=call.call_id, output="nothing")
    follow = msgspec.structs.replace(question(previous_response_id=run.response.id), input=(back,))
    await answer(play(runner, follow))
    assert [type(item).__name__ for item in provider.requests[1].input] == [
        "Message",
        "FunctionCall",
        "FunctionCallOutput",
    ]


async def test_sources(database: Database, library: FakeLibrary) -> None:
    """A run tells each document as it was given, with its passages, once the first events are there."""
    given = {"type": "file", "id": "file-birds.pdf"}
    run = play(
        reading_runner(FakeProvider(), database, library),
        question("Which bird sleeps?"),
        documents=(a_file("file-birds.pdf", given=given),),
    )
    batches = run.events()
    await anext(batches)
    (source,) = run.sources
    assert (source.given, [passage.text for passage in source.passages]) == (given, ["The swift sleeps on the wing."])
    await batches.aclose()


async def test_nothing_found(database: Database, library: FakeLibrary) -> None:
    """The model is told so, and the step shows it."""
    provider = FakeProvider()
    run = play(
        reading_runner(provider, database, library), question("Penguins?"), documents=(a_file("file-birds.pdf"),)
    )
    await answer(run)
    assert passages_of(run) == []
    assert "nothing was found" in sent(provider)


async def test_the_words_may_be_older(database: Database, library: FakeLibrary) -> None:
    """Where a client sends a tool's result, its question before that is searched for, and gets the passages."""
    provider = SteppedProvider([wants("their", x=1)], ["Well."])
    runner = reading_runner(provider, database, library)
    first = play(runner, question("The falcon?", tools=(FunctionTool(name="their"),)))
    await answer(first)
    back = FunctionCallOutput(id="fco_1", call_id=first.response.function_calls[0].call_id, output="2")
    follow = msgspec.structs.replace(question(previous_response_id=first.response.id), input=(back,))
    await answer(play(runner, follow, documents=(a_file("file-birds.pdf"),)))
    assert library.searches == [("The falcon?",)]
    assert "falcon dives" in provider.requests[1].input[0].text  # type: ignore[union-attr]


async def test_many_words(database: Database, library: FakeLibrary) -> None:
    """Of a very long message its beginning and its end are searched for."""
    run = play(
        reading_runner(FakeProvider(), database, library),
        question("falcon " + "x" * 5_000 + " swift"),
        documents=(a_file("file-birds.pdf"),),
    )
    await answer(run)
    ((query,),) = library.searches
    assert (len(query), query[:6], query[-5:]) == (2_001, "falcon", "swift")
    assert len(passages_of(run)) == 2


async def test_stopped_before_it_answers(database: Database, library: FakeLibrary) -> None:
    """An answer of a search alone isn't where the conversation goes on."""
    conversation = await database.write(partial(conversations.create, user="kernel"))
    provider = FakeProvider(HANG)
    runner = reading_runner(provider, database, library)
    run = play(runner, conversation=conversation.id, documents=(a_file("file-birds.pdf"),))
    async for _ in run.events():
        run.stop()
    found = await database.read(partial(conversations.get, conversation_id=conversation.id, user="kernel"))
    assert found is not None
    assert (run.response.status, len(run.response.output), found.head) == ("incomplete", 2, None)


async def test_a_budget(database: Database, library: FakeLibrary) -> None:
    """What a call may cost at most counts the passages."""
    library.put("long.txt", "falcon " * 20_000)
    provider = FakeProvider()
    runner = reading_runner(provider, database, library)
    with runner.budgets.block(Budget(tokens=20_000)):
        plain = play(runner, question("falcon"))
        resting = play(runner, question("falcon"), documents=(a_file("file-long.txt"),))
    await answer(plain)
    with pytest.raises(BudgetExceeded):
        await answer(resting)
    assert len(provider.requests) == 1


async def test_an_error_upstream(database: Database, library: FakeLibrary) -> None:
    """An upstream that refuses is still an error before the first event."""
    provider = FakeProvider(refusals=(UpstreamUnavailable("gone"),))
    run = play(reading_runner(provider, database, library), documents=(a_file("file-birds.pdf"),))
    with pytest.raises(UpstreamUnavailable):
        await answer(run)
    assert run.response.output == ()


async def test_background(database: Database, library: FakeLibrary) -> None:
    """A background response shows the search too."""
    run = play(
        reading_runner(FakeProvider(), database, library),
        question("falcon", background=True),
        documents=(a_file("file-birds.pdf"),),
    )
    await drain(run)
    assert [type(item).__name__ for item in run.response.output] == ["FunctionCall", "FunctionCallOutput", "Message"]
    stored = await database.read(lambda connection: responses.get(connection, run.response.id, "kernel"))
    assert stored is not None
    assert stored.response.output[:2] == run.response.output[:2]


async def test_the_row_counts_what_was_sent(database: Database, library: FakeLibrary) -> None:
    """The passages are part of a call's input, the step is no part of its output."""
    library.put("long.txt", "falcon " * 400)
    plain = play(reading_runner(FakeProvider(), database, library), question("falcon"))
    await answer(plain)
    run = play(
        reading_runner(FakeProvider(), database, library), question("falcon"), documents=(a_file("file-long.txt"),)
    )
    await answer(run)
    assert plain.row is not None
    assert run.row is not None
    assert (run.row.input_tokens or 0) > (plain.row.input_tokens or 0) + 600
    assert run.row.output_tokens == plain.row.output_tokens


async def test_how_long_it_took(database: Database, library: FakeLibrary) -> None:
    """The search's time is told like a tool's."""
    run = play(reading_runner(FakeProvider(), database, library), documents=(a_file("file-birds.pdf"),))
    await answer(run)
    assert list(run.tool_seconds) == [run.response.function_calls[0].call_id]


async def test_citations(database: Database, library: FakeLibrary) -> None:
    """Numbers in the answer that stand for passages become annotations, in the grammar's order."""
    provider = FakeProvider("It dives ", "[1", "], not [7].")
    run = play(reading_runner(provider, database, library), question("falcon"), documents=(a_file("file-birds.pdf"),))
    events = await drain(run)
    message = run.response.output[2]
    assert isinstance(message, Message)
    (cited,) = message.content[0].annotations  # type: ignore[union-attr]
    assert (cited.title, cited.url) == ("birds.pdf, page 1", "/api/v1/files/file-birds.pdf/content#page=1")
    assert run.response.output_text[cited.start_index : cited.end_index] == "[1]"
    assert kinds(events)[-5:] == [
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


async def test_json_cites_nothing(database: Database, library: FakeLibrary) -> None:
    """An answer that must be JSON is neither asked for citations nor searched for them."""
    provider = FakeProvider('{"numbers": [1]}')
    request = msgspec.structs.replace(question("falcon"), text=TextConfig(format=JsonObjectFormat()))
    run = play(reading_runner(provider, database, library), request, documents=(a_file("file-birds.pdf"),))
    await answer(run)
    assert run.response.output[2].content[0].annotations == ()  # type: ignore[union-attr]
    assert "[1]" not in sent(provider)


async def test_an_image_stays(database: Database, library: FakeLibrary) -> None:
    """The rest of the last message goes upstream as it was."""
    provider = FakeProvider()
    request = msgspec.structs.replace(question(), input=(user_message("falcon", "https://example.org/a.png"),))
    await answer(play(reading_runner(provider, database, library), request, documents=(a_file("file-birds.pdf"),)))
    (item,) = provider.requests[0].input
    assert isinstance(item, Message)
    assert [type(part).__name__ for part in item.content] == ["InputText", "InputText", "InputImage"]
