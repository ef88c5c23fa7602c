"""The admin port of a hub answers health as a ledger's does."""

import httpx
from prometheus_client import CollectorRegistry

from hub.admin import create_app
from server.version import VERSION


async def test_a_hub_that_is_not_ready_says_why_in_a_problem_document() -> None:
    reasons: list[str | None] = ["this hub is draining", None]
    app = create_app(CollectorRegistry(), lambda: reasons.pop(0), lambda: None, lambda: False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as admin:
        refused = await admin.get("/readyz")
        assert (refused.status_code, refused.json()["type"], refused.json()["detail"]) == (
            503,
            "unavailable",
            "this hub is draining",
        )
        assert refused.headers["retry-after"] == "1"
        assert (await admin.get("/readyz")).json() == {"status": "ready", "version": VERSION}
        assert (await admin.get("/healthz")).json() == {"status": "ok"}
        assert (await admin.get("/nothing")).json()["type"] == "not-found"
        assert (await admin.post("/undrain")).json()["detail"] == "this hub is being stopped"
