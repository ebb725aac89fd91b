"""The routes for signing in, and for one's own API keys and balance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from starlette.responses import Response

from agentbench.config.balance import MICROCREDITS
from agentbench.errors import AgentbenchError, PermissionDenied, UnknownName
from agentbench.gateway.identity import PRINCIPAL, SIGN_IN, error_headers, unforeseen
from agentbench.protocol.decode import convert, decode_json
from agentbench.surfaces.base import json_response, openai_error, small_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from agentbench.auth.gate import Gate
    from agentbench.auth.principal import Principal
    from agentbench.config.balance import Refill
    from agentbench.gateway.routing import Application
    from agentbench.runner import Runner
    from agentbench.storage.balances import Standing
    from agentbench.storage.keys import ApiKey

    Handler = Callable[[Request], Awaitable[Response]]

__all__ = ["add_account_routes"]

_SECRET_HEADERS = {"cache-control": "no-store"}


class _Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


class _KeyWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    agents: list[str] | None = None
    requests_per_minute: int | None = None


def add_account_routes(app: Application, gate: Gate, runner: Runner) -> None:
    """Give the application the routes."""
    routes = _AccountRoutes(gate, runner)
    for method, path, handler, summary in (
        ("POST", SIGN_IN, routes.sign_in, "Sign in with a password"),
        ("POST", "/api/keys", routes.create_key, "Create an API key; it is shown this once"),
        ("GET", "/api/keys", routes.list_keys, "List your API keys"),
        ("DELETE", "/api/keys/{key_id}", routes.revoke_key, "Revoke one of your API keys"),
        ("GET", "/api/balance", routes.balance, "Tell what you may still spend"),
    ):
        app.add_operation(method, path, _answering(handler), summary, name=handler.__name__)


def _answering(handler: Handler) -> Handler:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except AgentbenchError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001 - it is logged, and no client learns more
            error = unforeseen(raised)
        response = openai_error(error)
        response.headers.update(error_headers(error))
        return response

    return endpoint


class _AccountRoutes:
    def __init__(self, gate: Gate, runner: Runner) -> None:
        self._gate = gate
        self._accounts = gate.accounts
        self._runner = runner

    async def sign_in(self, request: Request) -> Response:
        given = convert(decode_json(await small_body(request)), _Credentials)
        made = await self._accounts.sign_in(given.email, given.password)
        user = {"id": made.user.id, "email": made.user.email, "role": made.user.role}
        body = {"token": made.token.reveal(), "expires_at": made.expires_at, "user": user}
        return json_response(body, headers=_SECRET_HEADERS)

    async def create_key(self, request: Request) -> Response:
        principal = _signed_in(request)
        self._gate.require("use", principal)
        self._gate.require("create", principal)
        wish = convert(decode_json(await small_body(request)), _KeyWish)
        for agent in wish.agents or ():
            if agent not in self._runner.catalog.agents:
                raise UnknownName("agent", agent, self._runner.catalog.agents, param="agents")
        made = await self._accounts.create_key(principal.user, **msgspec.structs.asdict(wish))
        return json_response(_shown(made.key) | {"key": made.secret.reveal()}, 201, _SECRET_HEADERS)

    async def list_keys(self, request: Request) -> Response:
        keys = await self._accounts.keys(_signed_in(request).user)
        return json_response({"keys": [_shown(key) for key in keys]})

    async def revoke_key(self, request: Request) -> Response:
        await self._accounts.revoke_key(request.path_params["key_id"], user=_signed_in(request).user)
        return Response(status_code=204)

    async def balance(self, request: Request) -> Response:
        standing = await self._runner.purse.standing(request.scope[PRINCIPAL].user)
        if standing is None:
            message = "Balances are off here: no call is paid from one."
            inner = {"message": message, "type": "not_found_error", "param": None, "code": "balances_off"}
            return json_response({"error": inner}, 404)
        return json_response(_balance(standing, self._runner.catalog.balance.refill))


def _signed_in(request: Request) -> Principal:
    """Return a person. Keys and an issuer's tokens may not make keys, which would outlive them."""
    principal: Principal = request.scope[PRINCIPAL]
    if principal.remote and not principal.signed_in:
        raise PermissionDenied(f"Only a person who has signed in can do this. Sign in with POST {SIGN_IN}.")
    return principal


def _shown(key: ApiKey) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.structs.asdict(key)
    del shown["user"]
    return shown


def _balance(standing: Standing, refill: Refill | None) -> dict[str, Any]:
    """Return a balance under the names that LibreChat's clients read."""
    shown = {"tokenCredits": standing.balance / MICROCREDITS, "autoRefillEnabled": refill is not None}
    if refill is None:
        return shown
    return shown | {
        "refillIntervalValue": refill.every,
        "refillIntervalUnit": refill.unit,
        "refillAmount": refill.microcredits / MICROCREDITS,
        "lastRefill": standing.last_refill,
    }
