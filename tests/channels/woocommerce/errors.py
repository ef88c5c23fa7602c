"""Errors as WooCommerce answers them: ``{"code", "message", "data": {"status"}}``."""

from typing import Any


class Wrong(Exception):
    """``rule``: the one that was broken."""

    def __init__(self, rule: str, status: int, code: str, message: str, **data: object) -> None:
        super().__init__(message)
        self.rule, self.status = rule, status
        self.body: dict[str, Any] = {"code": code, "message": message, "data": {"status": status, **data}}


def wrong_parameter(rule: str, name: str, message: str) -> Wrong:
    return Wrong(rule, 400, "rest_invalid_param", f"Invalid parameter(s): {name}", params={name: message})
