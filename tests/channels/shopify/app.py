"""The Admin API over HTTP: who may ask, what it costs, and the shape of answers and errors."""

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    get_operation_ast,
    get_variable_values,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.channels.shopify.access import Access
from tests.channels.shopify.bucket import Bucket
from tests.channels.shopify.cost import LARGEST, Cost
from tests.channels.shopify.queries import Queries
from tests.channels.shopify.schema import VERSION

if TYPE_CHECKING:
    from tests.channels.shopify.marketplace import Shopify

PATH = f"/admin/api/{VERSION}/graphql.json"
GRANT = "/admin/oauth/access_token"
UNKNOWN_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
_UNKNOWN_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")
_LIMITS = "https://shopify.dev/api/usage/rate-limits"


def create_app(market: "Shopify", queries: Queries, access: Access, bucket: Bucket) -> Starlette:
    api = _Api(market, queries, access, bucket)
    return Starlette(
        routes=[
            Route(PATH, api.graphql, methods=["POST"]),
            Route(GRANT, api.grant, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", api.other_version, methods=["POST"]),
        ]
    )


class _Api:
    def __init__(self, market: "Shopify", queries: Queries, access: Access, bucket: Bucket) -> None:
        self._market = market
        self._queries = queries
        self._access = access
        self._bucket = bucket

    async def grant(self, request: Request) -> Response:
        """Takes JSON, as Shopify's own library sends it, and a form, as its documentation shows it."""
        self._market.requests["grant"] += 1
        body = await request.body()
        is_json = "json" in request.headers.get("content-type", "")
        asked = json.loads(body) if is_json else dict(parse_qsl(body.decode()))
        granted = None
        if asked.get("grant_type") == "client_credentials" and not self._market.faults.token_revoked:
            granted = self._access.grant(str(asked.get("client_id")), str(asked.get("client_secret")))
        if granted is None:
            return self._broke("grant-refused", 400, {"error": "invalid_client"})
        return JSONResponse(granted)

    async def other_version(self, _: Request) -> Response:
        return self._broke("version", 404, {"errors": "Not Found"})

    async def graphql(self, request: Request) -> Response:
        if self._market.faults.token_revoked:
            self._access.forget()
        token = request.headers.get("x-shopify-access-token", "")
        if self._market.faults.token_revoked or not self._access.is_good(token):
            return self._broke("token", 401, {"errors": UNKNOWN_TOKEN})
        if not request.headers.get("content-type", "").startswith("application/json"):
            return self._broke("json", 400, {"errors": "Bad Request"})
        try:
            asked = json.loads(await request.body())
            text, variables = asked["query"], asked.get("variables") or {}
        except (ValueError, KeyError, TypeError):
            return self._broke("json", 400, {"errors": "Bad Request"})
        return JSONResponse(await self._answer(text, variables, asked.get("operationName")))

    async def _answer(self, text: str, variables: dict[str, Any], name: str | None) -> dict[str, Any]:
        """With status 200, whatever is in it."""
        document = self._queries.parsed(text)
        if isinstance(document, list):
            return self._refused(document)
        operation = get_operation_ast(document, name)
        if operation is None:
            return self._refused([GraphQLError("No operation was named, or there is none of that name")])
        for field in operation.selection_set.selections:
            self._market.requests[field.name.value] += 1  # type: ignore[attr-defined]  # only fields are served there
        coerced = get_variable_values(self._queries.schema, operation.variable_definitions or (), variables)
        if isinstance(coerced, list):
            return self._refused(coerced)
        cost = Cost(self._queries.schema, _fragments(document), coerced)
        return await self._within(cost, document, operation, variables)

    async def _within(
        self, cost: Cost, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]
    ) -> dict[str, Any]:
        requested = cost.of(operation)
        if requested > LARGEST:
            self._market.rules.broke("max-cost")
            message = f"Query cost is {requested}, which exceeds the single query max cost limit ({LARGEST})."
            code = {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": LARGEST, "documentation": _LIMITS}
            return {"errors": [{"message": message, "extensions": code}]}
        if self._market.faults.throttled or not self._bucket.take(requested):
            self._market.throttled += 1
            self._market.rules.broke("throttled")
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _LIMITS}}
            return {"errors": [error], "extensions": self._told(requested, None)}
        name = operation.name.value if operation.name else None
        result = await self._queries.executed(document, variables, name)
        actual = cost.of(operation, result.data or {})
        self._bucket.give_back(requested - actual)
        return {**_shaped(result), "extensions": self._told(requested, actual)}

    def _refused(self, errors: list[GraphQLError]) -> dict[str, Any]:
        self._market.rules.broke("schema")
        return {"errors": [_error(one) for one in errors]}

    def _told(self, requested: int, actual: int | None) -> dict[str, Any]:
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": self._bucket.status(),
            }
        }

    def _broke(self, rule: str, status: int, body: dict[str, Any]) -> Response:
        self._market.rules.broke(rule)
        return JSONResponse(body, status)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def _shaped(result: ExecutionResult) -> dict[str, Any]:
    """What broke a rule of the whole call leaves no data where its input was too large."""
    errors = [_error(one) for one in result.errors or ()]
    if not errors:
        return {"data": result.data}
    if errors[0]["extensions"].get("code") == "MAX_INPUT_SIZE_EXCEEDED":
        return {"errors": errors}
    return {"errors": errors, "data": result.data}


def _error(error: GraphQLError) -> dict[str, Any]:
    """With the codes of Shopify's, as far as they are known."""
    formatted: dict[str, Any] = {"extensions": {}, **error.formatted}
    if unknown := _UNKNOWN_FIELD.match(error.message):
        formatted["message"] = f"Field '{unknown[1]}' doesn't exist on type '{unknown[2]}'"
        formatted["extensions"] = {"code": "undefinedField", "typeName": unknown[2], "fieldName": unknown[1]}
    elif error.message.startswith("Variable '$"):
        formatted["extensions"] = {"code": "INVALID_VARIABLE"}
    elif error.message.startswith("Syntax Error"):
        formatted["extensions"] = {"code": "PARSE_ERROR"}
    return formatted
