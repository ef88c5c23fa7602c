"""Who is reached: URLs and names, and what each of them meets, when an endpoint is made and when it is sent to.

Every row is sent for real, to a listener that would answer: nobody may get to it but who is meant to.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

import pytest
from aiohttp.abc import ResolveResult

from followers.outward.addresses import Addresses, UrlRefused, closed_kind, readings
from followers.outward.sessions import UNREADABLE
from followers.webhooks.sender import Sender
from server.settings.addresses import networks_of
from tests.followers.webhooks.receiving import Names, Receiver

OPEN = networks_of(["127.0.0.2/32"])
"""What stands for the world outside: the only address of this machine that may be reached."""
HERE = "this host"
CLOSED = "leads to an address that is not reached from here ({})"


@dataclass(frozen=True, slots=True)
class Row:
    """``refused``: what is said when an endpoint is made; None: it looks well, and ``met`` is what sending says."""

    url: str
    refused: str | None = None
    met: str | None = None


def closed(url: str, kind: str) -> Row:
    return Row(url, CLOSED.format(kind), CLOSED.format(kind))


def odd(url: str) -> Row:
    """The system's resolver reads it as this host, where aiohttp lets it come so far."""
    met = CLOSED.format(HERE) if "0x" in url else UNREADABLE
    return Row(url, "has a number for a host: write an address as four decimal numbers", met)


