"""Recording what any server streams: our own gateway, llama.cpp's server, and servers that do it wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.providers.real_server import KEY as LLAMA_KEY
from tests.providers.upstream import drop, hang, reply, stream
from tests.surfaces.scripts import TOLD, config
from tests.surfaces.served import served

from agentbench import Workbench
from agentbench.errors import (
    AgentbenchError,
    InvalidRequest,
    UnknownName,
    UpstreamGarbled,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentbench.protocol import CreateResponse, EventBuilder, Usage, draft
from agentbench.protocol.grammar import check_recording
from agentbench.protocol.recording import Recording
from agentbench.providers.probe import PROTOCOLS, key_in, probe
from agentbench.surfaces.openresponses import ResponsesEncoder
from agentbench.surfaces.wires import WIRES, sent_raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.providers.upstream import Upstream

pytestmark = pytest.mark.anyio

both = pytest.mark.parametrize("protocol", PROTOCOLS)
KEY = "k3y-of-the-probed-0123456789"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve our own gateway on a socket."""
    with Workbench(config(), home=tmp_path_factory.mktemp("home")) as bench, served(bench.app) as address:
        yield f"http://{address}"


def rules(recording: Recording) -> set[str]:
    """Return the names of the rules that a recorded stream breaks."""
    return {violation.rule for violation in check_recording(recording)}


def good_frames() -> list[bytes]:
    """Return the frames of a good stream of Open Responses."""
    builder = EventBuilder(draft(CreateResponse(model="m"), model="m"))
    events = builder.start() + builder.text("Hello")
    builder.usage(Usage.of(3, 2))
    builder.stop()
    encoder = ResponsesEncoder()
    return [frame for event in events + builder.finish() for frame in encoder.feed(event)] + list(encoder.close())


def chunk(**delta: Any) -> bytes:
    """Return a frame of chat completions."""
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: %s\n\n" % msgspec.json.encode({**head, "choices": [choice]})


def has_key(recording: Recording) -> bool:
    """Tell whether the key stands anywhere in a recording."""
    return KEY in recording.to_jsonl()


# -- servers that do it right ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("name", sorted(TOLD))
async def test_our_own_gateway(gateway: str, protocol: Any, name: str) -> None:
    """Whatever a model says, our gateway breaks no rule of either protocol."""
    recording = await probe(gateway, model=f"scripted/{name}", protocol=protocol)
    assert check_recording(recording) == ()
    assert recording.spoken == protocol
    assert len(recording.times) == len(recording.events) > 2
    assert list(recording.times) == sorted(recording.times)
    assert recording.notes == ()


@both
async def test_the_recording_keeps_everything(gateway: str, protocol: Any) -> None:
    """The request, the frames as they came, the address and the moment are there, and survive being written."""
    recording = await probe(gateway, model="scripted/text", protocol=protocol, prompt="Ping?")
    assert recording.request is not None
    assert "Ping?" in str(recording.request)
    assert (recording.source, recording.frames[-1].text) == (gateway, "data: [DONE]")
    assert recording.started_at is not None
    assert Recording.from_jsonl(recording.to_jsonl()).to_jsonl() == recording.to_jsonl()
    assert "Hello, 세계! 🙂" in "".join(event.get("delta", "") for event in recording.events)


async def test_the_first_model_and_protocol(gateway: str) -> None:
    """Without a model the server's first one is asked, and without a protocol Responses."""
    recording = await probe(gateway)
    assert recording.request is not None
    assert (recording.request["model"], recording.spoken) == ("bot", "responses")


@pytest.mark.local_model
@both
async def test_llama_cpp(llama: str, protocol: Any) -> None:
    """Of llama.cpp's server both protocols are recorded: its chunks change their time, its events lack keys."""
    recording = await probe(f"{llama}/v1", key=LLAMA_KEY, protocol=protocol, prompt="Say hi.", seconds=20)
    assert len(recording.events) > 5
    assert ("required-keys" in rules(recording)) is (protocol == "responses")
    assert protocol == "responses" or rules(recording) <= {
        "chunk-head-stable",
        "finish-once",
        "usage-chunk",
        "done-last",
        "role-first",
    }
    assert all(len(sent_raw(recording.events, wire)) > 2 for wire in WIRES)


