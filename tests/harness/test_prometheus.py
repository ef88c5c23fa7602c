"""What tests say of alerts rests on this: a real Prometheus scrapes, a real Alertmanager calls."""

from pathlib import Path

import pytest
import yaml

from tests.harness.alertmanager import alertmanager, webhook
from tests.harness.prometheus import prometheus
from tests.harness.waiting import wait_until

ALWAYS = {"groups": [{"name": "one", "rules": [{"alert": "Always", "expr": "vector(1)", "labels": {"to": "us"}}]}]}


@pytest.mark.usefixtures("processes")
async def test_an_alert_comes_from_its_rule_to_the_webhook(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump(ALWAYS))
    async with webhook() as called:
        receiver = {"name": "us", "webhook_configs": [{"url": called.url}]}
        route = {"receiver": "us", "group_wait": "0s"}
        configuration = yaml.safe_dump({"route": route, "receivers": [receiver]})
        async with (
            alertmanager(tmp_path, configuration) as alerts,
            prometheus(tmp_path, {"itself": []}, rules=[rules], alertmanager=alerts.url, interval_s=0.2) as watching,
        ):

            async def told() -> bool:
                return "Always" in called.firing

            await wait_until(told)
            assert await watching.query("absent(nothing)") != []
            assert [alert["labels"] for alert in await watching.alerts()] == [{"alertname": "Always", "to": "us"}]
