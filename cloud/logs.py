"""The cloud's log: one JSON document a line on standard error, with the request id of whoever caused it."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

_QUIET = ("uvicorn.access", "watchfiles", "alembic", "asyncio")


def configure_logs(level: str) -> None:
    """Send every logger of this process through one JSON formatter."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_colours,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_colours(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.pop("color_message", None)  # uvicorn's second copy of its messages, for terminals
    return event


@contextmanager
def about_request(request_id: str) -> Iterator[None]:
    """Put the request id into every line that is logged inside."""
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield
