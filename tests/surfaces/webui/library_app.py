"""The gateway over a library whose embedder counts words, and people who ask it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import numpy as np

from agentbench.auth.principal import Principal
from agentbench.gateway.identity import PRINCIPAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.config.remote import Role

__all__ = ["As", "Person", "WordEmbedder", "collection", "searchable", "statuses", "upload"]

_DIMENSIONS = 64


class WordEmbedder:
    """Places a text by its words; `broken` makes it fail."""

    name = "fake/words"

    def __init__(self) -> None:
        self.broken: Exception | None = None

    async def embed(self, texts: Sequence[str], _: str) -> NDArray[np.float32]:
        """Return a row a text."""
        if self.broken is not None:
            raise self.broken
        rows = np.zeros((len(texts), _DIMENSIONS), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 0.01
            for word in text.lower().split():
                row[hashlib.sha256(word.strip(".,?").encode()).digest()[0] % _DIMENSIONS] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class As:
    """Lets every request be somebody's, as if it had come over HTTP with that person's key."""

    def __init__(self, app: ASGIApp, principal: Principal) -> None:
        self._app, self._principal = app, principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self._app({**scope, PRINCIPAL: self._principal}, receive, send)


class Person(httpx2.AsyncClient):
    """The client of a person; `user` is the account's id."""

    def __init__(self, app: ASGIApp, user: str, role: Role, agents: tuple[str, ...] | None = None) -> None:
        principal = Principal(user=user, role=role, agents=agents, remote=True)
        super().__init__(transport=httpx2.ASGITransport(As(app, principal)), base_url="http://127.0.0.1/api/v1")
        self.user = user


async def upload(
    http: httpx2.AsyncClient, data: bytes = b"Falcons are fast.", name: str = "falcons.txt", **query: Any
) -> Any:
    """Upload a file; return the answer's body."""
    response = await http.post("/files/", files={"file": (name, data)}, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def searchable(
    http: httpx2.AsyncClient, data: bytes = b"Falcons are fast.", name: str = "falcons.txt", **query: Any
) -> Any:
    """Upload a file and wait until it can be searched; return the answer's body."""
    file = await upload(http, data, name, process_in_background=False, **query)
    assert file["data"]["status"] == "completed", file["data"]
    return file


async def collection(http: httpx2.AsyncClient, name: str = "birds", **fields: Any) -> str:
    """Make a collection; return its id."""
    response = await http.post("/knowledge/create", json={"name": name, "description": "", **fields})
    assert response.status_code == 200, response.text
    made: str = response.json()["id"]
    return made


async def statuses(http: httpx2.AsyncClient, file_id: str) -> list[dict[str, Any]]:
    """Return what the stream of a file's status says, to its end."""
    response = await http.get(f"/files/{file_id}/process/status", params={"stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    frames = [frame for frame in response.text.split("\n\n") if not frame.startswith(":")]
    return [msgspec.json.decode(frame.removeprefix("data: ")) for frame in frames if frame]
