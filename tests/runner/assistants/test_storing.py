"""What tools of assistants work on: whose it must be, what is made of it, and who may search it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.retrieval.shelves import WordEmbedder
from tests.runner.assistants.settled import ANN, BOB, ROOT

from agentbench.config.retrieval import RetrievalSettings
from agentbench.errors import InvalidRequest, RequestTooLarge, UnknownName
from agentbench.protocol.assistants.objects import Attachment, Thread
from agentbench.protocol.assistants.stores import AddFile, ChangeStore, CreateStore, ExpiresAfter
from agentbench.protocol.assistants.tools import CodeInterpreter, CodeResources, FileSearch, ToolResources
from agentbench.retrieval.library import Library
from agentbench.runner.opening import opened
from agentbench.storage.grants import Reader
from agentbench.storage.paging import Page
from agentbench.storage.threads import StoredThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner
    from agentbench.runner.assistants.assistants import Assistants
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

SETTINGS = RetrievalSettings(largest_file=1024 * 1024, wait_for_processing=10)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
EMPTY = StoredThread(thread=Thread(id="thread_1", created_at=1), user="ann")


@pytest.fixture
async def library(runner: Runner, database: Database) -> AsyncIterator[Library]:
    """Give the runner's library, which counts words."""
    words = WordEmbedder()
    runner.use(replace(runner.catalog, retrieval=SETTINGS))
    runner.library = Library(database, embedder=lambda _: words, settings=lambda: runner.catalog.retrieval)
    yield runner.library
    await runner.library.aclose()


@pytest.fixture
def desk(runner: Runner, library: Library) -> Assistants:
    """Give the assistants on it."""
    assert runner.library is library
    return runner.assistants


async def stored(desk: Assistants, *, user: Principal = ANN, name: str = "a.txt", data: bytes = b"Falcons.") -> str:
    """Upload a file; return its id."""
    return (await desk.upload(user, name, data, purpose="assistants")).id


async def done(desk: Assistants, *file_ids: str, user: Principal = ANN) -> None:
    """Wait until files are completed or failed."""
    await desk._library.wait(Reader(user.user), file_ids, within=10)


async def test_resources(desk: Assistants) -> None:
    """Files for code and a vector store stay as they were named."""
    file, store = await stored(desk), await desk.create_store(ANN, CreateStore())
    raw = {"code_interpreter": {"file_ids": [file]}, "file_search": {"vector_store_ids": [store.id]}}
    found = await desk.resources(ANN, raw)
    assert found is not None
    assert found.code_interpreter == CodeResources(file_ids=(file,))
    assert found.file_search is not None
    assert found.file_search.vector_store_ids == (store.id,)
    assert await desk.resources(ANN, None) is None


async def test_a_vector_store_that_is_described(desk: Assistants) -> None:
    """It is made, with its files and metadata."""
    file = await stored(desk)
    described = {"file_ids": [file], "metadata": {"a": "b"}, "chunking_strategy": {"type": "auto"}}
    found = await desk.resources(ANN, {"file_search": {"vector_stores": [described]}})
    assert found is not None
    assert found.file_search is not None
    store = await desk.store(ANN, found.file_search.vector_store_ids[0])
    assert (store.file_counts.total, store.metadata) == (1, {"a": "b"})


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"code_interpreter": {"file_ids": ["x"] * 21}}, r"tool_resources\.code_interpreter\.file_ids"),
        ({"file_search": {"vector_store_ids": ["x", "y"]}}, r"tool_resources\.file_search\.vector_store_ids"),
        ({"file_search": {"vector_store_ids": ["x"], "vector_stores": [{}]}}, "not both"),
        ({"code_interpreter": []}, r"tool_resources\.code_interpreter"),
    ],
)
async def test_resources_that_can_not_be_read(desk: Assistants, raw: dict[str, Any], told: str) -> None:
    """What is wrong is named."""
    with pytest.raises(InvalidRequest, match=told) as raised:
        await desk.resources(ANN, raw)
    assert type(raised.value) is InvalidRequest


