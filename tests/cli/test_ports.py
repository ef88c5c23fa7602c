"""Ports of one `up` never meet, and none is asked for that nobody will listen on."""

from cli.ports import HUBS_MAX, Ports


def test_no_two_parts_share_a_port() -> None:
    for ports in (Ports.from_base(8080, HUBS_MAX), Ports.free(HUBS_MAX)):
        numbers = list(ports.named(console=True, channels=True, observe=True, stream=True).values())
        assert len(numbers) == len(set(numbers)) == 10 + 3 * HUBS_MAX


def test_a_port_of_what_does_not_run_may_be_somebody_elses() -> None:
    ports = Ports.from_base(8080, 1)
    fewest = {8080, 8081, 8082, 8090, 8091, 8092}
    assert set(ports.named(console=False, channels=False, observe=False, stream=False).values()) == fewest
    assert set(ports.named(console=True, channels=False, observe=False, stream=False).values()) == {*fewest, 8083}
    assert set(ports.named(console=True, channels=True, observe=True, stream=True).values()) == {
        *fewest,
        *range(8083, 8090),
    }
