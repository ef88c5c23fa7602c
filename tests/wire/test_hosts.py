"""``Host``: what names nobody of ours is not for us."""

import pytest

from server.settings.environment import Environment, SettingsError
from wire.hosts import is_allowed_host, is_one_host

ALLOWED = ("stock.example", "hub.example:8090", "127.0.0.1", "[::1]")


@pytest.mark.parametrize(
    "host",
    ["stock.example", "STOCK.Example", "stock.example:443", "hub.example:8090", "127.0.0.1:1", "[::1]", "[::1]:8080"],
)
def test_a_host_of_ours_is_allowed(host: str) -> None:
    assert is_allowed_host([host], ALLOWED)


@pytest.mark.parametrize(
    "named",
    [
        [],
        [""],
        ["evil.example"],
        ["stock.example.evil.example"],
        ["evil.example:stock.example"],
        ["stock.example."],
        ["stock.example:"],
        ["stock.example:80:80"],
        ["stock.example:٤"],
        ["stock.example@evil.example"],
        ["hub.example"],
        ["hub.example:80"],
        ["::1"],
        ["stock.example", "stock.example"],
        ["stock.example", "evil.example"],
        ["stock.example, evil.example"],
    ],
    ids=str,
)
def test_another_host_is_not(named: list[str]) -> None:
    assert not is_allowed_host(named, ALLOWED)
    assert is_allowed_host(named, ())


def test_hosts_are_read_in_lower_case() -> None:
    assert Environment({"H": "Stock.example, h:80,[::1]"}).hosts("H") == ("stock.example", "h:80", "[::1]")


@pytest.mark.parametrize("host", ["https://h", "h/x", "*", "*.example", "h:port", "a b", "::1"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=r"H has '.*': set each host"):
        Environment({"H": host}).hosts("H")


@pytest.mark.parametrize("zone", ["", "%eth0", "%25eth0", "%25wlp0s20f3.7"])
def test_an_address_with_its_zone_is_one_host_as_clients_send_it(zone: str) -> None:
    assert is_one_host([f"[fe80::1{zone}]"])
    assert is_one_host([f"[fe80::1{zone}]:8080"])


@pytest.mark.parametrize(
    "host", ["[fe80::1%]", "[fe80::1%a b]", "[fe80::1%a/b]", "[fe80::1%a@b]", "[fe80::1%a", "fe80::1%eth0"]
)
def test_what_only_resembles_an_address_with_a_zone_is_no_host(host: str) -> None:
    assert not is_one_host([host])
