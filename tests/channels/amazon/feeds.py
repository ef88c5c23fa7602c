"""Feeds of listings: a document is uploaded, waits in a queue, is processed, and has a report."""

import itertools
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.datastructures import QueryParams

from tests.channels.amazon.catalogue import Catalogue, Issue, check_patches, iso, issue, time_of, whole
from tests.channels.amazon.refusal import Refusal

KIND = "JSON_LISTINGS_FEED"
UPLOAD_S = 300.0
MESSAGES_MAX = 25_000
IDS_MAX = 2**31 - 1
STATUSES = ("CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE")
PAGE, PAGE_MAX = 10, 100
FILTERED_MAX = 10
"""Types, and marketplaces, by which feeds are listed."""
KEPT_S = 90 * 86_400.0

After = Callable[[float, Callable[[], None]], None]
"""Does it after so many seconds."""


@dataclass(slots=True)
class Document:
    id: str
    content_type: str
    created_at: float
    content: bytes | None = None


@dataclass(slots=True)
class Feed:
    id: str
    marketplaces: list[str]
    document: Document
    created_at: float
    status: str = "IN_QUEUE"
    times: dict[str, str] = field(default_factory=dict)
    report: Document | None = None

    @property
    def view(self) -> dict[str, Any]:
        seen = {
            "feedId": self.id,
            "feedType": KIND,
            "marketplaceIds": self.marketplaces,
            "createdTime": iso(self.created_at),
            "processingStatus": self.status,
            **self.times,
        }
        return seen if self.report is None else {**seen, "resultFeedDocumentId": self.report.id}


@dataclass(frozen=True, slots=True)
class Waits:
    """``queue_s()``: from being the first of the queue to IN_PROGRESS; ``progress_s``: from there to DONE."""

    queue_s: Callable[[], float]
    progress_s: float


