"""Web pages over Open WebUI's routes, from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.surfaces.webui.library_app import collection, searchable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.surfaces.webui.library_app import Person

    from agentbench.runner import Runner

pytestmark = pytest.mark.anyio


class Site:
    """A server of pages that change."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = site.pages.get(self.path, "")
                self.send_response(200 if page else 404)
                self.send_header("content-type", "text/html" if page.startswith("<") else "text/plain")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a server."""
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


@pytest.fixture
def local(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow addresses of this machine."""
    allowed = msgspec.structs.replace(runner.catalog.retrieval, local_addresses=True)
    monkeypatch.setattr(runner, "catalog", msgspec.structs.replace(runner.catalog, retrieval=allowed))


async def process(http: Person, url: str, path: str = "web", query: str = "", **more: Any) -> Any:
    """Process a page; return the answer's body."""
    response = await http.post(f"/retrieval/process/{path}{query}", json={"url": url, **more})
    assert response.status_code == 200, response.text
    return response.json()


async def documents(http: Person, name: str) -> list[str]:
    """Return what is in a collection."""
    body = {"collection_name": name, "query": "birds", "k": 9, "hybrid": False}
    found: list[str] = (await http.post("/retrieval/query/doc", json=body)).json()["documents"][0]
    return sorted(found)


@pytest.mark.usefixtures("local")
async def test_a_page(ann: Person, site: Site) -> None:
    """It can be searched under a name made of its address, and is no file in the list; a newer one replaces it."""
    url, name = f"{site.url}/owls", hashlib.sha256(f"{site.url}/owls".encode()).hexdigest()[:63]
    for text in ("Owls are birds.", "Owls are quiet birds."):
        site.pages["/owls"] = text
        told = await process(ann, url)
        assert (told["collection_name"], told["content"], told["filename"]) == (name, text, url)
        assert told["file"]["meta"]["source"] == url
        assert await documents(ann, name) == [text]
    assert (await ann.get("/files/count")).json() == 0


@pytest.mark.usefixtures("local")
async def test_pages_beside_each_other(ann: Person, site: Site) -> None:
    """With `overwrite=false` what was there stays."""
    site.pages = {"/owls": "Owls are birds.", "/bats": "Bats are not birds."}
    for path in site.pages:
        await process(ann, site.url + path, query="?overwrite=false", collection_name="night")
    assert await documents(ann, "night") == ["Bats are not birds.", "Owls are birds."]
    await process(ann, f"{site.url}/owls", collection_name="night")
    assert await documents(ann, "night") == ["Owls are birds."]


@pytest.mark.usefixtures("local")
async def test_a_page_in_a_collection_of_files(ann: Person, site: Site) -> None:
    """There it replaces itself and nothing else."""
    birds, file = await collection(ann), await searchable(ann, b"Falcons are birds.")
    await ann.post(f"/knowledge/{birds}/file/add", json={"file_id": file["id"]})
    for text in ("Owls are birds.", "Owls are quiet birds."):
        site.pages["/owls"] = text
        await process(ann, f"{site.url}/owls", "url", collection_name=birds)
    assert await documents(ann, birds) == ["Falcons are birds.", "Owls are quiet birds."]


@pytest.mark.usefixtures("local")
async def test_a_page_that_is_only_read(ann: Person, site: Site) -> None:
    """With `process=false` nothing of it is kept."""
    site.pages["/owls"] = "<!doctype html><title>Owls</title><p>Owls are birds.</p>"
    told = await process(ann, f"{site.url}/owls", "url", "?process=false")
    assert (told["type"], told["content"], told["collection_name"]) == ("web", "Owls\n\nOwls are birds.", None)
    assert (await ann.get("/knowledge/search/files")).json()["total"] == 0


@pytest.mark.usefixtures("local")
async def test_a_page_that_is_not_there(ann: Person, site: Site) -> None:
    """The answer says so, and what was there stays."""
    site.pages["/owls"] = "Owls are birds."
    await process(ann, f"{site.url}/owls", collection_name="night")
    refused = await ann.post("/retrieval/process/web", json={"url": f"{site.url}/no", "collection_name": "night"})
    assert (refused.status_code, "404" in refused.json()["detail"]) == (400, True)
    assert await documents(ann, "night") == ["Owls are birds."]


async def test_an_address_of_this_machine(ann: Person, site: Site) -> None:
    """It isn't fetched unless that is allowed."""
    site.pages["/owls"] = "Owls are birds."
    refused = await ann.post("/retrieval/process/web", json={"url": f"{site.url}/owls"})
    assert (refused.status_code, "Owls" in refused.text) == (400, False)
