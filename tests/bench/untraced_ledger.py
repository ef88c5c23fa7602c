"""``python -m tests.bench.untraced_ledger``: a ledger where OpenTelemetry is not installed."""

import runpy
import sys

if __name__ == "__main__":
    sys.modules["opentelemetry"] = None  # type: ignore[assignment]  # an import of it fails at once
    runpy.run_module("ledger", run_name="__main__", alter_sys=True)
