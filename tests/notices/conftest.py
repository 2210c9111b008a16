"""Units, users, a clock that stands, and a server that takes messages."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from passlight.office.accounts import actions as accounts
from passlight.office.accounts.models import Role, Unit, UnitKind, User
from passlight.runtime.clock import SystemClock, SystemEntropy

START = datetime(2022, 6, 8, 2, 42, 7, tzinfo=UTC)


class StandingClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    def move(self, **length: float) -> None:
        self.at += timedelta(**length)


class Receiver:
    """A real HTTP server that keeps what it is sent; ``status`` is how it answers."""

    def __init__(self) -> None:
        self.taken: list[dict[str, object]] = []
        self.status = 200
        self.called = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.called.set()
                receiver.hold.wait(20)
                if receiver.status < 300:
                    receiver.taken.append(json.loads(body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/hook"

    def texts(self) -> list[object]:
        return [taken["message"] for taken in self.taken]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def standing() -> StandingClock:
    return StandingClock()


@pytest.fixture
def street(db: None) -> Unit:
    return accounts.add_unit(kind=UnitKind.TOWN, name="清河街道", name_en="Qinghe Subdistrict")


@pytest.fixture
def hall(street: Unit) -> Unit:
    return accounts.add_unit(
        kind=UnitKind.VILLAGE, name="清河街道中心", name_en="Qinghe Centre", parent=street
    )


@pytest.fixture
def add() -> Callable[..., User]:
    def user(role: Role, unit: Unit, name: str = "") -> User:
        new = accounts.NewUser(
            username=name or role.value,
            password="correct horse staple",
            role=role,
            unit=unit,
            display_name="岗",
            display_name_en="Post",
        )
        return accounts.add_user(new, clock=SystemClock(), entropy=SystemEntropy())

    return user
