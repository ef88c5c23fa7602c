"""What any adapter has to do, driven against its channel: docs/how-to/connectors.md says how to use it."""
