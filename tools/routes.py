"""The gateway's routes as tables, one an API: what `tools/build_docs.py` puts into docs/routes.md."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from agentbench import Workbench
from agentbench.surfaces import AGENTS_API, ASSISTANTS_API

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tables"]

APIS = (
    (AGENTS_API, "Agents: Open Responses, Chat Completions, Messages"),
    (ASSISTANTS_API, "Assistants"),
    ("/ollama", "Ollama"),
    ("/api/v1", "Open WebUI"),
    ("/api", "Sign-in, keys, balances, and Open WebUI's chat"),
    ("", "The server itself"),
)
OLD_OBJECTS = ("assistants", "threads", "files", "vector_stores")
METHODS = ("get", "post", "put", "patch", "delete")


def tables() -> str:
    """Return a heading and a table for each API."""
    found = defaultdict(list)
    with tempfile.TemporaryDirectory() as home, Workbench({}, home=home) as bench:
        for path, method, what in sorted(_operations(bench.app)):
            if path.startswith(tuple(f"{AGENTS_API}/{name}" for name in OLD_OBJECTS)):
                continue  # the same as under the other address
            api = next(title for prefix, title in APIS if path.startswith(prefix))
            found[api].append(f"| `{method} {path}` | {what} |")
    titles = [title for _, title in APIS if found[title]]
    return "\n\n".join(f"## {title}\n\n| operation | |\n| --- | --- |\n" + "\n".join(found[title]) for title in titles)


def _operations(app: Any) -> Iterator[tuple[str, str, str]]:
    for path, methods in app.openapi()["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method.upper(), _told(methods[method])


def _told(operation: dict[str, Any]) -> str:
    """Return an operation's first sentence."""
    text = " ".join((operation.get("description") or operation.get("summary") or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")
