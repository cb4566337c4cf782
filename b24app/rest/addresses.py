"""Which addresses we are willing to talk to. Pure, except that names are resolved elsewhere."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from b24app.rest.errors import AddressRefused

_LOCAL_SUFFIXES = (".local", ".localhost", ".internal", ".lan", ".home", ".corp", ".intranet")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_endpoint(endpoint: str, *, allow_private: bool = False) -> str:
    """The REST address `scheme://host[:port]/rest/`, checked and written in one way.

    A host alone is taken as https. Names that resolve to private addresses are caught at connection.

    Raises:
        AddressRefused: not https, a user name in it, or a private, loopback or local host, unless
            `allow_private`.
    """
    parts = _split(endpoint)
    host = parts.hostname or ""
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused("address_refused", "the address is neither https nor http")
    if parts.scheme != "https" and not allow_private:
        raise AddressRefused("address_refused", "the address is not https")
    if parts.username is not None or parts.password is not None or not host or "\\" in endpoint:
        raise AddressRefused("address_refused", "the address is malformed")
    if not allow_private and is_local_name(host):
        raise AddressRefused("address_refused", "the address is private")
    return f"{parts.scheme}://{host_of(endpoint)}/rest/"


def host_of(address: str) -> str:
    """Host of an URL or of `host[:port]`, lower case, with its port unless that is the scheme's own."""
    parts = _split(address)
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme):
        return host
    if "://" not in address and parts.port in _DEFAULT_PORTS.values():
        return host  # a bare host says no scheme: both standard ports are left out
    return f"{host}:{parts.port}"


def is_local_name(host: str) -> bool:
    """Whether the host is a literal private address or a name that only a local network knows."""
    name = host.lower().rstrip(".")
    try:
        return is_private_ip(name)
    except ValueError:
        pass
    return "." not in name or name.endswith(_LOCAL_SUFFIXES) or name.replace(".", "").isdigit()


def is_private_ip(address: str) -> bool:
    """Whether the IP address is anything but a public unicast one.

    Raises:
        ValueError: no IP address.
    """
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if inner is not None:
        return is_private_ip(str(inner))
    return not ip.is_global or ip.is_multicast


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        _ = parts.port  # raises when it is no number
    except ValueError as error:
        raise AddressRefused("address_refused", "the address is malformed") from error
    return parts
