"""Servers on loopback that each speak one provider's real protocol, and the scenes that all of them can play.

A speaker is `speak_NAME.py`; the model's name in a request is the scene:

    text         "Hello from here." in at least three pieces; 12 tokens in, 5 out
    cached       the same; 1200 tokens in, of which 1000 were read from a cache and, where the protocol can say so, 100
                 written to it; 7 out, of which, where it can say so, 3 were reasoning
    thinks       reasoning "Let me see." (signed, where the protocol signs it), then the text "42."; where the protocol
                 wants its signature back, a request that brings the reasoning without it is refused with 400
    calls        two calls side by side, get_weather {"city":"Seoul"} and {"city":"Jeju"}; once the request holds both
                 results, the text "Seoul: RESULT, Jeju: RESULT"; 400 if no tools were given
    sees         the text "MEDIA_TYPE SIZE" of the image in the request, in bytes; 400 without one
    json         the text {"city":"Seoul"} if the request asks for JSON by a schema, else 400
    cut          the text "Once upon", ended by the limit of tokens
    blocked      the text "I would", ended by the content filter
    breaks       the text "So far", then the protocol's error in the middle of the stream
    overloaded   the protocol's answer of a server with too much to do (529, 503)
    limited      429 with `retry-after: 7`, in the protocol's way
    too_long     the protocol's error for a prompt beyond the context
    endless      pieces of text until the client leaves, which sets `left`

Any other model is the protocol's 404. The key is `KEY`; another one is the protocol's 401. Requests that the official
types of the protocol can't hold are refused with 400. `seen` keeps the body of each request.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

    from agentbench.config import Endpoint

__all__ = ["KEY", "SCENES", "Speaker", "serving"]

KEY = "the-key-that-speakers-know"
SCENES = (
    "text",
    "cached",
    "thinks",
    "calls",
    "sees",
    "json",
    "cut",
    "blocked",
    "breaks",
    "overloaded",
    "limited",
    "too_long",
    "endless",
)


class Speaker(Protocol):
    """One protocol's server."""

    cannot: frozenset[str]
    """The scenes that the protocol has no words for."""
    left: threading.Event
    """Set when a client has left an endless answer."""
    seen: list[dict[str, Any]]
    app: Starlette

    def endpoint(self, url: str, key: str = KEY) -> Endpoint:
        """Return the server as an endpoint that lists `SCENES` as its models."""


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve an application in a thread, and give its address without a slash at the end."""
    sock = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield "http://{}:{}".format(*sock.getsockname())
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
