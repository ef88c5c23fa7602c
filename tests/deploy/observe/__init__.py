"""Rules and alerts of deploy/observe: each is tried by promtool, and against real faults."""
