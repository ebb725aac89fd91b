"""`${NAME}` in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.config.header_templates import fill_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.config import Catalog

TEXT = """\
endpoints:
  custom:
    - name: one
      baseURL: http://${HOST}:${PORT}/v1
      apiKey: ${KEY}
      headers: {X-Ids: "${KEY}/${PORT}"}
      models: {default: ["${MODEL}"]}
  scripted:
    models: {price: [{text: "It costs ${AMOUNT}"}]}
agents:
  - id: a
    instructions: Use ${HOME}.
    description: Knows ${HOME}.
    endpoint: one
    model: ${MODEL}
"""
ENVIRON = {"HOST": "h", "PORT": "80", "KEY": "sk-1", "MODEL": "m"}


def test_a_value_may_hold_several(loaded: Callable[..., Catalog]) -> None:
    """Each is replaced where it stands, in any value that configures."""
    endpoint = loaded(TEXT, **ENVIRON).endpoint("one")
    assert (endpoint.base_url, endpoint.models) == ("http://h:80/v1", ("m",))
    assert fill_headers(endpoint.header_templates, {})["X-Ids"] == "sk-1/80"


def test_prose_stays_as_written(loaded: Callable[..., Catalog]) -> None:
    """Instructions, descriptions and scripts may hold `${…}` of their own."""
    catalog = loaded(TEXT, **ENVIRON)
    agent = catalog.agent("a")
    assert (agent.instructions, agent.description) == ("Use ${HOME}.", "Knows ${HOME}.")
    assert catalog.endpoint("scripted").scripts["price"].turns[0][0].text == "It costs ${AMOUNT}"


def test_what_a_variable_holds_is_not_filled_again(loaded: Callable[..., Catalog]) -> None:
    """A value that looks like a placeholder is sent as it is."""
    endpoint = loaded(TEXT, **ENVIRON | {"KEY": "${HOST}"}).endpoint("one")
    assert fill_headers(endpoint.header_templates, {})["X-Ids"] == "${HOST}/80"


def test_a_line_break_around_a_key_is_cut_off(loaded: Callable[..., Catalog]) -> None:
    """Keys read from files often end in one."""
    key = loaded(TEXT, **ENVIRON | {"KEY": "sk-1\n"}).endpoint("one").api_key
    assert key is not None
    assert key.reveal() == "sk-1"


WRONG = {
    "not set": (
        TEXT,
        {"KEY": None},
        [("5:7", "apiKey"), ("6:17", "headers.X-Ids")],
        "the environment variable 'KEY' is not set",
    ),
    "empty": (
        TEXT,
        {"HOST": ""},
        [("4:7", "baseURL")],
        "the environment variable 'HOST' is empty",
    ),
    "shell syntax": (
        TEXT.replace("${HOST}", "${HOST:-localhost}"),
        {},
        [("4:7", "baseURL")],
        "a placeholder holds just the name of an environment variable: ${NAME}",
    ),
}


@pytest.mark.parametrize(("text", "changes", "places", "problem"), WRONG.values(), ids=WRONG)
def test_a_variable_that_cannot_be_read_is_named(
    refused: Callable[..., str],
    text: str,
    changes: dict[str, str | None],
    places: list[tuple[str, str]],
    problem: str,
) -> None:
    """Every value that needs it gets a line with its place."""
    environ = {name: value for name, value in (ENVIRON | changes).items() if value is not None}
    lines = [f"agentbench.yaml:{place}: endpoints.custom[0].{key}: {problem}" for place, key in places]
    assert refused(text, **environ).splitlines() == lines


def test_a_wrong_value_from_the_environment_is_not_repeated(refused: Callable[..., str]) -> None:
    """What a variable holds never stands in a message."""
    message = refused(TEXT, **ENVIRON | {"HOST": "me:sk-2@h"})
    assert "sk-2" not in message
    assert message.startswith("agentbench.yaml:4:7: endpoints.custom[0].baseURL: expected a URL with no user")
