"""What devices ask of the office, in JSON: to be let in, a grant, a look-up, a receipt.

There is no session and no cookie here: who asks is the key that signs the proof (RFC 9449).
"""

import functools
import json
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from passlight.core.kernel.documents import read_document
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts import throttle
from passlight.office.accounts.roles import public
from passlight.office.checker.arrivals import SIGNS, person_by_signs
from passlight.office.checker.posts import Post
from passlight.office.gates.enrolment import PENDING_LIFE, initialize, welcome
from passlight.office.gates.models import GateDevice
from passlight.office.gates.service import sign_grant, signed_order, take_receipt
from passlight.office.people.identity import Purpose
from passlight.office.people.models import Person
from passlight.office.people.queries import find_by_document, log_found
from passlight.office.venues.models import Entrance
from passlight.runtime.catalogue import both
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.dpop import ProofChecker, ProofError, read_proof
from passlight.runtime.keys import KeyFolder
from passlight.runtime.sealed import Sealer, Use

BODY_BYTES_MAX = 8192
SOFTWARE_LENGTH_MAX = 40
TOKEN_LENGTH_MAX = 128
TOKEN_MISSES_MAX = 10
GRANTS_A_MINUTE = 60
LOOKUPS_A_MINUTE = 60
# More than a hall's busiest sentinel reads of cards; a list of thousands takes days, and shows.
LOOKUPS_AN_HOUR = 600
MISSES_MAX = 60
RECEIPTS_A_MINUTE = 20
CLOCK = SystemClock()


@csrf_exempt
@require_POST
@public
def start(request: HttpRequest) -> HttpResponse:
    """Take a new device's key for its token; a second person lets it in."""
    guess = throttle.Guess.GATE, f"token {_address(request)}"
    if throttle.wait(*guess, CLOCK, limit=TOKEN_MISSES_MAX):
        return _problem(429, "too-many")
    body = _body(request)
    token, jwk = body.get("token"), body.get("jwk")
    if not isinstance(token, str) or len(token) > TOKEN_LENGTH_MAX or not isinstance(jwk, dict):
        return _problem(400, "request-bad")
    software = "".join(c for c in str(body.get("software", "")) if c.isprintable())
    try:
        made = initialize(
            token,
            jwk,
            software=software[:SOFTWARE_LENGTH_MAX],
            clock=CLOCK,
            entropy=SystemEntropy(),
        )
    except ProblemError as error:
        code = error.problems[0].code
        if code == "gates.error-token-bad":
            throttle.failed(*guess, CLOCK)
        status = 403 if code == "gates.error-token-bad" else 400
        return _problem(status, code.removeprefix("gates.error-").replace("accounts.", ""))
    return _json(
        {
            "device": str(made.device.pk),
            "fingerprint": made.fingerprint,
            "realm": made.realm,
            "roots": [root.hex() for root in made.roots],
            "venue": str(made.device.venue_id),
            "entrance": made.device.entrance,
        }
    )


@csrf_exempt
@require_POST
@public
def grant(request: HttpRequest) -> HttpResponse:
    """Give a device that is in service its grant; tell the others what they are."""
    device = _device(request)
    if isinstance(device, HttpResponse):
        return device
    if _too_often(f"gate-grant:{device.pk}", GRANTS_A_MINUTE):
        return _problem(429, "too-many")
    if device.state == "pending":
        late = CLOCK.now() - device.enrolled_at >= PENDING_LIFE
        return _problem(403, "revoked" if late else "pending")
    if device.state in {"revoked", "wiped"}:
        return _problem(403, device.state)
    given = sign_grant(device, clock=CLOCK, entropy=SystemEntropy())
    answer: dict[str, Any] = {
        "grant": given.token,
        "expires_at": given.expires_at.isoformat(),
        "roots": [root.hex() for root in welcome(device).roots],
    }
    if device.state == "wiping":
        # The grant is for what it has still to send; the order is signed by the realm.
        return _problem(403, "wipe", **answer, order=json.loads(signed_order(device)))
    return _json(answer)


@csrf_exempt
@sensitive_post_parameters()
@require_POST
@public
def document(request: HttpRequest) -> HttpResponse:
    """Find a person by a document that a gate's reader has read; who looked is written."""
    device = _looking(request, "document")
    if isinstance(device, HttpResponse):
        return device
    body = _body(request)
    try:
        read = read_document(str(body.get("type", "")), str(body.get("number", "")))
    except ProblemError:
        return _problem(422, "document-wrong")
    person = find_by_document(read)
    if person is None:
        throttle.failed(*_guess(device, "document"), CLOCK)
        return _problem(404, "document-not-found")
    return _subject(person, device)


