"""What the pages say of commands is what is taken, and what their lines do."""

import json
import re
from pathlib import Path

import orjson
import pytest

from cli.access import SCOPES as UP_SCOPES
from followers.intake import answering, command, known, laid_aside, result
from followers.intake.command import NAMES, PREFIX, SUFFIX, parse
from followers.intake.process import SCOPES
from followers.intake.settings import read_settings
from tests.docs.pages import HOW_TOS, blocks
from tests.docs.running import Reader
from tests.followers.intake.queues import QUEUES
from tests.followers.intake.running import Sent, event_of
from tests.harness.servers import free_port
from tests.harness.size import FIFTH, SIZE
from tests.harness.source import REFERENCE, code_names, rows, section
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until

(PAGE,) = (page for page in HOW_TOS if page.name == "commands.md")
BROKERS = ("kafka", "nats", *(["rabbitmq"] if SIZE.share > FIFTH else []))
"""RabbitMQ takes 5 s to start: in whole campaigns."""
STREAMS = (REFERENCE / "streams.md").read_text()
FIRST = """
export PATH="$PWD/.venv/bin:$PATH"
umask 077
stockwire locations put berlin Berlin
stockwire items put A-100 "Coffee mug"
stockwire stock receive A-100 berlin 5
"""


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
    key, sent = sent_by_the_page()
    event = event_of(sent)
    found = parse(event.attributes, event.data)
    assert found.path == "/v1/movements"
    assert key == f"{found.data['location']}/{found.data['sku']}"


def sent_by_the_page() -> tuple[str, Sent]:
    """The record's key, and the command."""
    (record,) = re.findall(r"printf '(.*)\\n'", PAGE.read_text())
    headers, key, data = record.split("\\t")
    return key, Sent(dict(part.removeprefix("ce_").split(":", 1) for part in headers.split(",")), data.encode())


@pytest.mark.usefixtures("processes")
async def test_the_lines_of_the_page_have_its_command_done_and_answered(
    system: ResidentSystem, stream_prefix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """On one broker after the other, without a password: the second repeats what the first has done."""
    await system.start_ledger()
    reader = Reader.of_system(tmp_path, system, await system.key("owner", *UP_SCOPES))
    reader.meant = {"https://ledger.internal": system.ledger_url, "/run/secrets/intake.key": "intake.key"}
    make_key, start = re.findall(r"^    (stockwire (?:key create )?intake.*)$", PAGE.read_text(), re.MULTILINE)
    (block,) = (found for found in blocks(PAGE) if found.verb == "env")
    settings = [line for line in block.text.splitlines() if "_BROKER_" not in line]
    ours = [f"STOCKWIRE_INTAKE_PREFIX={stream_prefix}", f"STOCKWIRE_INTAKE_PORT={free_port()}"]
    await reader.shell(FIRST + make_key)
    _, sent = sent_by_the_page()
    for broker in BROKERS:
        queue = QUEUES[broker](request.getfixturevalue(broker).address, stream_prefix)
        reader.meant["kafkas://kafka-1.internal:9093,kafka-2.internal:9093"] = queue.url
        await reader.shell("".join(f"export {line}\n" for line in settings + ours))
        await queue.make()
        await queue.send([sent])
        async with reader.shell_running(start):
            (told,) = await wait_until(queue.results, what=f"the command is answered on {broker}")
        answer = orjson.loads(told.value)
        assert (told.headers["causationid"], answer["status"]) == (sent.id, 201)
        assert [level["available"] for level in answer["body"]["levels"]] == [4]


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
    assert json.loads(laid_aside.problem_text({"type": "ö"})) == {"type": "ö"}
