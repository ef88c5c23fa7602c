"""Ports of one `up` never meet, and none is asked for that nobody will listen on."""

from cli.ports import HUBS_MAX, Ports


def test_no_two_parts_share_a_port() -> None:
    for ports in (Ports.from_base(8080, HUBS_MAX), Ports.free(HUBS_MAX)):
        numbers = list(ports.named(channels=True, observe=True).values())
        assert len(numbers) == len(set(numbers)) == 8 + 3 * HUBS_MAX


def test_a_port_of_what_does_not_run_may_be_somebody_elses() -> None:
    ports = Ports.from_base(8080, 1)
    assert set(ports.named(channels=False, observe=False).values()) == {8080, 8081, 8082, 8083, 8090, 8091, 8092}
    assert set(ports.named(channels=True, observe=True).values()) >= {8084, 8085, 8086, 8087}
