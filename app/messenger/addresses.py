"""Which addresses of a messenger are sound? Read once, when the program starts."""

import secrets
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

ROOM = "{room}"
WEBHOOK = "webhook+"


def bridge_address(url: str) -> str:
    """Where a bridge is told of what happens, from `webhook+https://...`. Raises ValueError with one line."""
    address = url.removeprefix(WEBHOOK)
    if address == url:
        raise ValueError("builtin: and webhook+https://... are known")
    parts = _sound(address)
    if parts.username or parts.password or parts.fragment:
        raise ValueError("neither a name, nor a password, nor a fragment belongs into a bridge's address")
    return address


def issuer_address(url: str) -> str:
    """An OpenID provider, as it calls itself. Raises ValueError with one line."""
    if urlsplit(provider_address(url)).query:
        raise ValueError("an issuer has no query")
    return url


def provider_address(url: str) -> str:
    """Where an OpenID provider is asked, or sends the browser. Raises ValueError with one line."""
    parts = _sound(url)
    if parts.username or parts.password or parts.fragment:
        raise ValueError("neither a name, nor a password, nor a fragment belongs into this address")
    return url


def home_address(url: str) -> str:
    """A page. Raises ValueError with one line."""
    _sound(url)
    return url


def call_address(template: str) -> str:
    """Where calls are held, with `{room}` once, below the host. Raises ValueError with one line."""
    parts = _sound(template.replace(ROOM, "room"))
    if template.count(ROOM) != 1 or ROOM in template.partition("://")[2].partition("/")[0]:
        raise ValueError(f"{ROOM} is wanted once, after the host, as in https://meet.example.org/{ROOM}")
    if "{" in parts.geturl() or "}" in parts.geturl():
        raise ValueError(f"nothing but {ROOM} stands in braces")
    return template


def new_room(template: str) -> str:
    """The address of a room that nobody guesses: in small letters and digits, which all conferences tell apart."""
    return template.replace(ROOM, secrets.token_hex(16))


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sound(address: str) -> SplitResult:
    """Encrypted, or to this machine alone."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    is_plain = address.isascii() and address.isprintable() and " " not in address
    if not host or not is_plain or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise ValueError("https://... is wanted; http:// to this machine alone")
    return parts
