"""Whatever is sent: never a 5xx, never a colour, always the one shape of an error."""

import json
import uuid

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.conftest import Running
from tests.gateway.office import Office

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
ROUTES = ("/v1/codes", "/v1/verifications", "/v1/records", "/v1/checkins")
NASTY = [
    b"", b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b'{"a":' * 5_000, b"\xff\xfe", b"NaN",
    b'{"requests":[],"requests":[]}', b'{"text":"\\ud800"}', b'{"text":"\\u0000"}',
    b'{"requests":[{"start":1e400,"lifetime":0,"slot_code":1,"anchor":"00"}]}',
    b'{"requests":[{"start":' + b"9" * 5000 + b"}]}", b" " * 20_000,
]  # fmt: skip


def sane(gateway: Running, path: str, status: int, body: dict) -> None:
    assert status < 500, (path, body)
    assert status != 200, (path, body)
    assert set(body["message"]) == {"zh", "en"}
    assert "colour" not in body
    assert "answer" not in body


class Sender:
    def __init__(self, office: Office, gateway: Running) -> None:
        venue = office.add_venue()
        office.publish(7, (None, "green", None))
        gateway.knows(office)
        self.venue, self.gateway, self.office = venue, gateway, office

    def send(self, path: str, body: bytes):
        # A new device each time, so that rates do not hide what is behind them.
        resident = path in {"/v1/codes", "/v1/checkins"}
        device = self.office.resident(7) if resident else self.office.checker(self.venue)
        headers = {**device.headers("POST", path), "Content-Type": "application/json"}
        return self.gateway.client.post(path, content=body, headers=headers)


def test_a_megabyte_of_code_is_refused_and_the_next_code_is_read(
    office: Office, gateway: Running
) -> None:
    sender = Sender(office, gateway)
    place = {"venue": sender.venue, "entrance": "east", "interaction": str(uuid.uuid4())}
    for text in ("PL1:" + "A" * 1_000_000, "Q" * 1_000_000):
        body = json.dumps({**place, "text": text}).encode()
        answer = sender.send("/v1/verifications", body)
        assert answer.status_code == 413, answer.text
        sane(gateway, "/v1/verifications", answer.status_code, answer.json())
    # The control: a text of a QR code's own size is read, and said to be no code of ours.
    answer = sender.send("/v1/verifications", json.dumps({**place, "text": "Q" * 500}).encode())
    assert (answer.status_code, answer.json()["answer"]) == (200, "not-found"), answer.text


def test_garbage_bodies(office: Office, gateway: Running) -> None:
    sender = Sender(office, gateway)
    for path in ROUTES:
        for body in NASTY:
            answer = sender.send(path, body)
            sane(gateway, path, answer.status_code, answer.json())

    @SETTINGS
    @given(
        path=st.sampled_from(ROUTES),
        body=st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode()),
    )
    def anything(path: str, body: bytes) -> None:
        answer = sender.send(path, body)
        sane(gateway, path, answer.status_code, answer.json())

    anything()


def test_garbage_codes_are_never_a_colour(office: Office, gateway: Running) -> None:
    sender = Sender(office, gateway)
    phone = office.resident(7)
    draft = phone.draft()
    assert phone.ask(gateway.client, draft).status_code == 200
    good = draft.text(gateway.clock.now())
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
    changed = st.builds(
        lambda place, symbol: good[:place] + symbol + good[place + 1 :],
        st.integers(0, len(good) - 1),
        st.sampled_from(alphabet),
    ).filter(lambda text: text != good)
    anything = st.text(max_size=400) | st.text(alphabet=alphabet, min_size=174, max_size=174).map(
        lambda text: "PL1:" + text
    )

    @SETTINGS
    @given(text=changed | anything)
    def scan(text: str) -> None:
        asked = {
            "text": text,
            "venue": sender.venue,
            "entrance": "east",
            "interaction": str(uuid.uuid4()),
        }
        body = json.dumps(asked).encode()
        answer = sender.send("/v1/verifications", body)
        assert answer.status_code in {200, 400}, text
        assert answer.json().get("answer") not in {"green", "yellow", "red"}, text

    scan()
    # Control: the unchanged code is green, so it was the change that was refused.
    control = {
        "text": good,
        "venue": sender.venue,
        "entrance": "east",
        "interaction": str(uuid.uuid4()),
    }
    assert (
        sender.send("/v1/verifications", json.dumps(control).encode()).json()["answer"] == "green"
    )


def test_garbage_headers_and_addresses(gateway: Running) -> None:
    client = gateway.client
    for authorization in ("", "DPoP", "Bearer x", "DPoP a.b.c", "DPoP " + "A" * 9000):
        for proof in ("", "a.b.c", "e30.e30.AA", "A" * 5000):
            answer = client.get("/v1/me", headers={"Authorization": authorization, "DPoP": proof})
            assert answer.status_code == 401
            assert "colour" not in answer.json()
    for path in ("/", "/v1", "/v1/", "/v1/me/", "/v/", "/v/x/y", "/v1/%00", "/../v1/me"):
        assert client.get(path).status_code in {400, 401, 404, 307}


def test_a_failure_inside_is_an_error_and_no_colour(
    office: Office, gateway: Running, monkeypatch
) -> None:
    sender = Sender(office, gateway)
    monkeypatch.setattr(gateway.gateway.published.keys, "issuer", lambda now: 1 / 0)
    body = b'{"requests":[{"start":1,"lifetime":0,"slot_code":1,"anchor":"%s"}]}' % (b"0" * 32)
    answer = sender.send("/v1/codes", body)
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "ZeroDivision" not in answer.text