# -- servers that do it wrong ---------------------------------------------------------------------------------------


async def test_a_gap(upstream: Upstream) -> None:
    """A missing event is found, with its place."""
    frames = good_frames()
    upstream.answers = [stream(*frames[:3], *frames[4:])]
    found = check_recording(await probe(upstream.url, model="m", protocol="responses"))
    assert [(each.rule, each.index) for each in found if each.rule == "sequence-numbers"] == [("sequence-numbers", 3)]


async def test_frames_that_are_wrong(upstream: Upstream) -> None:
    """Event names that differ, broken JSON and a missing end are found; comments and line ends of any kind are fine."""
    frames = [frame.replace(b"\n", b"\r\n") for frame in good_frames()]
    frames[2] = frames[2].replace(b"event: response", b"event: message")
    upstream.answers = [stream(b": hello\n\n", *frames[:-1], b"data: {broken\n\n")]
    recording = await probe(upstream.url, model="m", protocol="responses")
    assert rules(recording) == {"frame-event", "frame-json", "frame-done"}
    assert len(recording.events) == len(frames) - 1


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
async def test_bytes_in_any_pieces(upstream: Upstream, end: bytes) -> None:
    """Where the network cuts, and how lines end, doesn't matter."""
    whole = b"".join(frame.replace(b"\n", end) for frame in good_frames())
    upstream.answers = [stream(*(whole[at : at + 7] for at in range(0, len(whole), 7)))]
    assert check_recording(await probe(upstream.url, model="m", protocol="responses")) == ()


async def test_text_with_other_separators(upstream: Upstream) -> None:
    """What Python's own splitting takes for a line's end is text, and no violation."""
    frames = [frame.replace(b"Hello", "a\u2028b\x85c".encode()) for frame in good_frames()]
    upstream.answers = [stream(*frames)]
    recording = await probe(upstream.url, model="m", protocol="responses")
    assert check_recording(recording) == ()
    assert "a\u2028b\x85c" in str(recording.events[-1]["response"]["output"][0]["content"][0]["text"])


async def test_bad_chunks(upstream: Upstream) -> None:
    """Chat chunks have rules of their own; our decoder still makes events of what it can read."""
    upstream.answers = [stream(chunk(content="Hello"), chunk(content=" there"))]
    recording = await probe(upstream.url, model="m", protocol="chat")
    assert rules(recording) == {"role-first", "finish-once", "usage-chunk", "done-last"}
    assert [event["delta"] for event in recording.events if "delta" in event] == ["Hello", " there"]


async def test_a_server_of_chat_only(upstream: Upstream) -> None:
    """Where there are no responses, chat is tried, and the recording says so."""
    upstream.answers = [reply(404, b'{"error": {"message": "Not Found"}}'), stream(chunk(role="assistant"))]
    recording = await probe(upstream.url, model="m")
    assert recording.spoken == "chat"
    assert recording.notes[0].startswith("Responses were asked for first, in vain: ")


async def test_a_server_of_neither(upstream: Upstream) -> None:
    """Both refusals are told."""
    upstream.answers = [reply(404), reply(405)]
    with pytest.raises(UpstreamRejected, match=r"speaks neither. Responses: .*404.* Chat: .*405"):
        await probe(upstream.url, model="m")


