"""Markdown to pieces of safe HTML, one a top-level block. Owns the parser, its limits and what it makes of links."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from agentbench.notebook.render.allowed import clean, is_link, is_shown_image
from agentbench.notebook.render.code import code_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping, Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.utils import OptionsDict

__all__ = ["LONGEST", "Piece", "html_of", "pieces_of", "raw", "read"]

LONGEST = 100_000  # characters that are laid out; the parser takes up to 20 µs for each of a hostile text
_LONGEST_REMEMBERED = 8_000
_LONGEST_INLINE = 20_000
_DEEPEST = 20
_DIRECTED = {f"{name}_open" for name in ("paragraph", "heading", "bullet_list", "ordered_list", "td", "th")}
_SCHEME = re.compile(r"(?<![a-zA-Z0-9+.-])https?$", re.IGNORECASE)
_ADDRESS = re.compile(r"://[^\s<>\"`|\[\]{}\\^\x00-\x20]+")
_MATHS = re.compile(
    r"\$\$[^$`]{1,2000}\$\$|\$(?![ $])[^$\n`]{1,500}(?<! )\$(?!\d)"
    r"|\\\((?s:.){1,500}?\\\)|\\\[(?s:.){1,2000}?\\\]"
)
_AFTER_ADDRESS = ".,:;!?'*_~"


class Piece(NamedTuple):
    """A top-level block as HTML, and the line that it starts on, from 0."""

    line: int
    html: str


def html_of(markdown: str) -> str:
    """Return Markdown as HTML in which nothing is live but links to the web and to mail."""
    return "".join(pieces_of(markdown))


def pieces_of(markdown: str) -> list[str]:
    """Return the HTML of each top-level block; what comes after the first 100,000 characters is shown as written."""
    return list((_remembered if len(markdown) <= _LONGEST_REMEMBERED else _pieces)(markdown))


def _pieces(markdown: str) -> tuple[str, ...]:
    text, rest = markdown, ""
    if len(markdown) > LONGEST:
        cut = max(markdown.rfind("\n\n", 0, LONGEST), 0)
        text, rest = markdown[:cut], markdown[cut:].lstrip("\n")
    pieces = tuple(piece.html for piece in read(tidy(text), {}))
    return (*pieces, raw(rest)) if rest else pieces


_remembered = lru_cache(maxsize=1_000)(_pieces)  # a record is drawn again after each turn


def raw(text: str) -> str:
    """Return text as HTML that shows it as it was written."""
    return clean(f'<pre class="ab-raw" dir="auto"><code>{escape(tidy(text))}</code></pre>')


def tidy(text: str) -> str:
    """Return text with line feeds only, and without halves of characters, which no address may hold."""
    return text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def read(text: str, env: MutableMapping[str, Any]) -> Iterator[Piece]:
    """Yield the pieces of a tidy text; `env` is the parser's: the link references so far go in and come out."""
    parser = _parser()
    tokens = parser.parse(text, env)
    start = 0
    for end, token in enumerate(tokens, 1):
        if token.level or token.nesting > 0:
            continue
        block, start = tokens[start:end], end
        first, last = block[0].map or (0, 0)
        if any(each.level >= _DEEPEST - 1 for each in block):  # deeper down the parser drops text
            yield Piece(first, raw("\n".join(text.split("\n")[first:last])))
        else:
            yield Piece(first, clean(parser.renderer.render(block, parser.options, env)))


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return is_link(url) or is_shown_image(url)


@cache
def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    parser.inline.ruler.after("text", "maths", _maths)
    parser.inline.ruler.after("text", "address", _address)
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.push("addresses", _addresses)
    parser.core.ruler.push("directions", _directions)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("code_block", _fence)
    return parser


def _maths(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the library's shape of a rule
    """Keep maths as it was written: its backslashes, stars and lines are its own."""
    found = _MATHS.match(state.src, state.pos, state.posMax) if state.src[state.pos] in "$\\" else None
    if not found:
        return False
    if not silent:
        state.pending += found[0]
    state.pos = found.end()
    return True


def _address(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the library's shape of a rule
    """Make a link of a bare web address. The library's own rule takes the square of the time on hostile text."""
    scheme = _SCHEME.search(state.pending[-8:]) if state.src.startswith("://", state.pos) else None
    found = _ADDRESS.match(state.src, state.pos, state.posMax) if scheme and not state.linkLevel else None
    if not scheme or not found:
        return False
    rest = found[0].rstrip(_AFTER_ADDRESS)
    if rest.endswith(")") and rest.count("(") < rest.count(")"):
        rest = rest.rstrip(")" + _AFTER_ADDRESS)
    href = state.md.normalizeLink(scheme[0] + rest)
    if len(rest) <= len("://") or not state.md.validateLink(href):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.push("text", "", 0).content = scheme[0] + rest
        state.push("link_close", "a", -1)
    state.pos += len(rest)
    return True


def _inline(state: StateCore) -> None:
    """Read what is inside blocks, except where that is so long that no person wrote it."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        if len(token.content) > _LONGEST_INLINE:
            token.children = [Token("text", "", 0, content=token.content)]
        else:
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _addresses(state: StateCore) -> None:
    for token in state.tokens:
        if token.children:
            token.children = list(_with_addresses_checked(token.children))


def _with_addresses_checked(children: Sequence[Token]) -> Iterator[Token]:
    """Yield what is inside a block, with a link for an image that isn't shown, and words for a link to an image."""
    link: Token | None = None
    for child in children:
        if child.type == "link_open":
            link = child
        if child.type in ("link_open", "link_close"):
            if link and is_link(str(link.attrs["href"])):
                yield child
            link = link if child.type == "link_open" else None
        elif child.type == "image":
            yield from _image(child, in_link=link is not None)
        else:
            yield child


def _image(image: Token, *, in_link: bool) -> Iterable[Token]:
    source = str(image.attrs["src"])
    if is_shown_image(source):
        return [image]
    words = Token("text", "", 0, content=image.content or source)
    link = Token("link_open", "a", 1, attrs={"href": source})
    return [words] if in_link or not is_link(source) else [link, words, Token("link_close", "a", -1)]


def _directions(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in _DIRECTED:
            token.attrSet("dir", "auto")


def _fence(_: RendererHTML, tokens: Sequence[Token], index: int, __: OptionsDict, ___: object) -> str:
    token = tokens[index]
    language = token.info.split(maxsplit=1)
    return f"<pre><code>{code_html(token.content, language[0] if language else '')}</code></pre>\n"
