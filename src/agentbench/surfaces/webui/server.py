"""What the server says of itself to clients of Open WebUI; nobody needs a credential for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench._version import __version__
from agentbench.surfaces.base import json_response
from agentbench.surfaces.webui.base import route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES"]


async def version(_: Request, __: Runner, ___: Principal) -> HTTPResponse:
    """Answer `GET /version`, with the version of agentbench."""
    return json_response({"version": __version__, "deployment_id": ""})


async def config(_: Request, runner: Runner, __: Principal) -> HTTPResponse:
    """Answer `GET /config`: which of Open WebUI's features there are."""
    features = {
        "auth": True,
        "enable_signup": False,
        "enable_login_form": True,
        "enable_ldap": False,
        "enable_websocket": False,
        "enable_api_keys": runner.catalog.remote.api_keys,
        "enable_web_search": False,
        "enable_code_interpreter": False,
        "enable_image_generation": False,
    }
    body = {"status": True, "name": "agentbench", "version": __version__, "features": features}
    return json_response(body | {"oauth": {"providers": {}}, "default_locale": ""})


ROUTES = (
    route("GET", "/api/version", version, "Return the version", is_open=True),
    route("GET", "/api/config", config, "Say which features there are", is_open=True),
)
