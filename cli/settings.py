"""What `stockwire up` was asked for, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cli.ports import BASE_MAX, HUBS_MAX, Ports, choose
from cli.stream_brokers import SCHEMES
from server.broker.broker_url import broker_url_of
from server.log import TEXT, log_form
from server.settings.database_url import database_url_of
from server.settings.environment import Environment, SettingsError, number_of, whole_of
from wire.channels import DEFAULT_PREFIX

PORT_MIN = 1024
SPEED_MAX = 10_000.0


@dataclass(frozen=True, slots=True)
class UpSettings:
    """``port`` 0: free ports. ``replay``: changes per second, 0: none. ``console``, ``channels``: whether to run one;
    ``observe``: an exporter, and a Prometheus where there is one. The URLs are None for the embedded servers.
    ``stream``: the kind of broker that a relay writes to, "" for none; ``relay_to``: where it is, "" to start one.
    ``origins``: of pages that may call, beside that of the sample shop. ``log``: `TEXT` or `JSON`."""

    data: Path
    reset: bool
    port: int
    replay: float
    hubs: int
    console: bool
    channels: bool
    observe: bool
    stream: str
    database_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)
    channel_prefix: str
    relay_to: str = ""
    origins: tuple[str, ...] = ()
    log: str = TEXT

    def ports(self) -> Ports:
        """Raises SettingsError when one is taken that will be listened on."""
        return choose(
            self.port,
            self.hubs,
            console=self.console,
            channels=self.channels,
            observe=self.observe,
            stream=bool(self.stream),
        )

    @classmethod
    def read(
        cls,
        *,
        data: Path,
        reset: bool,
        port: int,
        replay: float,
        hubs: int,
        console: bool = True,
        channels: bool = False,
        observe: bool = False,
        stream: str = "",
        variables: Mapping[str, str],
    ) -> Self:
        """Raises SettingsError."""
        environment = Environment(variables)
        environment.refuse_unknown()
        if port and not PORT_MIN <= port <= BASE_MAX:
            raise SettingsError(f"--port {port} is out of range: choose {PORT_MIN} to {BASE_MAX}, or 0 for free ports")
        if not 0 <= replay <= SPEED_MAX:
            raise SettingsError(f"--replay {replay:g} is out of range: choose 0 to {SPEED_MAX:g} changes per second")
        if not 1 <= hubs <= HUBS_MAX:
            raise SettingsError(f"--hubs {hubs} is out of range: choose 1 to {HUBS_MAX}")
        if stream and stream not in SCHEMES:
            raise SettingsError(f"--stream {stream} is none of {', '.join(SCHEMES)}: choose one")
        database = environment.has_secret("STOCKWIRE_DATABASE_URL")
        broker = environment.has_secret("STOCKWIRE_REDIS_URL")
        return cls(
            data=data,
            reset=reset,
            port=port,
            replay=replay,
            hubs=hubs,
            console=console,
            channels=channels,
            observe=observe,
            stream=stream,
            relay_to=_relay_to(environment, stream) if stream else "",
            database_url=database_url_of(environment) if database else None,
            redis_url=broker_url_of(environment) if broker else None,
            channel_prefix=environment.text("STOCKWIRE_CHANNEL_PREFIX", DEFAULT_PREFIX),
            origins=environment.origins("STOCKWIRE_ALLOWED_ORIGINS"),
            log=log_form(variables),
        )


def _relay_to(environment: Environment, stream: str) -> str:
    """What else it has to be, such as several hosts of one Kafka, the relay knows, and says. Raises SettingsError."""
    to = environment.text("STOCKWIRE_RELAY_TO", "")
    if to and to.partition("://")[0] not in SCHEMES[stream]:
        begins = " or ".join(f"{scheme}://" for scheme in SCHEMES[stream])
        raise SettingsError(f"STOCKWIRE_RELAY_TO must begin with {begins}")
    return to


def whole_number(option: str, value: str) -> int:
    """Raises SettingsError."""
    try:
        return whole_of(value)
    except ValueError:
        raise SettingsError(f"{option} {value} is no whole number: give it digits only") from None


def number(option: str, value: str) -> float:
    """Raises SettingsError."""
    try:
        return number_of(value)
    except ValueError:
        raise SettingsError(f"{option} {value} is no number: give it one such as 40 or 0.5") from None
