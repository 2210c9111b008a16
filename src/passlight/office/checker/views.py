"""The checker's pages, and the two answers that only the office can give: who it is.

The answer comes from the gateway. A name comes from here, in the transaction that writes
the access row: no row, no name.
"""

import json
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.codes.layout import Purpose as CodePurpose
from passlight.core.kernel.documents import DocumentType, read_document
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts import throttle
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import public, requires, signed_in_user
from passlight.office.checker.arrivals import arrivals, person_of
from passlight.office.checker.posts import Post, find_post, posts_for, remember, remembered
from passlight.office.checker.reported import incident_of
from passlight.office.pages.language import current_language, message
from passlight.office.pages.prompts import recordings
from passlight.office.pages.worker import serve_worker
from passlight.office.people.identity import Purpose
from passlight.office.people.models import Person
from passlight.office.people.queries import find_by_document, masked_identity
from passlight.runtime.catalogue import both
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.sealed import Handle, SealedError, Sealer, Use
from passlight.runtime.signing import public_key_for

BODY_BYTES_MAX = 4096
LOOKUPS_A_MINUTE = 20
# A miss tells that nobody has this number: whoever tries numbers waits (T14).
MISSES_MAX = 20
CLOCK = SystemClock()


@require_safe
@requires("door.use")
@ensure_csrf_cookie
def door(request: HttpRequest) -> HttpResponse:
    """Show the door page of the chosen post."""
    user = signed_in_user(request)
    post = remembered(request.session, user)
    if post is None:
        return redirect("checker:post")
    english = current_language() == "en"
    context = {
        "venue_name": post.venue.name_en if english else post.venue.name,
        "entrance_name": post.entrance.name_en if english else post.entrance.name,
        "document_types": [
            (kind.value, message(f"people.type.{kind.value}"))
            for kind in DocumentType
            if kind is not DocumentType.AGENCY
        ],
        "page": {
            "owner": f"u{user.pk}",
            "venue": str(post.venue.pk),
            "entrance": post.entrance.code,
            "place": post.place,
            "badge": user.badge,
            "realm": settings.PASSLIGHT.realm,
            "roots": [public_key_for(KeyFolder(settings.PASSLIGHT.keys), CodePurpose.LIST).hex()],
            "wasm": static("dist/zxing_reader.wasm"),
        },
    }
    return render(request, "checker/door.html", {**context, "prompts": recordings()})


