"""Making, listing, changing and deleting assistants, and who may."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from agentbench.errors import PermissionDenied, UnknownName
from agentbench.protocol.assistants.objects import Assistant
from agentbench.protocol.values import new_id
from agentbench.runner.assistants.limits import check_model, check_tools, checked
from agentbench.runner.assistants.resources import Storing
from agentbench.storage import assistants
from agentbench.storage.assistants import StoredAssistant
from agentbench.storage.paging import listing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Listing
    from agentbench.protocol.assistants.requests import ChangeAssistant, CreateAssistant
    from agentbench.protocol.assistants.tools import ToolResources
    from agentbench.storage.paging import Page

__all__ = ["Keeping", "merged_resources"]

_CLEARED: dict[str, Any] = {
    "tools": (),
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}
"""What stands for nothing, where that isn't None."""


class Keeping(Storing):
    """Assistants. One that a caller may not see is, to the caller, not there: `UnknownName`."""

    async def create(self, principal: Principal, body: CreateAssistant) -> Assistant:
        """Make an assistant of the caller's; raises `InvalidRequest`, and `PermissionDenied` without the builder."""
        self._check_builder()
        given = _without_nothing(asdict(checked(body)))
        raw = given.pop("tool_resources", None)
        made = Assistant(id=new_id("asst"), created_at=int(time.time()), **given)
        self._check(made)
        made = replace(made, tool_resources=await self.resources(principal, raw))
        await self._database.write(partial(assistants.add, stored=StoredAssistant(assistant=made, user=principal.user)))
        return made

    async def stored(self, principal: Principal, assistant_id: str) -> StoredAssistant:
        """Return an assistant that the caller may use, with its author."""
        return await self._database.read(partial(self._find, principal=principal, assistant_id=assistant_id))

    async def assistant(self, principal: Principal, assistant_id: str) -> Assistant:
        """Return an assistant that the caller may use."""
        return (await self.stored(principal, assistant_id)).assistant

    async def assistants(self, principal: Principal, page: Page) -> Listing:
        """Return a page of the assistants that the caller may use."""
        job = partial(assistants.page, page=page, **self._chosen(principal))
        return listing([each.assistant for each in await self._database.read(job)], page)

    async def named(self, principal: Principal, name: str) -> Assistant | None:
        """Return the caller's own newest assistant of that name, if the caller may use it."""
        found = await self._database.read(partial(assistants.by_name, name=name, author=principal.user))
        return found.assistant if found is not None and self._allows(principal, found) else None

    async def change(self, principal: Principal, assistant_id: str, body: ChangeAssistant) -> Assistant:
        """Give an assistant other values; raises as `create` does, and `PermissionDenied` if it is another's."""
        self._check_builder()
        given = {name: value for name, value in asdict(checked(body)).items() if value is not UNSET}
        raw = given.pop("tool_resources", UNSET)
        given |= {name: nothing for name, nothing in _CLEARED.items() if name in given and given[name] is None}
        own = partial(self._own, principal=principal, assistant_id=assistant_id)
        self._check(replace((await self._database.read(own)).assistant, **given), changed=frozenset(given))
        resources = await self.resources(principal, raw) if isinstance(raw, dict) else None

        def job(connection: Connection) -> Assistant:
            assistants.lock(connection, assistant_id)
            found = own(connection)
            changed = replace(found.assistant, **given)
            if raw is not UNSET:
                changed = replace(changed, tool_resources=merged_resources(changed.tool_resources, resources))
            self._check(changed, changed=frozenset(given))
            assistants.save(connection, replace(found, assistant=changed))
            return changed

        return await self._database.write(job)

    async def delete(self, principal: Principal, assistant_id: str) -> None:
        """Delete an assistant; runs that have begun go on. Raises `PermissionDenied` as `change` does."""
        self._check_builder()

        def job(connection: Connection) -> None:
            self._own(connection, principal, assistant_id)
            assistants.delete(connection, assistant_id)

        await self._database.write(job)

    def _check_builder(self) -> None:
        if self.settings.disable_builder:
            raise PermissionDenied(
                "Assistants can't be made, changed or deleted here: endpoints.assistants.disableBuilder is on."
            )

    def _check(self, made: Assistant, *, changed: frozenset[str] = frozenset({"tools"})) -> None:
        """Check what an assistant became; its tools only where they, or the model that has them, changed."""
        if changed & {"tools", "model"}:
            check_tools(self.settings, made.tools, model=made.model)
        check_model(made.response_format, made.reasoning_effort)

    def _find(self, connection: Connection, principal: Principal, assistant_id: str) -> StoredAssistant:
        found = assistants.get(connection, assistant_id)
        if found is None or not self._allows(principal, found):
            raise UnknownName("assistant", assistant_id)
        return found

    def _own(self, connection: Connection, principal: Principal, assistant_id: str) -> StoredAssistant:
        found = self._find(connection, principal, assistant_id)
        if found.user != principal.user and not principal.is_administrator:
            raise PermissionDenied(f"The assistant {assistant_id} is another user's, who alone may do this.")
        return found

    def _allows(self, principal: Principal, stored: StoredAssistant) -> bool:
        return self.settings.allows(stored.assistant.id, author=stored.user, user=principal.user)

    def _chosen(self, principal: Principal) -> dict[str, Any]:
        """Return which assistants `AssistantSettings.allows`, as storage takes it."""
        settings = self.settings
        if settings.private:
            return {"author": principal.user}
        return {"only": settings.supported_ids} if settings.supported_ids else {"without": settings.excluded_ids}


def merged_resources(old: ToolResources | None, new: ToolResources | None) -> ToolResources | None:
    """Return resources after a change: what the change doesn't speak of stays, and nothing at all clears."""
    if old is None or new is None:
        return new
    return replace(old, **{name: value for name, value in asdict(new).items() if value is not None})


def _without_nothing(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
