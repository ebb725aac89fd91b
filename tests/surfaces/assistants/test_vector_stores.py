"""Vector stores over OpenAI's routes: the SDK's own helpers, what is found, and what is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.retrieval.shelves import WordEmbedder

from agentbench.auth.principal import Principal
from agentbench.gateway import clients
from agentbench.gateway.transports import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai.types import VectorStore

    from agentbench import Workbench

pytestmark = pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning")

FALCON, CARP = ("falcon.txt", b"The falcon dives fast."), ("carp.md", b"The carp swims slowly.")
PICTURE = ("plot.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 20)


@pytest.fixture(scope="module", autouse=True)
def words(bench: Workbench) -> WordEmbedder:
    """Let the workbench's library count words."""
    words, library = WordEmbedder(), bench._runner.library
    for part in (library, library._processing):
        part._embedder = lambda _: words  # type: ignore[attr-defined]
    return words


@pytest.fixture
def held(bench: Workbench, words: WordEmbedder) -> Iterator[None]:
    """Let no file be completed meanwhile."""
    words.gate = asyncio.Event()
    yield
    bench._loop.portal.call(words.gate.set)


@pytest.fixture
def store(client: openai.OpenAI) -> VectorStore:
    """Give an empty vector store."""
    return client.vector_stores.create(name="animals", metadata={"a": "b"})


@pytest.fixture
def put(client: openai.OpenAI, store: VectorStore) -> Callable[..., str]:
    """Give a function that puts a file into it, and returns its id once it is completed or failed."""

    def put(file: tuple[str, bytes] = FALCON, **attributes: Any) -> str:
        made = client.vector_stores.files.upload_and_poll(
            vector_store_id=store.id, file=file, attributes=attributes, poll_interval_ms=20
        )
        return made.id

    return put


