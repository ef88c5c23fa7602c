"""The admin port of a hub answers health as a ledger's does."""

import httpx
import pytest
from prometheus_client import CollectorRegistry

from hub.admin import Acts, create_app
from server.version import VERSION


async def test_a_hub_that_is_not_ready_says_why_in_a_problem_document() -> None:
    reasons: list[str | None] = ["this hub is draining", None]
    app = create_app(CollectorRegistry(), lambda: reasons.pop(0), Acts(lambda: None, lambda: False, lambda _: 0))
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


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("share=0", "share"),
        ("share=1.01", "share"),
        ("share=-0.2", "share"),
        ("share=nan", "share"),
        ("share=a%20fifth", "share"),
        ("share=", "share"),
        ("share=0.2&share=0.2", "share"),
        ("shar=0.2", "shar"),
    ],
)
async def test_a_share_that_makes_no_sense_moves_nobody_and_drains_nothing(query: str, field: str) -> None:
    done: list[object] = []

    def shed(share: float) -> int:
        done.append(share)
        return 40

    app = create_app(CollectorRegistry(), lambda: None, Acts(lambda: done.append("drain"), lambda: True, shed))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as admin:
        refused = await admin.post(f"/drain?{query}")
        assert (refused.status_code, refused.json()["field"]) == (400, field)
        assert not done
        for share, taken in (("1", 1.0), ("0.2", 0.2), ("2e-1", 0.2)):
            answer = await admin.post(f"/drain?share={share}")
            assert (answer.status_code, answer.json()) == (202, {"moving": 40})
            assert done.pop() == taken
