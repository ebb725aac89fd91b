"""One file a foreign API: decode its request, encode events in its form, shape its errors."""

AGENTS_API = "/api/agents/v1"

ASSISTANTS_API = "/api/assistants/v2"
"""Where OpenAI's clients of assistants find all they ask for; `AGENTS_API` has the same addresses and more."""
