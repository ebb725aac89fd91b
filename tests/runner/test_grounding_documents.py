"""Which documents an answer rests on: when they are ready, whose they are, and how much of them is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.runner.fakes import FakeProvider, answer, catalog, play, question
from tests.runner.shelf import FakeLibrary, a_file, passages_of, reading_runner

from agentbench.auth.principal import Principal
from agentbench.config import Agent
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.items import user_message
from agentbench.runner.documents import Document

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

BIRDS = "The falcon dives at 390 km/h.\nThe ostrich runs at 70 km/h.\nThe swift sleeps on the wing."


@pytest.fixture
def library() -> FakeLibrary:
    """Give a library with a file about birds."""
    library = FakeLibrary()
    library.put("birds.pdf", BIRDS)
    return library


async def test_top_k_is_per_document(database: Database, library: FakeLibrary) -> None:
    """Each document may give as many passages, numbered in the documents' order."""
    library.put("fish.txt", "The sailfish swims fast.\nThe carp swims slowly.")
    runner = reading_runner(FakeProvider(), database, library, top_k=1)
    documents = (a_file("file-fish.txt"), a_file("file-birds.pdf"))
    run = play(runner, question("How fast swims the carp?"), documents=documents)
    await answer(run)
    assert [(each["n"], each["document"], each["name"]) for each in passages_of(run)] == [
        (1, 0, "fish.txt"),
        (2, 1, "birds.pdf"),
    ]


async def test_the_same_twice(database: Database, library: FakeLibrary) -> None:
    """A document that is named twice counts once, and so does a passage that two have."""
    library.gather("animals", "file-birds.pdf")
    runner = reading_runner(FakeProvider(), database, library)
    documents = (a_file("file-birds.pdf"), a_file("file-birds.pdf"), Document(kind="collection", id="set-animals"))
    run = play(runner, question("falcon"), documents=documents)
    await answer(run)
    assert len(library.searches) == 2
    assert [(each["document"], each["text"]) for each in passages_of(run)] == [(0, "The falcon dives at 390 km/h.")]
    assert [(source.document.id, len(source.passages)) for source in run.sources] == [
        ("file-birds.pdf", 1),
        ("set-animals", 0),
    ]


async def test_too_many(database: Database, library: FakeLibrary) -> None:
    """More than a hundred are refused."""
    documents = tuple(a_file(f"file-{number}") for number in range(101))
    with pytest.raises(InvalidRequest, match="100 documents, not on 101"):
        await answer(play(reading_runner(FakeProvider(), database, library), documents=documents))


async def test_whole(database: Database, library: FakeLibrary) -> None:
    """A document that is wanted as a whole is one passage; nothing is searched, so a message needs no words."""
    runner = reading_runner(FakeProvider(), database, library)
    run = play(runner, question(" "), documents=(a_file("file-birds.pdf", whole=True),))
    await answer(run)
    (passage,) = passages_of(run)
    assert (passage["text"], passage["score"], passage["page"]) == (BIRDS, 1.0, None)
    assert library.searches == []


async def test_whole_beside_passages(database: Database, library: FakeLibrary) -> None:
    """Passages of a file that goes in as a whole aren't repeated."""
    library.put("fish.txt", "The falcon eats no fish.")
    library.gather("animals", "file-birds.pdf", "file-fish.txt")
    documents = (Document(kind="collection", id="set-animals"), a_file("file-birds.pdf", whole=True))
    run = play(reading_runner(FakeProvider(), database, library), question("falcon"), documents=documents)
    await answer(run)
    assert [(each["document"], each["name"]) for each in passages_of(run)] == [(0, "fish.txt"), (1, "birds.pdf")]


async def test_too_long_for_the_model(database: Database, library: FakeLibrary) -> None:
    """What is wanted as a whole and doesn't fit is refused before anything is sent."""
    library.put("long.txt", "word " * 1000)
    provider = FakeProvider()
    known = catalog()
    fake = msgspec.structs.replace(known.endpoint("fake"), context_lengths={"m": 100})
    known = msgspec.structs.replace(known, endpoints={"fake": fake})
    run = play(
        reading_runner(provider, database, library, known=known), documents=(a_file("file-long.txt", whole=True),)
    )
    with pytest.raises(InvalidRequest, match="5,000 characters, more than fake/m takes"):
        await answer(run)
    assert provider.requests == []


