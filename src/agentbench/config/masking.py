"""What was written in a config, for people to see: a secret is masked, the name of a variable isn't.

Other than what `explain.py` shows, it can be edited and given back: what was left masked means what was there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agentbench.config.endpoint import USER_PROVIDED
from agentbench.config.header_templates import is_scheme, is_sensitive
from agentbench.config.layers import HEADERS
from agentbench.config.secret import MASK, without_keys
from agentbench.config.section_layers import SECRETS
from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config.problem import KeyPath

__all__ = ["has_secret", "masked", "restored", "secret_texts"]

_REFERENCE = re.compile(r"(\$\{[^}]*\}|\{\{[^{}]*\}\})")
_FREE = frozenset({HEADERS, "additionalHeaders", "addParams"})  # names there are anybody's, so values are looked at
_MASKS = re.compile(rf"(?:{re.escape(MASK)}){{2,}}")


def masked(value: Any, path: KeyPath) -> Any:
    """Return a value of the same shape in which what may be secret is masked; `path` starts within the block."""
    if isinstance(value, dict):
        return {key: masked(each, (*path, key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, (*path, index)) for index, each in enumerate(value)]
    return _masked_text(value, path) if isinstance(value, str) else value


def has_secret(value: Any, path: KeyPath) -> bool:
    """Tell whether something of a value is masked."""
    return bool(masked(value, path) != value)


def restored(value: Any, written: Any, path: KeyPath) -> Any:
    """Return a value in which what people left masked is what was written there.

    Raises `InvalidRequest` for a masked text that was edited: nobody sees what they would keep of it.
    """
    if isinstance(value, dict):
        known = written if isinstance(written, dict) else {}
        return {key: restored(each, known.get(key), (*path, key)) for key, each in value.items()}
    if isinstance(value, list):
        items = written if isinstance(written, list) else []
        padded = [*items, *[None] * len(value)]
        return [restored(each, padded[index], (*path, index)) for index, each in enumerate(value)]
    if isinstance(value, str) and MASK in value:
        if isinstance(written, str) and (value == written or value == _masked_text(written, path)):
            return written
        raise InvalidRequest("Write the whole value: what is masked can't be edited in part.")
    return value


def secret_texts(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield each text that is masked, whole or in part, and where it stands."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from secret_texts(each, (*path, key))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from secret_texts(each, (*path, index))
    elif isinstance(value, str) and _masked_text(value, path) != value:
        yield path, value


def _masked_text(text: str, path: KeyPath) -> str:
    names = [part for part in path if isinstance(part, str)]
    name = names[-1] if names else ""
    if text != USER_PROVIDED and (name in SECRETS or (len(path) > 1 and is_sensitive(name))):
        parts = _REFERENCE.split(text)  # every other one is a reference
        text = "".join(part if index % 2 or is_scheme(part) else MASK for index, part in enumerate(parts))
    if not _FREE.isdisjoint(names):
        text = without_keys(text)
    return _MASKS.sub(MASK, text)
