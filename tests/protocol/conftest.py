"""A fresh builder for each test."""

from __future__ import annotations

import pytest

from agentbench.protocol import CreateResponse, EventBuilder, draft


@pytest.fixture
def builder() -> EventBuilder:
    """Return a builder of the response `resp_1`, whose clock stands at 1000 seconds."""
    return EventBuilder(draft(CreateResponse(), model="small", response_id="resp_1"), clock=lambda: 1000.0)
