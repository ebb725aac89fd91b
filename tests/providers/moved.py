"""Conversations that began with one provider and go on with another."""

from __future__ import annotations

from agentbench.config import Endpoint
from agentbench.protocol.content import SummaryText
from agentbench.protocol.items import (
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    Reasoning,
    assistant_message,
    user_message,
)
from agentbench.providers.anthropic_messages import REDACTED, SIGNED
from agentbench.providers.assistants_wire import Seal, place_of, sealed
from agentbench.providers.bedrock_models import seal
from agentbench.providers.google_contents import CALL_SEAL, TEXT_SEAL

__all__ = ["PNG", "SEALED", "SEALS", "THREADS", "conversation"]

PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
SEALED = "gAAAAABc2VhbGVk"
THREADS = Endpoint(name="assistants", provider="assistants", base_url="https://assistants.example/v1")
SEALS = {
    SIGNED + SEALED: "anthropic",
    REDACTED + SEALED: "anthropic",
    seal("anthropic.claude-sonnet-4-5", "signature", SEALED): "bedrock",
    seal("openai.gpt-oss-120b-1:0", "redacted", SEALED): "bedrock",
    sealed(Seal(place=place_of(THREADS), thread=SEALED, run="run_1")): "assistants",
    CALL_SEAL + SEALED: "google",
    TEXT_SEAL + SEALED: "google",
    SEALED: "openai_responses",
}
"""What seals a thought, by each provider that does, in each of its ways."""


def conversation(*seals: str) -> tuple[InputItem, ...]:
    """Return a history with an image, thoughts under these seals, calls side by side and their results."""
    thoughts = [
        Reasoning(id=f"rs_{list(SEALS).index(each)}", summary=(SummaryText(text="Hm."),), encrypted_content=each)
        for each in seals
    ]
    return (
        user_message("Where is this, and how is the weather?", PNG),
        assistant_message("That is Seoul. I'll look."),
        *thoughts,
        FunctionCall(id="fc_1", call_id="call_1", name="get_weather", arguments='{"city":"Seoul"}'),
        FunctionCall(id="fc_2", call_id="toolu_2", name="get_weather", arguments=""),
        FunctionCallOutput(id="fco_1", call_id="call_1", output="sun"),
        FunctionCallOutput(id="fco_2", call_id="toolu_2", output=""),
        assistant_message("Sunny."),
        user_message("And tomorrow?"),
    )
