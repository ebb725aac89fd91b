"""Names that don't fit together: repeated, reserved, or naming something that isn't there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def customs(*names: str) -> str:
    """Write custom endpoints, one a line from line 3 on."""
    rows = "".join(
        f"    - {{name: {name}, baseURL: 'http://h/v1', models: {{default: [gpt-5, o5]}}}}\n" for name in names
    )
    return f"endpoints:\n  custom:\n{rows}"


GOOGLE = "The endpoint 'google' is there when GEMINI_API_KEY or GOOGLE_API_KEY or GOOGLE_KEY is set."

CASES = {
    "reserved name": (
        customs("local"),
        "{at}3:8: endpoints.custom[0].name: 'local' is a name of agentbench's own. Choose another",
    ),
    "reserved name in another case": (
        customs("one", "OpenAI"),
        "{at}4:8: endpoints.custom[1].name: 'OpenAI' is a name of agentbench's own. Choose another",
    ),
    "reserved name of an endpoint to come": (
        customs("bedrock"),
        "{at}3:8: endpoints.custom[0].name: 'bedrock' is a name of agentbench's own. Choose another",
    ),
    "custom name twice": (
        customs("one", "two", "ONE"),
        "{at}5:8: endpoints.custom[2].name: the same name as endpoints.custom[0]",
    ),
    "agent id twice": (
        "agents:\n  - id: a\n  - id: a\n",
        "{at}3:5: agents[1].id: the same id as agents[0]",
    ),
    "local model twice": (
        "endpoints:\n  local:\n    models: [{name: m, path: a}, {name: m, path: b}]\n",
        "{at}3:35: endpoints.local.models[1].name: the same name as endpoints.local.models[0]",
    ),
    "unknown endpoint": (
        customs("mistral") + "agents:\n  - id: a\n    endpoint: mistrall\n",
        "{at}6:5: agents[0].endpoint: There is no endpoint 'mistrall'. Did you mean 'mistral'?",
    ),
    "endpoint whose variable isn't set": (
        "agents:\n  - id: a\n    endpoint: openai\n",
        "{at}3:5: agents[0].endpoint: The endpoint 'openAI' is there when OPENAI_API_KEY is set.",
    ),
    "endpoint with two variables": (
        "agents:\n  - {id: a, endpoint: google}\n",
        "{at}2:13: agents[0].endpoint: " + GOOGLE,
    ),
    "the first agent's endpoint, once": (
        "agents:\n  - {id: a, endpoint: zzz}\n  - {id: b, model: m}\n",
        "{at}2:13: agents[0].endpoint: There is no endpoint 'zzz'. Known: local.",
    ),
    "unknown model": (
        customs("one") + "agents:\n  - id: a\n    endpoint: one\n    model: gpt5\n",
        "{at}7:5: agents[0].model: There is no model 'gpt5'. Did you mean 'gpt-5'?",
    ),
    "unknown local model": (
        "agents:\n  - {id: a, model: smollm2}\n",
        "{at}2:13: agents[0].model: There is no model 'smollm2'. Did you mean 'smollm2-135m-instruct'?",
    ),
    "unknown model of the default endpoint": (
        customs("one") + "agents:\n  - {id: a, endpoint: one}\n  - {id: b, model: zzz}\n",
        "{at}6:13: agents[1].model: There is no model 'zzz'. Known: gpt-5, o5.",
    ),
    "a repeated and an unknown name": (
        customs("one", "one") + "agents:\n  - {id: a, endpoint: zzz}\n",
        (
            "{at}4:8: endpoints.custom[1].name: the same name as endpoints.custom[0]\n"
            "{at}6:13: agents[0].endpoint: There is no endpoint 'zzz'. Known: local, one."
        ),
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_wrong_reference_is_named_with_its_place(refused: Callable[..., str], text: str, expected: str) -> None:
    """The whole message is a line for each wrong name, with the nearest known one."""
    assert refused(text) == expected.replace("{at}", "agentbench.yaml:")