@pytest.mark.parametrize("user", [BOB, ROOT], ids=["a user", "an administrator"])
async def test_what_is_somebody_elses(desk: Assistants, user: Principal) -> None:
    """Files and vector stores of others aren't there, nor in lists, for administrators neither."""
    file, store = await stored(desk), (await desk.create_store(ANN, CreateStore())).id
    for call in (
        desk.resources(user, {"code_interpreter": {"file_ids": [file]}}),
        desk.resources(user, {"file_search": {"vector_store_ids": [store]}}),
        desk.resources(user, {"file_search": {"vector_stores": [{"file_ids": [file]}]}}),
        desk.attach(user, EMPTY, [Attachment(file_id=file, tools=(FileSearch(),))]),
        desk.data_url(user, file),
        desk.file(user, file),
        desk.delete_file(user, file),
        desk.change_store(user, store, ChangeStore()),
        desk.delete_store(user, store),
    ):
        with pytest.raises(UnknownName):
            await call
    page = Page()
    assert ((await desk.files(user, page)).data, (await desk.stores(user, page)).data) == ((), ())
    assert (await desk.file(ANN, file)).id == file


async def test_attachments_that_are_searched(desk: Assistants) -> None:
    """The first makes the thread's vector store, which is kept for a week after its last use; others go in too."""
    first, second = await stored(desk), await stored(desk, name="b.txt")
    thread = await desk.attach(ANN, EMPTY, [Attachment(file_id=first, tools=(FileSearch(),))])
    again = await desk.attach(ANN, thread, [Attachment(file_id=second, tools=(FileSearch(),))])
    assert again == thread
    resources = thread.thread.tool_resources
    assert resources is not None
    assert resources.file_search is not None
    store = await desk.store(ANN, resources.file_search.vector_store_ids[0])
    assert (store.file_counts.total, store.expires_after) == (2, ExpiresAfter(days=7))


async def test_attachments_for_code(desk: Assistants) -> None:
    """They are among the thread's files for code, each once, and 20 at most."""
    files = [await stored(desk, name=f"{number}.txt") for number in range(21)]
    attachments = [Attachment(file_id=each, tools=(CodeInterpreter(),)) for each in files]
    thread = await desk.attach(ANN, EMPTY, [*attachments[:2], attachments[0]])
    assert thread.thread.tool_resources == ToolResources(code_interpreter=CodeResources(file_ids=tuple(files[:2])))
    with pytest.raises(InvalidRequest, match="20 files"):
        await desk.attach(ANN, EMPTY, attachments)
    assert await desk.attach(ANN, EMPTY, [Attachment(file_id=files[0])]) == EMPTY


async def test_pictures(desk: Assistants) -> None:
    """Their bytes come as a URL; other files don't."""
    picture = await stored(desk, name="p.png", data=PNG)
    assert (await desk.data_url(ANN, picture)).startswith("data:image/png;base64,iVBORw0KGgo")
    with pytest.raises(InvalidRequest, match="no picture: it is text/plain"):
        await desk.data_url(ANN, await stored(desk))


async def test_output_of_code(desk: Assistants) -> None:
    """It is a file with a purpose of its own; nobody can make one that is too large or empty."""
    made = await desk.file(ANN, await desk.save_output(ANN, "plot.png", PNG))
    assert (made.purpose, made.filename, made.bytes) == ("assistants_output", "plot.png", len(PNG))
    with pytest.raises(RequestTooLarge):
        await desk.save_output(ANN, "big.bin", b"x" * (1024 * 1024 + 1))
    with pytest.raises(InvalidRequest, match="empty"):
        await desk.save_output(ANN, "none.bin", b"")


async def test_files_of_the_library(desk: Assistants, library: Library) -> None:
    """They can be named, but aren't listed: whoever clears up uploads mustn't delete a person's documents."""
    file = await library.add(Reader("ann"), "mine.txt", b"Mine.", process=False)
    assert (await desk.file(ANN, file.id)).purpose == "user_data"
    assert (await desk.files(ANN, Page())).data == ()


