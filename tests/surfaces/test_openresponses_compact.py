"""`POST /responses/compact`: a conversation made short, and gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from tests.runner.fakes import FakeProvider

from agentbench.auth.principal import Principal
from agentbench.errors import UpstreamUnavailable
from agentbench.gateway.clients import IN_PROCESS_URL
from agentbench.gateway.transports import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench import Workbench

    Put = Callable[[FakeProvider], FakeProvider]

NAME = {"role": "user", "content": "My name is Ada."}
LONG: list[Any] = [NAME, {"role": "assistant", "content": "word " * 1000}, {"role": "user", "content": "And now?"}]


def said(provider: FakeProvider) -> list[str]:
    """Return the texts that the provider got last."""
    return [item.text for item in provider.requests[-1].input]


def go_on(client: openai.OpenAI, output: Any) -> Any:
    """Ask on top of a compaction."""
    items = [*(item.model_dump() for item in output), {"role": "user", "content": "Who am I?"}]
    return client.responses.create(model="bot", input=items)


def test_a_short_conversation(client: openai.OpenAI, upstream: Put) -> None:
    """It is kept as it is, and nobody is asked; it comes before what follows."""
    provider = upstream(FakeProvider())
    compacted = client.responses.compact(model="bot", input=[NAME])
    assert (compacted.object, [item.type for item in compacted.output]) == ("response.compaction", ["compaction"])
    assert (compacted.usage.total_tokens, provider.requests) == (0, [])
    go_on(client, compacted.output)
    assert said(provider) == ["My name is Ada.", "Who am I?"]


def test_a_long_conversation(client: openai.OpenAI, upstream: Put) -> None:
    """The model sums up all but the newest turns."""
    provider = upstream(FakeProvider("It is Ada."))
    compacted = client.responses.compact(model="bot", input=LONG, instructions="Be brief.")
    assert "user: My name is Ada.\n\nassistant: word word" in said(provider)[0]
    assert (provider.requests[0].instructions or "").endswith("Be brief.")
    go_on(client, compacted.output)
    assert said(provider) == ["Summary of the conversation so far:\n\nIt is Ada.", "And now?", "Who am I?"]


@pytest.mark.parametrize(
    "provider",
    [FakeProvider(refusals=(UpstreamUnavailable("Nobody there."),)), FakeProvider(lambda builder: builder.fail("No."))],
    ids=["unavailable", "failed"],
)
def test_a_model_that_cannot(client: openai.OpenAI, upstream: Put, provider: FakeProvider) -> None:
    """The end of what it should have summed up is kept instead."""
    upstream(provider)
    compacted = client.responses.compact(model="bot", input=LONG)
    upstream(provider := FakeProvider())
    go_on(client, compacted.output)
    first, *others = said(provider)
    assert (first.rstrip()[-9:], len(first) < 4100, others) == ("word word", True, ["And now?", "Who am I?"])


def test_a_stored_conversation(client: openai.OpenAI, upstream: Put) -> None:
    """It is named by its newest response; what was compacted may be compacted again."""
    provider = upstream(FakeProvider())
    first = client.responses.create(model="bot", input="My name is Ada.")
    once = client.responses.compact(model="bot", previous_response_id=first.id)
    items: Any = [item.model_dump() for item in once.output]
    twice = client.responses.compact(model="bot", input=[*items, {"role": "user", "content": "And now?"}])
    go_on(client, twice.output)
    assert said(provider) == ["My name is Ada.", "one two three", "And now?", "Who am I?"]


def test_what_is_within_stays_secret(client: openai.OpenAI) -> None:
    """The item tells nothing of what it holds, and the next turn's input is what it held."""
    compacted = client.responses.compact(model="bot", input=[NAME])
    assert "Ada" not in str(compacted.output)
    listed: Any = client.responses.input_items.list(go_on(client, compacted.output).id, order="asc").data
    assert [item.content[0].text for item in listed] == ["My name is Ada.", "Who am I?"]


def test_another_users_compaction(bench: Workbench, client: openai.OpenAI) -> None:
    """It can't be read, nor one that was changed."""
    (item,) = client.responses.compact(model="bot", input=[NAME]).output
    assert item.type == "compaction"
    transport = InProcessTransport(bench._loop, lambda: bench.app, Principal(user="other"))
    with httpx2.Client(transport=transport, base_url=f"{IN_PROCESS_URL}/") as other:
        for content in (item.encrypted_content, item.encrypted_content[:-4] + "AAA=", "agentbench.1."):
            body = {"model": "bot", "input": [{"type": "compaction", "encrypted_content": content}]}
            answer = other.post("responses", json=body)
            assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": "Hi"}, "model"),
        ({"model": "bot"}, "input"),
        ({"model": "bot", "previous_response_id": "resp_x"}, "previous_response_id"),
        ({"model": 5, "input": "Hi"}, "model"),
    ],
)
def test_what_is_refused(http: httpx2.Client, fields: dict[str, Any], param: str) -> None:
    """400, with the part that is wrong."""
    answer = http.post("responses/compact", json=fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_an_unknown_model(client: openai.OpenAI) -> None:
    """404, even where nobody need be asked."""
    with pytest.raises(openai.NotFoundError):
        client.responses.compact(model="scripted/nobody", input=[NAME])