@public
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Serve the service worker from below ``/checker/``: this door opens without network."""
    return serve_worker()


@require_http_methods(["GET", "HEAD", "POST"])
@requires("door.use")
def post(request: HttpRequest) -> HttpResponse:
    """Choose venue and entrance."""
    user = signed_in_user(request)
    if request.method == "POST":
        chosen = find_post(user, request.POST.get("venue", ""), request.POST.get("entrance", ""))
        if chosen is not None:
            remember(request.session, chosen)
            return redirect("checker:door")
    return render(request, "checker/post.html", {"venues": posts_for(user)})


@require_POST
@requires("door.use", api=True)
def identity(request: HttpRequest) -> HttpResponse:
    """Give the masked identity behind an answer, and write who looked, where and why."""
    user = signed_in_user(request)
    body = _body(request)
    handle = _open(user, body)
    if handle is None:
        return _problem(410, "checker.name_away")
    person = Person.objects.filter(ordinal=handle.ordinal).first()
    if person is None:
        return _problem(404, "checker.name_away")
    here = remembered(request.session, user)
    if here is None or str(here.venue.pk) != handle.venue:
        return _problem(409, "checker.name_away")
    return JsonResponse(_masked(person, user, here))


@require_POST
@requires("door.use", api=True)
def recent(request: HttpRequest) -> HttpResponse:
    """List who checked in at this entrance just now: no names, a glance joins list and phone."""
    user = signed_in_user(request)
    here = remembered(request.session, user)
    if here is None:
        return _problem(409, "checker.post_title")
    return JsonResponse({"arrivals": arrivals(here, CLOCK.now())})


@require_POST
@requires("door.use", api=True)
def arrival(request: HttpRequest) -> HttpResponse:
    """Let the gateway answer about somebody who checked in here, without a second scan."""
    user = signed_in_user(request)
    if not _may_look_up(user):
        return _problem(429, "checker.document_too_many")
    body = _body(request)
    here, device = remembered(request.session, user), _device(user, body)
    if here is None or device is None:
        return _problem(409, "checker.post_title")
    person = person_of(here, str(body.get("key", ""))[:80], CLOCK.now())
    if person is None:
        return _problem(404, "checker.arrival_over")
    return JsonResponse({"subject_token": _subject_token(person, here, device)})


@require_POST
@requires("door.use", api=True)
def incident(request: HttpRequest) -> HttpResponse:
    """Say which incident a report of this device opened; it names nobody who came."""
    user = signed_in_user(request)
    body = _body(request)
    device = _device(user, body)
    if device is None:
        return _problem(404, "checker.name_away")
    return JsonResponse(incident_of(str(body.get("key", ""))[:80], device=device))


@sensitive_post_parameters()
@require_POST
@requires("door.use", api=True)
def document(request: HttpRequest) -> HttpResponse:
    """Find a person by document for the gateway to answer about; who looked is written."""
    user = signed_in_user(request)
    guess = throttle.Guess.DOOR, str(user.pk)
    if not _may_look_up(user) or throttle.wait(*guess, CLOCK, limit=MISSES_MAX):
        return _problem(429, "checker.document_too_many")
    body = _body(request)
    here = remembered(request.session, user)
    if here is None or str(here.venue.pk) != body.get("venue"):
        return _problem(409, "checker.post_title")
    try:
        found = read_document(str(body.get("type", "")), str(body.get("number", "")))
    except ProblemError:
        return _problem(422, "checker.document_wrong")
    device = _device(user, body)
    person = find_by_document(found) if device else None
    if device is None or person is None:
        if device is not None:
            throttle.failed(*guess, CLOCK)
        return _problem(404, "checker.document_not_found")
    shown = _masked(person, user, here)
    return JsonResponse({"subject_token": _subject_token(person, here, device), "identity": shown})


def _subject_token(person: Person, here: Post, device: str) -> str:
    """Return what lets the gateway answer about a person to this device at this venue."""
    entropy = SystemEntropy()
    return Sealer.of(KeyFolder(settings.PASSLIGHT.keys), entropy).seal(
        Use.SUBJECT,
        ordinal=person.ordinal,
        checker=device,
        venue=str(here.venue.pk),
        now=CLOCK.now(),
        entropy=entropy,
    )


def _masked(person: Person, user: User, here: Post) -> dict[str, str]:
    """Return the masked identity; row and answer stand or fall together."""
    with transaction.atomic():
        seen = masked_identity(
            person, actor=user, purpose=Purpose.DOOR, place=here.name, clock=CLOCK
        )
    kind = message(f"people.type.{seen.document_type.value}") if seen.document_type else ""
    return {"name": seen.name, "document": f"{kind} {seen.document}".strip()}


def _open(user: User, body: dict[str, Any]) -> Handle | None:
    """Return what the gateway sealed for this device of this checker, while it lives."""
    device = _device(user, body)
    if device is None:
        return None
    sealer = Sealer.of(KeyFolder(settings.PASSLIGHT.keys), SystemEntropy())
    try:
        return sealer.open(Use.LOOKUP, str(body.get("lookup", "")), checker=device, now=CLOCK.now())
    except SealedError:
        return None


def _device(user: User, body: dict[str, Any]) -> str | None:
    """Return the handle of the device that asks, when it is one of this user's."""
    named = str(body.get("device", ""))
    mine = user.registrations.filter(handle=named, revoked_at=None).exists()
    return named if mine else None


def _may_look_up(user: User) -> bool:
    """Count a look-up by document; the office is one process, so its memory is enough."""
    name = f"checker-document:{user.pk}"
    cache.add(name, 0, timeout=60)
    try:
        return cache.incr(name) <= LOOKUPS_A_MINUTE
    except ValueError:  # ran out between the two lines
        return True


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body) if len(request.body) <= BODY_BYTES_MAX else {}
    except (ValueError, RecursionError):
        found = {}
    return found if isinstance(found, dict) else {}


def _problem(status: int, code: str) -> JsonResponse:
    return JsonResponse({"error": code, "message": both(code)}, status=status)