async def test_it_waits_for_processing(database: Database, library: FakeLibrary) -> None:
    """A file that is being processed is waited for, also where a collection has it."""
    library.gather("new", library.put("new.txt", "The falcon is back.", "processing"))
    library.slow.add("file-new.txt")
    runner = reading_runner(FakeProvider(), database, library, wait_for_processing=7.0)
    run = play(runner, question("falcon"), documents=(Document(kind="collection", id="set-new"),))
    await answer(run)
    assert library.waits == [(("file-new.txt",), 7.0)]
    assert [each["text"] for each in passages_of(run)] == ["The falcon is back."]


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        ("failed", "It is encrypted.", "could not be processed: It is encrypted."),
        ("processing", None, "is still p"),
        ("pending", None, "is still p"),
        ("stored", None, "was not processed yet"),
    ],
)
async def test_a_file_that_is_not_ready(
    database: Database, library: FakeLibrary, status: str, error: str | None, told: str
) -> None:
    """It is an error before the first event, with the reason."""
    library.put("new.txt", "", status, error=error)
    provider = FakeProvider()
    run = play(reading_runner(provider, database, library), documents=(a_file("file-new.txt"),))
    with pytest.raises(InvalidRequest, match=told):
        await answer(run)
    assert (provider.requests, run.sources) == ([], ())


@pytest.mark.parametrize(
    "document", [a_file("file-nowhere"), a_file("file-theirs.txt"), Document(kind="collection", id="set-none")]
)
async def test_what_is_not_there(database: Database, library: FakeLibrary, document: Document) -> None:
    """A missing document and another's are the same error."""
    library.put("theirs.txt", "x", user="somebody")
    run = play(reading_runner(FakeProvider(), database, library), documents=(document,))
    with pytest.raises(UnknownName, match="There is no"):
        await answer(run)


async def test_an_owners_document(database: Database, library: FakeLibrary) -> None:
    """With an owner, that one's right to read counts, and the caller asks and pays."""
    library.put("theirs.txt", "The falcon is theirs.", user="somebody")
    library.gather("theirs", "file-theirs.txt", user="somebody")
    document = Document(kind="collection", id="set-theirs", owner="somebody")
    run = play(reading_runner(FakeProvider(), database, library), question("falcon"), documents=(document,))
    await answer(run)
    assert [each["text"] for each in passages_of(run)] == ["The falcon is theirs."]
    assert library.payers == ["kernel"]


async def test_no_words(database: Database, library: FakeLibrary) -> None:
    """A message without words can't be searched for."""
    run = play(reading_runner(FakeProvider(), database, library), question(" "), documents=(a_file("file-birds.pdf"),))
    with pytest.raises(InvalidRequest, match="no words"):
        await answer(run)


async def test_an_agents_collections(database: Database, library: FakeLibrary) -> None:
    """They are looked into as if they had been named, after those that were."""
    library.gather("animals", "file-birds.pdf")
    known = catalog(agents=(Agent(id="bot", name="Bot", endpoint="fake", collections=("animals",)),))
    run = play(reading_runner(FakeProvider(), database, library, known=known), question("falcon"), agent="bot")
    await answer(run)
    (source,) = run.sources
    assert source.given == {"type": "collection", "id": "set-animals", "name": "animals"}
    assert len(source.passages) == 1


async def test_an_agents_collections_for_others(database: Database, library: FakeLibrary) -> None:
    """A name is the operator's collection first, which whoever asks must be allowed to read."""
    library.gather("secret", "file-birds.pdf")
    library.put("mine.txt", "The falcon is mine.", user="kim")
    library.gather("notes", "file-mine.txt", user="kim")
    for name, error in (("secret", "There is no collection 'secret'."), ("notes", None)):
        known = catalog(agents=(Agent(id="bot", name="Bot", endpoint="fake", collections=(name,)),))
        runner = reading_runner(FakeProvider(), database, library, known=known)
        run = play(runner, question("falcon"), agent="bot", principal=Principal(user="kim", remote=True))
        if error is None:
            await answer(run)
            assert [each["name"] for each in passages_of(run)] == ["mine.txt"]
        else:
            with pytest.raises(UnknownName, match=error):
                await answer(run)


async def test_a_picture_alone(database: Database, library: FakeLibrary) -> None:
    """To an agent with collections it may be sent; where documents are named, there must be words."""
    library.gather("animals", "file-birds.pdf")
    known = catalog(agents=(Agent(id="bot", name="Bot", endpoint="fake", collections=("animals",)),))
    runner = reading_runner(FakeProvider(), database, library, known=known)
    picture = msgspec.structs.replace(question(), input=(user_message("", "https://example.org/a.png"),))
    run = play(runner, picture, agent="bot")
    await answer(run)
    assert (run.sources, len(run.response.output)) == ((), 1)
    with pytest.raises(InvalidRequest, match="no words"):
        await answer(play(runner, picture, agent="bot", documents=(a_file("file-birds.pdf"),)))


async def test_reranking(database: Database, library: FakeLibrary) -> None:
    """With a reranker more passages are found, and it chooses among them."""
    runner = reading_runner(FakeProvider(), database, library, top_k=1, reranker="acme/rerank")
    run = play(runner, question("the"), documents=(a_file("file-birds.pdf"),))
    await answer(run)
    embeddings: Any = runner.embeddings
    assert embeddings.reranked == [("the", 3)]
    assert [(each["text"], each["score"]) for each in passages_of(run)] == [("The falcon dives at 390 km/h.", 29.0)]
