"""Background responses: answered at once, polled, streamed, cancelled; whoever goes away meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import openai
import openresponses_types
import pytest
from tests.runner.fakes import HANG, FakeProvider

from agentbench import Workbench
from agentbench.errors import UpstreamRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2

    Put = Callable[[FakeProvider], FakeProvider]


def poll(client: openai.OpenAI, response_id: str) -> Any:
    """Ask until the response has ended."""
    give_up = time.monotonic() + 10
    while (response := client.responses.retrieve(response_id)).status in ("queued", "in_progress"):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return response


def wait_for(provider: FakeProvider) -> None:
    """Wait until the upstream hangs."""
    give_up = time.monotonic() + 10
    while provider.hung._value == 0:
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_polling(client: openai.OpenAI) -> None:
    """It is queued at first, in progress while it is made, and then as any other; it can be followed."""
    queued = client.responses.create(model="scripted/text", input="Hi", background=True)
    done = poll(client, queued.id)
    assert (queued.status, queued.output, queued.usage) == ("queued", [], None)
    assert (done.status, done.output_text, done.background) == ("completed", "Hello, 세계! 🙂", True)
    assert client.responses.create(model="bot", input="And?", previous_response_id=done.id).status == "completed"


def test_the_spec(http: httpx2.Client) -> None:
    """The queued response is valid by the spec."""
    body = http.post("responses", json={"model": "bot", "input": "Hi", "background": True}).content
    openresponses_types.ResponseResource.model_validate_json(body, strict=True)


def test_cancel(client: openai.OpenAI, upstream: Put) -> None:
    """The upstream is closed, what came is kept, and a second time nothing changes."""
    provider = upstream(FakeProvider("one ", HANG))
    queued = client.responses.create(model="bot", input="Hi", background=True)
    wait_for(provider)
    assert client.responses.retrieve(queued.id).status == "in_progress"
    cancelled = client.responses.cancel(queued.id)
    assert (cancelled.status, cancelled.output_text, provider.closed) == ("cancelled", "one ", 1)
    assert client.responses.cancel(queued.id) == client.responses.retrieve(queued.id) == cancelled


def test_following_too_early(client: openai.OpenAI, upstream: Put) -> None:
    """400, with what to do."""
    provider = upstream(FakeProvider(HANG))
    queued = client.responses.create(model="bot", input="Hi", background=True)
    wait_for(provider)
    with pytest.raises(openai.BadRequestError, match="still being made"):
        client.responses.create(model="bot", input="And?", previous_response_id=queued.id)
    client.responses.cancel(queued.id)


def test_delete(client: openai.OpenAI, upstream: Put) -> None:
    """One that is being made is stopped first, and doesn't come back."""
    provider = upstream(FakeProvider("one ", HANG))
    queued = client.responses.create(model="bot", input="Hi", background=True)
    wait_for(provider)
    client.responses.delete(queued.id)
    assert provider.closed == 1
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(queued.id)


def test_an_upstream_that_refuses(client: openai.OpenAI, upstream: Put) -> None:
    """The request was answered already: the response fails."""
    client._strict_response_validation = False
    upstream(FakeProvider(refusals=(UpstreamRefused("A wrong key."),)))
    queued = client.responses.create(model="bot", input="Hi", background=True)
    done = poll(client, queued.id)
    assert (done.status, done.error.code, done.error.message) == ("failed", "upstream_refused", "A wrong key.")


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"store": False}, "invalid_request"), ({"previous_response_id": "resp_x"}, "previous_response_not_found")],
)
def test_what_is_refused(client: openai.OpenAI, fields: dict[str, Any], code: str) -> None:
    """400 at once: it needs a place to be kept, and something to follow."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="bot", input="Hi", background=True, **fields)
    assert caught.value.code == code


def test_a_stream(client: openai.OpenAI) -> None:
    """The queue has an event; else it is a stream like any other."""
    events = list(client.responses.create(model="scripted/text", input="Hi", background=True, stream=True))
    assert [event.type for event in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"


def test_a_stream_that_is_left(client: openai.OpenAI, upstream: Put) -> None:
    """The response goes on without its reader."""
    provider = upstream(FakeProvider("one ", HANG))
    with client.responses.create(model="bot", input="Hi", background=True, stream=True) as stream:
        first: Any = next(stream)
        wait_for(provider)
    assert client.responses.retrieve(first.response.id).status == "in_progress"
    assert provider.closed == 0
    assert client.responses.cancel(first.response.id).output_text == "one "


def test_a_stream_that_is_cancelled(client: openai.OpenAI, upstream: Put) -> None:
    """It ends in `response.incomplete`, as the spec has no event of that name."""
    upstream(FakeProvider("one ", HANG))
    stream = client.responses.create(model="bot", input="Hi", background=True, stream=True)
    events: list[Any] = [next(stream)]
    client.responses.cancel(events[0].response.id)
    events += stream
    assert (events[-1].type, events[-1].response.status) == ("response.incomplete", "cancelled")


def test_a_workbench_that_closes(tmp_path: Path) -> None:
    """The response ends as incomplete, and the next workbench finds it so."""
    config = {"endpoints": {"scripted": {"models": {"slow": [{"text": "one "}, {"wait": 60}]}}}}
    with Workbench(config, home=tmp_path) as bench:
        queued = bench.openai().responses.create(model="scripted/slow", input="Hi", background=True)
    with Workbench(config, home=tmp_path) as bench:
        found = bench.openai().responses.retrieve(queued.id)
    assert found.incomplete_details is not None
    assert (found.status, found.incomplete_details.reason) == ("incomplete", "interrupted")
