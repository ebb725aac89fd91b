"""Stored responses over HTTP: return, delete, list their input; and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest

from agentbench.auth.principal import Principal
from agentbench.gateway.clients import IN_PROCESS_URL
from agentbench.gateway.transports import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench import Workbench

PATHS = [("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")]


@pytest.fixture
def other(bench: Workbench) -> Iterator[httpx2.Client]:
    """Give a client of another user's."""
    transport = InProcessTransport(bench._loop, lambda: bench.app, Principal(user="other"))
    with httpx2.Client(transport=transport, base_url=f"{IN_PROCESS_URL}/") as other:
        yield other


def made(http: httpx2.Client, **fields: Any) -> Any:
    """Return a response as it was answered."""
    return http.post("responses", json={"model": "bot", "input": "Hi", **fields}).json()


def test_retrieve(client: openai.OpenAI) -> None:
    """What comes back is what was answered, all of it."""
    response = client.responses.create(model="bot", input="Hi", metadata={"a": "b"})
    assert client.responses.retrieve(response.id) == response


def test_delete(http: httpx2.Client) -> None:
    """A deleted response is gone, and can't be followed."""
    response = made(http)
    deleted = http.delete(f"responses/{response['id']}")
    assert deleted.json() == {"id": response["id"], "object": "response.deleted", "deleted": True}
    assert http.get(f"responses/{response['id']}").status_code == 404
    assert made(http, previous_response_id=response["id"])["error"]["code"] == "previous_response_not_found"


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_whose_they_are(http: httpx2.Client, other: httpx2.Client, method: str, path: str) -> None:
    """Another user's response, one that wasn't stored, and one that never was get the same answer."""
    mine, unstored = made(http)["id"], made(other, store=False)["id"]
    for response_id in (mine, unstored, "resp_none", "%00"):
        answer = other.request(method, f"responses/{response_id}{path}")
        name = response_id.replace("%00", "\0")
        error = {
            "message": f"There is no response {name!r}.",
            "type": "not_found_error",
            "param": "response_id",
            "code": "not_found",
        }
        assert (answer.status_code, answer.json()["error"]) == (404, error)
    assert http.get(f"responses/{mine}").status_code == 200


def test_another_users_previous_response(http: httpx2.Client, other: httpx2.Client) -> None:
    """It can't be followed either, in the words for one that never was."""
    mine = made(http)["id"]
    error = made(other, previous_response_id=mine)["error"]
    assert error["message"] == f"There is no stored response {mine!r} to continue from."


def test_input_items(client: openai.OpenAI) -> None:
    """Of this turn alone, the newest first; the SDK turns the pages."""
    first = client.responses.create(model="bot", input="before")
    items: list[Any] = [{"role": "user", "content": f"q{number}"} for number in range(5)]
    response = client.responses.create(model="bot", input=items, previous_response_id=first.id)
    listed: Any = client.responses.input_items.list(response.id, limit=2)
    assert [item.content[0].text for item in listed] == ["q4", "q3", "q2", "q1", "q0"]


def test_a_page_of_input_items(http: httpx2.Client) -> None:
    """In the order asked for, between two items, and with word of more."""
    response_id = made(http, input=[{"role": "user", "content": f"q{number}"} for number in range(5)])["id"]
    path = f"responses/{response_id}/input_items"
    whole = http.get(path, params={"order": "asc"}).json()
    ids = [item["id"] for item in whole["data"]]
    assert (whole["object"], whole["first_id"], whole["last_id"], whole["has_more"]) == ("list", ids[0], ids[4], False)
    page = http.get(path, params={"order": "asc", "after": ids[0], "before": ids[4], "limit": 2}).json()
    assert ([item["id"] for item in page["data"]], page["has_more"]) == (ids[1:3], True)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"order": "up"}, {"after": "m"}])
def test_a_bad_page(http: httpx2.Client, query: dict[str, str]) -> None:
    """400, with the name of what is wrong."""
    answer = http.get(f"responses/{made(http)['id']}/input_items", params=query)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(query)))


def test_cancelling_what_is_not_in_the_background(client: openai.OpenAI) -> None:
    """400: it has ended already, or ends with its connection."""
    response = client.responses.create(model="bot", input="Hi")
    with pytest.raises(openai.BadRequestError, match="Only responses with `background`"):
        client.responses.cancel(response.id)
