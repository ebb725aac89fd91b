"""Lines of Ollama's that aren't in any recording."""

from __future__ import annotations

import msgspec
import pytest
from tests.providers.replay import recorded, replay, told

from agentbench.protocol import Response, collect
from agentbench.protocol.items import Message

DONE = b'{"message":{"role":"assistant","content":"."},"done":true,"done_reason":"stop"}'
SAID = b'{"message":{"role":"assistant","content":"Hi"},"done":false}\n'


def response(*pieces: bytes) -> Response:
    """Return the response that the pieces make."""
    return collect(replay("ollama", pieces))


@pytest.mark.parametrize(
    "data",
    [b"Not Found", b"data: {}\n\n", b"  <html>", b"[]\n", b'{"id":"chatcmpl-1","choices":[]}\n', b'"hello"\n'],
    ids=["text", "events", "HTML", "list", "another API", "string"],
)
def test_not_ollama(data: bytes) -> None:
    """What isn't Ollama's is named so at once, in pieces as well."""
    for pieces in ([data], [data[n : n + 1] for n in range(len(data))]):
        answer = response(*pieces)
        assert answer.error is not None
        assert answer.error.code == "upstream_garbled"
        assert answer.error.message == "The upstream doesn't speak Ollama's API. Check baseURL."


def test_broken_line() -> None:
    """A broken line in the middle fails the answer, which keeps what came."""
    answer = response(SAID, b'{"message":\n', DONE)
    assert answer.error is not None
    assert (answer.output_text, answer.error.code) == ("Hi", "upstream_garbled")
    assert answer.error.message.startswith("The upstream sent a broken piece: ")


def test_line_ends() -> None:
    """Carriage returns and blank lines make no difference."""
    assert told(response(b"\r\n" + SAID.replace(b"\n", b"\r\n\r\n"), DONE, b"\r\n")).text == "Hi."


def test_unload() -> None:
    """A model that was only unloaded has answered with nothing."""
    answer = response(b'{"message":{"role":"assistant","content":""},"done_reason":"unload","done":true}\n')
    assert (answer.status, answer.output) == ("completed", ())


def test_call_without_a_name() -> None:
    """A call without a name fails the answer."""
    answer = response(b'{"message":{"tool_calls":[{"function":{"arguments":{}}}]},"done":false}\n', DONE)
    assert answer.error is not None
    assert answer.error.message == "The upstream sent a function call without a name."


def test_call_ids() -> None:
    """A call keeps the id that the server gave it."""
    calls = collect(replay("ollama", [recorded("ollama/calls.ndjson")])).function_calls
    assert [call.call_id for call in calls] == ["call_8xm3w1qa", "call_k20dvh5t"]


def test_arguments_as_text() -> None:
    """Arguments that a server writes as text are taken as they are."""
    line = b'{"message":{"tool_calls":[{"function":{"name":"look","arguments":"{\\"at\\":1}"}}]},"done":true}'
    assert told(response(line)).calls == (("look", '{"at":1}'),)


def test_logprobs() -> None:
    """Log probabilities stay with their text."""
    (message,) = collect(replay("ollama", [recorded("ollama/logprobs.ndjson")])).output
    assert isinstance(message, Message)
    raw = msgspec.to_builtins(message.content[0])["logprobs"]
    assert [(each["token"], each["logprob"]) for each in raw] == [("Hi", -0.25), ("!", -0.5)]
    assert [top["token"] for top in raw[0]["top_logprobs"]] == ["Hi", "Yo"]


def test_secrets_in_errors() -> None:
    """What looks like a key is taken out of an error."""
    answer = response(b'{"error":"bad key sk-abcdefgh12345678"}\n')
    assert answer.error is not None
    assert answer.error.message == "The upstream broke off: bad key sk-****"
