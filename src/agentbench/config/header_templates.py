"""Headers as they are written: texts with placeholders, filled in one pass for each request.

`${NAME}` is an environment variable and known when the config is read. `{{LIBRECHAT_USER_EMAIL}}` and its like are
known only when somebody asks. What either stands for is never looked at for placeholders again.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec

from agentbench.config.secret import MASK, Secret, without_keys
from agentbench.config.variables import VARIABLE, value_of, wrong_with
from agentbench.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "BODY",
    "CREDENTIALS",
    "Placeholder",
    "Template",
    "fill_headers",
    "is_scheme",
    "is_sensitive",
    "overridden",
    "parse",
    "unknown_names",
]

_USER = (
    *("ID", "NAME", "USERNAME", "EMAIL", "PROVIDER", "ROLE", "OPENIDID"),
    # What accounts here don't have is always empty.
    *("EMAILVERIFIED", "GOOGLEID", "FACEBOOKID", "SAMLID", "LDAPID", "GITHUBID", "DISCORDID", "APPLEID"),
    *("TWOFACTORENABLED", "TERMSACCEPTED", "TERMSACCEPTEDAT"),
)
_OPENID = ("USER_ID", "USER_EMAIL", "USER_NAME", "EXPIRES_AT")

BODY = ("LIBRECHAT_BODY_CONVERSATIONID", "LIBRECHAT_BODY_PARENTMESSAGEID", "LIBRECHAT_BODY_MESSAGEID")
CREDENTIALS = ("LIBRECHAT_OPENID_ACCESS_TOKEN", "LIBRECHAT_OPENID_ID_TOKEN", "LIBRECHAT_OPENID_TOKEN")
_KNOWN = (
    *(f"LIBRECHAT_USER_{name}" for name in _USER),
    *BODY,
    *CREDENTIALS,
    *(f"LIBRECHAT_OPENID_{name}" for name in _OPENID),
)

_PLACEHOLDER = re.compile(rf"{VARIABLE.pattern}|\{{\{{([^{{}}]*)\}}\}}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LATIN_1 = 0xFF
_SENSITIVE = re.compile(r"auth|bearer|cookie|credential|jwt|key|pass|pwd|secret|session|signature|token", re.IGNORECASE)
_MASKS = re.compile(rf"(?:{re.escape(MASK)}){{2,}}")
_SCHEME = re.compile(r"(basic|bearer|token)? *", re.IGNORECASE)


class Placeholder(msgspec.Struct, frozen=True):
    """A name between double braces."""

    name: str


class Template(msgspec.Struct, frozen=True):
    """A header's value: texts, texts from the environment, and placeholders, in order. Its repr shows none of them."""

    parts: tuple[str | Secret | Placeholder, ...]

    def __repr__(self) -> str:
        return f"Template({MASK})"

    @property
    def names(self) -> tuple[str, ...]:
        """What its placeholders are called."""
        return tuple(part.name for part in self.parts if isinstance(part, Placeholder))

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Its texts from the environment."""
        return tuple(part for part in self.parts if isinstance(part, Secret))

    def fill(self, facts: Mapping[str, str]) -> str | None:
        """Return the value to send, by what is known of this request; None if the header must not be sent.

        What is not known is empty. A header that wants a credential which isn't there, or is blank, is not sent.
        """
        if any(name in CREDENTIALS and not facts.get(name) for name in self.names):
            return None
        return "".join(_filled(part, facts) for part in self.parts).strip() or None

    def shown(self, header: str) -> str:
        """Return the value as it is written, for people to see: what may be secret is masked."""
        return self._shown(header, "{{{{{}}}}}".format)

    def preview(self, header: str, facts: Mapping[str, str]) -> str | None:
        """Return the value to send, for people to see: what may be secret is masked. None as for `fill`."""
        if self.fill(facts) is None:
            return None
        return self._shown(header, lambda name: MASK if name in CREDENTIALS else _sendable(facts.get(name, ""))).strip()

    def united(self, other: Template) -> Template:
        """Return both values as one list with commas."""
        comma = (",",) if self.parts and other.parts else ()
        return Template((*self.parts, *comma, *other.parts))

    def _shown(self, header: str, of: Callable[[str], str]) -> str:
        sensitive = is_sensitive(header)
        texts = (
            of(part.name) if isinstance(part, Placeholder) else _masked(part, sensitive=sensitive)
            for part in self.parts
        )
        return _MASKS.sub(MASK, without_keys("".join(texts)))


def parse(written: str, environ: Mapping[str, str]) -> Template:
    """Return a value's template; raise `ValueError` for a variable that isn't there, or what no header can hold."""
    parts: list[str | Secret | Placeholder] = []
    end = 0
    for found in _PLACEHOLDER.finditer(written):
        parts.append(written[end : found.start()])
        parts.append(_variable(found[1], environ) if found[1] is not None else Placeholder(found[2]))
        end = found.end()
    parts.append(written[end:])
    fixed = "".join(_filled(part, {}) for part in parts)
    if any(ord(each) > _LATIN_1 for each in fixed) or _CONTROL.search(fixed):
        raise ValueError("expected one line of Latin-1 text, as HTTP has no other headers")
    return Template(tuple(part for part in parts if part))


def unknown_names(written: str | Template) -> list[str]:
    """Return a sentence for each placeholder of a value that stands for nothing."""
    if isinstance(written, Template):
        names = written.names
    else:
        names = tuple(found[2] for found in _PLACEHOLDER.finditer(written) if found[2] is not None)
    return [_unknown(name) for name in names if name not in _KNOWN]


def fill_headers(templates: Mapping[str, Template], facts: Mapping[str, str]) -> dict[str, str]:
    """Return the headers to send."""
    filled = {name: template.fill(facts) for name, template in templates.items()}
    return {name: value for name, value in filled.items() if value is not None}


def overridden(lower: Mapping[str, Template], upper: Mapping[str, Template]) -> dict[str, Template]:
    """Return both; of two headers of one name, in any case, the upper one."""
    named = {name.casefold() for name in upper}
    return {name: each for name, each in lower.items() if name.casefold() not in named} | dict(upper)


def is_sensitive(header: str) -> bool:
    """Tell whether a header of this name may hold a secret."""
    return _SENSITIVE.search(header) is not None


def is_scheme(text: str) -> bool:
    """Tell whether a text is just the name of a scheme, which people may see before a secret."""
    return _SCHEME.fullmatch(text) is not None


def _variable(name: str, environ: Mapping[str, str]) -> Secret:
    if (problem := wrong_with(name, environ)) is not None:
        raise ValueError(problem)
    return Secret(value_of(name, environ))


def _filled(part: str | Secret | Placeholder, facts: Mapping[str, str]) -> str:
    if isinstance(part, Placeholder):
        return _sendable(facts.get(part.name, ""))
    return part.reveal() if isinstance(part, Secret) else part


def _sendable(value: str) -> str:
    """Return a value as headers can hold it: what is beyond Latin-1 becomes `b64:` and its UTF-8 in base64."""
    line = _CONTROL.sub("", value)
    if any(ord(each) > _LATIN_1 for each in line):
        return f"b64:{b64encode(line.encode(errors='replace')).decode()}"
    return line


def _masked(part: str | Secret, *, sensitive: bool) -> str:
    """Return a text for people to see: of one that may be secret only the name of a scheme."""
    if isinstance(part, Secret) or (sensitive and not is_scheme(part)):
        return MASK
    return part


def _unknown(name: str) -> str:
    close = nearest(name.strip(), _KNOWN)
    return f"{{{{{name}}}}} stands for nothing and is left out." + (f" Did you mean {close}?" if close else "")
