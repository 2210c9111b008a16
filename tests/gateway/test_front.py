"""The front: one origin, nothing remembered between people, honest when a process is away."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from passlight.gateway.front import create_front


class Behind(BaseHTTPRequestHandler):
    """Stands behind the front: says what it was sent, and sets a cookie as a login would."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        body = json.dumps(
            {
                "name": self.name,
                "ready": True,
                "book_age_seconds": 1.0,
                "path": self.path,
                "headers": {k.lower(): v for k, v in self.headers.items()},
                "body": self.rfile.read(length).decode(),
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "sessionid=of-the-first-person; Path=/")
        self.send_header("Set-Cookie", "lang=zh; Path=/")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  # the name that http.server calls

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def origins():
    servers = {}
    for name in ("office", "gateway"):
        handler = type(name, (Behind,), {"name": name})
        servers[name] = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=servers[name].serve_forever, daemon=True).start()
    yield {name: f"http://127.0.0.1:{s.server_port}" for name, s in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


def ask(front, *requests):
    """Send requests one after another, each from a person without cookies."""

    async def run():
        replies = []
        async with front.router.lifespan_context(front):
            for method, path, extra in requests:
                transport = httpx.ASGITransport(front)
                async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
                    replies.append(await client.request(method, path, **extra))
        return replies

    return asyncio.run(run())


def front_of(origins, **options):
    return create_front(office=origins["office"], gateway=origins["gateway"], https=True, **options)


def test_paths_go_to_their_process(origins):
    paths = ["/v1/time", "/v/abc?x=1", "/", "/me/?a=%E7%A0%81"]
    replies = ask(front_of(origins), *[("GET", path, {}) for path in paths])
    found = [(r.json()["name"], r.json()["path"]) for r in replies]
    assert [name for name, _ in found] == ["gateway", "gateway", "office", "office"]
    assert [path for _, path in found] == paths


def test_one_persons_session_never_reaches_the_next(origins):
    first, second = ask(front_of(origins), ("GET", "/login/", {}), ("GET", "/login/", {}))
    assert first.headers.get_list("set-cookie") == [
        "sessionid=of-the-first-person; Path=/",
        "lang=zh; Path=/",
    ]
    assert "cookie" not in second.json()["headers"]


def test_forwarded_headers_are_ours(origins):
    forged = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "10.0.0.1"}
    (reply,) = ask(front_of(origins), ("POST", "/x", {"headers": forged, "content": b"hello"}))
    seen = reply.json()
    assert seen["body"] == "hello"
    assert seen["headers"]["host"] == "t"
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert "10.0.0.1" not in seen["headers"]["x-forwarded-for"]


def test_health_is_the_health_of_all(origins):
    (good,) = ask(front_of(origins), ("GET", "/healthz", {}))
    assert (good.status_code, good.json()["ready"]) == (200, True)
    away = {**origins, "office": "http://127.0.0.1:9"}
    (bad,) = ask(front_of(away), ("GET", "/healthz", {}))
    assert bad.status_code == 503
    assert bad.json()["office"] is False and bad.json()["gateway"] is True


def test_an_absent_process_is_said_in_both_languages_and_never_a_colour(origins):
    away = {"office": "http://127.0.0.1:9", "gateway": "http://127.0.0.1:9"}
    page, api = ask(front_of(away), ("GET", "/", {}), ("POST", "/v1/verifications", {"json": {}}))
    assert page.status_code == api.status_code == 503
    assert "出码和核验仍在工作" in page.text and "go on working" in page.text
    assert set(api.json()) == {"error", "message"} and set(api.json()["message"]) == {"zh", "en"}


def test_an_upload_has_a_limit(origins):
    huge = {"headers": {"content-length": str(10**12)}, "content": b""}
    (reply,) = ask(front_of(origins), ("POST", "/feeds/", huge))
    assert reply.status_code == 413
