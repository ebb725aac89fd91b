"""Secrets that stand in a config are masked wherever people see what was written, and come back unharmed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentbench.config.masked_diff import masked_diff, masked_text
from agentbench.config.masking import has_secret, masked, restored
from agentbench.errors import InvalidRequest

FILE = Path("agentbench.yaml")
GROUPS = [{"group": "a", "apiKey": "tiger-one", "version": "v1"}, {"group": "b", "apiKey": "${KEY}"}]


@pytest.mark.parametrize(
    ("path", "written", "expected"),
    [
        (("apiKey",), "tiger", "****"),
        (("apiKey",), "${TEAM_KEY}", "${TEAM_KEY}"),
        (("apiKey",), "user_provided", "user_provided"),
        (("apiKey",), "tig${TEAM_KEY}er", "****${TEAM_KEY}****"),
        (("headers", "Authorization"), "Bearer ${TOKEN}", "Bearer ${TOKEN}"),
        (("headers", "Authorization"), "Bearer tiger", "****"),
        (("headers", "X-Secret"), "{{LIBRECHAT_USER_ID}}", "{{LIBRECHAT_USER_ID}}"),
        (("headers", "X-Team"), "sky", "sky"),
        (("headers", "X-Team"), "sk-1234567890", "sk-****"),
        (("addParams", "api_key"), "tiger", "****"),
        (("addParams", "max_tokens"), 5, 5),
        (("titlePrompt",), "Sort key-holders: {convo}", "Sort key-holders: {convo}"),
        (("models", "default", 0), "hf-large-model", "hf-large-model"),
        (("groups",), GROUPS, [{**GROUPS[0], "apiKey": "****"}, GROUPS[1]]),
    ],
)
def test_what_is_masked(path: tuple[str, ...], written: Any, expected: Any) -> None:
    """By the key's name, and in free texts by the look; references and names of schemes stay."""
    assert masked(written, path) == expected
    assert has_secret(written, path) is (written != expected)


def test_what_was_left_masked_is_what_was_there() -> None:
    """The rest may change."""
    shown = masked(GROUPS, ("groups",))
    shown[0]["version"] = "v2"
    assert restored(shown, GROUPS, ("groups",)) == [{**GROUPS[0], "version": "v2"}, GROUPS[1]]


@pytest.mark.parametrize("value", ["****x", "****", ["****"], {"new": "****"}])
def test_a_mask_is_no_value(value: Any) -> None:
    """What nobody sees can't be moved or edited in part."""
    with pytest.raises(InvalidRequest, match="Write the whole value"):
        restored(value, None, ("apiKey",))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("apiKey: tiger   # ours", "apiKey: ****   # ours"),
        ("apiKey: a", "apiKey: ****"),
        ("headers: {X-Team: sky, X-Secret-Key: 'tiger'}", "headers: {X-Team: sky, X-Secret-Key: '****'}"),
        ('apiKey: "tig\\x65r"', "apiKey: ****"),
        ("apiKey: >-\n      tiger\n      tiger\n    region: eu", "apiKey: ****\n# ****\n# ****\n    region: eu"),
        ("region: eu  # was sk-1234567890", "region: eu  # was sk-****"),
        ("models: [hf-large-model]", "models: [hf-large-model]"),
        ("apiKey: ${KEY}", "apiKey: ${KEY}"),
    ],
)
def test_a_text_for_people(written: str, expected: str) -> None:
    """However a secret is written, its lines don't tell it."""
    text = "endpoints:\n  bedrock:\n    {}\n"
    assert masked_text(text.format(written), FILE) == text.format(expected).rstrip("\n")


def test_a_diff_of_a_secret() -> None:
    """A line that changes only in what is masked is none; the reference that takes its place is shown."""
    text = "endpoints:\n  openAI:\n    apiKey: {}\n"
    assert masked_diff(text.format("tiger"), text.format("lion"), FILE) == ""
    lines = masked_diff(text.format("tiger"), text.format("${KEY}"), FILE).splitlines()
    assert lines[-2:] == ["-    apiKey: ****", "+    apiKey: ${KEY}"]
