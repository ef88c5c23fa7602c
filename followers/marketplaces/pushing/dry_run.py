"""What would be sent to a channel now, without sending it."""

from datetime import datetime, time, timedelta
from typing import Any

from followers.database.database import Database
from followers.log.ledger import Ledger
from followers.marketplaces.adapter import Adapter, Remote, RemoteAway, Target
from followers.marketplaces.channels import Channel
from followers.marketplaces.pushing.offers import Offers
from followers.marketplaces.pushing.outgoing import Outgoing, Row
from followers.marketplaces.pushing.planning import Candidate, plan
from followers.marketplaces.remote import NotSent

PUSHES_MAX = 10
BODY_CHARACTERS_MAX = 100_000
KEY = "dry-run"


async def dry_run(
    database: Database, ledger: Ledger, channel: Channel, adapter: Adapter, remote: Remote
) -> dict[str, Any]:
    """``remote``: a dry one. The first pushes of the plan as it is now, with the bodies of their requests.

    ``listings``: what each would offer; ``waiting``: those that wait for a poll of orders; ``requests``: as they would
    go; ``reason``: why there are no more. Raises DatabaseAway, LedgerAway.
    """
    rows = {row.remote: row for row in await Outgoing(database).due(channel.id)}
    offers = await Offers(ledger).of(channel, list(rows.values()))
    candidates = [row.candidate(offers[row.remote].quantity) for row in rows.values()]
    planned = plan(candidates, compares=adapter.compares, passed_over={})
    reason = None
    for at in range(0, min(len(planned.send), PUSHES_MAX * adapter.batch), adapter.batch):
        batch = planned.send[at : at + adapter.batch]
        targets = [_target(one, rows[one.remote], remote.now().astimezone(adapter.days)) for one in batch]
        try:
            await adapter.push(targets)
        except NotSent:
            continue
        except RemoteAway as error:
            reason = str(error)
            break
    return {
        "listings": [
            {
                "remote": one.remote,
                "sku": rows[one.remote].sku,
                "quantity": one.target,
                "known": one.sent,
                "available": offers[one.remote].available,
            }
            for one in planned.send
        ],
        "waiting": [one.remote for one in planned.wait],
        "requests": [
            {"method": one.method, "url": one.url, "body": one.body.decode("utf-8", "replace")[:BODY_CHARACTERS_MAX]}
            for one in remote.unsent
        ],
        "reason": reason,
    }


def _target(one: Candidate, row: Row, now: datetime) -> Target:
    """``now``: of the channel's day."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
    sent_today = row.sent_today if row.sent_on == now.date() else 0
    left_s = (midnight - now).total_seconds()
    return Target(one.remote, one.target, one.sent, f"{KEY}-{one.remote}", sent_today, left_s)