NAMES: Mapping[str, tuple[str, ...]] = {
    "localhost": ("127.0.0.1", "::1"),
    "LOCALHOST.": ("127.0.0.1",),
    "api.localhost": ("127.0.0.1",),
    "loopback.example": ("127.0.0.1",),
    "six.example": ("::1",),
    "private.example": ("10.1.2.3", "192.168.1.1"),
    "unique-local.example": ("fd12:3456::1",),
    "metadata.example": ("169.254.169.254",),
    "azure.example": ("168.63.129.16",),
    "ec2-six.example": ("fd00:ec2::254",),
    "mapped.example": ("::ffff:127.0.0.1",),
    "nat64.example": ("64:ff9b::7f00:1",),
    "zero.example": ("0.0.0.0",),
    "multicast.example": ("224.0.0.251", "ff02::fb"),
    "carrier.example": ("100.64.0.1",),
    "broadcast.example": ("255.255.255.255",),
}
ROWS = [
    # not https, or nothing that could be asked for
    Row("ftp://shop.example/", "must begin with https://"),
    Row("//shop.example/", "must begin with https://"),
    Row("file:///etc/passwd", "must begin with https://"),
    Row("gopher://shop.example:443/_", "must begin with https://"),
    Row("https://", "names no host"),
    Row("https:///path", "names no host"),
    Row("https://shop.example:0x1bb/", "has a host or port that cannot be read"),
    Row("https://shop.example:99999/", "has a host or port that cannot be read"),
    Row("https://[::1/", "has a host or port that cannot be read"),
    Row("https://shop.example/#part", "has a fragment, which is never sent: leave it out"),
    Row("https://shop.example\\@127.0.0.1/", "must be visible ASCII characters"),
    Row("https://shop.example/\r\nX-Evil: 1", "must be visible ASCII characters"),
    Row("https://shop.example/ two", "must be visible ASCII characters"),
    Row("https://käse.example/", "must be visible ASCII characters"),
    Row("https://１２７.0.0.1/", "must be visible ASCII characters"),
    Row("https://shop.example/" + "a" * 2_048, "has 2069 characters: at most 2048"),
    Row("https://-shop-.example-/", "has a host that is no name"),
    Row("https://shop..example/", "has a host that is no name"),
    # credentials
    Row("https://user:password@shop.example/", "has credentials: a receiver trusts the signature, leave them out"),
    Row("https://127.0.0.1@shop.example/", "has credentials: a receiver trusts the signature, leave them out"),
    Row("https://@shop.example/", "has credentials: a receiver trusts the signature, leave them out"),
    # literal addresses
    closed("https://127.0.0.1:{port}/", HERE),
    closed("https://127.8.9.10:{port}/", HERE),
    closed("https://0.0.0.0:{port}/", HERE),
    closed("https://[::1]:{port}/", HERE),
    closed("https://[::]:{port}/", HERE),
    closed("https://[::ffff:127.0.0.1]:{port}/", HERE),
    closed("https://[::ffff:7f00:1]:{port}/", HERE),
    closed("https://[::127.0.0.1]:{port}/", HERE),
    closed("https://[64:ff9b::127.0.0.1]:{port}/", HERE),
    closed("https://[64:ff9b:1::7f00:1]:{port}/", "reserved"),
    closed("https://[2002:7f00:1::]:{port}/", HERE),
    closed("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]:{port}/", "reserved"),
    closed("https://[2600::5efe:10.0.0.1]:{port}/", "private"),
    closed("https://10.0.0.1:{port}/", "private"),
    closed("https://172.31.255.255:{port}/", "private"),
    closed("https://192.168.0.1:{port}/", "private"),
    closed("https://[fe80::1]:{port}/", "link-local"),
    closed("https://169.254.169.254/latest/meta-data/", "link-local"),
    closed("https://100.100.100.200/", "private"),
    closed("https://[ff02::1]/", "multicast"),
    Row("https://[fe80::1%25eth0]/", "has a zone in its address: only this network knows it"),
    closed("https://localhost:{port}/", HERE),
    closed("https://LOCALHOST.:{port}/", HERE),
    closed("https://api.localhost:{port}/", HERE),
    # notations that some read as an address
    odd("https://2130706433:{port}/"),
    odd("https://0x7f000001:{port}/"),
    odd("https://017700000001:{port}/"),
    odd("https://127.1:{port}/"),
    odd("https://0177.0.0.1:{port}/"),
    odd("https://127.0.0.0x1:{port}/"),
    odd("https://127.0.0.1.:{port}/"),
    Row("https://127%2e0.0.1:{port}/", "has a number for a host: write an address as four decimal numbers"),
    Row("https://shop%2eexample/", "has a host that is no name"),
    # names that lead where nobody may go: found at the connect
    *(
        Row(f"https://{name}:{{port}}/", None, CLOSED.format(kind))
        for name, kind in {
            "loopback.example": HERE,
            "six.example": HERE,
            "private.example": "private",
            "unique-local.example": "private",
            "metadata.example": "link-local",
            "azure.example": "metadata",
            "ec2-six.example": "private",
            "mapped.example": HERE,
            "nat64.example": HERE,
            "zero.example": HERE,
            "multicast.example": "multicast",
            "carrier.example": "private",
            "broadcast.example": "reserved",
        }.items()
    ),
    Row("https://loopback.example:22/", None, "uses port 22, which is not one of 443, {port}"),
    Row("http://loopback.example:{port}/", None, "is not encrypted: use https"),
    Row("http://127.0.0.1:{port}/", "is not encrypted: use https", "is not encrypted: use https"),
    Row("https://nowhere.example:{port}/", None, "has a name that cannot be resolved"),
]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver("0.0.0.0") as receiver:
        yield receiver


async def test_each_url_and_name_meets_what_the_table_says_and_nobody_is_reached(receiver: Receiver) -> None:
    addresses = Addresses(OPEN, frozenset({443, receiver.port}))
    wrong = []
    async with Sender(addresses, resolver=Names(NAMES)) as sender:
        for row in ROWS:
            url = row.url.format(port=receiver.port)
            refused = refusal_of(addresses, url)
            if not (refused is None if row.refused is None else refused and refused.startswith(row.refused)):
                wrong.append(f"{url} when it is made: {refused}, expected {row.refused}")
            if row.met is not None:
                met = (await sender.send(url, {}, b"{}")).failure
                if met != row.met.format(port=receiver.port):
                    wrong.append(f"{url} when it is sent to: {met}, expected {row.met}")
    assert not wrong, "\n".join(wrong)
    assert receiver.connections == 0
    assert len(ROWS) >= 40


