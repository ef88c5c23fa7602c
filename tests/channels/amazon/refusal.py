"""How Amazon says no: ``{"errors": [{"code", "message", "details"}]}``; by Login with Amazon as OAuth has it."""

from starlette.requests import Request
from starlette.responses import JSONResponse

MESSAGES = {
    "InvalidInput": "Request has missing or invalid parameters and cannot be parsed.",
    "Unauthorized": "Access to requested resource is denied.",
    "QuotaExceeded": "You exceeded your quota for the requested resource.",
    "NOT_FOUND": "The requested resource was not found.",
    "Conflict": "The request could not be processed because of conflict in the current state of the resource.",
}
STATUSES = {"InvalidInput": 400, "Unauthorized": 403, "NOT_FOUND": 404, "Conflict": 409, "QuotaExceeded": 429}


class Refusal(Exception):
    """``rule``: that was broken, by its id."""

    def __init__(self, rule: str, code: str = "InvalidInput", details: str = "") -> None:
        super().__init__(rule)
        self.rule, self.code, self.details = rule, code, details

    def answer(self) -> JSONResponse:
        error = {"code": self.code, "message": MESSAGES[self.code], "details": self.details}
        return JSONResponse({"errors": [error]}, STATUSES[self.code])


class LoginRefusal(Exception):
    """As RFC 6749, section 5.2, has it."""

    def __init__(self, rule: str, error: str, description: str) -> None:
        super().__init__(rule)
        self.rule, self.error, self.description = rule, error, description

    def answer(self) -> JSONResponse:
        status = 401 if self.error == "invalid_client" else 400
        return JSONResponse({"error": self.error, "error_description": self.description}, status)


def one(request: Request, name: str, rule: str) -> str:
    """The one value of a parameter that has to be there."""
    values = request.query_params.getlist(name)
    if len(values) != 1 or not values[0]:
        raise Refusal(rule, details=f"{name} is missing or there twice")
    return values[0]