def test_a_vector_store(client: openai.OpenAI, store: VectorStore) -> None:
    """It is made, changed and deleted; what isn't named in a change stays."""
    assert (store.name, store.metadata, store.status, store.file_counts.total) == (
        "animals",
        {"a": "b"},
        "completed",
        0,
    )
    changed = client.vector_stores.update(store.id, expires_after={"anchor": "last_active_at", "days": 2})
    assert (changed.name, changed.metadata) == ("animals", {"a": "b"})
    assert changed.last_active_at is not None
    assert changed.expires_at == changed.last_active_at + 2 * 86_400
    named = client.vector_stores.update(store.id, name="fish", metadata=None, expires_after=None)
    assert (named.name, named.metadata, named.expires_at) == ("fish", {}, None)
    assert client.vector_stores.delete(store.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.retrieve(store.id)


def test_lists(client: openai.OpenAI) -> None:
    """They go on page by page, in both directions."""
    made = [client.vector_stores.create().id for _ in range(3)]
    assert [each.id for each in client.vector_stores.list(limit=2)][:3] == made[::-1]
    page = client.vector_stores.list(limit=1, before=made[0])
    assert [each.id for each in page.data] == [made[1]]
    with pytest.raises(openai.BadRequestError):
        client.vector_stores.list(limit=101)


def test_files(client: openai.OpenAI, store: VectorStore, put: Callable[..., str]) -> None:
    """They can be read and searched, are counted, and are taken out without being deleted."""
    falcon, carp = put(FALCON, kind="bird", year=2024), put(CARP)
    file = client.vector_stores.files.retrieve(falcon, vector_store_id=store.id)
    assert (file.status, file.usage_bytes, file.last_error) == ("completed", 22, None)
    assert (file.attributes, file.chunking_strategy) == ({"kind": "bird", "year": 2024}, file.chunking_strategy)
    assert file.chunking_strategy is not None
    assert file.chunking_strategy.type == "other"
    content = client.vector_stores.files.content(falcon, vector_store_id=store.id)
    assert [each.text for each in content] == ["The falcon dives fast."]
    counted = client.vector_stores.retrieve(store.id)
    assert (counted.file_counts.completed, counted.usage_bytes, counted.status) == (2, 44, "completed")
    assert [each.id for each in client.vector_stores.files.list(store.id, limit=1)] == [carp, falcon]
    assert client.vector_stores.files.delete(carp, vector_store_id=store.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.files.retrieve(carp, vector_store_id=store.id)
    assert client.files.retrieve(carp).id == carp


def test_attributes(client: openai.OpenAI, store: VectorStore, put: Callable[..., str]) -> None:
    """They can be changed, and searches narrowed by them."""
    falcon, carp = put(FALCON, kind="bird"), put(CARP, kind="bird")
    changed = client.vector_stores.files.update(carp, vector_store_id=store.id, attributes={"kind": "fish"})
    assert changed.attributes == {"kind": "fish"}
    found = client.vector_stores.search(
        store.id, query="the falcon", filters={"type": "eq", "key": "kind", "value": "fish"}
    )
    assert [each.file_id for each in found] == [carp]
    none = client.vector_stores.search(store.id, query="x", filters={"type": "eq", "key": "kind", "value": "dog"})
    assert none.data == []
    with pytest.raises(openai.BadRequestError, match=r"filters\.type"):
        client.vector_stores.search(store.id, query="x", filters={"type": "like"})  # type: ignore[arg-type,misc]
    assert client.vector_stores.files.retrieve(falcon, vector_store_id=store.id).attributes == {"kind": "bird"}


def test_a_search(client: openai.OpenAI, store: VectorStore, put: Callable[..., str]) -> None:
    """The best passages come first, no more than are wanted, and with their attributes."""
    falcon, _ = put(FALCON, kind="bird"), put(CARP)
    found = client.vector_stores.search(store.id, query=["How does a falcon dive?", "falcon"], max_num_results=1)
    (hit,) = found.data
    assert (hit.file_id, hit.filename, hit.attributes) == (falcon, "falcon.txt", {"kind": "bird"})
    assert [each.text for each in hit.content] == ["The falcon dives fast."]
    assert 0 < hit.score <= 1
    strict = client.vector_stores.search(store.id, query="falcon", ranking_options={"score_threshold": 0.99})
    assert strict.data == [] or all(each.file_id == falcon for each in strict.data)
    assert client.vector_stores.search(client.vector_stores.create().id, query="falcon").data == []


def test_a_file_without_text(client: openai.OpenAI, store: VectorStore, put: Callable[..., str]) -> None:
    """It fails, with the reason; the rest can be searched."""
    picture, falcon = put(PICTURE), put(FALCON)
    failed = client.vector_stores.files.retrieve(picture, vector_store_id=store.id)
    assert failed.last_error is not None
    assert (failed.status, failed.last_error.code) == ("failed", "unsupported_file")
    assert "image" in failed.last_error.message
    assert [each.id for each in client.vector_stores.files.list(store.id, filter="failed")] == [picture]
    assert [each.file_id for each in client.vector_stores.search(store.id, query="falcon")] == [falcon]
    broken = put(("broken.json", b'{"a": '))
    told = client.vector_stores.files.retrieve(broken, vector_store_id=store.id).last_error
    assert told is None or told.code == "invalid_file"


def test_a_batch(client: openai.OpenAI, store: VectorStore) -> None:
    """Its files are uploaded, join together, and are counted and listed."""
    batch = client.vector_stores.file_batches.upload_and_poll(store.id, files=[FALCON, CARP, PICTURE])
    counts = batch.file_counts
    assert (batch.status, counts.completed, counts.failed, counts.total) == ("completed", 2, 1, 3)
    assert client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id) == batch
    listed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, filter="completed")
    assert len(list(listed)) == 2


def test_a_batch_with_attributes(client: openai.OpenAI, store: VectorStore) -> None:
    """Each file may have its own."""
    file = client.files.create(file=FALCON, purpose="assistants")
    client.vector_stores.file_batches.create_and_poll(
        store.id, files=[{"file_id": file.id, "attributes": {"kind": "bird"}}]
    )
    assert client.vector_stores.files.retrieve(file.id, vector_store_id=store.id).attributes == {"kind": "bird"}


