"""Whom a connection counts for, behind proxies that are named and others."""

import pytest

from hub.entry.door import Caller, Door
from hub.limits import Limits
from server.http.connection_table import ConnectionTable
from server.settings.addresses import Network, networks_of

TRUSTED, NOBODY = networks_of(["127.0.0.0/8"]), networks_of(["10.0.0.0/8"])


@pytest.mark.parametrize(("proxies", "refused"), [(TRUSTED, False), (NOBODY, True)])
def test_a_hub_counts_addresses_by_whom_a_named_proxy_says(proxies: tuple[Network, ...], refused: bool) -> None:
    door = Door(Limits(connections_per_address_max=1), 0.0, proxies)
    for number, said in enumerate((["1.1.1.1, 198.51.100.1"], ["198.51.100.2"])):
        assert door.located(Caller(), "127.0.0.1", said) is (number == 0 or not refused)


def test_a_ledger_does_not_count_connections_of_a_named_proxy() -> None:
    assert ConnectionTable(10, 1, TRUSTED).counted("127.0.0.1") == ""
    assert ConnectionTable(10, 1, NOBODY).counted("127.0.0.1") == "127.0.0.1"
