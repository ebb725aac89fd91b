"""`GET /health` and `GET /ready`: whether the process lives, and whether it can answer. Both need no credential."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio

from agentbench._version import __version__
from agentbench.surfaces.base import json_response

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from agentbench.config.endpoint import Endpoint
    from agentbench.gateway.routing import Application
    from agentbench.runner import Runner

__all__ = ["HEALTH", "OPEN_PATHS", "add_health_routes"]

HEALTH = "/health"
_READY = "/ready"
OPEN_PATHS = frozenset({HEALTH, _READY})
"""Where nobody needs a credential: what watches over a server has none."""

_PATIENCE_S = 5.0
_log = logging.getLogger(__name__)


def add_health_routes(app: Application, runner: Runner) -> None:
    """Add both routes."""

    async def health(_: Request) -> Response:
        return json_response({"status": "ok", "version": __version__})

    async def ready(_: Request) -> Response:
        missing = await _missing(runner)
        if missing:
            return json_response({"status": "unavailable", "missing": missing}, 503, {"retry-after": "5"})
        return json_response({"status": "ok"})

    app.add_operation("GET", HEALTH, health, "Whether the process lives")
    app.add_operation("GET", _READY, ready, "Whether it can answer")


async def _missing(runner: Runner) -> list[str]:
    """Return what keeps it from answering, without details: anyone may ask. The log has them."""
    missing = [] if any(map(_is_usable, runner.catalog.endpoints.values())) else ["endpoint"]
    try:
        with anyio.fail_after(_PATIENCE_S):
            await runner.database.read(_look)
    except Exception as error:  # noqa: BLE001 - whatever it is, this server can't answer
        _log.warning("the database does not answer: %s", error)
        missing.append("database")
    return missing


def _look(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT 1")


def _is_usable(endpoint: Endpoint) -> bool:
    return endpoint.unsupported is None and (endpoint.provider != "llama_cpp" or find_spec("xllamacpp") is not None)