@pytest.mark.usefixtures("held")
def test_a_batch_that_is_cancelled(client: openai.OpenAI, store: VectorStore) -> None:
    """What isn't in yet stays out; the files stay files, and can be put in again."""
    file = client.files.create(file=FALCON, purpose="assistants")
    batch = client.vector_stores.file_batches.create(store.id, file_ids=[file.id])
    assert (batch.status, batch.file_counts.in_progress) == ("in_progress", 1)
    assert client.vector_stores.retrieve(store.id).status == "in_progress"
    cancelled = client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert (cancelled.status, cancelled.file_counts.cancelled) == ("cancelled", 1)
    assert client.vector_stores.files.retrieve(file.id, vector_store_id=store.id).status == "cancelled"
    again = client.vector_stores.files.create(store.id, file_id=file.id)
    assert again.status == "in_progress"


def test_a_deleted_file(client: openai.OpenAI, store: VectorStore, put: Callable[..., str]) -> None:
    """It is out of all vector stores."""
    client.files.delete(put())
    assert client.vector_stores.retrieve(store.id).file_counts.total == 0
    assert client.vector_stores.search(store.id, query="falcon").data == []


def test_what_is_refused(client: openai.OpenAI, store: VectorStore) -> None:
    """Files that aren't there, batches without any, values that are too many or too long, and days without end."""
    files, batches = client.vector_stores.files, client.vector_stores.file_batches
    with pytest.raises(openai.NotFoundError, match="no file 'file_x'"):
        files.create(store.id, file_id="file_x")
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.create(file_ids=["file_x"])
    with pytest.raises(openai.NotFoundError, match="no batch"):
        batches.retrieve("vsfb_x", vector_store_id=store.id)
    with pytest.raises(openai.BadRequestError):
        batches.create(store.id)
    with pytest.raises(openai.BadRequestError, match="metadata"):
        client.vector_stores.create(metadata={str(n): "x" for n in range(17)})
    with pytest.raises(openai.BadRequestError, match=r"expires_after\.days"):
        client.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 0})
    with pytest.raises(openai.BadRequestError, match="max_num_results"):
        client.vector_stores.search(store.id, query="x", max_num_results=51)
    with pytest.raises(openai.BadRequestError, match="at least one word"):
        client.vector_stores.search(store.id, query=" ")
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.retrieve("vs_\0")


def test_vector_stores_of_others(bench: Workbench, client: openai.OpenAI, store: VectorStore) -> None:
    """They are not there, and their files can't be put into one's own."""
    file = client.files.create(file=FALCON, purpose="assistants").id
    transport = InProcessTransport(bench._loop, lambda: bench.app, Principal(user="bob", remote=True))
    with clients.openai(transport) as bob:
        mine = bob.vector_stores.create()
        stores: Any = bob.vector_stores
        for call in (stores.retrieve, stores.delete, stores.update, stores.files.list):
            with pytest.raises(openai.NotFoundError):
                call(store.id)
        with pytest.raises(openai.NotFoundError):
            stores.search(store.id, query="falcon")
        with pytest.raises(openai.NotFoundError):
            stores.files.create(mine.id, file_id=file)
        listed = {each.id for each in bob.vector_stores.list()}
        assert (mine.id in listed, store.id in listed) == (True, False)


def test_a_run_that_searches(client: openai.OpenAI, store: VectorStore, put: Callable[..., str]) -> None:
    """An assistant looks into its vector store, and the search is a step of its run."""
    falcon = put()
    assistant = client.beta.assistants.create(
        model="scripted/text",
        tools=[{"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [store.id]}},
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "How does the falcon dive?"}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=50)
    assert (run.status, run.last_error) == ("completed", None)
    steps = client.beta.threads.runs.steps.list(
        run.id, thread_id=thread.id, include=["step_details.tool_calls[*].file_search.results[*].content"]
    )
    (search,) = [each for each in steps if each.type == "tool_calls"]
    assert falcon in search.to_json()
