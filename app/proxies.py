"""From which address does a request come? The peer's, or what a proxy says that this school runs itself."""

from collections.abc import Hashable
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import hdrs, web


class Proxies:
    """The proxies in front: what they say of where a request came from is believed, and nobody else."""

    def __init__(self, listed: str) -> None:
        """`listed`: addresses and networks, with commas between. Raises ValueError."""
        self._networks = [ip_network(part.strip()) for part in listed.split(",") if part.strip()]

    def client(self, request: web.BaseRequest) -> Hashable:
        """An address; of IPv6 the network of one household or school, which has addresses without end.

        Each proxy adds on the right whom it heard (`X-Forwarded-For`), so that is read from there, as far as the
        proxies are ours.
        """
        found = request.remote or ""
        heard = [part for line in request.headers.getall(hdrs.X_FORWARDED_FOR, ()) for part in line.split(",")]
        for said in reversed(heard):
            if not self._trusts(found):
                break
            found = said.strip()
        try:
            address = ip_address(found)
        except ValueError:
            return found if found == request.remote else ""
        if isinstance(address, IPv6Address):
            return address.ipv4_mapped or IPv6Network((int(address) >> 64 << 64, 64))
        return address

    def _trusts(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            return any(ip_address(address) in network for network in self._networks)
        except ValueError:
            return False
