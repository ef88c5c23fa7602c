"""What the pages say of commands is what is taken."""

import json
import re
from pathlib import Path

from followers.intake import answering, command, known, result
from followers.intake.command import NAMES, PREFIX, SUFFIX, parse
from followers.intake.process import SCOPES
from followers.intake.settings import read_settings
from tests.docs.pages import HOW_TOS, blocks
from tests.followers.intake.running import Sent, event_of
from tests.harness.source import REFERENCE, code_names, rows, section

(PAGE,) = (page for page in HOW_TOS if page.name == "commands.md")
STREAMS = (REFERENCE / "streams.md").read_text()


def test_the_settings_of_the_page_are_taken(tmp_path: Path) -> None:
    (block,) = (found for found in blocks(PAGE) if found.verb == "env")
    given = dict(line.split("=", 1) for line in block.text.splitlines())
    for name, value in given.items():
        if name.endswith("_FILE"):
            (tmp_path / Path(value).name).write_text("secret")
            given[name] = str(tmp_path / Path(value).name)
    settings = read_settings(given)
    assert settings.broker.address.servers(1) == ["kafka-1.internal:9093", "kafka-2.internal:9093"]


def test_the_key_of_the_page_has_the_scopes_that_it_needs() -> None:
    assert f"stockwire key create intake --scope '{SCOPES[0]}'" in PAGE.read_text()


def test_the_command_of_the_page_is_one() -> None:
    (record,) = re.findall(r"printf '(.*)\\n'", PAGE.read_text())
    headers, key, data = record.split("\\t")
    attributes = dict(part.removeprefix("ce_").split(":", 1) for part in headers.split(","))
    event = event_of(Sent(attributes, data.encode()))
    found = parse(event.attributes, event.data)
    assert found.path == "/v1/movements"
    assert key == f"{found.data['location']}/{found.data['sku']}"


def test_every_command_stands_in_the_table_with_its_request() -> None:
    described = {code_names(row[0])[0] for row in rows(section(STREAMS, "Commands"), "Type")}
    assert described == {f"{PREFIX}{name}{SUFFIX}" for name in NAMES}


def test_the_bounds_are_those_of_the_page() -> None:
    text = " ".join(section(STREAMS, "Commands").split())
    for said in (
        f"at most {command.ATTRIBUTE_CHARACTERS_MAX:,} characters",
        f"at most {command.COMMAND_BYTES_MAX:,} bytes",
        f"newest {known.KNOWN_MAX:,} that",
        f"({answering.LATER_S_MAX:g} s at most)",
        f"after {answering.STOPPED_S:g} s",
        f"more than {answering.DELIVERIES_MAX} times",
        f"more than {result.BODY_BYTES_MAX:,} bytes",
    ):
        assert said in text
    assert json.loads(result.problem_text({"type": "ö"})) == {"type": "ö"}
