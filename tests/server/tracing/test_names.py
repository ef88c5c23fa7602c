"""Names of spans' attributes are those of OpenTelemetry's conventions, or begin with our own prefix."""

import importlib
import pkgutil

import opentelemetry.semconv as conventions

from server.tracing import names


def conventional() -> set[str]:
    found: set[str] = set()
    for folder in ("opentelemetry.semconv.attributes", "opentelemetry.semconv._incubating.attributes"):
        package = importlib.import_module(folder)
        for module in pkgutil.iter_modules(package.__path__):
            found |= {str(value) for value in vars(importlib.import_module(f"{folder}.{module.name}")).values()}
    return found


def test_every_attribute_is_in_the_conventions_or_is_ours() -> None:
    assert conventions.__path__
    attributes = {value for name, value in vars(names).items() if name.isupper() and "." in value}
    ours = {name for name in attributes if name.startswith("stockwire.")}
    assert len(ours) > 5
    assert len(attributes - ours) > 10
    assert attributes - ours <= conventional()


def test_no_name_is_a_skus_or_a_locations() -> None:
    """Neither is a span named by what only happens once: names are counted by whoever reads them."""
    said = {value for name, value in vars(names).items() if name.isupper()}
    assert not [name for name in said if "sku" in name or "location" in name or "key" in name]
