"""eBay's errors in eBay's shape: errorId, domain, category, message, longMessage, parameters by name and value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TEXTS = {
    ("OAuth", "REQUEST"): {
        1001: "Invalid access token",
        1002: "Missing access token",
        1003: "Token type in the Authorization header is invalid",
        1100: "Access denied",
    },
    ("ACCESS", "REQUEST"): {
        2001: "Too many requests.",
        2002: "Resource not found",
        2004: "Invalid request",
    },
    ("ACCESS", "APPLICATION"): {2003: "Internal error"},
    ("API_INVENTORY", "REQUEST"): {
        25002: "Any User error.",
        25004: "Invalid quantity.",
        25019: "Cannot revise listing.",
        25702: "SKU is not available in the system",
        25707: "Invalid sku. sku has to be alphanumeric with upto 50 characters in length",
        25709: "Invalid value for a field.",
        25710: "We didn't find the resource/entity you are requesting. Please verify the request",
        25713: "This Offer is not available.",
        25727: "The number of InventoryItems in the request cannot exceed 25.",
        25734: "SKU should be unique in the request.",
    },
    ("API_FULFILLMENT", "REQUEST"): {
        30700: "Invalid filter name",
        30800: "Invalid filter value",
        30810: "Invalid date format",
        30820: "Start date is missing",
        30830: "Time range between start date and end date must be within '2' years.",
        30840: "Start date should be before end date",
        30850: "Start and end dates can't be in the future",
        30900: "Exceeded maximum number of order IDs (the current limit is 50)",
        31000: "Invalid offset",
        31100: "Invalid limit",
        32100: "Invalid order ID",
    },
    ("API_NOTIFICATION", "REQUEST"): {
        195001: "The specified key id is invalid.",
        195002: "The topic id does not exist.",
        195003: "Please provide configurations required for notifications. Refer to /config",
        195004: "Invalid limit. Supported ranges 10 - 100.",
        195006: "Invalid or missing subscription status.",
        195007: "Invalid or missing destination id.",
        195008: "Invalid or missing schema version. Please refer to /topic/{topic_id} for supported schema versions.",
        195009: "Specified format is not supported for the topic.",
        195010: "Invalid or missing protocol",
        195011: "Not authorized for this topic.",
        195012: "Subscription already exists",
        195013: "The subscription id does not exist.",
        195015: "The subscription cannot be enabled since the destination is not enabled.",
        195017: "Invalid or missing endpoint.",
        195018: "Invalid or missing destination status. Supported values:[ENABLED,DISABLED]",
        195019: "Invalid or missing verification token for this endpoint.",
        195020: "Challenge verification failed for requested endpoint",
        195021: "Destination exists for this endpoint",
        195022: "Invalid or missing destination id.",
        195024: "Destination is in use and cannot be deleted.",
        195025: "Invalid or missing email.",
        195026: "Configuration Not Found.",
        195027: "Invalid or missing topic id.",
    },
}
_BY_ID = {
    number: {"errorId": number, "domain": domain, "category": category, "message": message}
    for (domain, category), messages in _TEXTS.items()
    for number, message in messages.items()
}


@dataclass
class Refused(Exception):
    """Of a whole call. ``rule``: the one that was broken, None if it is no rule but an answer."""

    status: int
    error_id: int
    rule: str | None
    detail: str = ""
    parameters: Mapping[str, object] | None = None

    @property
    def error(self) -> dict[str, Any]:
        return error(self.error_id, self.detail, self.parameters)


def error(number: int, detail: str = "", parameters: Mapping[str, object] | None = None) -> dict[str, Any]:
    """``detail``: what eBay adds to the text of the error, in ``longMessage``."""
    known = _BY_ID[number]
    listed = [{"name": name, "value": str(value)} for name, value in (parameters or {}).items()]
    return {**known, "longMessage": f"{known['message']} {detail}".strip(), "parameters": listed}
