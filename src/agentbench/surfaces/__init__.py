"""One file a foreign API: decode its request, encode events in its form, shape its errors."""

AGENTS_API = "/api/agents/v1"
