"""The server that speaks ConverseStream speaks it: AWS's own SDK understands its answers and errors."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EventStreamError
from tests.providers.speak_bedrock import ACCESS_KEY, REGION, SECRET_KEY, Speaker, complaint
from tests.providers.speaker import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING_CALLED = {"toolResult": {"toolUseId": "a", "content": []}}
HI = [{"role": "user", "content": [{"text": "Hi"}]}]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the address of a server that runs."""
    with serving(Speaker().app) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    """Return AWS's client for that server."""
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    made = boto3.session.Session().client("bedrock-runtime", endpoint_url=url, region_name=REGION, **keys)
    yield made
    made.close()


def test_text(client: Any) -> None:
    """boto3's signature is taken, and the events that it reads are those of an answer."""
    events = list(client.converse_stream(modelId="text", messages=HI)["stream"])
    assert [next(iter(event)) for event in events] == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert events[-1]["metadata"]["usage"]["inputTokens"] == 12


def test_breaks(client: Any) -> None:
    """An exception in the stream is boto3's exception."""
    stream = client.converse_stream(modelId="breaks", messages=HI)["stream"]
    with closing(stream), pytest.raises(EventStreamError, match="modelStreamErrorException"):
        list(stream)


@pytest.mark.parametrize(
    ("scene", "code"), [("too_long", "ValidationException"), ("nobody", "ResourceNotFoundException")]
)
def test_errors(client: Any, scene: str, code: str) -> None:
    """An error has the code that boto3 tells them apart by."""
    with pytest.raises(ClientError) as caught:
        client.converse_stream(modelId=scene, messages=HI)
    assert caught.value.response["Error"]["Code"] == code


def test_wrong_secret(url: str) -> None:
    """A signature by another secret is refused."""
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": "another"}
    client = boto3.session.Session().client("bedrock-runtime", endpoint_url=url, region_name=REGION, **keys)
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client.converse_stream(modelId="text", messages=HI)
    client.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"messages": [{"role": "user", "content": [{"words": "Hi"}]}]}, "Unknown parameter"),
        ({"messages": HI * 2}, "alternate"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "blank"),
        (
            {"messages": [{"role": "user", "content": [NOTHING_CALLED]}]},
            "toolConfig",
        ),
    ],
)
def test_complaints(change: dict[str, Any], words: str) -> None:
    """Parameters that the service wouldn't take are found out."""
    assert words in str(complaint({"modelId": "text", **change}))
