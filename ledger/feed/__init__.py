"""The way out: the heads, the broker's fast path, and requests that wait for news.

Guarantees nothing of the broker: what is lost there is read from the log. It may import the access."""
