"""`stockwire webhooks`: who is told of every change of stock, by signed messages."""

import json
import sys
import time
from typing import Annotated, Any

import typer

from cli.channels_api import ChannelsApi, asked
from cli.options import Data, Json
from stockwire.cli.failure import EXIT_FAILED
from stockwire.cli.numbers import number, whole
from stockwire.cli.output import after

PREFIX = "/v1/webhooks"
TESTED_WITHIN_S = 30.0
"""Of a test message: longer than a receiver may take to answer."""
LOOK_EVERY_S = 0.2

webhooks_app = typer.Typer(no_args_is_help=True, help="Signed messages to whoever asks, of every change of stock.")

Id = Annotated[str, typer.Argument(metavar="ID", help="Of the webhook, as it was printed.")]
Signature = Annotated[
    str, typer.Option("--signature", metavar="v1|v1a", help="v1: a secret that both hold; v1a: a public key.")
]


@webhooks_app.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent: https.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Such as stock.out or hold.*; repeat it.")
    ] = None,
    locations: Annotated[list[str] | None, typer.Option("--location", help="Only these; repeat it.")] = None,
    skus: Annotated[list[str] | None, typer.Option("--sku", help="Only these; repeat it.")] = None,
    mode: Annotated[
        str, typer.Option("--mode", metavar="every|latest", help="Every change, or the newest of each level.")
    ] = "every",
    batch: Annotated[int, typer.Option("--batch", parser=whole(1), help="Messages that may go at once.")] = 1,
    rate: Annotated[float | None, typer.Option("--rate", parser=number(0), help="Messages a second at most.")] = None,
    signature: Signature = "v1",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a webhook. What verifies its messages is printed this once."""
    body = {
        "url": url,
        "types": types or ["stock.changed"],
        "locations": locations or [],
        "skus": skus or [],
        "mode": mode,
        "batch": batch,
        "rate_per_s": rate,
        "signature": signature,
    }
    with asked(data, PREFIX) as api:
        made = api.ask("POST", "", body)
    with after(f"the webhook {made['id']} is made, and nobody has its key: `stockwire webhooks rotate {made['id']}`"):
        _show_key(made, as_json)


@webhooks_app.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """Yours, with their state."""
    with asked(data, PREFIX) as api:
        found = api.all("webhooks")
    for one in found:
        if as_json:
            print(json.dumps(one))
        else:
            reason = f" ({one['reason']})" if one["reason"] else ""
            print(f"{one['id']}  {one['state']:8}{reason}  {one['mode']}  {' '.join(one['types'])}  {one['url']}")


@webhooks_app.command("test")
def send_test(identifier: Id, data: Data = None, as_json: Json = False) -> None:
    """Send a message of the type webhook.test, and say what became of it. Exit status 1 if it was not taken."""
    with asked(data, PREFIX) as api:
        message = api.ask("POST", f"/{identifier}/test")["message"]
        attempt = _attempt(api, identifier, message)
    if attempt is None:
        print(f"stockwire: {message} was not sent within {TESTED_WITHIN_S:.0f} s: is it enabled?", file=sys.stderr)
        raise typer.Exit(EXIT_FAILED)
    print(json.dumps(attempt) if as_json else _line_of(attempt))
    raise typer.Exit(0 if _is_taken(attempt) else EXIT_FAILED)


@webhooks_app.command("log")
def log(identifier: Id, data: Data = None, as_json: Json = False) -> None:
    """The last 100 attempts, the newest first."""
    with asked(data, PREFIX) as api:
        attempts = api.ask("GET", f"/{identifier}/attempts")["attempts"]
    for one in attempts:
        print(json.dumps(one) if as_json else _line_of(one))


@webhooks_app.command("replay")
def replay(
    identifier: Id,
    message: Annotated[str | None, typer.Option("--message", help="The id of one message.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="All from then on: 2026-11-30T10:00:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="With --since: before then.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed and waits, at once.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send something once more, under the same ids."""
    given = {"message": message, "since": since, "until": until}
    body = {**{name: value for name, value in given.items() if value}, "failed": failed, "dry_run": dry_run}
    with asked(data, PREFIX) as api:
        done = api.ask("POST", f"/{identifier}/replay", body)
    if as_json:
        print(json.dumps(done))
        return
    more = "" if done["complete"] else "at least "
    what = f"{done['levels']} levels that failed" if failed else f"{more}{done['messages']} messages"
    print(f"{what} {'would be' if dry_run else 'are'} sent again.")


@webhooks_app.command("rotate")
def rotate(identifier: Id, signature: Signature = "v1", data: Data = None, as_json: Json = False) -> None:
    """Give it a new key, printed this once. Both sign for 24 hours, unless the old one is lost."""
    with asked(data, PREFIX) as api:
        made = api.ask("POST", f"/{identifier}/rotate", {"signature": signature})
    with after(f"{identifier} has a new key, and nobody has it: rotate once more"):
        _show_key(made, as_json)


@webhooks_app.command("pause")
def pause(identifier: Id, data: Data = None) -> None:
    """Send it nothing until it is resumed. What happens meanwhile is kept."""
    with asked(data, PREFIX) as api:
        api.ask("POST", f"/{identifier}/pause")
    print(f"{identifier} is paused.")


@webhooks_app.command("resume")
def resume(identifier: Id, data: Data = None) -> None:
    """Send again from where it stood, also one that its failures disabled."""
    with asked(data, PREFIX) as api:
        api.ask("POST", f"/{identifier}/resume")
    print(f"{identifier} is enabled.")


@webhooks_app.command("remove")
def remove(identifier: Id, data: Data = None) -> None:
    """Remove it, with all that waits for it."""
    with asked(data, PREFIX) as api:
        api.ask("DELETE", f"/{identifier}")
    print(f"{identifier} is removed.")


def _attempt(api: ChannelsApi, identifier: str, message: str) -> dict[str, Any] | None:
    """The first one of ``message``; None if there is none for too long."""
    until = time.monotonic() + TESTED_WITHIN_S
    while time.monotonic() < until:
        for one in api.ask("GET", f"/{identifier}/attempts")["attempts"]:
            if one["message"] == message:
                found: dict[str, Any] = one
                return found
        time.sleep(LOOK_EVERY_S)
    return None


def _is_taken(attempt: dict[str, Any]) -> bool:
    return attempt["status"] is not None and 200 <= attempt["status"] < 300


def _line_of(attempt: dict[str, Any]) -> str:
    outcome = f"taken ({attempt['status']})" if _is_taken(attempt) else "failed"
    why = "" if _is_taken(attempt) else f": {attempt['failure'] or 'the answer is ' + str(attempt['status'])}"
    where = f"  {attempt['sku']}@{attempt['location']} version {attempt['version']}" if attempt["sku"] else ""
    return (
        f"{attempt['at']}  {attempt['type']}{where}  {outcome} in {attempt['elapsed_ms']} ms{why}  {attempt['message']}"
    )


def _show_key(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(made))
        return
    print(f"webhook {made['id']}")
    print(f"secret {made['secret']}" if made["secret"] else f"public key {made['public_key']}")
