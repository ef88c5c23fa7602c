"""docs/reference/http.md is what the OpenAPI documents say, and their examples are such as they describe."""

import pytest

from tests.docs.http_page import JSON, PAGE, answer_example, page, request_example
from tests.docs.pages import text_of
from tests.harness.openapi import Document, document

DOCUMENTS = [document("openapi.yaml"), document("hub-openapi.yaml"), document("channels-openapi.yaml")]
CHANNELS = ("removeChannel", "readMapping")
by_document = pytest.mark.parametrize("home", DOCUMENTS, ids=lambda home: str(home.name))


def test_the_page_is_up_to_date() -> None:
    assert text_of(PAGE) == page(), "run `make reference`"


@by_document
def test_every_request_example_is_valid(home: Document) -> None:
    for name, (_, _, operation) in home.operations.items():
        if "requestBody" in operation:
            content = operation["requestBody"]["content"][JSON]
            home.check_schema(request_example(operation), content["schema"])
            for example in content.get("examples", {}).values():
                home.check_schema(example["value"], content["schema"])
        for where, parameter in home.parameters(operation):
            if "example" in parameter:
                where.check_schema(parameter["example"], parameter["schema"])
            else:
                assert parameter["in"] != "path", (name, parameter["name"])


@by_document
def test_every_answer_shown_is_valid(home: Document) -> None:
    """A sample is put together from its parts: one without an example would be shown as an empty object."""
    for name, (_, _, operation) in home.operations.items():
        status, answer = answer_example(home, operation)
        where, response = home.found(operation["responses"][status])
        if answer is not None:
            where.check_schema(answer, response["content"][JSON]["schema"])
        else:
            assert name in {
                "revokeKey",
                "describe",
                "document",
                "streamLevels",
                "readBadge",
                "removeWebhook",
                *CHANNELS,
            }


@by_document
def test_no_text_was_cut_at_a_comma(home: Document) -> None:
    """In a flow mapping ``{description: a, b}`` is a description "a" and a key "b" without a value."""

    def cut(node: object) -> list[object]:
        if isinstance(node, dict):
            parts = {key: value for key, value in node.items() if key not in ("example", "examples")}
            return [key for key, value in parts.items() if value is None] + cut(list(parts.values()))
        return [found for value in node for found in cut(value)] if isinstance(node, list) else []

    assert cut(home.content) == []
