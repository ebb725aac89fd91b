"""Signing in as Open WebUI's clients do, and the one API key that they know of."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from agentbench.auth.principal import KERNEL_EMAIL
from agentbench.errors import InvalidRequest, NotAuthenticated, PermissionDenied, UnknownName
from agentbench.storage import users
from agentbench.surfaces.base import json_response, small_body
from agentbench.surfaces.webui.base import route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.gate import Gate
    from agentbench.auth.principal import Principal
    from agentbench.config.remote import Role
    from agentbench.runner import Runner
    from agentbench.storage.keys import ApiKey
    from agentbench.surfaces.base import Route

__all__ = ["COOKIE", "routes"]

COOKIE = "token"
"""Where a browser keeps what a sign-in gave it."""

_AUTHS = "/api/v1/auths"
_KEY = "api key"
"""The name of the key that these clients make and delete; a user's other keys are none of their business."""
_SECRET = {"cache-control": "no-store"}


class SignInForm(msgspec.Struct, frozen=True):
    """Who signs in."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


def routes(gate: Gate) -> tuple[Route, ...]:
    """Return the routes; those who come in over them pass this gate."""
    auths = _Auths(gate)
    return (
        route("POST", f"{_AUTHS}/signin", auths.sign_in, "Sign in with a password", body=SignInForm, is_open=True),
        route("GET", f"{_AUTHS}/signout", auths.sign_out, "Drop the sign-in's cookie", is_open=True),
        route("POST", f"{_AUTHS}/signout", auths.sign_out, "Drop the sign-in's cookie", is_open=True),
        route("GET", f"{_AUTHS}/", auths.session_user, "Tell who is calling"),
        route("POST", f"{_AUTHS}/api_key", auths.make_key, "Make your API key, in place of the one before"),
        route("GET", f"{_AUTHS}/api_key", auths.show_key, "Say that a key is shown once"),
        route("DELETE", f"{_AUTHS}/api_key", auths.delete_key, "Revoke your API key"),
    )


class _Auths:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._accounts = gate.accounts

    async def sign_in(self, request: Request, _: Runner, __: Principal) -> HTTPResponse:
        """Answer `POST /signin`: a token, and the same as a cookie."""
        given = await _credentials(request)
        try:
            made = await self._accounts.sign_in(given.email, given.password)
        except NotAuthenticated as error:
            raise InvalidRequest(error.message) from None
        token = made.token.reveal()
        told = self._shown(made.user.id, made.user.email, made.user.role)
        told |= {"token": token, "token_type": "Bearer", "expires_at": int(made.expires_at.timestamp())}
        answer = json_response(told, headers=_SECRET)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, token, expires=made.expires_at, httponly=True, samesite="lax", secure=secure)
        return answer

    async def sign_out(self, _: Request, __: Runner, ___: Principal) -> HTTPResponse:
        """Answer `/signout`; the token itself holds until it expires."""
        answer = json_response({"status": True}, headers=_SECRET)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    async def session_user(self, _: Request, runner: Runner, principal: Principal) -> HTTPResponse:
        """Answer `GET /`; the credential isn't repeated."""
        user = await runner.database.read(lambda connection: users.get(connection, principal.user))
        told = self._shown(principal.user, KERNEL_EMAIL if user is None else user.email, principal.role)
        return json_response(told | {"token": "", "token_type": "Bearer", "expires_at": None}, headers=_SECRET)

    async def make_key(self, _: Request, __: Runner, principal: Principal) -> HTTPResponse:
        """Answer `POST /api_key`."""
        _check_signed_in(principal)
        if not self._gate.access.api_keys:
            raise PermissionDenied("API key creation is not allowed in the environment.")
        self._gate.require("create", principal)
        made = await self._accounts.create_key(principal.user, name=_KEY)
        await self._revoke(each for each in await self._keys(principal) if each.created_at < made.key.created_at)
        return json_response({"api_key": made.secret.reveal()}, headers=_SECRET)

    async def show_key(self, _: Request, __: Runner, principal: Principal) -> HTTPResponse:
        """Answer `GET /api_key`: nobody knows the key any more."""
        raise KeyNotShown(has_one=bool(await self._keys(principal)))

    async def delete_key(self, _: Request, __: Runner, principal: Principal) -> HTTPResponse:
        """Answer `DELETE /api_key`."""
        _check_signed_in(principal)
        await self._revoke(await self._keys(principal))
        return json_response(True)  # noqa: FBT003 - the whole body

    async def _keys(self, principal: Principal) -> list[ApiKey]:
        return [each for each in await self._accounts.keys(principal.user) if each.name == _KEY]

    async def _revoke(self, keys: Iterable[ApiKey]) -> None:
        for each in keys:
            with suppress(UnknownName):  # somebody else revoked it
                await self._accounts.revoke_key(each.id)

    def _shown(self, user: str, email: str, role: Role) -> dict[str, Any]:
        """Return a user under the names that Open WebUI gives."""
        return {
            "id": user,
            "name": email,
            "email": email,
            "role": role.lower(),
            "profile_image_url": "",
            "permissions": self._permissions(role),
        }

    def _permissions(self, role: Role) -> dict[str, dict[str, bool]]:
        makes_keys = self._gate.access.api_keys and self._gate.access.allows("create", role)
        return {
            "workspace": {"models": False, "knowledge": True, "prompts": False, "tools": False},
            "sharing": {"models": False, "knowledge": True, "public_knowledge": True},
            "chat": {"file_upload": True, "temporary": True},
            "features": {"api_keys": makes_keys, "web_search": False, "code_interpreter": False},
        }


class KeyNotShown(InvalidRequest):
    """A key was shown when it was made, and is stored nowhere."""

    status = 404

    def __init__(self, *, has_one: bool) -> None:
        have = "You have one; API keys are" if has_one else "You have none; API keys are"
        super().__init__(f"{have} shown once, when they are made. POST makes a new one in its place.")


async def _credentials(request: Request) -> SignInForm:
    try:
        return msgspec.json.decode(await small_body(request), type=SignInForm)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise InvalidSignIn("Invalid authentication request.") from None


class InvalidSignIn(InvalidRequest):
    """A body that doesn't say who signs in; nothing of it is repeated."""

    status = 422


def _check_signed_in(principal: Principal) -> None:
    """Let a person through. Keys and an issuer's tokens may not make keys, which would outlive them."""
    if principal.remote and not principal.signed_in:
        raise PermissionDenied("A human session is required. Sign in with a password: POST /api/v1/auths/signin.")
