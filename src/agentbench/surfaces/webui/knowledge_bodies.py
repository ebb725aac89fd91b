"""A collection as Open WebUI's clients read it, who made it, and who else may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agentbench.errors import InvalidRequest
from agentbench.protocol.values import Value
from agentbench.storage import users
from agentbench.storage.grants import EVERYONE
from agentbench.surfaces.webui.file_bodies import epoch, file_body, file_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from agentbench.runner import Runner
    from agentbench.storage.collections import Collection
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Grant, Permission, Reader

__all__ = [
    "GrantForm",
    "collection_body",
    "granted",
    "linked_body",
    "listed_bodies",
    "listed_files",
    "may_write",
]


class GrantForm(Value, frozen=True, kw_only=True):
    """Who may do what; the user `*` stands for everyone."""

    principal_type: Literal["user", "group"]
    principal_id: str
    permission: Literal["read", "write"]


async def granted(runner: Runner, forms: Iterable[GrantForm]) -> list[tuple[str, Permission]]:
    """Return grants as the library takes them; a user may be named by email too.

    Raises `InvalidRequest` for a group, and for a user that there isn't.
    """
    forms = list(forms)
    if any(form.principal_type == "group" for form in forms):
        raise InvalidRequest(
            "There are no groups here. Grant access to users, or to everyone with the user '*'.", param="access_grants"
        )

    def job(connection: Connection) -> list[tuple[str, Permission]]:
        return [(_user_id(connection, form.principal_id), form.permission) for form in forms]

    return await runner.database.read(job)


def may_write(reader: Reader, collection: Collection) -> bool:
    """Tell whether the reader may change what is in a collection."""
    writers = {grant.user for grant in collection.grants if grant.permission == "write"}
    return reader.sees_all or bool({reader.user, EVERYONE} & writers) or reader.user == collection.user


def collection_body(collection: Collection, **more: Any) -> dict[str, Any]:
    """Return a collection, and what else a route says of it."""
    return {
        "id": collection.id,
        "user_id": collection.user,
        "name": collection.name,
        "description": collection.description,
        "meta": collection.meta or None,
        "access_grants": [_grant_body(grant) for grant in collection.grants],
        "created_at": epoch(collection.created_at),
        "updated_at": epoch(collection.updated_at),
    } | more


def linked_body(reader: Reader, collection: Collection, files: Iterable[StoredFile] | None = None) -> dict[str, Any]:
    """Return a collection with its files in short, if they are given."""
    short = None if files is None else [_short(file) for file in files]
    return collection_body(collection, files=short, write_access=may_write(reader, collection))


async def listed_bodies(runner: Runner, reader: Reader, found: Sequence[Collection]) -> list[dict[str, Any]]:
    """Return collections as a list has them: whose they are, how many files are in them, who may write."""
    people = await _people(runner, {each.user for each in found})
    return [
        collection_body(
            each, user=people.get(each.user), file_count=each.files, write_access=may_write(reader, each), files=None
        )
        for each in found
    ]


async def listed_files(runner: Runner, found: Sequence[StoredFile]) -> list[dict[str, Any]]:
    """Return a collection's files as a list has them: whose they are, without their text. Nothing is in folders."""
    people = await _people(runner, {each.user for each in found})
    nowhere = {"directory_id": None, "directory_path": None, "has_original": True}
    return [file_body(each) | {"data": None, "user": people.get(each.user)} | nowhere for each in found]


def _user_id(connection: Connection, named: str) -> str:
    if named == EVERYONE:
        return named
    user = users.get(connection, named) or users.by_email(connection, named)
    if user is None:
        raise InvalidRequest(f"There is no user {named!r} to grant access to.", param="access_grants")
    return user.id


def _grant_body(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "resource_type": "knowledge",
        "resource_id": grant.collection,
        "principal_type": "user",
        "principal_id": grant.user,
        "permission": grant.permission,
        "created_at": epoch(grant.created_at),
    }


def _short(file: StoredFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "hash": file.text_digest,
        "meta": file_meta(file),
        "created_at": epoch(file.created_at),
        "updated_at": epoch(file.updated_at),
    }


async def _people(runner: Runner, ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return who these users are; one without an account isn't there."""

    def job(connection: Connection) -> list[users.User]:
        return [user for user in (users.get(connection, user_id) for user_id in ids) if user is not None]

    return {
        user.id: {"id": user.id, "name": user.email, "role": user.role.lower(), "email": user.email}
        for user in await runner.database.read(job)
    }