def refusal_of(addresses: Addresses, url: str) -> str | None:
    try:
        addresses.check_url(url)
    except UrlRefused as refused:
        return str(refused)
    return None


async def test_a_name_that_leads_elsewhere_by_the_time_of_the_connect_gets_nowhere(receiver: Receiver) -> None:
    """Rebinding: the first look at the name shows an address that may be reached, the next ones this host."""
    names = Names({"rebinding.example": ("127.0.0.2",)})
    url = f"http://rebinding.example:{receiver.port}/"
    async with Sender(Addresses(OPEN), resolver=names) as sender:
        receiver.answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
        assert (await sender.send(url, {}, b"{}")).status == 204
        names.leads_to("rebinding.example", "127.0.0.1")
        assert (await sender.send(url, {}, b"{}")).failure == "is not encrypted: use https"
    assert receiver.connections == 1


async def test_a_resolver_that_answers_one_thing_and_connects_another_gets_nowhere(receiver: Receiver) -> None:
    """The address is looked at once more when its socket is made, whatever the resolver said before."""

    class Lying(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            found = await super().resolve(host, port, family)
            return [Changing(one) for one in found]  # type: ignore[misc]

    class Changing(dict):  # type: ignore[type-arg]
        looks = 0

        def __getitem__(self, name: str) -> object:
            if name == "host":
                self.looks += 1
                return "127.0.0.2" if self.looks == 1 else "127.0.0.1"
            return super().__getitem__(name)

    async with Sender(Addresses(OPEN), resolver=Lying({"lying.example": ("127.0.0.2",)})) as sender:
        outcome = await sender.send(f"http://lying.example:{receiver.port}/", {}, b"{}")
    assert outcome.failure == "is not encrypted: use https"
    assert receiver.connections == 0


async def test_of_several_addresses_only_those_that_may_be_reached_are_tried(receiver: Receiver) -> None:
    names = Names({"mixed.example": ("127.0.0.1", "127.0.0.2")})
    async with Sender(Addresses(OPEN), resolver=names) as sender:
        assert (await sender.send(f"http://mixed.example:{receiver.port}/", {}, b"{}")).status == 200
    assert receiver.reached == ["127.0.0.2"]


async def test_a_redirect_is_a_failure_and_nobody_goes_there(receiver: Receiver) -> None:
    async with Receiver("127.0.0.1") as inside:
        receiver.answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:%d/\r\n\r\n" % inside.port
        async with Sender(Addresses(OPEN)) as sender:
            outcome = await sender.send(f"http://127.0.0.2:{receiver.port}/", {}, b"{}")
        assert (outcome.status, outcome.failure) == (307, None)
        await asyncio.sleep(0)
        assert inside.connections == 0


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_everybody_are_open(text: str) -> None:
    assert all(closed_kind(one) is None for one in readings(ip_address(text)))
    assert Addresses().refusal(text, 443) is None


def test_networks_that_are_opened_are_reached_also_as_a_gateway_writes_them() -> None:
    addresses = Addresses(networks_of(["10.0.0.0/8", "fd00::/8"]))
    assert addresses.refusal("10.1.1.1", 8080) is None
    assert addresses.refusal("64:ff9b::a01:101", 443) is None
    assert addresses.refusal("fd00::1", 9000) is None
    assert addresses.refusal("192.168.0.1", 443) is not None
    assert addresses.unencrypted().refusal("8.8.8.8", 443) == "is not encrypted: use https"


def test_without_an_opened_network_nothing_goes_unencrypted() -> None:
    assert refusal_of(Addresses(), "http://shop.example/") == "must begin with https://"
    assert refusal_of(Addresses(), "https://shop.example:8080/") == "has port 8080: use one of 443, 8443"
    assert refusal_of(Addresses(), "https://shop.example:8443/hooks?shop=1") is None
