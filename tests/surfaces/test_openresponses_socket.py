"""Responses over a WebSocket, through a real server."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import openai
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from tests.grammar import check_grammar
from tests.runner.fakes import HANG, FakeProvider
from tests.surfaces.served import served
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import ClientConnection, connect

from agentbench.auth.principal import KERNEL
from agentbench.errors import UpstreamUnavailable
from agentbench.protocol import Event
from agentbench.surfaces.openresponses_socket import serve_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.websockets import WebSocket

    from agentbench import Workbench

    Put = Callable[[FakeProvider], FakeProvider]


class Client:
    """Speaks over one connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, raw: object) -> None:
        """Send a message."""
        self.connection.send(raw if isinstance(raw, str | bytes) else msgspec.json.encode(raw).decode())

    def read(self) -> Any:
        """Return the next message."""
        return msgspec.json.decode(self.connection.recv(timeout=10))

    def create(self, **fields: Any) -> None:
        """Ask for a response."""
        self.send({"type": "response.create", "model": "bot", "input": "Hi", **fields})

    def answer(self, **fields: Any) -> Any:
        """Ask, and return the response that the answer ends in; its events are checked."""
        self.create(**fields)
        return self.events()[-1]["response"]

    def events(self) -> list[Any]:
        """Return the events of one answer."""
        events = [self.read()]
        while events[-1]["type"] not in ("response.completed", "response.incomplete", "response.failed"):
            events.append(self.read())
        check_grammar(msgspec.convert(events, list[Event]))
        return events


@pytest.fixture(scope="module")
def address(bench: Workbench) -> Iterator[str]:
    """Serve the workbench."""
    with served(bench.app) as address:
        yield address


@pytest.fixture
def socket(address: str) -> Iterator[Client]:
    """Give a connection."""
    with connect(f"ws://{address}/responses") as connection:
        yield Client(connection)


def said(provider: FakeProvider) -> list[str]:
    """Return the texts that the provider got last."""
    return [item.text for item in provider.requests[-1].input]


def test_an_answer(socket: Client) -> None:
    """Each event is a message, as it would be a frame over HTTP; nothing comes after the last."""
    socket.create(model="scripted/text")
    events = socket.events()
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hello, 세계! 🙂"
    with pytest.raises(TimeoutError):
        socket.connection.recv(timeout=0.1)


@pytest.mark.parametrize("store", [True, False])
def test_going_on(socket: Client, upstream: Put, *, store: bool) -> None:
    """The newest response can be followed, stored or not, and so on from there."""
    provider = upstream(FakeProvider())
    previous = None
    for number in range(1, 4):
        response = socket.answer(input=f"q{number}", previous_response_id=previous, store=store)
        assert response["previous_response_id"] == previous
        previous = response["id"]
    assert said(provider) == ["q1", "one two three", "q2", "one two three", "q3"]


def test_an_older_response(socket: Client) -> None:
    """It is there if it was stored, and else forgotten."""
    stored, unstored = socket.answer()["id"], socket.answer(store=False)["id"]
    socket.answer(store=False)
    assert socket.answer(previous_response_id=stored)["previous_response_id"] == stored
    socket.create(previous_response_id=unstored)
    error = {
        "type": "invalid_request_error",
        "code": "previous_response_not_found",
        "message": f"There is no stored response {unstored!r} to continue from.",
        "param": "previous_response_id",
    }
    assert socket.read() == {"type": "error", "status": 400, "error": error}


def test_another_connection(socket: Client, address: str) -> None:
    """What one connection remembers, another doesn't know."""
    unstored = socket.answer(store=False)["id"]
    with connect(f"ws://{address}/responses") as connection:
        other = Client(connection)
        other.create(previous_response_id=unstored)
        assert other.read()["error"]["code"] == "previous_response_not_found"


def test_a_turn_that_fails(socket: Client) -> None:
    """It takes what it followed with it: an output without its call, for one."""
    first = socket.answer(store=False)["id"]
    output = {"type": "function_call_output", "call_id": "call_x", "output": "?"}
    socket.create(previous_response_id=first, store=False, input=[output])
    assert (socket.read()["error"]["param"]) == "input[0].call_id"
    socket.create(previous_response_id=first, store=False)
    assert socket.read()["error"]["code"] == "previous_response_not_found"


