"""The front: two servers behind one origin, told apart by the path."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from passlight.gateway.front import create_front


class Server:
    def __init__(self, app: Starlette, **options: Any) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="critical", proxy_headers=False, **options)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()


def upstream(name: str, *, age: float = 1) -> Starlette:
    async def echo(request: Request) -> Response:
        body = await request.body()
        answer = JSONResponse(
            {
                "server": name,
                "path": request.scope["raw_path"].decode(),
                "query": request.url.query,
                "host": request.headers["host"],
                "headers": dict(request.headers),
                "size": len(body),
            }
        )
        answer.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"te", b"x")]
        return answer

    async def healthz(_: Request) -> Response:
        return JSONResponse({"book_age_seconds": age})

    async def stream(_: Request) -> Response:
        async def parts():
            for number in range(3):
                yield f"{number}\n".encode()

        return StreamingResponse(parts())

    routes = [
        Route("/v1/healthz", healthz),
        Route("/healthz/", healthz),
        Route("/stream", stream),
        Route("/{path:path}", echo, methods=["GET", "POST", "DELETE"]),
    ]
    return Starlette(routes=routes)


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server, Server]]:
    office, gateway = Server(upstream("office")), Server(upstream("gateway"))
    front = Server(create_front(office=office.url, gateway=gateway.url))
    yield office, gateway, front
    for server in (front, office, gateway):
        if server.thread.is_alive():
            server.stop()


def test_paths_go_where_they_belong(servers) -> None:
    front = servers[2]
    with httpx.Client(base_url=front.url) as client:
        for path, name in (
            ("/v1/codes", "gateway"),
            ("/v/abc", "gateway"),
            ("/venues/", "office"),
            ("/", "office"),
            ("/v1", "office"),
            ("/people/%E5%BC%A0?q=1%202", "office"),
        ):
            said = client.post(
                path, content=b"x" * 1000, headers={"Host": "code.example.cn"}
            ).json()
            assert (said["server"], said["size"], said["host"]) == (name, 1000, "code.example.cn")
            assert said["path"] == path.partition("?")[0]
            assert said["query"] == path.partition("?")[2]


def test_hop_by_hop_and_forged_headers_are_dropped(servers) -> None:
    with httpx.Client(base_url=servers[2].url) as client:
        answer = client.get(
            "/x",
            headers={
                "Connection": "X-Secret, close",
                "X-Secret": "1",
                "X-Forwarded-For": "6.6.6.6",
                "TE": "trailers",
            },
        )
        said = answer.json()["headers"]
        assert "x-secret" not in said
        assert "te" not in said
        assert said["x-forwarded-for"] == "127.0.0.1"
        assert said["x-forwarded-proto"] in {"http", "https"}
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert "te" not in answer.headers
        assert client.get("/stream").text == "0\n1\n2\n"


def test_only_our_own_proxy_says_who_asks(servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last name is the proxy's word; those before it came with the request."""

    def seen(said: str) -> str:
        answer = httpx.get(f"{servers[2].url}/x", headers={"X-Forwarded-For": said})
        return str(answer.json()["headers"]["x-forwarded-for"])

    assert seen("6.6.6.6") == "127.0.0.1"
    monkeypatch.setenv("PASSLIGHT_FRONT_PROXIES", "192.0.2.1, 127.0.0.1")
    assert seen("6.6.6.6, 198.51.100.7") == "198.51.100.7"
    assert seen("2001:db8::1") == "2001:db8::1"
    assert seen("somebody") == "127.0.0.1"


def test_health_names_what_is_not_ready(servers) -> None:
    office, gateway, front = servers
    with httpx.Client(base_url=front.url) as client:
        assert client.get("/healthz").json()["ready"] is True
        office.stop()
        said = client.get("/healthz")
        assert (said.status_code, said.json()["not_ready"]) == (503, ["office"])
        page = client.get("/login/")
        assert page.status_code == 503
        assert "出码和核验仍在工作" in page.text
        assert "Codes and checks go on working" in page.text
        assert client.get("/v1/time").json()["server"] == "gateway"
        gateway.stop()
        said = client.get("/healthz")
        assert said.json()["not_ready"] == ["office", "gateway", "worker"]
        away = client.get("/v1/time")
        assert (away.status_code, away.json()["error"]) == (503, "busy")


def test_a_worker_that_fell_silent_is_not_ready() -> None:
    office, gateway = Server(upstream("office")), Server(upstream("gateway", age=31))
    front = Server(create_front(office=office.url, gateway=gateway.url))
    said = httpx.get(f"{front.url}/healthz")
    assert (said.status_code, said.json()["not_ready"]) == (503, ["worker"])
    for server in (front, office, gateway):
        server.stop()


def test_one_persons_session_never_reaches_the_next(servers) -> None:
    """Control: without the cookie policy of the front's client the second request carries a=1."""
    front = servers[-1]
    first = httpx.get(f"{front.url}/login/")
    assert first.headers.get_list("set-cookie") == ["a=1", "b=2"]
    second = httpx.get(f"{front.url}/login/")
    assert "cookie" not in second.json()["headers"]


def connect(server: Server) -> socket.socket:
    return socket.create_connection(server.socket.getsockname(), timeout=10)


def test_an_upload_has_a_limit(servers) -> None:
    with connect(servers[-1]) as raw:
        raw.sendall(b"POST /feeds/ HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_say_its_length_has_the_same_limit(servers) -> None:
    """Control: 4 MiB in the same form arrive, and with their length."""

    def sent(size: int) -> httpx.Response:
        pieces = (b"x" * 65536 for _ in range(size // 65536))
        return httpx.post(f"{servers[-1].url}/login/", content=pieces)

    assert sent(5 << 20).status_code == 413
    whole = sent(4 << 20).json()
    assert (whole["size"], whole["headers"]["content-length"]) == (4 << 20, str(4 << 20))
    assert "transfer-encoding" not in whole["headers"]


@pytest.mark.parametrize("path", ["/login/", "/v1/codes"])
def test_who_sends_slowly_holds_nothing_behind_the_front(path: str) -> None:
    """Twelve senders begin a body and do not end it; a server that takes four still answers."""
    behind = Server(upstream("behind"), limit_concurrency=4)
    front = Server(create_front(office=behind.url, gateway=behind.url, patience=1.5))
    slow = [connect(front) for _ in range(12)]
    for one in slow:
        one.sendall(f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 500\r\n\r\na".encode())
    time.sleep(0.3)
    assert httpx.get(front.url + path).status_code == 200
    for one in slow:
        assert one.recv(100).startswith(b"HTTP/1.1 408")
        one.close()
    for server in (front, behind):
        server.stop()
