"""Bytes to characters, in whatever encoding they are."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from agentbench.errors import Unreadable

__all__ = ["NO_TEXT", "decode", "decode_utf8", "is_binary"]

NO_TEXT = "This file isn't text, nor in a format that can be read. Convert it, to PDF for example."

_BYTE_ORDER_MARKS = (  # the longer ones first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 64 * 1024  # bytes: enough to tell an encoding by
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_SHARE = 0.005  # of the bytes; compressed data have 10 %
_NUL_SHARE = 0.05  # at every other byte; Korean in UTF-16 has one a space
_HIGH = re.compile(rb"[\x80-\xff]")
_FOREIGN = re.compile("[^\x00-\x7f]")
_SUPERSETS = {"euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
_NOT_MEANT = ("utf_7", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "johab")
_ESCAPES = (b"\x1b$", b"\x1b(")  # ISO-2022 is ASCII, as it looks


def decode(data: bytes, charset: str | None = None) -> str:
    """Return the text; `charset` is what somebody says it is in. Raises `Unreadable` if it is no text."""
    if (text := decode_utf8(data)) is not None:
        return text
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _mostly(data.decode(name, errors="replace"))
    if is_binary(data[:_LOOKED_AT]):
        raise Unreadable(NO_TEXT)
    for name in filter(None, (_wide(data[:_LOOKED_AT]), charset)):
        with suppress(LookupError, ValueError):
            return data.decode(name)
    return _mostly_utf8(data) or data.decode(_detected(data), errors="replace")


def decode_utf8(data: bytes) -> str | None:
    """Return the text if it is UTF-8 beyond doubt, with or without a byte order mark; it is quick to say no."""
    if _wide(data[:_LOOKED_AT]) or any(escape in data[:_LOOKED_AT] for escape in _ESCAPES):
        return None
    if is_binary(data[:_LOOKED_AT]):
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def is_binary(head: bytes) -> bool:
    """Tell whether the bytes have more control characters than any text has; a single NUL may come in a log."""
    if head.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS)) or _wide(head):
        return False
    return len(_CONTROL.findall(head)) > max(1, len(head) * _CONTROL_SHARE)


def _wide(head: bytes) -> str | None:
    """Return the UTF-16 that bytes without a mark are in: where the NUL bytes of its spaces and line ends lie."""
    at_even, at_odd = head[0::2].count(0), head[1::2].count(0)
    most, least = max(at_even, at_odd), min(at_even, at_odd)
    if most * 2 < len(head) * _NUL_SHARE or least * 10 > most:
        return None
    name = "utf-16-be" if at_even > at_odd else "utf-16-le"
    text = head[: len(head) // 2 * 2].decode(name, errors="replace")
    return name if sum(each.isprintable() or each.isspace() for each in text) > len(text) * 0.95 else None


def _mostly(text: str) -> str:
    """Return a text that is broken in a few places; with more of them it is none, whatever its mark says."""
    if text.count("\ufffd") * 100 > len(text):
        raise Unreadable(NO_TEXT)
    return text


def _mostly_utf8(data: bytes) -> str | None:
    """Return UTF-8 that is broken in a few places, such as its end."""
    text = data.decode("utf-8", errors="replace")
    foreign = len(_FOREIGN.findall(text))
    return text if text.count("\ufffd") * 20 < foreign else None


def _detected(data: bytes) -> str:
    """Return the encoding of bytes that have no NUL and aren't UTF-8."""
    from charset_normalizer import from_bytes

    high = _HIGH.search(data)
    sample = data[data.rfind(b"\n", 0, high.start()) + 1 if high else 0 :][:_LOOKED_AT]
    whole = sample[: sample.rfind(b"\n") + 1] or sample  # no character cut in two
    best = from_bytes(whole, cp_exclusion=list(_NOT_MEANT)).best()
    if best is None:
        raise Unreadable("The encoding of this text can't be told. Save it as UTF-8.")
    return _SUPERSETS.get(best.encoding, best.encoding)
