"""`${NAME}` in a value becomes the environment variable of that name, once: what it holds is not looked at again.

What people or models read stays as written: an agent's description and instructions, title prompts, and scripts. So do
an endpoint's headers, which are filled for each request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.layers import HEADERS
from agentbench.config.problem import Problem
from agentbench.config.variables import VARIABLE, value_of, wrong_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.problem import KeyPath

__all__ = ["PROSE", "fill"]

PROSE = {"description", "instructions", "titlePrompt", "titlePromptTemplate"}
"""Keys of what people or models read."""
_AZURE_GROUPS = ("endpoints", "azureOpenAI", "groups")
_AZURE_NAMES = ("INSTANCE_NAME", "DEPLOYMENT_NAME")
_AZURE_HEADERS = "additionalHeaders"


def fill(data: object, environ: Mapping[str, str]) -> tuple[object, list[Problem]]:
    """Return a filled copy, and a problem for each value that names a variable that isn't set or is blank.

    Blanks around what a variable holds are cut off: keys that were read from files end in a line break.
    """
    problems: list[Problem] = []
    return _fill(data, (), environ, problems), problems


def _fill(data: object, path: KeyPath, environ: Mapping[str, str], problems: list[Problem]) -> object:
    if _as_written(path):
        return data
    if isinstance(data, dict):
        return {key: _fill(value, (*path, key), environ, problems) for key, value in data.items()}
    if isinstance(data, list):
        return [_fill(value, (*path, index), environ, problems) for index, value in enumerate(data)]
    if not isinstance(data, str):
        return data
    own = _no_variables(path)
    wrong = [text for name in VARIABLE.findall(data) if name not in own and (text := wrong_with(name, environ))]
    if wrong:
        problems.append(Problem(path, wrong[0]))
        return data
    return VARIABLE.sub(lambda match: match[0] if match[1] in own else value_of(match[1], environ), data)


def _no_variables(path: KeyPath) -> tuple[str, ...]:
    """Return the names that mean something else here: in an Azure group's address, its models'."""
    return _AZURE_NAMES if path[:3] == _AZURE_GROUPS and path[-1] == "baseURL" else ()


def _as_written(path: KeyPath) -> bool:
    if path[:1] not in {("agents",), ("endpoints",)}:
        return False
    if path[:3] == _AZURE_GROUPS and path[-1] == _AZURE_HEADERS:
        return True
    return path[-1] in PROSE or path[-1] == HEADERS or path[:2] == ("endpoints", "scripted")
