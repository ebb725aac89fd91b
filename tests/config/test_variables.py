"""`${NAME}`: what it may name, and what it becomes."""

from __future__ import annotations

import pytest

from agentbench.config.config import Config
from agentbench.config.variables import value_of, wrong_with
from agentbench.errors import ConfigError

ENVIRON = {"TEAM": "sky", "BLANK": " \n", "FROM_FILE": "key\n"}
GUARDED = (
    "AGENTBENCH_DATABASE_URL",
    "AGENTBENCH_ANYTHING",
    "agentbench_database_url",
    "CREDS_IV",
    "CREDS_KEY",
    "JWT_REFRESH_SECRET",
    "JWT_SECRET",
    "jwt_secret",
    "MEILI_MASTER_KEY",
    "MONGO_URI",
    "REDIS_PASSWORD",
    "REDIS_URI",
)
WRONG = {
    "NOT_SET": "the environment variable 'NOT_SET' is not set",
    "BLANK": "the environment variable 'BLANK' is empty",
    "": "a placeholder holds just the name of an environment variable: ${NAME}",
    "TEAM:-x": "a placeholder holds just the name of an environment variable: ${NAME}",
    " TEAM": "a placeholder holds just the name of an environment variable: ${NAME}",
    "팀": "a placeholder holds just the name of an environment variable: ${NAME}",
}


@pytest.mark.parametrize(("name", "problem"), WRONG.items())
def test_what_cannot_be_had(name: str, problem: str) -> None:
    """A name that isn't one, and a variable that holds nothing."""
    assert wrong_with(name, ENVIRON) == problem


def test_what_can_be_had() -> None:
    """Any other variable, without the blanks around it; OpenAI's key too."""
    environ = {**ENVIRON, "OPENAI_API_KEY": "k", "MY_JWT_SECRET_NAME": "n"}
    assert [wrong_with(name, environ) for name in ("TEAM", "OPENAI_API_KEY", "MY_JWT_SECRET_NAME")] == [None] * 3
    assert value_of("FROM_FILE", environ) == "key"


@pytest.mark.parametrize("name", GUARDED)
def test_the_gateways_own_secrets(name: str) -> None:
    """No config can name them, set or not, in any case, and what they hold is not told."""
    problem = wrong_with(name, {name: "hunter2"})
    assert problem == wrong_with(name, {})
    assert problem is not None
    assert "may hold a secret of the gateway's own" in problem


@pytest.mark.parametrize("key", ["headers", "apiKey"])
def test_a_config_that_names_one(key: str) -> None:
    """It isn't read; neither a header nor a key may hold it, alone or among others."""
    value = "${TEAM}${JWT_SECRET}"
    block = {"apiKey": "k", "headers": {"X-A": value}} if key == "headers" else {"apiKey": value}
    with pytest.raises(ConfigError, match="'JWT_SECRET' may hold a secret") as caught:
        Config({"endpoints": {"openAI": block}}, {**ENVIRON, "JWT_SECRET": "hunter2"})
    assert "hunter2" not in caught.value.message
