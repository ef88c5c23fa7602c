"""`stockwire channel`: marketplaces and shops outside that sell our stock: what they are offered, and what they map."""

import json
import sys
from collections.abc import Iterator, Sequence
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.channel_orders import orders, oversold, unmapped
from cli.channels_api import CHANNELS, asked
from cli.options import Channel, Data, Json
from stockwire.cli.columns import printable
from stockwire.cli.failure import EXIT_FAILED
from stockwire.cli.numbers import number, whole

channel_app = typer.Typer(no_args_is_help=True, help="Marketplaces and shops outside that sell our stock.")
for command in (orders, oversold, unmapped):
    channel_app.command(command.__name__)(command)

Settings = Annotated[
    list[str] | None, typer.Option("--setting", metavar="NAME=VALUE", help="Of its vendor (`vendors`); repeat it.")
]
Credentials = Annotated[
    list[str] | None,
    typer.Option(
        "--credential", metavar="NAME=@FILE|NAME", help="From a file; with the name alone it is asked for; repeat it."
    ),
]
Locations = Annotated[
    list[str] | None, typer.Option("--location", help="Whose stock it sells, orders from the first first; repeat it.")
]
Share = Annotated[
    float | None,
    typer.Option("--share", parser=number(0), help="Of what is available: above 0, to 1."),
]
Buffer = Annotated[
    int | None, typer.Option("--buffer", parser=whole(0), help="Units kept back: what may be sold before we know.")
]
Safety = Annotated[int | None, typer.Option("--safety", parser=whole(0), help="Units that no channel sells.")]
Cap = Annotated[int | None, typer.Option("--cap", parser=whole(0), help="Units offered at most.")]
NoticesUrl = Annotated[
    str | None, typer.Option("--notices-url", metavar="URL", help="Where it reaches /v1/channels/CHANNEL/notices.")
]
Remotes = Annotated[list[str] | None, typer.Argument(metavar="[LISTING]...", help="Ids of listings; without: all.")]
Given = dict[str, Any]


@channel_app.command("vendors")
def vendors(data: Data = None, as_json: Json = False) -> None:
    """What can be sold at, and what each needs to know."""
    with asked(data, "/v1/vendors") as api:
        found = api.ask("GET")["vendors"]
    for one in found:
        if as_json:
            print(json.dumps(one))
            continue
        print(one["vendor"])
        for kind in ("settings", "optional", "credentials", "optional_credentials"):
            for name, meaning in one[kind].items():
                print(f"  {kind.replace('_', ' '):20}  {name:16}  {meaning}")