@csrf_exempt
@require_POST
@public
def arrival(request: HttpRequest) -> HttpResponse:
    """Find who checked in at this device's entrance just now by the signs that their page shows."""
    device = _looking(request, "arrival")
    if isinstance(device, HttpResponse):
        return device
    door = Entrance.objects.filter(venue=device.venue_id, code=device.entrance).first()
    signs = str(_body(request).get("check", ""))[:SIGNS].upper()
    here = Post(venue=device.venue, entrance=door) if door is not None else None
    person = person_by_signs(here, signs, CLOCK.now()) if here is not None else None
    if person is None:
        throttle.failed(*_guess(device, "arrival"), CLOCK)
        return _problem(404, "document-not-found")
    return _subject(person, device)


def _guess(device: GateDevice, what: str) -> tuple[throttle.Guess, str]:
    """Return what misses are counted under: made-up signs must not stop the cards of others."""
    return throttle.Guess.GATE, str(device.pk) if what == "document" else f"{device.pk} {what}"


def _looking(request: HttpRequest, what: str) -> GateDevice | HttpResponse:
    """Return the device in service that looks somebody up, counted; or why it may not."""
    device = _device(request)
    if isinstance(device, HttpResponse):
        return device
    if device.state != "active" or device.account is None:
        return _problem(403, "revoked")
    often = _too_often(f"gate-{what}:{device.pk}", LOOKUPS_A_MINUTE)
    often |= _too_often(f"gate-{what}-hour:{device.pk}", LOOKUPS_AN_HOUR, seconds=3600)
    if often or throttle.wait(*_guess(device, what), CLOCK, limit=MISSES_MAX):
        return _problem(429, "too-many")
    return device


def _subject(person: Person, device: GateDevice) -> JsonResponse:
    """Return what lets the gateway answer this device; who looked is written beside it."""
    assert device.account is not None, "it is in service"
    entropy = SystemEntropy()
    with transaction.atomic():
        log_found(
            person, actor=device.account, purpose=Purpose.DOOR, place=_place(device), clock=CLOCK
        )
        token = Sealer.of(KeyFolder(settings.PASSLIGHT.keys), entropy).seal(
            Use.SUBJECT,
            ordinal=person.ordinal,
            checker=str(device.pk),
            venue=str(device.venue_id),
            now=CLOCK.now(),
            entropy=entropy,
        )
    return _json({"subject_token": token})


@csrf_exempt
@require_POST
@public
def receipt(request: HttpRequest) -> HttpResponse:
    """Take a device's last word: signed with the key that it has destroyed since."""
    if _too_often(f"gate-receipt:{_address(request)}", RECEIPTS_A_MINUTE):
        return _problem(429, "too-many")
    try:
        take_receipt(str(_body(request).get("receipt", "")), clock=CLOCK)
    except ProblemError as error:
        return _problem(403, error.problems[0].code.removeprefix("gates.error-"))
    return _json({"taken": True})


@functools.cache
def _proofs(public_url: str) -> ProofChecker:
    """Return the memory of proofs; the office is one process, so one is enough."""
    return ProofChecker(clock=CLOCK, public_url=public_url)


def _device(request: HttpRequest) -> GateDevice | HttpResponse:
    """Return the device whose key signed this request's proof, or why there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    shown = token if scheme.lower() == "dpop" and token else None
    try:
        proof = read_proof(request.headers.get("DPoP", ""))
        _proofs(settings.PASSLIGHT.public_url).check(
            proof, method="POST", path=request.path, grant=shown
        )
    except ProofError as error:
        status = 503 if error.code == "busy" else 401
        return _problem(status, "proof-bad" if status == 401 else "too-many")  # noqa: PLR2004
    found = (
        GateDevice.objects.filter(thumbprint=proof.thumbprint)
        .select_related("account__unit", "venue")
        .first()
    )
    return found if found is not None else _problem(403, "unknown")


def _place(device: GateDevice) -> str:
    """Return the place as records name it."""
    door = Entrance.objects.filter(venue=device.venue_id, code=device.entrance).first()
    return f"{device.venue.name} {door.name if door is not None else device.entrance}"


def _too_often(name: str, most: int, *, seconds: int = 60) -> bool:
    """Count a request; the office is one process, so its memory is enough."""
    cache.add(name, 0, timeout=seconds)
    try:
        return cache.incr(name) > most
    except ValueError:  # ran out between the two lines
        return False


def _address(request: HttpRequest) -> str:
    """Return the caller's address as our own front saw it: the last hop it added."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body) if len(request.body) <= BODY_BYTES_MAX else {}
    except (ValueError, RecursionError):
        found = {}
    return found if isinstance(found, dict) else {}


def _json(answer: dict[str, Any], *, status: int = 200) -> JsonResponse:
    now_ms = int(CLOCK.now().timestamp() * 1000)
    made = JsonResponse({**answer, "now_ms": now_ms}, status=status)
    made["Cache-Control"] = "no-store"
    return made


def _problem(status: int, code: str, **more: Any) -> JsonResponse:
    said = {"error": code, "message": both(f"gates.error-{code}"), **more}
    return _json(said, status=status)
