"""Whose address a connection has: nobody can say another one than a proxy that is named."""

import pytest

from server.settings.addresses import client_address, customer_of, is_among, is_loopback, networks_of
from server.settings.environment import Environment, SettingsError

PROXIES = networks_of(["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        pytest.param("203.0.113.5", [], "203.0.113.5", id="nobody says anything"),
        pytest.param("203.0.113.5", ["198.51.100.1"], "203.0.113.5", id="a stranger's word is not taken"),
        pytest.param("10.0.0.7", ["198.51.100.1"], "198.51.100.1", id="a proxy's is"),
        pytest.param("10.0.0.7", [], "10.0.0.7", id="a proxy that says nothing"),
        pytest.param("192.0.2.7", ["198.51.100.1"], "198.51.100.1", id="a single address"),
        pytest.param("192.0.2.8", ["198.51.100.1"], "192.0.2.8", id="its neighbour is a stranger"),
        pytest.param("10.0.0.7", ["1.1.1.1, 198.51.100.1"], "198.51.100.1", id="what the client put on the left"),
        pytest.param("10.0.0.7", ["10.0.0.9, 198.51.100.1"], "198.51.100.1", id="not even a proxy's address there"),
        pytest.param("10.0.0.7", ["198.51.100.1, 10.0.0.8"], "198.51.100.1", id="a proxy behind a proxy"),
        pytest.param("10.0.0.7", ["1.1.1.1, 198.51.100.1, 10.0.0.8, 192.0.2.7"], "198.51.100.1", id="three of them"),
        pytest.param("10.0.0.7", ["1.1.1.1", "198.51.100.1"], "198.51.100.1", id="two headers: the last is newer"),
        pytest.param("10.0.0.7", ["198.51.100.1", "10.0.0.8"], "198.51.100.1", id="two headers, two proxies"),
        pytest.param("10.0.0.7", ["10.1.1.1, 10.2.2.2"], "10.1.1.1", id="all of them proxies: the first"),
        pytest.param("10.0.0.7", ["unknown"], "10.0.0.7", id="no address"),
        pytest.param("10.0.0.7", [""], "10.0.0.7", id="empty"),
        pytest.param("10.0.0.7", ["198.51.100.1,"], "10.0.0.7", id="ends with a comma"),
        pytest.param("10.0.0.7", ["198.51.100.1, , 10.0.0.8"], "10.0.0.8", id="a hole: not believed beyond it"),
        pytest.param("10.0.0.7", ["198.51.100.1:4711"], "10.0.0.7", id="with a port"),
        pytest.param("10.0.0.7", ["198.51.100.01"], "10.0.0.7", id="a leading zero, which some read as octal"),
        pytest.param("10.0.0.7", ["198.51.100.1\x00"], "10.0.0.7", id="with a null byte"),
        pytest.param("10.0.0.7", ["3325256705"], "10.0.0.7", id="a number"),
        pytest.param("10.0.0.7", ["\t 198.51.100.1 \t"], "198.51.100.1", id="spaces and tabs"),
        pytest.param("::ffff:10.0.0.7", ["198.51.100.1"], "198.51.100.1", id="a proxy by a socket for both versions"),
        pytest.param("::ffff:203.0.113.5", ["1.1.1.1"], "203.0.113.5", id="a client by such a socket, in one form"),
        pytest.param("10.0.0.7", ["::ffff:198.51.100.1"], "198.51.100.1", id="forwarded in that form"),
        pytest.param("10.0.0.7", ["1.1.1.1, ::ffff:10.0.0.8"], "1.1.1.1", id="a mapped proxy in the middle"),
        pytest.param("2001:db8:1::1", ["2001:DB8:2:0:0::5"], "2001:db8:2::5", id="IPv6, in its short form"),
        pytest.param("2001:db8:2::1", ["1.1.1.1"], "2001:db8:2::1", id="IPv6 of a stranger"),
        pytest.param("fe80::1%eth0", ["1.1.1.1"], "fe80::1", id="a zone is no part of the address"),
        pytest.param("", ["1.1.1.1"], "", id="no peer, as on a Unix socket"),
        pytest.param("10.0.0.7", [", ".join(["10.0.0.8"] * 10_000)], "10.0.0.8", id="a whole head of hops"),
    ],
)
def test_the_first_address_from_the_right_that_is_no_named_proxy(
    peer: str, forwarded_for: list[str], address: str
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == address


def test_without_named_proxies_the_peer_is_who_counts() -> None:
    assert client_address("10.0.0.7", ["198.51.100.1"], ()) == "10.0.0.7"


def test_networks_are_told_apart() -> None:
    assert is_among("10.255.0.1", PROXIES)
    assert is_among("::ffff:10.255.0.1", PROXIES)
    assert is_among("10.255.0.1", networks_of(["::ffff:10.0.0.0/104"]))
    assert not is_among("11.0.0.1", PROXIES)
    assert not is_among("2001:db8:2::1", PROXIES)
    assert not is_among("proxy.example", PROXIES)
    assert is_among("10.0.0.200", networks_of(["10.0.0.7/24"])), "an address with a length means its network"
    assert is_among("198.51.100.1", networks_of(["0.0.0.0/0"]))
    assert not is_among("2001:db8::1", networks_of(["0.0.0.0/0"]))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "", "::ffff:10.0.0.1", "127.0.0"])
def test_everything_else_may_be_reached_from_elsewhere(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "10.0.0", "proxy.example", "*", "10.0.0.1-10.0.0.9"])
def test_a_network_that_is_none_is_refused(wrong: str) -> None:
    assert Environment({"P": "10.0.0.1, 2001:db8::/32"}).networks("P") == networks_of(["10.0.0.1", "2001:db8::/32"])
    with pytest.raises(SettingsError, match=r"P has '.*': set addresses and networks, such as 10.0.0.0/8"):
        Environment({"P": f"10.0.0.1,{wrong}"}).networks("P")


@pytest.mark.parametrize(
    ("address", "customer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_who_has_a_network_of_addresses_is_not_many_customers(address: str, customer: str) -> None:
    assert customer_of(address) == customer
