"""`POST /embeddings` in OpenAI's shape, by its SDK, in this process and on a port."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import numpy as np
import openai
import pytest
from tests.surfaces.served import served

from agentbench.auth.principal import Principal
from agentbench.config.retrieval import NANO_E5

if TYPE_CHECKING:
    import httpx2

    from agentbench import Workbench

ANN = Principal(user="ann", remote=True)


def create(client: openai.OpenAI, **given: Any) -> Any:
    """Return what the kernel's model makes of a text, unless told otherwise."""
    return client.embeddings.create(**({"model": NANO_E5, "input": "cats"} | given))


def test_sdk(client: openai.OpenAI, bench: Workbench) -> None:
    """The SDK reads vectors of length 1, one a text in their order, and their tokens; the ledger has the call."""
    made = create(client, input=["cats", "고양이"], encoding_format="float")  # asked for base64, it objects to itself
    assert [row.index for row in made.data] == [0, 1]
    assert np.allclose(np.linalg.norm([row.embedding for row in made.data], axis=1), 1)
    assert made.model == NANO_E5
    assert made.usage.prompt_tokens == made.usage.total_tokens > 4
    row = bench.usage().iloc[-1]
    assert (row["context"], row["endpoint"], row["input_tokens"]) == ("embedding", "local", made.usage.total_tokens)


def test_encodings(http: httpx2.Client) -> None:
    """Floats and base64 hold the same numbers; nulls count as not sent, and unknown keys are passed over."""
    body = {"model": NANO_E5, "input": "cats", "dimensions": None, "user": "u"}
    floats = http.post("embeddings", json=body | {"encoding_format": None}).json()["data"][0]["embedding"]
    packed = http.post("embeddings", json=body | {"encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert len(floats) == 384
    assert np.allclose(np.frombuffer(b64decode(packed), "<f4"), floats)


def test_input_types(http: httpx2.Client) -> None:
    """A passage isn't embedded as a query is; what isn't said to be one is a query."""
    rows = {}
    for kind in (None, "query", "passage", "document"):
        answer = http.post("embeddings", json={"model": NANO_E5, "input": "cats", "input_type": kind})
        rows[kind] = answer.json()["data"][0]["embedding"]
    assert rows[None] == rows["query"] != rows["passage"] == rows["document"]


@pytest.mark.parametrize(
    ("given", "status", "param", "said"),
    [
        ({"input": [1, 2, 3]}, 400, "input", "Lists of tokens aren't taken"),
        ({"input": [[1, 2], [3]]}, 400, "input", "Lists of tokens aren't taken"),
        ({"input": ""}, 400, "input", "missing or empty"),
        ({"input": []}, 400, "input", "missing or empty"),
        ({"input": ["a", ""]}, 400, "input", "empty text"),
        ({"input": ["a", 1]}, 400, "input[1]", "str"),
        ({"input": ["a"] * 2049}, 400, "input", "2,048 at most"),
        ({"input": {"text": "a"}}, 400, "input", "object"),
        ({"model": ""}, 400, "model", "missing or empty"),
        ({"model": "local/multilingual-e5-smal"}, 404, "model", "Did you mean"),
        ({"model": "scripted/text"}, 400, "model", "no API that embeds"),
        ({"dimensions": 0}, 400, "dimensions", "1 or more"),
        ({"dimensions": 256}, 400, "dimensions", "384"),
        ({"encoding_format": "int8"}, 400, "encoding_format", "int8"),
    ],
)
def test_wrong(given: dict[str, Any], status: int, param: str, said: str, http: httpx2.Client) -> None:
    """What can't be embedded is refused in OpenAI's shape, with the key to change."""
    answer = http.post("embeddings", json={"model": NANO_E5, "input": "cats"} | given)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param)
    assert said in error["message"]


def test_over_http(bench: Workbench) -> None:
    """The SDK gets the same over a port, by the model's bare name; who may not name models has just that one."""
    with served(bench.app, ANN) as address, openai.OpenAI(base_url=f"http://{address}", api_key="k") as client:
        assert len(create(client, model="multilingual-e5-small").data[0].embedding) == 384
        with pytest.raises(openai.NotFoundError, match=r"Known: local/multilingual-e5-small\."):
            create(client, model="scripted/text")
