"""The bytes of files over HTTP: as they were, and never run by a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.surfaces.webui.library_app import upload

if TYPE_CHECKING:
    import httpx2
    from tests.surfaces.webui.library_app import Person

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PAGE = b"<!doctype html><script>alert(document.cookie)</script>"
IMAGE = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


async def test_a_file_in_parts(ann: Person) -> None:
    """A file of several parts comes out as it went in."""
    data = bytes(range(256)) * 3000
    file = await upload(ann, data, "bytes.bin", process=False)
    response = await ann.get(f"/files/{file['id']}/content")
    assert (response.content == data, response.headers["content-length"]) == (True, "768000")


@pytest.mark.parametrize(
    ("name", "data", "kind", "place"),
    [
        ("a.txt", b"text", "text/plain", "inline"),
        ("a.pdf", PDF, "application/pdf", "inline"),
        ("a.html", PAGE, "text/plain", "attachment"),
        ("a.md", b"# Text", "text/plain", "attachment"),
    ],
)
async def test_types(ann: Person, name: str, data: bytes, kind: str, place: str) -> None:
    """What is safe to look at is shown; anything else is to be saved."""
    file = await upload(ann, data, name, process=False)
    assert (await sent(ann, file["id"])) == (kind, place)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.xhtml", "application/xhtml+xml"),
        ("a.svg", "image/svg+xml"),
        ("a.xml", "text/xml"),
        ("a.js", "text/javascript"),
        ("a", "text/html; charset=utf-8"),
        ("a.swf", "application/x-shockwave-flash"),
    ],
)
async def test_what_would_run(ann: Person, name: str, said: str) -> None:
    """What a browser could run is sent as something that it doesn't, whatever its sender said it was."""
    for data in (PAGE, IMAGE):
        uploaded = await ann.post("/files/?process=false", files={"file": (name, data, said)})
        assert (await sent(ann, uploaded.json()["id"]))[0] in ("text/plain", "application/octet-stream")


async def sent(http: httpx2.AsyncClient, file_id: str) -> tuple[str, str]:
    """Return a file's type and what is to be done with it, as its bytes are sent."""
    headers = (await http.get(f"/files/{file_id}/content")).headers
    assert headers["x-content-type-options"] == "nosniff"
    return headers["content-type"].partition(";")[0], headers["content-disposition"].partition(";")[0]


async def test_saving(ann: Person) -> None:
    """A name of any letters is told so that browsers save the file under it."""
    file = await upload(ann, name="매 보고서.txt", process=False)
    name = "attachment; filename*=UTF-8''%EB%A7%A4%20%EB%B3%B4%EA%B3%A0%EC%84%9C.txt"
    for path in ("content?attachment=true", "content/anything.txt", "content/html"):
        assert (await ann.get(f"/files/{file['id']}/{path}")).headers["content-disposition"] == name
