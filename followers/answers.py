"""How the API answered, counted by class of status."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Answers:
    """``by_class``: since the process started; ``2xx`` and the like."""

    def __init__(self) -> None:
        self.by_class = {f"{digit}xx": 0 for digit in range(2, 6)}

    def count(self, status: int) -> None:
        self.by_class[f"{status // 100}xx"] += 1


class CountedAnswers:
    """Pure ASGI middleware, in front of all others: what they refuse counts too."""

    def __init__(self, app: ASGIApp, answers: Answers) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers.count(message["status"])
            await send(message)

        await self._app(scope, receive, counted)
