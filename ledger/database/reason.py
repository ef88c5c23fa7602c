"""What an error of the database says, below the layers that wrap it."""

from sqlalchemy.exc import DBAPIError


def cause_of(error: BaseException) -> BaseException:
    """The driver's own error: SQLAlchemy wraps it twice."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def sqlstate_of(error: BaseException) -> str | None:
    """None: it is not PostgreSQL that says it, such as of a connection that was lost."""
    state = getattr(cause_of(error), "sqlstate", None)
    return state if isinstance(state, str) else None


def reason_of(error: BaseException) -> str:
    """In one line."""
    cause = cause_of(error)
    return (str(cause) or type(cause).__name__).splitlines()[0]
