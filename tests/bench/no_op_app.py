"""The least an HTTP write can cost on the same servers: JSON parsed, an answer of the same size, nothing done.

python -m tests.bench.no_op_app ANSWER_BYTES    prints its port
"""

import asyncio
import sys

import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def create_app(answer_bytes: int) -> Starlette:
    answer = orjson.dumps({"padding": "x" * (answer_bytes - len('{"padding":""}'))})

    async def take(request: Request) -> Response:
        orjson.loads(await request.body())
        return Response(answer, status_code=201, media_type="application/json")

    return Starlette(routes=[Route("/v1/movements", take, methods=["POST"])])


async def main() -> None:
    config = uvicorn.Config(create_app(int(sys.argv[1])), port=0, log_level="error", access_log=False, loop="none")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    listener.listen()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve([listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