# -- no stream at all -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["m", None])
async def test_nobody_there(model: str | None) -> None:
    """An address where nothing listens is told as such, and called the address, for no `baseURL` was written."""
    with pytest.raises(UpstreamUnavailable) as raised:
        await probe("http://127.0.0.1:9/v1", model=model)
    said = "127.0.0.1:9 can't be reached at http://127.0.0.1:9/v1. Is it running, and is the address right?"
    assert str(raised.value) == raised.value.message == said


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (reply(200, b"<!doctype html><p>Hi", "text/html"), UpstreamGarbled, "answered with text/html"),
        (
            reply(200, b'{"object": "response"}'),
            UpstreamGarbled,
            "one JSON object, though the request has stream: true",
        ),
        (reply(200, b"Hello.", "text/plain"), UpstreamGarbled, "no stream of server-sent events"),
        (reply(200, b"", "text/event-stream"), UpstreamGarbled, "answered with nothing"),
        (reply(401, b'{"error": {"message": "Bad key"}}'), UpstreamRefused, "refused the key"),
        (reply(422, b'{"detail": "No stream"}'), UpstreamRejected, r"rejected the request \(422\)"),
    ],
)
async def test_answers_that_are_no_stream(upstream: Upstream, answer: Any, kind: Any, said: str) -> None:
    """What came in place of a stream is said, and never the key."""
    upstream.answers = [answer]
    with pytest.raises(kind, match=said) as raised:
        await probe(upstream.url, model="m", protocol="responses", key=KEY)
    assert KEY not in str(raised.value)


async def test_a_server_that_says_nothing(upstream: Upstream) -> None:
    """After the time that was given it is told that nothing came."""
    upstream.answers = [hang]
    with pytest.raises(UpstreamTimeout, match=r"0.3 s"):
        await probe(upstream.url, model="m", protocol="responses", seconds=0.3)


async def test_a_server_that_stops_midway(upstream: Upstream) -> None:
    """What came until then is kept, with a note; the missing end breaks rules."""
    upstream.answers = [stream(*good_frames()[:5], then=hang)]
    recording = await probe(upstream.url, model="m", protocol="responses", seconds=0.5)
    assert len(recording.events) == 5
    assert "0.5 s" in recording.notes[0]
    assert rules(recording) == {"one-terminal", "frame-done"}


async def test_a_server_that_hangs_up(upstream: Upstream) -> None:
    """The same goes for a connection that is dropped."""
    upstream.answers = [stream(*good_frames()[:5], then=drop)]
    recording = await probe(upstream.url, model="m", protocol="responses")
    assert "dropped the connection" in recording.notes[0]
    assert len(recording.events) == 5


async def test_a_server_without_models(upstream: Upstream) -> None:
    """Where no models are listed, one must be named."""
    upstream.answers = [reply(200, b'{"data": []}')]
    with pytest.raises(UpstreamGarbled, match="lists no models"):
        await probe(upstream.url)
    upstream.answers = [reply(404)]
    with pytest.raises(UpstreamRejected, match=r"lists no models. Name one."):
        await probe(upstream.url)


# -- secrets and arguments ------------------------------------------------------------------------------------------


async def test_the_key_is_sent_and_not_kept(upstream: Upstream) -> None:
    """A key and secret headers reach the server; where it repeats them, they are masked."""
    secret = f"Bearer other-{KEY}"
    upstream.answers = [stream(f"data: {{{KEY!r}: 1}} other-{KEY}\n\n".encode())]
    recording = await probe(
        upstream.url, model="m", protocol="responses", key=KEY, headers={"x-api-token": secret, "x-page": "seven"}
    )
    [asked] = upstream.requests
    assert f"authorization: Bearer {KEY}".encode() in asked
    assert b"x-page: seven" in asked
    assert not has_key(recording)
    assert "****" in recording.frames[0].text


@pytest.mark.parametrize(
    "address", ["localhost:80", "http://[x", "ftp://x/v1", "http://", "http://me:hunter2@x/v1", "http://x/?k=hunter2"]
)
async def test_addresses_that_are_none(address: str) -> None:
    """An address needs a scheme and a host, and holds no secret."""
    with pytest.raises(InvalidRequest) as raised:
        await probe(address, model="m")
    assert "hunter2" not in str(raised.value)


async def test_an_unknown_protocol() -> None:
    """The protocols that there are are named."""
    wrong: Any = "telnet"
    with pytest.raises(UnknownName, match="responses, chat"):
        await probe("http://127.0.0.1:9/v1", protocol=wrong)


def test_the_key_of_a_variable() -> None:
    """A key is looked up by the name of its variable; what isn't one is not repeated, as it may be the key."""
    assert key_in({"MINE": KEY}, "MINE").reveal() == KEY
    with pytest.raises(AgentbenchError) as raised:
        key_in({}, KEY)
    assert KEY not in str(raised.value)
