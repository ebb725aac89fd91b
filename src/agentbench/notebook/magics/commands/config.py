"""`%agent config`: what holds for each endpoint, who said so, and how to change it."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

from agentbench.config.explain import shown
from agentbench.config.secret import Secret
from agentbench.errors import InvalidRequest, nearest
from agentbench.notebook.magics.interpolate import lookup
from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from agentbench.config.config import Config as LiveConfig
    from agentbench.config.layers import Setting
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.widgets.tuner import Tuner

__all__ = ["Config"]

_SAVE = "--save"
_VARIABLE = re.compile(r"\{([A-Za-z_]\w*)\}")


class Config:
    """Look into the config and change it."""

    name = "config"
    summary = (
        "The settings that hold, as a DataFrame; edit them in a form, explain one, or set it for the session or with"
        " --save in the file."
    )
    argument = "[ENDPOINT | edit [ENDPOINT] | explain NAME | set NAME=VALUE | unset NAME | headers ENDPOINT | reload]"
    options = (
        Option((_SAVE,), "with set: write it to the file, where comments and order stay"),
        Option(("-a", "--agent"), "what holds where this agent answers", "AGENT", completes="agents"),
    )

    async def run(self, call: Call) -> Table | pd.DataFrame | Tuner:
        """Return the table or the form that was asked for; after a change, what holds now."""
        word, _, rest = call.text.partition(" ")
        action = _ACTIONS.get(word)
        if action is not None:
            return action(call, call.session.bench.config, rest.strip())
        return _everything(call, call.session.bench.config, call.text)


def _everything(call: Call, config: LiveConfig, endpoint: str) -> pd.DataFrame:
    from agentbench.frames import settings_frame

    settings = config.settings(agent=call.options.get("agent"))
    if endpoint:
        word, blank, _ = endpoint.partition(" ")
        if blank and (close := nearest(word, _ACTIONS)):
            raise InvalidRequest(f"There is no %agent config {word}. Did you mean {close}?")
        name = config.catalog.endpoint(endpoint).name
        settings = {name: settings[name]}
    return settings_frame(settings)


def _edit(call: Call, _: LiveConfig, endpoint: str) -> Tuner:
    from agentbench.notebook.widgets.tuner import Tuner

    return Tuner(call.session.bench, endpoint=endpoint or None, conversation=call.session.conversation)


def _explain(call: Call, config: LiveConfig, name: str) -> Table:
    endpoint, key = _names(config, name)
    return _explained(endpoint, config.explain(endpoint, key, agent=call.options.get("agent")))


def _set(call: Call, config: LiveConfig, text: str) -> Table:
    save = bool(call.options.get("save")) or text.endswith(f" {_SAVE}")
    name, equals, written = text.removesuffix(_SAVE).partition("=")
    if not equals:
        raise InvalidRequest("Write %agent config set ENDPOINT.KEY=VALUE, such as openAI.titleModel=gpt-4.1-nano.")
    value = _value(written.strip(), call)
    if save and isinstance(value, Secret):
        raise InvalidRequest("A secret doesn't belong in the file. Write ${NAME}, an environment variable, instead.")
    setting = config.set(name.strip(), value.reveal() if isinstance(value, Secret) else value, save=save)
    place = f"Saved in {config.file}." if save else "Set for this session; with --save it goes to the file."
    if setting is None:
        return Table(("set", "to"), [(name.strip(), shown(name.partition(".")[2].strip(), value))], note=place)
    if setting.layer not in ("session", "endpoint"):
        place += f" But {setting.layer} overrides it."
    return _explained(_names(config, name.strip())[0], setting, note=place)


def _unset(call: Call, config: LiveConfig, name: str) -> Table:
    config.unset(name)
    return _explain(call, config, name)


def _headers(call: Call, config: LiveConfig, endpoint: str) -> Table:
    name = config.catalog.endpoint(endpoint).name
    preview = config.preview_headers(name, agent=call.options.get("agent"))
    note = "As sent by you, with secrets masked; what the provider itself must send wins."
    return Table(("header", "value"), list(preview.items()), note=note if preview else f"{name} gets no headers.")


def _reload(call: Call, config: LiveConfig, text: str) -> pd.DataFrame:
    config.reload()
    return _everything(call, config, text)


_ACTIONS: dict[str, Callable[[Call, LiveConfig, str], Table | pd.DataFrame | Tuner]] = {
    "edit": _edit,
    "explain": _explain,
    "set": _set,
    "unset": _unset,
    "headers": _headers,
    "reload": _reload,
}


def _explained(endpoint: str, setting: Setting, *, note: str = "") -> Table:
    rows = _rows(setting)
    for part in setting.parts.values():
        rows += [(f"{part.key} {row[0]}", *row[1:]) for row in _rows(part)]
    return Table((f"{endpoint}.{setting.key}", "value", "layer", "from"), rows, note=note)


def _rows(setting: Setting) -> list[tuple[str, str, str, str]]:
    return [
        (("holds", "overrides")[bool(place)], shown(each.key, each.value), each.layer, each.origin)
        for place, each in enumerate((setting, *setting.overrode))
    ]


def _names(config: LiveConfig, name: str) -> tuple[str, str]:
    endpoint, path = config.split(name)
    return endpoint, ".".join(path)


def _value(text: str, call: Call) -> Any:
    """Return a value as YAML has it; `{name}` is a variable of the notebook's."""
    if (found := _VARIABLE.fullmatch(text)) is not None:
        return lookup(found[1], call.namespace, option="config set")
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(StringIO(text))
    except YAMLError:
        raise InvalidRequest(f"{text!r} is not a value in YAML. Put a text in quotes.") from None
