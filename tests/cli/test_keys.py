"""The keys of a real `stockwire up` on a real terminal: each does what it says, the last one ends everything."""

import psutil
import pytest

from tests.cli.pseudo_terminal import PseudoTerminal
from tests.cli.running import PROGRAM, RunningUp, gone

SALE_WITHIN_S = 90.0
HEALED_WITHIN_S = 90.0
LAG_MS_MAX = 10_000
"""design.md, I4; how fast it really is depends on the machine."""


def test_a_sale_a_killed_hub_a_cut_broker_and_the_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    up = RunningUp(tmp_path_factory.mktemp("keys"))
    argv = [PROGRAM, "up", "--data", up.data, "--port", "0", "--replay", "20"]
    with PseudoTerminal(argv, up.environment(), up.data.parent) as terminal:
        terminal.expect("Keys here:\n.*f flash sale")
        terminal.expect("changes/s")
        terminal.until(single_keys=True)
        processes = [psutil.Process(terminal.process.pid), *psutil.Process(terminal.process.pid).children()]

        terminal.type("f")
        terminal.expect("Flash sale under way")
        terminal.type("f")
        terminal.expect("flash sale: one is under way already")
        terminal.expect("500 buyers, 50 units", SALE_WITHIN_S)
        terminal.expect("✓ .*50 sold, none twice")

        before = up.run["pids"]["hub-1"]
        terminal.type("k")
        terminal.expect(r"hub-1: killed \(SIGKILL\); 4 screens on 2 hubs are watching")
        healed = terminal.expect(r"✓ hub-1 killed.*fresh again ([\d.]+) s.*equal to the ledger", HEALED_WITHIN_S)
        assert float(healed[1]) > 0
        assert up.run["pids"]["hub-1"] != before

        terminal.type("b")
        lag = terminal.expect(r"✓ valkey stopped.*fresh again.*longest lag ([\d,]+) ms", HEALED_WITHIN_S)
        assert 0 < int(lag[1].replace(",", "")) < LAG_MS_MAX

        terminal.type("q")
        assert terminal.wait() == 0
        terminal.expect("Stopped.")
        assert terminal.settings == terminal.before
    assert gone(processes) == []
