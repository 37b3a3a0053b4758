"""Where a summarization worker and its helpers may connect to: what is pinned, and what a name may have led to before."""

from __future__ import annotations

from dataclasses import dataclass, field

from earmark.proof.running.seen import Act
from earmark.proof.running.setting import Setting, plain, shown

LOOKUPS = (
    "unix /var/run/nscd/", "unix /run/nscd/", "unix /run/systemd/userdb/", "unix /var/lib/sss/pipes/",
    "unix /run/nslcd/", "unix /var/run/nslcd/", "unix /run/samba/winbindd/", "unix /var/run/samba/winbindd/",
)  # fmt: skip
"""Where the C library asks who a user is (nsswitch.conf(5)). No word goes there."""

RESOLVERS = (
    "unix /run/systemd/resolve/", "unix /run/systemd/machine/", "unix /run/avahi-daemon/socket",
    "unix /var/run/avahi-daemon/socket",
)  # fmt: skip
"""Where the C library asks for the address of a name (nss-resolve, nss-mymachines, nss-mdns)."""

ROTATES = (
    "the server's name did not lead there while this check looked, and may have before: the certificate tells who answers. "
    "Ask again once the worker is a new one (after idle_seconds)"
)


def is_resolver(address: str, setting: Setting) -> bool:
    """Whether names are looked up at this address and port."""
    host, _, port = plain(address).rpartition(":")
    return port == "53" and host.strip("[]") in setting.resolvers


@dataclass
class Reach:
    """`former` fills with where the server's name may have led before, and words went."""

    setting: Setting
    former: set[str] = field(default_factory=set)

    def allowed(self, act: Act, before: bool) -> bool:
        """Whether it may go there. `before`: its doors were not shut yet, and it knew no word."""
        address = plain(act.about)
        if address in {plain(shown(ip, port)) for ip, port in self.setting.pinned} or address.startswith(
            LOOKUPS
        ):
            return True
        if act.what == "connect" and self.setting.may_be_former(address):
            self.former.add(address)
            return True
        host = address.rpartition(":")[0]
        if not before:
            return False
        if act.what == "aim" and self._is_among(host):
            return True  # how the C library sorts addresses: a datagram socket is aimed, and nothing is sent
        if act.what in ("connect", "aim") and address == "AF_UNSPEC":
            return True
        return self.setting.named and (
            is_resolver(address, self.setting) or address == "AF_NETLINK" or address.startswith(RESOLVERS)
        )

    def _is_among(self, host: str) -> bool:
        """Whether the server's name may have this address, at whatever port."""
        port = self.setting.within[1] if self.setting.within else 0
        return host.strip("[]") in {ip for ip, _ in self.setting.pinned} or self.setting.may_be_former(
            f"{host}:{port}"
        )

    def allowed_row(self, row: str) -> bool:
        """Whether it may have this socket."""
        table, _, remote = row.partition(" ")
        if table == "unix" or (table == "netlink" and self.setting.named):
            return True
        pinned = {plain(shown(ip, port)) for ip, port in self.setting.pinned}
        if plain(remote) in pinned | {"0.0.0.0:0", "[::]:0"}:
            return True
        if self.setting.may_be_former(remote):
            self.former.add(plain(remote))
            return True
        return False
