"""What a person writes into a control, as the value that YAML would hold, or why it is none."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from agentbench.config.yaml_file import parse_text
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from agentbench.config.form import Field

__all__ = ["Wish", "read_wish", "yaml_text"]

_PLACE = re.compile(r"^value:(\d+):\d+")


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """A value that is wished for, and how it was written; `wrong` says why it is no value. It may be a secret."""

    value: Any
    text: str = ""
    wrong: str = ""


def read_wish(field: Field, given: Any) -> Wish:
    """Return what a control gives as a value; what doesn't fit the key is left for the check of the whole."""
    if isinstance(given, str) and field.kind == "structured":
        return _from_yaml(given)
    if isinstance(given, str) and field.kind in ("integer", "number"):
        return Wish(_number(given.strip()), text=given)
    if isinstance(given, list):
        return Wish([each for each in given if not isinstance(each, str) or each.strip()])
    return Wish(given)


def yaml_text(value: Any) -> str:
    """Return a value as people write it in YAML; nothing for none."""
    if value is None or value in ({}, []):
        return ""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(value, out)
    return out.getvalue().removesuffix("...\n").rstrip("\n")


def _from_yaml(text: str) -> Wish:
    try:
        return Wish(parse_text(text, Path("value")).data, text=text)
    except ConfigError as error:
        return Wish(None, text=text, wrong=_PLACE.sub(r"line \1", error.message).removeprefix("value: "))


def _number(text: str) -> Any:
    """Return a number, a whole one if it is written so; any other text as it is."""
    if re.fullmatch(r"[+-]?\d{1,300}", text, re.ASCII):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) and "_" not in text else text
