"""What the shared settings may not hold: each case is a block of `openAI`, and the whole message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

BRACE = "write '{{' or '}}' for a brace that is meant"
LINE = "{at}3:5: endpoints.openAI."
ENTRY = "{at}3:5: endpoints.openAI.headers.X-A: "

CASES = {
    "titlePrompt: Name it": LINE + "titlePrompt: must hold {convo}, where the conversation goes",
    "titlePrompt: '{convo} {'": LINE + "titlePrompt: a brace with no partner; " + BRACE,
    "titlePrompt: 'a } {convo}'": LINE + "titlePrompt: a brace with no partner; " + BRACE,
    "titlePrompt: '{convo} {name}'": LINE + "titlePrompt: {name} is no placeholder here. Known: {convo}; " + BRACE,
    "titlePrompt: '{convo} {}'": LINE + "titlePrompt: {} is no placeholder here. Known: {convo}; " + BRACE,
    "titlePrompt: 5": LINE + "titlePrompt: expected text, found a number; put it in quotes",
    "titlePromptTemplate: '{input}'": LINE
    + "titlePromptTemplate: must hold {input} and {output}, where the first message and the answer go",
    "titlePromptTemplate: '{input} {output} {convo}'": LINE
    + "titlePromptTemplate: {convo} is no placeholder here. Known: {input} and {output}; "
    + BRACE,
    "titleMethod: magic": LINE + "titleMethod: expected 'completion', 'structured' or 'functions'",
    "titleTiming: later": LINE + "titleTiming: expected 'immediate' or 'final'",
    "titleConvo: 'yes'": LINE + "titleConvo: expected true or false, found text",
    "titleModel: ''": LINE + "titleModel: expected text that isn't empty",
    "titleEndpoint: anthropik": LINE + "titleEndpoint: There is no endpoint 'anthropik'. Known: local, openAI.",
    "streamRate: -5": LINE + "streamRate: expected a number of at least 0",
    "streamRate: fast": LINE + "streamRate: expected a number, found text",
    "streamRate: .inf": LINE + "streamRate: expected a finite number",
    "maxToolResultChars: 0": LINE + "maxToolResultChars: expected a number greater than 0",
    "maxToolResultChars: -1": LINE + "maxToolResultChars: expected a number greater than 0",
    "maxToolResultChars: 1.5": LINE + "maxToolResultChars: expected a whole number, found a number",
    "silenceTimeout: 0": LINE + "silenceTimeout: expected a number greater than 0",
    "baseURL: localhost": LINE + "baseURL: expected a URL such as https://host/v1",
    "apiKey: ${GONE}": LINE + "apiKey: the environment variable 'GONE' is not set",
    "apiKey: ${JWT_SECRET}": LINE
    + "apiKey: the environment variable 'JWT_SECRET' may hold a secret of the gateway's own, so a config can't name it",
    "titelModel: a": LINE + "titelModel: unknown key. Did you mean 'titleModel'?",
    "headers: [a]": LINE + "headers: expected a mapping, found a list",
    "headers: {X-A: 1}": "{at}3:15: endpoints.openAI.headers.X-A: expected text, found a number; put it in quotes",
    'headers: {X-A: "a\\nb"}': "{at}3:15: endpoints.openAI.headers.X-A: expected one line of text",
    "headers: {X-A: '${GONE}'}": "{at}3:15: endpoints.openAI.headers.X-A: the environment variable 'GONE' is not set",
    "headers: {X-A: '${AGENTBENCH_DATABASE_URL}'}": "{at}3:15: endpoints.openAI.headers.X-A: the environment variable"
    " 'AGENTBENCH_DATABASE_URL' may hold a secret of the gateway's own, so a config can't name it",
    "headers: {X-A: 서울}": "{at}3:15: endpoints.openAI.headers.X-A: expected one line of Latin-1 text, as HTTP has no"
    " other headers",
    "headers: {'X A': b}": LINE + "headers: a header's name may hold only letters, digits and '-'",
}


@pytest.mark.parametrize("block", CASES)
def test_a_wrong_setting_is_named_with_its_place(refused: Callable[..., str], block: str) -> None:
    """One line says where it stands, what is wrong and what is expected."""
    message = refused(f"endpoints:\n  openAI:\n    {block}\n", JWT_SECRET="x", AGENTBENCH_DATABASE_URL="y")
    assert message == CASES[block].replace("{at}", "agentbench.yaml:")


def test_all_has_no_address(refused: Callable[..., str]) -> None:
    """An address for every endpoint would send keys to the wrong ones."""
    assert refused("endpoints:\n  all:\n    baseURL: http://h/v1\n") == (
        "agentbench.yaml:3:5: endpoints.all.baseURL: can't be set for all: each endpoint has its own. Move it there"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- endpoints\n", "expected a mapping, found a list"),
        ("endpoints:\n\topenAI: {}\n", "agentbench.yaml:2:1: a tab; indent with spaces"),
        ("a: &a [x]\nb: &b [" + ", ".join(["*a"] * 400) + "]\nc: [" + ", ".join(["*b"] * 400) + "]\n", "values"),
    ],
    ids=["a list", "a tab", "an anchor bomb"],
)
def test_what_is_no_config(refused: Callable[..., str], text: str, expected: str) -> None:
    """A file that isn't a mapping of honest size is refused in one line."""
    message = refused(text)
    assert expected in message
    assert len(message.splitlines()) == 1
