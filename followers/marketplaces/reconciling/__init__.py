"""Finds where a channel and the ledger differ, says why it thinks so, and mends what somebody or a policy accepts."""
