"""The addresses of one upstream of the Assistants API: OpenAI's way, or Azure's with an `api-version`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from agentbench.config.assistants import AssistantSettings
from agentbench.errors import UpstreamGarbled
from agentbench.providers.assistants_shapes import Page, UpstreamAssistant, UpstreamMessage, UpstreamRun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.http import Http

__all__ = ["Upstream"]

T = TypeVar("T")

_FIRST_AZURE_V2 = "2024-05"
_SECONDS = 30.0
_UPLOAD_SECONDS = 120.0
_PAGES = 50
"""Of a hundred: who has more assistants than that names them by their ids."""


class Upstream:
    """Asks one upstream; every id that goes into an address is quoted. Raises `UpstreamError`."""

    def __init__(self, http: Http, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.settings = endpoint.assistants or AssistantSettings()
        self._http = http
        self._headers = _headers(endpoint, self.settings)

    @property
    def is_azure(self) -> bool:
        """Whether it wants an `api-version`."""
        return self.settings.api_version is not None

    @property
    def is_first(self) -> bool:
        """Whether it speaks the API's first version, whose messages know files but no attachments."""
        version = self.settings.api_version
        return self.settings.version == "1" if version is None else version < _FIRST_AZURE_V2

    def path(self, *parts: str, **query: str | int) -> str:
        """Return an address below the base URL."""
        if self.settings.api_version is not None:
            query["api-version"] = self.settings.api_version
        path = "".join(f"/{quote(part, safe='')}" for part in parts)
        return f"{path}?{urlencode(query)}" if query else path

    def link(self, file_id: str) -> str:
        """Return where a file's content lies."""
        return (self.endpoint.base_url or "").rstrip("/") + self.path("files", file_id, "content")

    def events(self, path: str, body: dict[str, Any]) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Post what begins a run or goes on with it; gives server-sent events, be it one with the whole answer."""
        endpoint = self.endpoint
        if "assistant_id" not in body:  # what the operator adds is for the run's begin
            endpoint = msgspec.structs.replace(endpoint, add_params={})
        return self._http.post(path, body, endpoint, headers=self._headers)

    async def assistant(self, assistant_id: str) -> UpstreamAssistant:
        """Return an assistant."""
        return self._read(await self._get(self.path("assistants", assistant_id)), UpstreamAssistant)

    async def assistants(self) -> tuple[UpstreamAssistant, ...]:
        """Return all assistants, the newest first."""
        found: dict[str, UpstreamAssistant] = {}
        query: dict[str, str | int] = {"limit": 100, "order": "desc"}
        for _ in range(_PAGES):
            page = self._read(await self._get(self.path("assistants", **query)), Page)
            new = [self._read(each, UpstreamAssistant) for each in page.data]
            found |= {each.id: each for each in new}
            if not page.has_more or not new or query.get("after") == new[-1].id:
                break
            query["after"] = new[-1].id
        return tuple(found.values())

    async def create_thread(self, messages: list[dict[str, Any]]) -> str:
        """Make a thread of these messages; return its id."""
        body = {"messages": messages} if messages else {}
        made = await self._post(self.path("threads"), body)
        if not isinstance(made, dict) or not isinstance(made.get("id"), str):
            raise self._odd()
        return str(made["id"])

    async def add_message(self, thread: str, message: dict[str, Any]) -> None:
        """Add a message to a thread."""
        await self._post(self.path("threads", thread, "messages"), message)

    async def latest_message(self, thread: str) -> UpstreamMessage | None:
        """Return the newest message of a thread."""
        page = await self._page(self.path("threads", thread, "messages", limit=1, order="desc"))
        return self._read(page.data[0], UpstreamMessage) if page.data else None

    async def messages(self, thread: str, run: str) -> list[dict[str, Any]]:
        """Return what a run has written, oldest first, a hundred messages at most."""
        page = await self._page(self.path("threads", thread, "messages", limit=100, order="asc", run_id=run))
        return [each for each in page.data if each.get("run_id") in (run, None)]

    async def steps(self, thread: str, run: str) -> list[dict[str, Any]]:
        """Return what a run has done, oldest first, a hundred steps at most."""
        return list((await self._page(self.path("threads", thread, "runs", run, "steps", limit=100, order="asc"))).data)

    async def latest_run(self, thread: str) -> UpstreamRun | None:
        """Return the newest run of a thread."""
        page = await self._page(self.path("threads", thread, "runs", limit=1, order="desc"))
        return self._read(page.data[0], UpstreamRun) if page.data else None

    async def run(self, thread: str, run: str, *, tries: int = 2) -> UpstreamRun:
        """Return a run as it is now."""
        return self._read(await self._get(self.path("threads", thread, "runs", run), tries=tries), UpstreamRun)

    async def cancel(self, thread: str, run: str) -> UpstreamRun:
        """Ask for a run's end; return the run, which may still be ending."""
        return self._read(await self._post(self.path("threads", thread, "runs", run, "cancel"), {}), UpstreamRun)

    async def upload(self, name: str, data: bytes, kind: str, purpose: str) -> str:
        """Store a file of a media type for a purpose; return its id."""
        made = await self._http.fetch(
            "POST",
            self.path("files"),
            self.endpoint,
            headers=self._headers,
            seconds=_UPLOAD_SECONDS,
            data={"purpose": purpose},
            files={"file": (name, data, kind)},
        )
        if not isinstance(made, dict) or not isinstance(made.get("id"), str):
            raise self._odd()
        return str(made["id"])

    async def file_name(self, file_id: str) -> str | None:
        """Return what a file is called."""
        told = await self._get(self.path("files", file_id), tries=1)
        name = told.get("filename") if isinstance(told, dict) else None
        return name if isinstance(name, str) else None

    async def content(self, file_id: str, most: int) -> bytes:
        """Return a file's bytes, if they are no more than `most`."""
        path = self.path("files", file_id, "content")
        data: bytes = await self._http.fetch("GET", path, self.endpoint, headers=self._headers, tries=1, most=most)
        return data

    async def _page(self, path: str) -> Page:
        return self._read(await self._get(path), Page)

    async def _get(self, path: str, *, tries: int = 2) -> Any:
        return await self._http.fetch("GET", path, self.endpoint, headers=self._headers, tries=tries)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        return await self._http.fetch(
            "POST", path, self.endpoint, headers=self._headers, tries=3, seconds=_SECONDS, json=body
        )

    def _read(self, told: Any, shape: type[T]) -> T:
        try:
            return msgspec.convert(told, shape)
        except msgspec.ValidationError:
            raise self._odd() from None

    def _odd(self) -> UpstreamGarbled:
        name, url = self.endpoint.name, self.endpoint.base_url
        return UpstreamGarbled(f"{name} answered not as the Assistants API does. Check baseURL: {url}.", endpoint=name)


def _headers(endpoint: Endpoint, settings: AssistantSettings) -> dict[str, str]:
    """Return the headers with the key, and what tells OpenAI which version is spoken."""
    key = None if endpoint.api_key is None else endpoint.api_key.reveal()
    has_own = any(name.lower() == "authorization" for name in endpoint.headers)
    if settings.api_version is not None:
        return {} if key is None or has_own else {"api-key": key}
    named = {"openai-beta": f"assistants=v{settings.version}"}
    return named if key is None or has_own else named | {"authorization": f"Bearer {key}"}
