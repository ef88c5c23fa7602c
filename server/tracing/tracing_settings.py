"""Whether this process traces, and where to: OpenTelemetry's own variables, read and checked before anything starts.

Those that are checked here are handed on; the others of an exporter (headers, certificates) its library reads itself.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from server.settings.environment import Environment, SettingsError
from server.tracing.sampling import Rule

DISABLED = "OTEL_SDK_DISABLED"
EXPORTER = "OTEL_TRACES_EXPORTER"
ENDPOINT, TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL, TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
TIMEOUT, TRACES_TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"
COMPRESSION, TRACES_COMPRESSION = "OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"
HEADERS, TRACES_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"
FILES = (
    *("OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"),
    *("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE"),
    *("OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"),
)
SAMPLER, SAMPLER_ARG = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
QUEUE, BATCH, DELAY = "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY"
PER_S = "STOCKWIRE_TRACES_PER_S"
SPELT = frozenset(
    (
        *(DISABLED, EXPORTER, ENDPOINT, TRACES_ENDPOINT, PROTOCOL, TRACES_PROTOCOL, TIMEOUT, TRACES_TIMEOUT),
        *(COMPRESSION, TRACES_COMPRESSION, HEADERS, TRACES_HEADERS, *FILES, SAMPLER, SAMPLER_ARG),
        *(QUEUE, BATCH, DELAY, "OTEL_SERVICE_NAME", RESOURCE),
    )
)
"""Those that mean something here."""
OF_OTHERS = ("METRICS", "LOGS", "METRIC", "LOGRECORD", "BLRP", "GRPC", "INSECURE", "PYTHON", "LIMIT", "EXPORT")
"""Words of names that mean something elsewhere: one environment may serve other programs too."""
ALIKE = 0.9
"""As much as two names have to have in common for one to be taken for a misspelling of the other."""

PROTOCOLS = ("http/protobuf",)
COMPRESSIONS = ("none", "gzip", "deflate")
RATIO_DEFAULT = 0.01
PER_S_DEFAULT = 100.0
"""Traced requests a second. Each costs some 0.2 ms of the process: what is left to a caller who marks all of theirs."""
SAMPLERS = ("always_on", "always_off", "traceidratio")
PARENT_BASED = "parentbased_"
SAMPLER_DEFAULT = "parentbased_traceidratio"
DEFAULT_BASE = "http://localhost:4318"
QUEUE_DEFAULT, QUEUE_HIGHEST = 2048, 65_536
BATCH_DEFAULT = 64
"""Spans in a request: encoding them takes 3 ms, for which a sale may have to wait; OpenTelemetry's 512 take 25."""
DELAY_MS_DEFAULT = 1_000
TIMEOUT_S_DEFAULT = 10.0


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """``endpoint``: where spans are posted. ``per_s``: traced requests or batches in a second, at most. ``queue_max``
    spans wait, ``batch_max`` go with one request, ``delay_ms`` is how long they may wait for each other.
    """

    endpoint: str = field(repr=False)
    rule: Rule
    per_s: float
    timeout_s: float
    compression: str
    queue_max: int
    batch_max: int
    delay_ms: int


def read_tracing_settings(variables: Mapping[str, str]) -> TracingSettings | None:
    """None: nothing is traced, since nothing says where to. Raises SettingsError."""
    env = Environment(variables)
    per_s = env.number(PER_S, PER_S_DEFAULT, low=0.1, high=10_000)
    if _chosen(env, DISABLED, ("false", "true")) == "true":
        return None
    _refuse_misspelt(variables)
    exporter = _chosen(env, EXPORTER, ("", "none", "otlp"))
    base, endpoint = env.text(ENDPOINT, ""), env.text(TRACES_ENDPOINT, "")
    if exporter == "none" or not (exporter or base or endpoint):
        return None
    _check_left_to_the_library(env)
    queue_max = env.integer(QUEUE, QUEUE_DEFAULT, low=1, high=QUEUE_HIGHEST)
    return TracingSettings(
        endpoint=_endpoint(env, base, endpoint),
        rule=_rule(env),
        per_s=per_s,
        timeout_s=env.number(_first(env, TRACES_TIMEOUT, TIMEOUT), TIMEOUT_S_DEFAULT, low=0.1, high=60),
        compression=_chosen(env, _first(env, TRACES_COMPRESSION, COMPRESSION), COMPRESSIONS),
        queue_max=queue_max,
        batch_max=env.integer(BATCH, min(BATCH_DEFAULT, queue_max), low=1, high=queue_max),
        delay_ms=env.integer(DELAY, DELAY_MS_DEFAULT, low=10, high=60_000),
    )


def _endpoint(env: Environment, base: str, endpoint: str) -> str:
    """The protocol appends a path to what is meant for all signals, and takes the traces' own as it is."""
    if endpoint:
        return env.url(TRACES_ENDPOINT, ("http", "https"))
    checked = env.url(ENDPOINT, ("http", "https")) if base else DEFAULT_BASE
    if "?" in checked or "#" in checked:
        raise SettingsError(f"{ENDPOINT} has a query or fragment: leave it out, or set the whole as {TRACES_ENDPOINT}")
    return f"{checked.removesuffix('/')}/v1/traces"


def _rule(env: Environment) -> Rule:
    sampler = _chosen(env, SAMPLER, (SAMPLER_DEFAULT, *SAMPLERS, *(PARENT_BASED + name for name in SAMPLERS)))
    believes, name = sampler.startswith(PARENT_BASED), sampler.removeprefix(PARENT_BASED)
    if name == "traceidratio":
        return Rule(env.number(SAMPLER_ARG, RATIO_DEFAULT, low=0, high=1), believes)
    return Rule(float(name == "always_on"), believes)


def _check_left_to_the_library(env: Environment) -> None:
    """It would take another protocol for its own, log what it cannot read of the others, and go on without."""
    for name in (TRACES_PROTOCOL, PROTOCOL):
        _chosen(env, name, PROTOCOLS)
    for name in (TRACES_HEADERS, HEADERS, RESOURCE):
        for item in env.items(name):
            if not item.partition("=")[0].strip() or "=" not in item:
                raise SettingsError(f"{name} has an item without a name or value: set it to name=value,name=value")
    for name in FILES:
        if path := env.text(name, ""):
            env.file(name, path, bytes_max=2**20)


def _first(env: Environment, *names: str) -> str:
    """The first of them that is set, or the last."""
    return next((name for name in names if env.text(name, "")), names[-1])


def _chosen(env: Environment, name: str, choices: tuple[str, ...]) -> str:
    """The first is what it is if it is not set."""
    value = env.text(name, choices[0]).lower() if choices[0] else env.text(name, "").lower()
    if value not in choices:
        named = ", ".join(dict.fromkeys(filter(None, choices)))
        raise SettingsError(f"{name}={value!r} is none that is known: set it to {named}")
    return value


def _refuse_misspelt(variables: Mapping[str, str]) -> None:
    """A variable that nobody reads would leave a process without traces, or with others, and say nothing."""
    for name in sorted(variables):
        if not name.startswith("OTEL_") or name in SPELT or not variables[name].strip():
            continue
        alike = get_close_matches(name, sorted(SPELT), n=1, cutoff=ALIKE)
        if alike and not set(name.split("_")) & set(OF_OTHERS) - set(alike[0].split("_")):
            raise SettingsError(f"{name} is not a setting: unset it, or set {alike[0]}")
