"""Where a broker is and who we are there: one line that names the setting and the fix, and never a password."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from followers.brokers.address import address_of
from followers.brokers.broker import Broker, broker_of
from followers.brokers.kafka_client import client_options
from followers.brokers.libraries import libraries
from followers.brokers.nats_client import NatsConnection
from followers.brokers.rabbitmq import RabbitmqConnection
from followers.brokers.rabbitmq_streams import StreamConnection
from server.settings.environment import Environment, SettingsError

TO = "STOCKWIRE_RELAY_TO"
USER = {"STOCKWIRE_BROKER_USER": "relay", "STOCKWIRE_BROKER_PASSWORD": "hunter2"}
OPTIONS = {"rabbitmq": ("exchange",)}


def broker(url: str, **more: str) -> Broker:
    return broker_of(Environment({TO: url, **more}), TO, OPTIONS)


def test_an_address_has_hosts_with_or_without_ports() -> None:
    address = address_of("kafkas://one:9093,two,[::1]:9094", OPTIONS)
    assert (address.kind, address.tls) == ("kafka", True)
    assert address.servers(9092) == ["one:9093", "two:9092", "[::1]:9094"]
    assert str(address) == "kafkas://one:9093,two,[::1]:9094"


def test_a_vhost_and_an_exchange_are_rabbitmqs() -> None:
    address = address_of("rabbitmq://broker/the%2Fshop?exchange=stock", OPTIONS)
    assert (address.kind, address.vhost, dict(address.options)) == ("rabbitmq", "the/shop", {"exchange": "stock"})
    assert address_of("rabbitmqs://broker/", OPTIONS).vhost == "/"
    assert address_of("tls://broker:4222", OPTIONS).kind == "nats"


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        ("http://broker", "must begin with one of kafka://"),
        ("kafka://relay:hunter2@broker:9092", "STOCKWIRE_BROKER_PASSWORD_FILE instead"),
        ("kafka://relay@broker:9092", "STOCKWIRE_BROKER_USER"),
        ("kafka://", "write host:port"),
        ("kafka://broker:99999", "write host:port"),
        ("kafka://broker:0", "write host:port"),
        ("kafka://one,,two", "write host:port"),
        ("kafka://[::1", "write kafka://host:port"),
        ("kafka://broker/topic", "take it out"),
        ("nats://broker?exchange=x", "take it out"),
        ("rabbitmq://broker?exchanges=x", "write exchange"),
        ("rabbitmq://broker?exchange=", "write ?exchange=value"),
        ("rabbitmq://broker?exchange=a&exchange=b", "leave one"),
        ("rabbitmq://broker/#there", "take it out"),
        ("kafka://" + ",".join(f"b{number}" for number in range(33)), "name those to begin with"),
    ],
)
def test_an_address_that_will_not_do_is_refused_with_the_fix(url: str, fix: str) -> None:
    with pytest.raises(SettingsError) as refused:
        broker(url)
    assert str(refused.value).startswith(f"{TO} ")
    assert fix in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "more", "named", "fix"),
    [
        ("kafka://b", {"STOCKWIRE_BROKER_USER": "x"}, "STOCKWIRE_BROKER_PASSWORD_FILE", "set both, or none"),
        ("kafka://b", {"STOCKWIRE_BROKER_PASSWORD": "x"}, "STOCKWIRE_BROKER_USER", "set both, or none"),
        ("kafka://b", {**USER, "STOCKWIRE_BROKER_SASL": "GSSAPI"}, "STOCKWIRE_BROKER_SASL", "SCRAM-SHA-512"),
        ("kafka://b", {"STOCKWIRE_BROKER_SASL": "PLAIN"}, "STOCKWIRE_BROKER_SASL", "unset it"),
        ("nats://b", {**USER, "STOCKWIRE_BROKER_SASL": "PLAIN"}, "STOCKWIRE_BROKER_SASL", "unset it"),
        ("kafka://b", {"STOCKWIRE_BROKER_CA_FILE": "/dev/null"}, "STOCKWIRE_BROKER_CA_FILE", "kafkas://"),
        ("kafkas://b", {"STOCKWIRE_BROKER_CA_FILE": "/nowhere"}, "STOCKWIRE_BROKER_CA_FILE", "name a readable file"),
        ("kafkas://b", {"STOCKWIRE_BROKER_CA_FILE": "/dev/null"}, "STOCKWIRE_BROKER_CA_FILE", "name a file in PEM"),
        ("kafkas://b", {"STOCKWIRE_BROKER_CERT_FILE": "/dev/null"}, "STOCKWIRE_BROKER_KEY_FILE", "set both, or none"),
    ],
)
def test_credentials_that_will_not_do_are_refused_with_the_fix(
    url: str, more: Mapping[str, str], named: str, fix: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        broker(url, **more)
    assert str(refused.value).startswith(named)
    assert fix in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_password_is_shown_to_kafka_and_to_nobody_who_looks() -> None:
    one = broker("kafka://broker", **USER, STOCKWIRE_BROKER_SASL="PLAIN")
    options = client_options(one, "test")
    assert (options["security.protocol"], options["sasl.mechanism"], options["sasl.password"]) == (
        "SASL_PLAINTEXT",
        "PLAIN",
        "hunter2",
    )
    assert "hunter2" not in repr(one)
    assert client_options(broker("kafkas://broker"), "test")["security.protocol"] == "SSL"


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (NatsConnection, "tls://127.0.0.1:1"),
        (RabbitmqConnection, "rabbitmqs://127.0.0.1:1"),
        (StreamConnection, "rabbitmqs://127.0.0.1:1"),
    ],
)
async def test_a_certificate_that_is_being_renewed_is_as_a_broker_that_is_away(
    kind: type[NatsConnection | RabbitmqConnection | StreamConnection], url: str, tmp_path: Path
) -> None:
    one = replace(broker(url), cert_file=tmp_path / "cert.pem", key_file=tmp_path / "key.pem")
    with pytest.raises(ConnectionError, match=r"STOCKWIRE_BROKER_CERT_FILE=.* do not belong together"):
        async with kind(one, "test"):
            pass


def test_a_client_that_is_not_installed_is_named_with_the_line_that_installs_it() -> None:
    line = r"pip --python \S+ install --require-hashes -r requirements-streams\.txt .*nowhere"
    with pytest.raises(SettingsError, match=line), libraries():
        import nowhere  # type: ignore[import-not-found]  # noqa: F401  # what is missing is the point
