"""Routes of reconciliation: runs, what they found, and what somebody decides about it."""