class Feeds:
    """One after the other."""

    def __init__(self, catalogue: Catalogue, after: After, waits: Waits, broke: Callable[[str], object]) -> None:
        self.documents: dict[str, Document] = {}
        self.feeds: dict[str, Feed] = {}
        self._queue: deque[Feed] = deque()
        self._catalogue = catalogue
        self._after = after
        self._waits = waits
        self._broke = broke
        self._numbers = itertools.count(50_001)
        self._pages: dict[str, tuple[int, list[Feed]]] = {}
        """Tokens: the size of a page, and the feeds that are left."""

    def create_document(self, content_type: object) -> Document:
        if not isinstance(content_type, str) or not content_type:
            raise Refusal("feed.document", details="contentType")
        return self._keep(content_type)

    def upload(self, document_id: str, content_type: str, content: bytes) -> None:
        document = self.documents.get(document_id)
        if document is None or document.content_type != content_type:
            raise Refusal("feed.upload", "Unauthorized", "SignatureDoesNotMatch")
        if time.time() > document.created_at + UPLOAD_S:
            raise Refusal("feed.upload", "Unauthorized", "Request has expired")
        document.content = content

    def create(self, asked: Mapping[str, Any]) -> Feed:
        document = self.documents.get(asked.get("inputFeedDocumentId", ""))
        if asked.get("feedType") != KIND or document is None or document.content is None:
            raise Refusal("feed.document", details="feedType or inputFeedDocumentId")
        feed = Feed(str(next(self._numbers)), list(asked["marketplaceIds"]), document, time.time())
        self.feeds[feed.id] = feed
        self._queue.append(feed)
        if len(self._queue) == 1:
            self._after(self._waits.queue_s(), self._begin)
        return feed

    def feed(self, feed_id: str) -> Feed:
        if feed_id not in self.feeds:
            raise Refusal("feed.document", "NOT_FOUND", f"feed {feed_id}")
        return self.feeds[feed_id]

    def listed(self, query: QueryParams) -> dict[str, Any]:
        """The newest first."""
        size = whole(query, "pageSize", PAGE, PAGE_MAX, "feeds.page")
        if "nextToken" in query:
            if len(query) > 1 or query["nextToken"] not in self._pages:
                raise Refusal("feeds.token", details="nextToken")
            size, found = self._pages[query["nextToken"]]
        else:
            found = self._found(query)
        answer: dict[str, Any] = {"feeds": [one.view for one in found[:size]]}
        if found[size:]:
            answer["nextToken"] = secrets.token_urlsafe(24)
            self._pages[answer["nextToken"]] = size, found[size:]
        return answer

    def _found(self, query: QueryParams) -> list[Feed]:
        kinds, statuses = _some(query, "feedTypes", ()), _some(query, "processingStatuses", STATUSES)
        marketplaces = _some(query, "marketplaceIds", ())
        if not 1 <= len(kinds) <= FILTERED_MAX:
            raise Refusal("feeds.types", details=f"{len(kinds)} feedTypes")
        if not set(statuses) <= set(STATUSES) or "" in marketplaces or len(marketplaces) > FILTERED_MAX:
            raise Refusal("feeds.filters", details=f"processingStatuses {statuses}, marketplaceIds {marketplaces}")
        now = time.time()
        since, until = (
            time_of(query[name], "feeds.filters") if name in query else default
            for name, default in (("createdSince", now - KEPT_S), ("createdUntil", now))
        )
        return [
            one
            for one in reversed(self.feeds.values())
            if KIND in kinds
            and one.status in statuses
            and (not marketplaces or set(marketplaces) & set(one.marketplaces))
            and max(since, now - KEPT_S) <= one.created_at <= until
        ]

    def cancel(self, feed_id: str) -> None:
        feed = self.feed(feed_id)
        if feed.status != "IN_QUEUE":
            raise Refusal("feed.cancel", details=f"feed {feed_id} is {feed.status}")
        feed.status = "CANCELLED"

    def _begin(self) -> None:
        feed = self._queue[0]
        if feed.status == "CANCELLED":
            return self._next()
        feed.status = "IN_PROGRESS"
        feed.times["processingStartTime"] = iso(time.time())
        self._after(self._waits.progress_s, lambda: self._process(feed))
        return None

    def _process(self, feed: Feed) -> None:
        assert feed.document.content is not None
        feed.status, report = self._report(feed, feed.document.content)
        feed.times["processingEndTime"] = iso(time.time())
        feed.report = self._keep("application/json", orjson.dumps(report))
        self._next()

    def _next(self) -> None:
        self._queue.popleft()
        if self._queue:
            self._after(self._waits.queue_s(), self._begin)

    def _report(self, feed: Feed, content: bytes) -> tuple[str, dict[str, Any]]:
        """Of what was applied while it was made."""
        try:
            told = orjson.loads(content)
            header, messages = told["header"], told["messages"]
            if header["version"] != "2.0" or not header["sellerId"] or not len(messages) >= 1:
                raise KeyError("header")
            ids = [one["messageId"] for one in messages]
            if len(set(ids)) != len(ids) or not all(isinstance(one, int) and 1 <= one <= IDS_MAX for one in ids):
                raise KeyError("messageId")
        except (orjson.JSONDecodeError, KeyError, TypeError) as wrong:
            self._broke("feed.schema")
            return "FATAL", _summed(feed, 0, 0, [{**issue("90000", f"not a listings feed: {wrong}"), "messageId": 0}])
        if len(messages) > MESSAGES_MAX:
            self._broke("feed.messages")
            size = issue("90000", f"feed messages list beyond allowed size: {len(messages)} of {MESSAGES_MAX}")
            return "FATAL", _summed(feed, 0, 0, [{**size, "messageId": 0}])
        issues: list[Issue] = []
        accepted = 0
        for message in messages:
            found = self._take(message)
            accepted += not found
            for one in found:
                self._broke(one["rule"])
                issues.append({**one, "messageId": message["messageId"], "sku": message.get("sku", "")})
        return "DONE", _summed(feed, len(messages), accepted, issues)

    def _take(self, message: Mapping[str, Any]) -> list[Issue]:
        """Applied at once, whatever came for this sku in the meantime: rule feed.overtaken."""
        patches, product_type = message.get("patches"), message.get("productType")
        try:
            if message.get("operationType") != "PATCH" or not message.get("sku"):
                raise Refusal("feed.schema")
            check_patches(product_type, patches)
            assert isinstance(patches, list)
        except Refusal as refusal:
            return [issue("90000", "the message does not follow the feed's schema", rule=refusal.rule)]
        issues = self._catalogue.patch(message["sku"], product_type, patches, preview=True)
        if not issues:
            for one in patches:
                self._catalogue.apply(message["sku"], one)
        return issues

    def _keep(self, content_type: str, content: bytes | None = None) -> Document:
        document = Document(f"amzn1.tortuga.4.{secrets.token_hex(8)}", content_type, time.time(), content)
        self.documents[document.id] = document
        return document


def _some(query: QueryParams, name: str, default: Sequence[str]) -> Sequence[str]:
    return query[name].split(",") if name in query else default


def _summed(feed: Feed, processed: int, accepted: int, issues: list[Issue]) -> dict[str, Any]:
    return {
        "header": {"sellerId": "", "version": "2.0", "feedId": feed.id},
        "issues": [{name: what for name, what in one.items() if name not in ("rule", "categories")} for one in issues],
        "summary": {
            "errors": len(issues),
            "warnings": 0,
            "messagesProcessed": processed,
            "messagesAccepted": accepted,
            "messagesInvalid": processed - accepted,
        },
    }
