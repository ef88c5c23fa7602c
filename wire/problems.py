"""Problem types of the HTTP APIs (RFC 9457): one table from stable type to status and title."""

PROBLEMS: dict[str, tuple[int, str]] = {
    "invalid": (422, "The request is not valid"),
    "unauthorized": (401, "No valid key or token"),
    "forbidden": (403, "The key or token does not allow this"),
    "not-found": (404, "There is no such thing"),
    "insufficient-stock": (409, "Not enough stock is available"),
    "version-conflict": (409, "The level has moved to another version"),
    "below-reserved": (409, "A count may not fall below what is reserved"),
    "reservation-state": (409, "The reservation is in a state that does not allow this"),
    "reservation-expired": (409, "The time of the reservation is over"),
    "idempotency-in-flight": (409, "The same key is being worked on elsewhere"),
    "misdirected": (421, "This is not the host that was asked for"),
    "too-large": (413, "The request body is too large"),
    "unsupported-encoding": (415, "The request body is packed in a way that is not taken here"),
    "idempotency-mismatch": (422, "The key was used before with another request"),
    "rate-limited": (429, "Too many requests"),
    "crowded": (429, "Too many connections"),
    "not-configured": (501, "This is not set up here"),
    "overloaded": (503, "There is more work than can be taken"),
    "outcome-unknown": (503, "The outcome is not known: send the same request with the same key again"),
    "unavailable": (503, "What the answer needs cannot be reached"),
}
