"""Structured logs: JSON lines on standard output, with trace ids and without anything personal."""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson
import structlog

from services.runtime.settings import RuntimeSettings

_LIBRARIES: Final = {
    "aiokafka": logging.ERROR,
    "asyncio": logging.WARNING,
    "uvicorn": logging.WARNING,
    "httpx": logging.WARNING,
}
"""What libraries say below these levels is their own noise: retries, rebalances and reconnections are logged by us."""

_CAUSES_MAX: Final = 5
_FRAMES_MAX: Final = 30


def configure(settings: RuntimeSettings, process: str) -> None:
    """Send every log line of this process to standard output, one JSON object each (or for people, where told)."""
    configure_own(settings, process)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    rendered = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings, _dump_text)]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_annotators(process), processors=rendered)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, own in _LIBRARIES.items():
        logging.getLogger(name).setLevel(max(level, own))


def configure_own(settings: RuntimeSettings, process: str) -> None:
    """Do so with the lines of this project alone, and leave those of libraries where they go."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*_annotators(process), *_renderers(settings, _dump)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory() if _for_people(settings) else structlog.BytesLoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _for_people(settings: RuntimeSettings) -> bool:
    return settings.log_format == "console"


def _annotators(process: str) -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]


def _renderers(settings: RuntimeSettings, dump: Callable[..., str | bytes]) -> list[Any]:
    last = structlog.dev.ConsoleRenderer() if _for_people(settings) else structlog.processors.JSONRenderer(dump)
    return [_exception, last]


def _exception(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - structlog's own shape
    """Say where an exception came from by types and lines alone: its text and its variables may be personal."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()[1]
    elif isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["exception"] = list(_causes(raised))
    return event


def _causes(error: BaseException | None) -> Iterator[dict[str, Any]]:
    seen = 0
    while error is not None and seen < _CAUSES_MAX:
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        yield {"type": f"{type(error).__module__}.{type(error).__qualname__}", "at": where}
        error = error.__cause__ or error.__context__
        seen += 1


def _named(process: str) -> Any:  # noqa: ANN401 - a structlog processor
    def add(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - structlog's own shape
        event["process"] = process
        return event

    return add


def _dump(event: Any, **_: Any) -> bytes:  # noqa: ANN401 - structlog's own shape
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)


def _dump_text(event: Any, **_: Any) -> str:  # noqa: ANN401 - structlog's own shape
    """Our own lines are written as bytes; the formatter of standard logging takes text alone."""
    return _dump(event).decode()
