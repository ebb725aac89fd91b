"""What a model in this process is asked."""

from __future__ import annotations

import pytest

from agentbench.config import LOCAL_MODEL, Endpoint
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import user_message
from agentbench.providers.llama_cpp import LlamaCpp

LOCAL = Endpoint(name="local", provider="llama_cpp", models=(LOCAL_MODEL, "own"))


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [(LOCAL_MODEL, None, 1024), (LOCAL_MODEL, 5, 5), (LOCAL_MODEL, 4000, 4000), ("own", None, None), ("own", 5, 5)],
)
def test_the_built_in_model_comes_to_an_end(model: str, asked: int | None, expected: int | None) -> None:
    """Unless somebody says how long its answer may be; other models are left alone."""
    request = CreateResponse(model=model, input=(user_message("Hi"),), max_output_tokens=asked)
    assert LlamaCpp().encode(request, LOCAL).get("max_tokens") == expected
