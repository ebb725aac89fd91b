"""The API described: `/openapi.json`, and `/docs` to read and try it, with `ENV=dev` in the environment only.

The page is swagger-ui from this package, so it works where there is no internet.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import HTMLResponse
from starlette.responses import Response as HTTPResponse
from starlette.staticfiles import StaticFiles

from agentbench.errors import AgentbenchError
from agentbench.surfaces import AGENTS_API, ASSISTANTS_API
from agentbench.surfaces.base import json_response, openai_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from agentbench.gateway.addresses import Addresses
    from agentbench.gateway.routing import Application
    from agentbench.surfaces.base import Route

__all__ = ["ASSETS", "DOCS_PATHS", "add_documents"]

ASSETS = "/static/swagger-ui/"
_OPENAPI = "/openapi.json"
DOCS_PATHS = frozenset({_OPENAPI, "/docs"})
"""Where nobody needs a credential: a browser has none before the page is there, and it says nothing secret."""

_FOLDER = Path(__file__).parent / "static" / "swagger-ui"
_SCHEMAS = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_CREDENTIALS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "an API key, or the token of a sign-in"},
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "an API key"},
}
_GROUPS = (
    (f"{AGENTS_API}/", "Agents"),
    (f"{ASSISTANTS_API}/", "Assistants"),
    ("/ollama", "Ollama"),
    ("/", "Open WebUI"),
)
_ANY_OBJECT = {"application/json": {"type": "object"}}

_SCRIPT = (
    f'SwaggerUIBundle({{url: "{_OPENAPI}", dom_id: "#docs", deepLinking: true, validatorUrl: null,'
    ' docExpansion: "none", presets: [SwaggerUIBundle.presets.apis]})'
)
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>agentbench</title>
<link rel="icon" href="{ASSETS}favicon-32x32.png">
<link rel="stylesheet" href="{ASSETS}swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="{ASSETS}swagger-ui-bundle.js"></script>
<script>{_SCRIPT}</script>
</body>
</html>
"""
_POLICY = (
    f"default-src 'self'; script-src 'self' 'sha256-{b64encode(sha256(_SCRIPT.encode()).digest()).decode()}';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
)


class NoPageError(AgentbenchError):
    """The package was built without what comes from npm."""

    status = 501
    code = "no_page"

    def __init__(self) -> None:
        super().__init__(f"This install was made without the page. GET {_OPENAPI} describes the API.")


def add_documents(app: Application, addresses: Addresses, environ: Mapping[str, str]) -> None:
    """Add the pages, if the environment says that this is for developers."""
    if environ.get("ENV", "").strip() != "dev":
        return

    async def openapi(_: Request) -> HTTPResponse:
        return json_response(_described(app, addresses))

    async def page(_: Request) -> HTTPResponse:
        if not _FOLDER.is_dir():
            return openai_error(NoPageError())
        return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY})

    app.add_operation("GET", _OPENAPI, openapi)
    app.add_operation("GET", "/docs", page)
    if _FOLDER.is_dir():
        app.mount(ASSETS.rstrip("/"), StaticFiles(directory=_FOLDER))


def _described(app: Application, addresses: Addresses) -> dict[str, Any]:
    """Return the routes as OpenAPI, with what FastAPI can't see: parameters, bodies and credentials."""
    described = app.openapi()
    routes = {address: named[-1] for address, named in addresses.routes.items()}
    schemas, components = _schemas(routes.values())
    for (method, path), route in routes.items():
        plain = _PARAMETER.sub(r"{\1}", path)
        operation = described["paths"][plain][method.lower()]
        operation["tags"] = [next(group for start, group in _GROUPS if path.startswith(start))]
        operation["parameters"] = [*_path_parameters(path), *_query_parameters(route, schemas, components)]
        if body := _body(route, schemas):
            operation["requestBody"] = {"required": route.body is not None, "content": body}
        if route.open:
            operation["security"] = []
    described["security"] = [{name: []} for name in _CREDENTIALS]
    described["components"] = {"schemas": components, "securitySchemes": _CREDENTIALS}
    return described


def _schemas(routes: Iterable[Route]) -> tuple[dict[type, dict[str, Any]], dict[str, Any]]:
    """Return the schema of each type that a route reads, and the components that they refer to."""
    read = (each for route in routes for each in (route.body, route.query))
    types = list(dict.fromkeys(each for each in read if each is not None and not isinstance(each, dict)))
    found, components = msgspec.json.schema_components(types, ref_template=_SCHEMAS)
    return dict(zip(types, found, strict=True)), components


def _body(route: Route, schemas: dict[type, dict[str, Any]]) -> dict[str, Any] | None:
    """Return what a route reads, by media type."""
    if route.method != "POST":
        return None
    if isinstance(route.body, dict):
        by_type = route.body
    else:
        by_type = _ANY_OBJECT if route.body is None else {"application/json": schemas[route.body]}
    return {media: {"schema": schema} for media, schema in by_type.items()}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    named = _PARAMETER.findall(path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in named]


def _query_parameters(
    route: Route, schemas: dict[type, dict[str, Any]], components: dict[str, Any]
) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = components[schemas[route.query]["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]