def test_an_answer_that_fails_midway(socket: Client) -> None:
    """`error`, then `response.failed`; what it followed is forgotten, and the connection goes on."""
    first = socket.answer(store=False)["id"]
    socket.create(model="scripted/failed", previous_response_id=first, store=False)
    assert [event["type"] for event in socket.events()][-2:] == ["error", "response.failed"]
    socket.create(previous_response_id=first, store=False)
    assert socket.read()["error"]["code"] == "previous_response_not_found"
    assert socket.answer()["status"] == "completed"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ({"model": "bot", "input": "Hi"}, "None are not read"),
        ({"type": "response.dance"}, "'response.dance' are not read"),
        ({"type": "response.create", "input": "Hi"}, "`model` is missing"),
        ({"type": "response.create", "model": "bot", "input": 5}, "expected a list"),
        ({"type": "response.create", "model": "bot", "input": "Hi", "background": True}, "no background responses"),
    ],
)
def test_a_bad_message(socket: Client, message: object, told: str) -> None:
    """An error with status 400; the connection goes on."""
    socket.send(message)
    error = socket.read()
    assert (error["type"], error["status"]) == ("error", 400)
    assert told in error["error"]["message"]
    assert socket.answer(stream=True)["status"] == "completed"


def test_errors_of_every_kind(socket: Client, upstream: Put) -> None:
    """Each has the status that it would have over HTTP."""
    socket.create(model="nobody")
    assert socket.read()["status"] == 404
    upstream(FakeProvider(refusals=(UpstreamUnavailable("Nobody there."), KeyError("secret"))))
    socket.create()
    assert socket.read()["status"] == 503
    socket.create()
    assert socket.read() == {
        "type": "error",
        "status": 500,
        "error": {
            "type": "server_error",
            "code": "server_error",
            "message": "agentbench itself failed (KeyError). Its log says more.",
        },
    }


def test_one_at_a_time(socket: Client) -> None:
    """Messages are answered in their order, one whole answer after the other."""
    for name in ("text", "refusal", "call"):
        socket.create(model=f"scripted/{name}")
    models = [{event["response"]["model"] for event in socket.events() if "response" in event} for _ in range(3)]
    assert models == [{"scripted/text"}, {"scripted/refusal"}, {"scripted/call"}]


def test_a_client_that_goes_away(address: str, upstream: Put) -> None:
    """The upstream is closed at once, also with messages in the queue."""
    provider = upstream(FakeProvider("one ", HANG))
    with connect(f"ws://{address}/responses") as connection:
        client = Client(connection)
        client.create()
        client.create()
        assert [client.read()["type"] for _ in range(2)] == ["response.created", "response.in_progress"]
    give_up = time.monotonic() + 5
    while provider.closed == 0 and time.monotonic() < give_up:
        time.sleep(0.01)
    assert (provider.opened, provider.closed) == (1, 1)


def test_the_time_limit(bench: Workbench, upstream: Put) -> None:
    """A connection ends with an error that says so; what ran is closed."""

    async def serve(websocket: WebSocket) -> None:
        await serve_socket(websocket, bench._runner, KERNEL, lifetime=0.3)

    provider = upstream(FakeProvider("one ", HANG))
    app = Starlette(routes=[WebSocketRoute("/api/agents/v1", serve)])
    with served(app) as address, connect(f"ws://{address}") as connection:
        client = Client(connection)
        client.create()
        messages = list(iter(partial(next_or_none, client), None))
    assert messages[-1]["error"]["code"] == "websocket_connection_limit_reached"
    assert provider.closed == 1


def next_or_none(client: Client) -> Any:
    """Return the next message; None once the connection is closed as it should."""
    try:
        return client.read()
    except ConnectionClosedOK:
        return None


@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager")  # the SDK's business
def test_the_sdk(address: str) -> None:
    """The openai SDK's own connection."""
    sdk = openai.OpenAI(base_url=f"http://{address}", api_key="any")
    with sdk as client, client.responses.connect() as connection:
        connection.response.create(model="scripted/text", input="Hi")
        last: Any = next(event for event in connection if event.type == "response.completed")
    assert last.response.output_text == "Hello, 세계! 🙂"