@channel_app.command("add")
def add(
    identifier: Channel,
    vendor: Annotated[str, typer.Argument(metavar="VENDOR", help="One of `stockwire channel vendors`.")],
    settings: Settings = None,
    credentials: Credentials = None,
    locations: Locations = None,
    share: Share = None,
    buffer: Buffer = None,
    safety: Safety = None,
    cap: Cap = None,
    notices_url: NoticesUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a channel. Nothing is sent to it before its listings are mapped."""
    given = _given(share=share, buffer=buffer, safety=safety, cap=cap, notices_url=notices_url)
    body = {
        "id": identifier,
        "vendor": vendor,
        "settings": _pairs(settings or []),
        "credentials": _secrets(credentials or []),
        "locations": locations or [],
        **given,
    }
    with asked(data, CHANNELS) as api:
        _show(api.ask("POST", "", body), as_json)


@channel_app.command("set")
def change(
    identifier: Channel,
    settings: Settings = None,
    credentials: Credentials = None,
    locations: Locations = None,
    share: Share = None,
    buffer: Buffer = None,
    safety: Safety = None,
    cap: Cap = None,
    notices_url: NoticesUrl = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change what is named, and leave the rest. All of its credentials go together. One that was stopped goes on."""
    with asked(data, CHANNELS) as api:
        now = api.ask("GET", f"/{identifier}")
        body: Given = {
            name: now[name]
            for name in ("settings", "locations", "share", "buffer", "safety", "cap", "notices_url", "policy")
        }
        body |= _given(share=share, buffer=buffer, safety=safety, cap=cap, notices_url=notices_url, locations=locations)
        body["settings"] = {**body["settings"], **_pairs(settings or [])}
        if credentials:
            body["credentials"] = _secrets(credentials)
        _show(api.ask("PUT", f"/{identifier}", body), as_json)


@channel_app.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """Yours, with their state."""
    with asked(data, CHANNELS) as api:
        for one in api.all("channels"):
            _show(one, as_json)


@channel_app.command("show")
def show(identifier: Channel, data: Data = None, as_json: Json = False) -> None:
    """One of them whole: settings, what its last check found, and how its listings stand."""
    with asked(data, CHANNELS) as api:
        found = api.ask("GET", f"/{identifier}")
        window = api.ask("GET", f"/{identifier}/window")
    if as_json:
        print(json.dumps({**found, "window": window}))
        return
    _show(found, as_json)
    for name in ("settings", "locations", "share", "buffer", "safety", "cap", "notices_url", "listings"):
        print(f"  {name:12}  {json.dumps(found[name])}")
    print(f"  {'window':12}  {json.dumps(window)}")
    for finding in found["findings"]:
        print(printable(f"  ! {finding}"))


@channel_app.command("pause")
def pause(identifier: Channel, data: Data = None) -> None:
    """Ask it nothing until it is resumed. What changes meanwhile is kept."""
    with asked(data, CHANNELS) as api:
        api.ask("POST", f"/{identifier}/pause")
    print(f"{identifier} is paused.")


@channel_app.command("resume")
def resume(identifier: Channel, data: Data = None) -> None:
    """Go on from where it stood, also one that was stopped."""
    with asked(data, CHANNELS) as api:
        api.ask("POST", f"/{identifier}/resume")
    print(f"{identifier} is enabled.")


@channel_app.command("remove")
def remove(identifier: Channel, data: Data = None) -> None:
    """Forget it, with its mapping. What its orders have booked stays booked."""
    with asked(data, CHANNELS) as api:
        api.ask("DELETE", f"/{identifier}")
    print(f"{identifier} is removed.")


@channel_app.command("check")
def check(identifier: Channel, data: Data = None, as_json: Json = False) -> None:
    """Ask it now whether it lets us in, and subscribe where that is missing. Exit status 1 if something is wrong."""
    with asked(data, CHANNELS) as api:
        found = api.ask("POST", f"/{identifier}/check")
    if as_json:
        print(json.dumps(found))
    else:
        print("It works." if found["works"] else printable(f"It {found['reason']}."))
        for finding in found["findings"]:
            print(printable(f"! {finding}"))
    raise typer.Exit(0 if found["works"] and not found["findings"] else EXIT_FAILED)


@channel_app.command("listings")
def listings(
    identifier: Channel,
    which: Annotated[
        str, typer.Option("--which", metavar="all|mapped|unmapped|waiting|dead", help="Only these.")
    ] = "all",
    again: Annotated[bool, typer.Option("--read", help="Have them read at the channel anew.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """What it was last read to have, what that is mapped to, and what was sent."""
    with asked(data, CHANNELS) as api:
        if again:
            api.ask("POST", f"/{identifier}/listings/read")
            print("they are read as soon as its quota allows", file=sys.stderr)
        for one in api.all("listings", f"/{identifier}/listings", which=which):
            if as_json:
                print(json.dumps(one))
            else:
                reason = f"  {one['reason']}" if one["reason"] else ""
                line = (
                    f"{one['remote']}  {one['listed_sku'] or '-'}  -> {one['sku'] or 'not mapped'}"
                    f"  there {_units(one['quantity'])}, sent {_units(one['sent'])}  {one['state'] or '-'}{reason}"
                )
                print(printable(line))


@channel_app.command("map")
def map_(
    identifier: Channel,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="CSV with remote, sku and location (may be empty).")
    ] = None,
    entire: Annotated[bool, typer.Option("--whole", help="With --file: what it lacks is mapped no more.")] = False,
    remote: Annotated[str | None, typer.Option("--remote", metavar="LISTING", help="This listing ...")] = None,
    sku: Annotated[str | None, typer.Option("--sku", help="... sells this; without it the line is removed.")] = None,
    location: Annotated[str | None, typer.Option("--location", help="... from here alone.")] = None,
    data: Data = None,
) -> None:
    """Print the mapping as CSV, or take lines: from a file, or one."""
    with asked(data, CHANNELS) as api:
        if file is not None:
            try:
                text = file.read_text("utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise typer.BadParameter(f"{file} cannot be read as CSV in UTF-8: {error}") from None
            done = api.ask("PUT", f"/{identifier}/mapping", {"csv": text, "whole": entire})
        elif remote is None:
            print(api.text(f"/{identifier}/mapping"), end="")
            return
        elif sku is None:
            done = api.ask("POST", f"/{identifier}/mapping/remove", {"remotes": [remote]})
        else:
            line = {"remote": remote, "sku": sku, "location": location}
            done = api.ask("POST", f"/{identifier}/mapping", {"lines": [line]})
    print(f"{done['changed']} lines changed.")


@channel_app.command("proposals")
def proposals(
    identifier: Channel,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Take those by equal sku or barcode, or --by, where there is one."),
    ] = False,
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="sku|barcode|similar", help="With --accept: these; repeat it.")
    ] = None,
    remotes: Annotated[list[str] | None, typer.Option("--remote", metavar="LISTING", help="Only these.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """What unmapped listings could sell: by equal sku, equal barcode, or a sku that differs in case or blanks."""
    with asked(data, CHANNELS) as api:
        if accept:
            body = {"by": by or ["sku", "barcode"], "remotes": remotes}
            print(f"{api.ask('POST', f'/{identifier}/proposals/accept', body)['changed']} listings are mapped.")
            return
        after: str | None = ""
        while after is not None:
            page = api.ask("GET", f"/{identifier}/proposals", limit=1_000, after=after)
            for one in page["proposals"]:
                line = f"{one['remote']}  {one['typed']!r} -> {one['sku']}  by {one['by']}  {one['title']}"
                print(json.dumps(one) if as_json else printable(line))
            for one in page["without"]:
                if not as_json:
                    print(printable(f"{one['remote']}  {one['sku']!r}  nothing is like it  {one['title']}"))
            after = page["next"]


@channel_app.command("push")
def push(
    identifier: Channel,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Needed: what is due goes out by itself.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print what would go out now, with the bodies of the requests."""
    if not dry_run:
        raise typer.BadParameter("what is due goes out by itself: --dry-run prints it")
    with asked(data, CHANNELS) as api:
        found = api.ask("POST", f"/{identifier}/dry-run")
    if as_json:
        print(json.dumps(found))
        return
    for one in found["listings"]:
        print(
            f"{one['remote']}  {one['sku']}  {_units(one['known'])} -> {one['quantity']}"
            f"  ({one['available']} available)"
        )
    for one in found["requests"]:
        print(f"{one['method']} {one['url']}\n{one['body']}")
    print(f"{len(found['listings'])} would go, {len(found['waiting'])} wait for a poll of orders.")
    if found["reason"]:
        print(printable(f"No more is shown: it {found['reason']}."))


@channel_app.command("dead")
def dead(identifier: Channel, data: Data = None, as_json: Json = False) -> None:
    """What the channel has refused for good, in its words, with the numbers."""
    with asked(data, CHANNELS) as api:
        for one in api.all("listings", f"/{identifier}/listings", which="dead"):
            numbers = f"{_units(one['wanted'])} of {_units(one['available'])}"
            line = f"{one['remote']}  {one['sku']}  {numbers}  {one['sent_at']}  {one['reason']}"
            print(json.dumps(one) if as_json else printable(line))


@channel_app.command("retry")
def retry(identifier: Channel, remotes: Remotes = None, data: Data = None) -> None:
    """Send dead ones again."""
    with asked(data, CHANNELS) as api:
        done = api.ask("POST", f"/{identifier}/dead/retry", {"remotes": remotes or None})
    print(f"{done['changed']} are tried again.")


@channel_app.command("drop")
def drop(identifier: Channel, remotes: Remotes = None, data: Data = None) -> None:
    """Let dead ones be, until what they shall offer changes."""
    with asked(data, CHANNELS) as api:
        done = api.ask("POST", f"/{identifier}/dead/drop", {"remotes": remotes or None})
    print(f"{done['changed']} are dropped.")


def _given(**values: Any) -> Given:
    return {name: value for name, value in values.items() if value is not None}


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    return dict(_parted(texts, "--setting NAME=VALUE"))


def _secrets(texts: Sequence[str]) -> dict[str, str]:
    """A secret on the command line stands in the list of processes: it comes from a file, or is asked for."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if sign and not value.startswith("@"):
            raise typer.BadParameter(f"write --credential {name}=@FILE or {name}: others read command lines")
        try:
            found[name] = Path(value[1:]).read_text("utf-8").strip() if sign else getpass(f"{name}: ")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{value[1:]}, which --credential {name} names, cannot be read: {error}") from None
    return found


def _parted(texts: Sequence[str], how: str) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"{text!r}: write {how}")
        yield name, value


def _show(channel: Given, as_json: bool) -> None:
    if as_json:
        print(json.dumps(channel))
        return
    reason = f" ({channel['reason']})" if channel["reason"] else ""
    print(f"{channel['id']}  {channel['vendor']}  {channel['state']}{reason}  from {' '.join(channel['locations'])}")


def _units(number: int | None) -> str:
    return "unknown" if number is None else str(number)
