"""The resident's pages: my code, my check-in, why, who looked at my data."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from passlight.core.codes.layout import Purpose
from passlight.office.accounts.roles import public, requires, signed_in_user
from passlight.office.pages.language import current_language, message
from passlight.office.pages.prompts import recordings
from passlight.office.pages.worker import serve_worker
from passlight.office.people.models import Person
from passlight.office.people.queries import (
    AccessEntry,
    MaskedIdentity,
    access_log,
    own_identity,
)
from passlight.office.resident.limits import visitor_test_hours
from passlight.office.statuses.explanation import contact_phone, explain
from passlight.office.statuses.forms import MomentForm
from passlight.runtime.clock import SystemClock
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import public_key_for

CLOCK = SystemClock()
TOKEN_LENGTH_MAX = 400


@require_safe
@requires("me.use")
@ensure_csrf_cookie
def code(request: HttpRequest) -> HttpResponse:
    """Show my code; the browser makes, fetches and draws it."""
    identity = _own_identity(request)
    context = {
        "identity": {"name": identity.name, "document": document_text(identity)},
        "page": {
            **_device(request),
            "realm": settings.PASSLIGHT.realm,
            "roots": [public_key_for(KeyFolder(settings.PASSLIGHT.keys), Purpose.LIST).hex()],
            "testHours": visitor_test_hours(CLOCK.now()),
            "whyUrl": reverse("resident:why"),
            "visitUrl": reverse("resident:visit"),
            "loginUrl": reverse("accounts:login"),
            "phone": contact_phone(),
        },
    }
    return render(request, "resident/code.html", context)


@require_safe
@requires("me.use")
@ensure_csrf_cookie
def visit(request: HttpRequest) -> HttpResponse:
    """Check in at a venue: by the token that its code led here with, else by the camera."""
    identity = _own_identity(request)
    context = {
        "page": {
            **_device(request),
            "name": identity.name,
            "token": request.GET.get("t", "")[:TOKEN_LENGTH_MAX],
            "wasm": static("dist/zxing_reader.wasm"),
        },
        "prompts": recordings(),
    }
    return render(request, "resident/visit.html", context)


@require_safe
@requires("me.use")
def why(request: HttpRequest) -> HttpResponse:
    """Say why my colour is what it is, until when, and what I can do."""
    now = CLOCK.now()
    at, known_at = MomentForm(request.GET).moments(now=now)
    explanation = explain(_person(request), at, known_at, now=now)
    return render(request, "resident/why.html", {"explanation": explanation})


@require_safe
@requires("me.use")
def access(request: HttpRequest) -> HttpResponse:
    """Show who looked at my data."""
    entries = [_access_line(entry) for entry in access_log(_person(request))]
    return render(request, "resident/access.html", {"entries": entries})


@public
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Serve the service worker from below ``/me/``, so that its scope is these pages alone."""
    return serve_worker()


def document_text(identity: MaskedIdentity) -> str:
    """Return a masked document as a page names it: ``身份证 310***********12``."""
    if identity.document_type is None:
        return ""
    return f"{message(f'people.type.{identity.document_type.value}')} {identity.document}"


def _access_line(entry: AccessEntry) -> dict[str, object]:
    """Return one look in the page's language: a unit and a badge, never a colleague's name."""
    english = current_language() == "en"
    unit = (entry.unit.name_en if english else entry.unit.name) if entry.unit else ""
    joint = ", " if english else "、"
    return {
        "at": entry.at,
        "unit": unit,
        "badge": entry.badge,
        "place": entry.place,
        "fields": joint.join(message(f"resident.field.{name}") for name in entry.fields),
        "purpose_code": f"resident.purpose.{entry.purpose}",
        "role_code": f"accounts.role.{entry.role}",
        "mask_code": "resident.access_masked" if entry.masked else "resident.access_full",
    }


def _own_identity(request: HttpRequest) -> MaskedIdentity:
    """Return the resident's own masked identity; row and answer stand or fall together."""
    with transaction.atomic():
        return own_identity(_person(request), actor=signed_in_user(request))


def _person(request: HttpRequest) -> Person:
    person = signed_in_user(request).person
    if person is None:
        raise PermissionDenied("this account belongs to no person")
    return person


def _device(request: HttpRequest) -> dict[str, str]:
    """Return what keeps two users of one browser apart in its storage."""
    return {"owner": f"u{signed_in_user(request).pk}"}