async def test_a_collection_as_a_vector_store(desk: Assistants, library: Library) -> None:
    """A person's own can be named and filled like one; lists of either kind leave the other out."""
    made = await library.create(Reader("ann"), "birds")
    store = await desk.create_store(ANN, CreateStore(name="falcons"))
    await done(desk, (await desk.add_file(ANN, made.id, AddFile(file_id=await stored(desk)))).id)
    assert (await desk.store(ANN, made.id)).file_counts.completed == 1
    assert [each.id for each in (await desk.stores(ANN, Page())).data] == [store.id]
    assert [each.id for each in (await library.collections(Reader("ann")))[0]] == [made.id]


async def test_others_search_an_owners_store(desk: Assistants, library: Library, runner: Runner) -> None:
    """With the owner's right it can be opened; a file that fails meanwhile is left out."""
    store = (await desk.create_store(ANN, CreateStore(file_ids=(await stored(desk),)))).id
    await desk.add_file(ANN, store, AddFile(file_id=await stored(desk, name="p.png", data=PNG)))
    resources = await desk.resources(ANN, {"file_search": {"vector_store_ids": [store]}})
    documents = await desk.documents("ann", resources)
    reader = Reader("bob")
    (ready,) = await opened(library, reader, documents, runner.catalog.retrieval)
    assert (ready.collections, ready.owner) == ((store,), "ann")
    assert (await desk.store(ANN, store)).file_counts.failed == 1
    with pytest.raises(UnknownName):
        await opened(library, reader, [replace(documents[0], owner=None)], runner.catalog.retrieval)


async def test_an_expired_store(desk: Assistants, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, but neither searched nor filled until its life is made longer."""
    life = ExpiresAfter(days=1)
    store = await desk.create_store(ANN, CreateStore(expires_after=life))
    assert store.last_active_at is not None
    later = store.last_active_at + 86_400
    assert (store.status, store.expires_at) == ("completed", later)
    monkeypatch.setattr("time.time", lambda: float(later))
    assert (await desk.store(ANN, store.id)).status == "expired"
    resources = await desk.resources(ANN, {"file_search": {"vector_store_ids": [store.id]}})
    with pytest.raises(InvalidRequest, match="has expired"):
        await desk.documents("ann", resources)
    with pytest.raises(InvalidRequest, match="has expired"):
        await desk.add_file(ANN, store.id, AddFile(file_id=await stored(desk)))
    assert (await desk.change_store(ANN, store.id, ChangeStore(expires_after=None))).expires_at is None
    assert len(await desk.documents("ann", resources)) == 1


async def test_use_keeps_a_store_alive(desk: Assistants, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its days count from when it was searched last."""
    store = await desk.create_store(ANN, CreateStore(expires_after=ExpiresAfter(days=1)))
    assert store.last_active_at is not None
    later = store.last_active_at + 80_000
    monkeypatch.setattr("time.time", lambda: float(later))
    await desk.use_store("ann", store.id)
    assert (await desk.store(ANN, store.id)).last_active_at == later


async def test_a_store_that_was_deleted(desk: Assistants) -> None:
    """Who still has its id among its resources is told; its files stay."""
    file = await stored(desk)
    store = (await desk.create_store(ANN, CreateStore(file_ids=(file,)))).id
    resources = await desk.resources(ANN, {"file_search": {"vector_store_ids": [store]}})
    await desk.delete_store(ANN, store)
    with pytest.raises(UnknownName, match="vector store"):
        await desk.documents("ann", resources)
    assert (await desk.file(ANN, file)).id == file


async def test_a_full_store(desk: Assistants, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no more, but what was deleted makes room."""
    monkeypatch.setattr("agentbench.runner.assistants.vector_stores._MOST_FILES", 1)
    first, second = await stored(desk), await stored(desk, name="b.txt")
    store = (await desk.create_store(ANN, CreateStore(file_ids=(first,)))).id
    with pytest.raises(InvalidRequest, match="takes 1 files"):
        await desk.add_file(ANN, store, AddFile(file_id=second))
    await desk.delete_file(ANN, first)
    assert (await desk.add_file(ANN, store, AddFile(file_id=second))).id == second
