"""WooCommerce's own client for Python, run by the Python that it is installed for.

Each line in is {"url", "key", "secret", "query", "calls": [[method, endpoint, data or null, parameters]]}; the line
back is [[status, body, total or null]] of them in order.
"""

import json
import sys

from woocommerce import API  # type: ignore[import-not-found]  # in an environment of its own

for line in sys.stdin:
    asked = json.loads(line)
    shop = API(asked["url"], asked["key"], asked["secret"], timeout=60, query_string_auth=asked["query"])
    answers = []
    for method, endpoint, data, parameters in asked["calls"]:
        given = [endpoint] if data is None else [endpoint, data]
        answer = getattr(shop, method)(*given, params=parameters)
        answers.append([answer.status_code, answer.json(), answer.headers.get("X-WP-Total")])
    print(json.dumps(answers), flush=True)  # noqa: T201
