"""What is listened on, and what is said where that cannot be."""

import socket

import pytest

from server.http.listening import bind, url_of
from server.settings.environment import SettingsError
from tests.harness.waiting import PATIENCE_S


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_process_on_every_address_is_not_deaf_to_ipv4() -> None:
    with bind("::", 0, "A_HOST", "A_PORT") as listener:
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=PATIENCE_S).close()
        assert url_of("http", listener, None).startswith("http://[::]:")


def test_a_taken_port_does_not_send_the_operator_to_the_address() -> None:
    with bind("127.0.0.1", 0, "A_HOST", "A_PORT") as listener:
        with pytest.raises(SettingsError, match="set A_PORT to a free port"):
            bind("127.0.0.1", listener.getsockname()[1], "A_HOST", "A_PORT")
        assert url_of("ws", listener, object()) == f"wss://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "nowhere.invalid"])
def test_an_address_of_elsewhere_does_not_send_the_operator_to_the_port(host: str) -> None:
    with pytest.raises(SettingsError, match="set A_HOST to an address of this machine"):
        bind(host, 0, "A_HOST", "A_PORT")
