"""The poster as a PDF and as a picture."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_list_or_404, get_object_or_404, render
from django.views.decorators.http import require_safe

from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.verification.venue_codes import realm_day
from passlight.office.accounts.roles import requires, signed_in_user
from passlight.office.keyring.queries import latest_trust_list
from passlight.office.pages.language import message
from passlight.office.venues.models import Venue
from passlight.office.venues.poster import Sheet, poster_pdf, poster_png, sheets_of
from passlight.office.venues.queries import venues_visible
from passlight.runtime.clock import SystemClock
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import issuer_for


@require_safe
@requires("venues.view")
def pdf(request: HttpRequest, venue_id: UUID) -> HttpResponse:
    """Answer the posters of all open entrances, or of the one named, as one PDF."""
    venue = _active(request, venue_id)
    return _made(request, venue, poster_pdf, "application/pdf", "pdf")


@require_safe
@requires("venues.view")
def picture(request: HttpRequest, venue_id: UUID) -> HttpResponse:
    """Answer the poster of one entrance as a picture."""
    venue = _active(request, venue_id)
    return _made(request, venue, lambda sheets: poster_png(sheets[0]), "image/png", "png")


def current_sheets(venue: Venue, *, entrance: str = "") -> list[Sheet]:
    """Return today's sheets of a venue's open entrances, or of the one named.

    Raises:
        ProblemError: when there is no key that signs venue codes.
    """
    clock, realm = SystemClock(), settings.PASSLIGHT.realm
    folder = KeyFolder(settings.PASSLIGHT.keys)
    now = int(clock.now().timestamp())
    issuer, offset = _issuer(folder, realm=realm, now=now)
    wanted = {"code": entrance} if entrance else {}
    return sheets_of(
        venue,
        get_list_or_404(venue.entrances.filter(active=True, **wanted)),
        issuer=issuer,
        public_url=settings.PASSLIGHT.public_url,
        today=realm_day(now, offset=offset),
    )


def _issuer(folder: KeyFolder, *, realm: str, now: int) -> tuple[Issuer, int]:
    try:
        trust = latest_trust_list(realm=realm, folder=folder)
        key = trust.signing_key(Purpose.VENUE, realm=realm, now=now) if trust else None
        if trust is not None and key is not None:
            return issuer_for(key, folder), trust.realms[realm].offset
    except FileNotFoundError:
        pass  # said below, with what to do
    raise ProblemError(
        Problem(
            code="venues.key-missing",
            message="No published key signs venue codes.",
            remedy="Run passlight migrate.",
        )
    )


def _active(request: HttpRequest, venue_id: UUID) -> Venue:
    return get_object_or_404(venues_visible(signed_in_user(request)), pk=venue_id, active=True)


def _made(
    request: HttpRequest,
    venue: Venue,
    make: Callable[[list[Sheet]], bytes],
    content_type: str,
    suffix: str,
) -> HttpResponse:
    try:
        sheets = current_sheets(venue, entrance=request.GET.get("entrance", ""))
        made = make(sheets)
    except ProblemError as error:
        context = {"venue": venue, "text": message(error.problems[0].code)}
        return render(request, "venues/poster_fault.html", context, status=503)
    response = HttpResponse(made, content_type=content_type)
    name = f"venue-code-{sheets[0].number.lower()}.{suffix}"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
