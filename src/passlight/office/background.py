"""What the office's processes without pages share: worker and jobs.

Each lives through restarts of the database, keeps one connection of its own beside Django's, and
ends at a signal after what it has begun.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import django
import psycopg
from django.db import InterfaceError, OperationalError, connection

BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
CONNECT_SECONDS: Final = 3
LOST: Final = (OperationalError, InterfaceError, psycopg.OperationalError)
"""What says that the database is away, not that something is wrong."""


def pause_after(failures: int) -> float:
    """Return the seconds to wait after so many failures before this one."""
    return BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]


@contextmanager
def own_connection() -> Iterator[psycopg.Connection[Any]]:
    """Give a connection beside Django's, to the same database: no transaction ever holds it."""
    target = connection.settings_dict
    with psycopg.connect(
        dbname=target["NAME"],
        user=target["USER"],
        password=target["PASSWORD"],
        host=target["HOST"],
        port=target["PORT"],
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
    ) as own:
        yield own


def close_connection() -> None:
    """Let this thread's connection of Django go, also one whose server is gone."""
    try:
        connection.close()
    except LOST:
        connection.connection = None


def run_until_told(name: str, work: Callable[[threading.Event], None]) -> None:
    """Set Django up and ``work`` until SIGTERM or SIGINT sets the event that it is given."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name} %(message)s")
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    django.setup()
    work(stop)
    logging.getLogger(f"passlight.{name}").info("stopped")
