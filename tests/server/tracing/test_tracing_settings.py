"""OpenTelemetry's variables: off unless they name where to, and what makes no sense is refused with the fix."""

import opentelemetry.environment_variables
import opentelemetry.sdk.environment_variables
import pytest

from server.settings.environment import SettingsError
from server.tracing.sampling import Rule
from server.tracing.tracing_settings import SPELT, TracingSettings, read_tracing_settings
from tests.docs.pages import blocks
from tests.harness.source import ROOT

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


def read(**variables: str) -> TracingSettings:
    settings = read_tracing_settings(ENDPOINT | variables)
    assert settings is not None
    return settings


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_SERVICE_NAME": "shop", "OTEL_TRACES_SAMPLER": "always_on"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_TRACES_EXPORTER": "none"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"},
    ],
    ids=str,
)
def test_nothing_is_traced_unless_something_says_where_to(variables: dict[str, str]) -> None:
    assert read_tracing_settings(variables) is None


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        (ENDPOINT, "http://collector:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector/otlp/"}, "https://collector/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector/t"}, "http://collector/t"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other/t"}, "http://other/t"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "http://localhost:4318/v1/traces"),
    ],
)
def test_the_path_is_added_to_the_address_for_all_signals_alone(variables: dict[str, str], endpoint: str) -> None:
    settings = read_tracing_settings(variables)
    assert settings is not None
    assert settings.endpoint == endpoint
    assert endpoint not in repr(settings)


@pytest.mark.parametrize(
    ("sampler", "argument", "rule"),
    [
        ("", "", Rule(0.01, believes=True)),
        ("", "0.5", Rule(0.5, believes=True)),
        ("parentbased_traceidratio", "1", Rule(1, believes=True)),
        ("traceidratio", "0.25", Rule(0.25, believes=False)),
        ("always_on", "", Rule(1, believes=False)),
        ("always_off", "", Rule(0, believes=False)),
        ("parentbased_always_on", "", Rule(1, believes=True)),
        ("parentbased_always_off", "0.5", Rule(0, believes=True)),
    ],
)
def test_the_samplers_are_opentelemetrys(sampler: str, argument: str, rule: Rule) -> None:
    assert read(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=argument).rule == rule


def test_what_is_set_is_taken() -> None:
    settings = read(
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_EXPORTER_OTLP_TIMEOUT="3",
        OTEL_EXPORTER_OTLP_TRACES_COMPRESSION="gzip",
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20x,tenant=shop",
        OTEL_BSP_MAX_QUEUE_SIZE="10",
        OTEL_BSP_SCHEDULE_DELAY="200",
        STOCKWIRE_TRACES_PER_S="7",
    )
    assert (settings.timeout_s, settings.compression, settings.per_s) == (3, "gzip", 7)
    assert (settings.queue_max, settings.batch_max, settings.delay_ms) == (10, 10, 200)


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http:// or https://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317", "http:// or https://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "names no host"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:43l8", "correct it"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "htp://collector:4318", "http:// or https://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli", "gzip"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "0.1..60"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "0.1..60"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318?key=secret-value", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/#secret-value", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret-value", "name=value"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,shop", "name=value"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nonexistent", "readable file"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/nonexistent", "readable file"),
        ("OTEL_TRACES_EXPORTER", "jaeger", "otlp"),
        ("OTEL_TRACES_SAMPLER", "parentbased_ratio", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1%", "0..1"),
        ("OTEL_TRACES_SAMPLER_ARG", "5", "0..1"),
        ("OTEL_SDK_DISABLED", "yes", "true"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "1..65536"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "1..2048"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1s", "10..60000"),
        ("STOCKWIRE_TRACES_PER_S", "0", "0.1..10000"),
        ("OTEL_EXPORTER_OTLP_ENDPONT", "http://collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OLTP_ENDPOINT", "http://collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_TRACE_ENDPOINT", "http://collector:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ("OTEL_TRACE_SAMPLER", "always_on", "OTEL_TRACES_SAMPLER"),
        ("OTEL_TRACES_SAMPLER_ARGS", "0.1", "OTEL_TRACES_SAMPLER_ARG"),
        ("OTEL_SERVICENAME", "shop", "OTEL_SERVICE_NAME"),
        ("OTEL_RESOURCE_ATTRIBUTE", "a=b", "OTEL_RESOURCE_ATTRIBUTES"),
        ("OTEL_SDK_DISABLE", "true", "OTEL_SDK_DISABLED"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name_and_the_fix(name: str, value: str, fix: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    assert str(refused.value).startswith(name)
    assert fix in str(refused.value)
    assert "secret-value" not in str(refused.value)


def test_a_misspelt_address_is_refused_where_it_leaves_nothing_that_says_where_to() -> None:
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        read_tracing_settings({"OTEL_EXPORTER_OTLP_ENDPONT": "http://collector:4318"})


def test_what_the_library_knows_is_never_taken_for_misspelt() -> None:
    """One environment may serve other programs too: what nobody knows is refused only if it looks like ours."""
    modules = (opentelemetry.environment_variables, opentelemetry.sdk.environment_variables)
    known = {name for module in modules for name in vars(module) if name.startswith("OTEL_")}
    assert known >= SPELT, SPELT - known
    others = dict.fromkeys(known - SPELT, "x") | {"OTEL_NODE_IP": "10.0.0.1", "OTEL_POD_NAME": "ledger-0"}
    assert len(others) > 50
    assert read_tracing_settings(others) is None
    read(**others)


def test_the_how_tos_settings_are_taken() -> None:
    (block,) = (block for block in blocks(ROOT / "docs" / "how-to" / "traces.md") if block.verb == "env")
    settings = read_tracing_settings(dict(line.split("=", 1) for line in block.text.splitlines()))
    assert settings is not None
    assert (settings.endpoint, settings.rule) == (
        "http://collector.internal:4318/v1/traces",
        Rule(0.01, believes=True),
    )
