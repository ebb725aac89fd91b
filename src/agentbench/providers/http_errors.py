"""What goes wrong with a connection, as one of our errors."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx2

from agentbench.errors import UpstreamError, UpstreamGarbled, UpstreamTimeout, UpstreamUnavailable
from agentbench.providers.mask import shown

if TYPE_CHECKING:
    from agentbench.config.endpoint import Endpoint

__all__ = ["certificate_error", "not_its_api", "silent", "transport_error"]


def not_its_api(response: httpx2.Response, endpoint: Endpoint) -> UpstreamGarbled:
    """Return the error of an answer that isn't what was asked for."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    what = kind if kind and kind != "application/json" else "something else"
    return UpstreamGarbled(
        f"{endpoint.name} answered with {what}, not with its API. Check baseURL: {endpoint.base_url}.",
        endpoint=endpoint.name,
    )


def _timed_out(endpoint: Endpoint, what: str, key: str) -> UpstreamTimeout:
    return UpstreamTimeout(f"{endpoint.name} {what}. Try again, or raise {key}.", endpoint=endpoint.name)


def silent(endpoint: Endpoint, key: str, seconds: float) -> UpstreamTimeout:
    """Return the error of an upstream that said nothing for so many seconds, which `key` of the config may change."""
    what = "fell silent" if key == "silenceTimeout" else "said nothing"
    return _timed_out(endpoint, f"{what} for {seconds:g} s", key)


def transport_error(error: httpx2.HTTPError, endpoint: Endpoint) -> UpstreamError:
    """Return what went wrong on the way, in our words."""
    name, url = endpoint.name, endpoint.base_url
    if isinstance(error, httpx2.ConnectTimeout):
        seconds = endpoint.timeouts.connect
        return _timed_out(endpoint, f"can't be reached: no connection to {url} within {seconds:g} s", "connectTimeout")
    if isinstance(error, httpx2.ReadTimeout):
        return silent(endpoint, "silenceTimeout", endpoint.timeouts.silence)
    if isinstance(error, httpx2.TimeoutException):
        return UpstreamTimeout(f"{name} didn't take the request in time. Try again.", endpoint=name)
    if isinstance(error, httpx2.ConnectError):
        return _no_connection(error, endpoint)
    return _broken(error, shown(error, endpoint), name)


def _broken(error: httpx2.HTTPError, said: str, name: str) -> UpstreamError:
    if isinstance(error, httpx2.DecodingError):
        return UpstreamGarbled(f"{name} packed its answer in a way that can't be read. ({said})", endpoint=name)
    if isinstance(error, httpx2.UnsupportedProtocol):
        return UpstreamUnavailable(f"{name}: the base URL is not valid: {said}", endpoint=name)
    return UpstreamUnavailable(
        f"{name} dropped the connection. Try again.{f' ({said})' if said else ''}", endpoint=name
    )


def _no_connection(error: httpx2.ConnectError, endpoint: Endpoint) -> UpstreamUnavailable:
    name, url = endpoint.name, endpoint.base_url
    message = f"{name} can't be reached at {url}. Is it running, and is baseURL right?"
    if (untrusted := certificate_error(error)) is not None:
        why = f"{name}'s certificate can't be verified: {untrusted.verify_message}"
        message = f"{why}. Correct baseURL: {url}, or name the certificates to trust in SSL_CERT_FILE."
    return UpstreamUnavailable(message, endpoint=name)


def certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the trouble with a certificate that lies behind an error."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
