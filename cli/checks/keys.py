"""Keys: what tokens are signed with, what hubs present, which keys end, who may make new ones."""

from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from cli import findings, keys
from cli.findings import Finding, FindingState
from cli.trust import trusted
from server.settings.environment import Environment, SettingsError
from server.tokens.token_settings import SharedSecret, read_token_settings
from wire.tokens import SECRET_BYTES_MIN

TIMEOUT_S = 10.0


def token_secret(variables: Mapping[str, str]) -> Finding:
    try:
        settings = read_token_settings(Environment(variables))
    except SettingsError as error:
        fix = "the same random secret for every ledger and hub, such as from: openssl rand -base64 48"
        return Finding("token secret", FindingState.FAILED, str(error), fix)
    if isinstance(settings, SharedSecret):
        return Finding("token secret", FindingState.GOOD, f"at least {SECRET_BYTES_MIN} bytes")
    return Finding("token secret", FindingState.GOOD, f"none: tokens are those of {settings.issuer.name}")


async def stored_keys(database_url: str) -> list[Finding]:
    return findings.stored_keys_findings(await keys.listed(database_url), datetime.now(UTC))


async def hub_key(variables: Mapping[str, str], ledger_url: str | None) -> Finding:
    """Asks the ledger as a hub does: only a key of scope ``hub`` may ask about keys, and it asks about itself."""
    if not Environment(variables).has_secret("STOCKWIRE_HUB_KEY"):
        return Finding("hub key", FindingState.SKIPPED, "set STOCKWIRE_HUB_KEY to have the hubs' key looked at")
    try:
        key = Environment(variables).secret("STOCKWIRE_HUB_KEY")
    except SettingsError as error:
        return Finding("hub key", FindingState.FAILED, str(error), "name a file that the hubs can read")
    if ledger_url is None:
        return Finding(
            "hub key", FindingState.SKIPPED, "set STOCKWIRE_URL or STOCKWIRE_LEDGER_URLS to have it looked at"
        )
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=trusted(variables)) as http:
            answer = await http.post(
                f"{ledger_url}/v1/keys/introspect", json={"key": key}, headers={"Authorization": f"Bearer {key}"}
            )
        document = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        fix = "start a ledger there, or correct STOCKWIRE_URL"
        reason = f"no ledger answers at {ledger_url}: {error or type(error).__name__}"
        return Finding("hub key", FindingState.FAILED, reason, fix)
    return findings.hub_key_finding(answer.status_code, document, datetime.now(UTC))
