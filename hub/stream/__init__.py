"""The stream port: WebSocket connections, their limits and their deadlines.

Guarantees that a client who is slow or silent costs bounded memory, and nothing to the others. It may import the
protocols."""
