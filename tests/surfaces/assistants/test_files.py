"""Files over OpenAI's routes: what the SDK uploads, lists, reads and deletes; and what it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from agentbench.auth.principal import Principal
from agentbench.gateway import clients
from agentbench.gateway.body_limit import LARGEST_BODY
from agentbench.gateway.transports import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from agentbench import Workbench

TEXT = ("falcons.txt", b"Falcons are fast.")


@pytest.fixture
def bob(bench: Workbench) -> Iterator[openai.OpenAI]:
    """Give another user's client."""
    with clients.openai(
        InProcessTransport(bench._loop, lambda: bench.app, Principal(user="bob", remote=True))
    ) as client:
        client._strict_response_validation = True
        yield client


def test_an_upload(client: openai.OpenAI) -> None:
    """It is there at once, with all that a client wants to know, and its bytes come back."""
    made = client.files.create(file=TEXT, purpose="assistants")
    assert (made.filename, made.bytes, made.purpose, made.status) == ("falcons.txt", 17, "assistants", "processed")
    assert client.files.retrieve(made.id) == made
    assert client.files.wait_for_processing(made.id) == made
    content = client.files.content(made.id)
    assert content.read() == b"Falcons are fast."
    assert content.response.headers["x-content-type-options"] == "nosniff"


def test_a_large_upload(client: openai.OpenAI) -> None:
    """A file may be larger than other bodies."""
    data = b"x" * (LARGEST_BODY + 1)
    made = client.files.create(file=("large.bin", data), purpose="user_data")
    assert made.bytes == len(data)
    client.files.delete(made.id)


def test_lists(client: openai.OpenAI) -> None:
    """They are in order, by purpose, and go on page by page."""
    before = len(client.files.list().data)
    made = [client.files.create(file=(f"{n}.png", b"\x89PNG"), purpose="vision").id for n in range(3)]
    assert [each.id for each in client.files.list(purpose="vision")][:3] == made[::-1]
    assert len(client.files.list().data) == before + 3
    assert client.files.list(purpose="assistants_output").data == []
    page = client.files.list(purpose="vision", order="asc", limit=2)
    assert page.has_more
    assert [each.id for each in page] == [each.id for each in client.files.list(purpose="vision", order="asc")]
    for each in made:
        client.files.delete(each)


def test_deletion(client: openai.OpenAI) -> None:
    """Nothing of a file is left."""
    made = client.files.create(file=TEXT, purpose="assistants")
    gone = client.files.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "file")
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            call(made.id)


def test_files_of_others(client: openai.OpenAI, bob: openai.OpenAI) -> None:
    """They are not there."""
    made = client.files.create(file=TEXT, purpose="assistants")
    for call in (bob.files.retrieve, bob.files.content, bob.files.delete):
        with pytest.raises(openai.NotFoundError):
            call(made.id)
    assert bob.files.list().data == []
    assert client.files.retrieve(made.id).id == made.id


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"purpose": "fine-tune"}, "purpose"),
        ({"purpose": "batch"}, "purpose"),
        ({"purpose": "assistants_output"}, "purpose"),
        ({"file": ("empty.txt", b"")}, None),
        ({"expires_after": {"anchor": "created_at", "seconds": 3600}}, "expires_after"),
    ],
)
def test_what_is_refused(client: openai.OpenAI, fields: dict[str, Any], param: str | None) -> None:
    """A purpose that nothing here serves, an empty file, and an end that nobody would see to."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.files.create(**{"file": TEXT, "purpose": "assistants"} | fields)
    assert raised.value.param == param


def test_a_file_that_is_too_large(bench: Workbench, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the library's."""
    from msgspec.structs import replace

    known = bench._runner.catalog
    small = replace(known.retrieval, largest_file=100)
    monkeypatch.setattr(bench._runner, "catalog", replace(known, retrieval=small))
    with pytest.raises(openai.APIStatusError, match="larger than 100 bytes") as raised:
        client.files.create(file=("large.bin", b"x" * 101), purpose="assistants")
    assert raised.value.status_code == 413


@pytest.mark.parametrize(
    "request_", [{"data": {"purpose": "assistants"}}, {"files": {"file": TEXT}}, {"json": {}}], ids=str
)
def test_forms_that_are_none(http: httpx2.Client, request_: dict[str, Any]) -> None:
    """What is missing is named."""
    response = http.post("files", **request_)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("query", "param"), [({"limit": 0}, "limit"), ({"order": "up"}, "order"), ({"after": "file_x"}, "after")]
)
def test_lists_that_can_not_be(client: openai.OpenAI, query: dict[str, Any], param: str) -> None:
    """What is wrong is named."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.files.list(**query)
    assert raised.value.param == param
