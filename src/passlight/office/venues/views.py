"""Pages of venues; the posters are in ``poster_views``."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.halls.models import Hall, Zone
from passlight.office.pages.language import current_language, message
from passlight.office.venues.actions import (
    add_entrance,
    change_venue,
    register_venue,
    set_activity,
    set_entrance_activity,
)
from passlight.office.venues.forms import EntranceForm, VenueFilterForm, VenueForm
from passlight.office.venues.models import Entrance, Venue
from passlight.office.venues.queries import (
    Today,
    checkins_today,
    today_at,
    venues_listed,
    venues_visible,
)
from passlight.runtime.clock import SystemClock, SystemEntropy

ROWS_A_PAGE = 50


@require_safe
@requires("venues.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show the venues of the user's units that match the filter."""
    user = signed_in_user(request)
    form = VenueFilterForm(request.GET)
    rows = venues_listed(user, form.wanted())
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    venues = list(page.object_list)
    today = checkins_today([venue.pk for venue in venues], clock=SystemClock())
    context = {
        "form": form,
        "page": page,
        "rows": [{**_words(venue), "today": today.get(venue.pk, 0)} for venue in venues],
        "may_register": allowed(user, "venues.change"),
    }
    return render(request, "venues/index.html", context)


@require_safe
@requires("venues.view")
def detail(request: HttpRequest, venue_id: UUID) -> HttpResponse:
    """Show one venue: its data, doors, poster and what was recorded today."""
    venue = _visible(request, venue_id)
    return _detail(request, venue, EntranceForm(zones=_zones(venue)))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("venues.change")
def register(request: HttpRequest) -> HttpResponseBase:
    """Register a venue with its first entrance."""
    data = request.POST if request.method == "POST" else None
    user = signed_in_user(request)
    form, entrance = VenueForm(user, data), EntranceForm(data)
    if data is not None and form.is_valid() and entrance.is_valid():
        venue = register_venue(
            form.details(),
            (entrance.door(),),
            actor=user,
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        messages.success(request, message("venues.done.registered", name=venue.name))
        return redirect("venues:detail", venue.pk)
    context = {"form": form, "entrance": entrance}
    return render(request, "venues/form.html", context, status=200 if data is None else 422)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("venues.change")
def edit(request: HttpRequest, venue_id: UUID) -> HttpResponseBase:
    """Change what is said about a venue; posted codes stay good."""
    venue = _visible(request, venue_id)
    data = request.POST if request.method == "POST" else None
    form = VenueForm.of(venue, signed_in_user(request), data)
    if data is not None and form.is_valid():
        change_venue(venue, form.details(), clock=SystemClock())
        messages.success(request, message("venues.done.saved"))
        return redirect("venues:detail", venue.pk)
    context = {"form": form, **_words(venue)}
    return render(request, "venues/form.html", context, status=200 if data is None else 422)


@require_POST
@requires("venues.activate")
def activity(request: HttpRequest, venue_id: UUID) -> HttpResponseBase:
    """Open or close a venue (field/06 T12: the street office activates)."""
    venue = _visible(request, venue_id)
    active = request.POST.get("active") == "1"
    set_activity(venue, active=active, actor=signed_in_user(request), clock=SystemClock())
    code = "venues.done.activated" if active else "venues.done.deactivated"
    messages.success(request, message(code, name=_words(venue)["name"]))
    return redirect("venues:detail", venue.pk)


@require_POST
@requires("venues.change")
def entrances(request: HttpRequest, venue_id: UUID) -> HttpResponseBase:
    """Add a door to a venue."""
    venue = _visible(request, venue_id)
    form = EntranceForm(request.POST, zones=_zones(venue))
    if form.is_valid():
        try:
            added = add_entrance(venue, form.door(), clock=SystemClock())
        except ProblemError as error:
            problem = error.problems[0]
            form.add_error(problem.field, message(problem.code, **problem.params))
        else:
            messages.success(request, message("venues.done.entrance", name=_name(added)))
            return redirect("venues:detail", venue.pk)
    return _detail(request, venue, form, status=422)


@require_POST
@requires("venues.change")
def entrance_activity(request: HttpRequest, venue_id: UUID, code: str) -> HttpResponseBase:
    """Open or close one door."""
    venue = _visible(request, venue_id)
    door = get_object_or_404(Entrance, venue=venue, code=code)
    active = request.POST.get("active") == "1"
    set_entrance_activity(door, active=active, clock=SystemClock())
    done = "venues.done.entrance_opened" if active else "venues.done.entrance_closed"
    messages.success(request, message(done, name=_name(door)))
    return redirect("venues:detail", venue.pk)


def _zones(venue: Venue) -> list[str]:
    """Return the codes of the zones of a venue that is a hall."""
    return list(Zone.objects.filter(hall__venue=venue).values_list("code", flat=True))


def _visible(request: HttpRequest, venue_id: UUID) -> Venue:
    return get_object_or_404(venues_visible(signed_in_user(request)), pk=venue_id)


def _detail(
    request: HttpRequest, venue: Venue, form: EntranceForm, *, status: int = 200
) -> HttpResponse:
    user, clock = signed_in_user(request), SystemClock()
    today, by_entrance = today_at(venue, clock=clock)
    doors = list(venue.entrances.all())
    open_doors = [door for door in doors if door.active]
    context = {
        **_words(venue),
        "doors": [
            {"row": door, "name": _name(door), "today": by_entrance.get(door.code, Today())}
            for door in doors
        ],
        "open_doors": len(open_doors),
        "first_door": open_doors[0] if open_doors else None,
        "first_door_name": _name(open_doors[0]) if open_doors else "",
        "today": today,
        "as_of": clock.now(),
        "entrance": form,
        "hall": Hall.objects.filter(venue=venue).first() if allowed(user, "halls.view") else None,
        "may_change": allowed(user, "venues.change", venue.unit),
        "may_activate": allowed(user, "venues.activate", venue.unit),
    }
    return render(request, "venues/detail.html", context, status=status)


def _words(venue: Venue) -> dict[str, object]:
    """Return the venue with what a page says about it in its language."""
    english = current_language() == "en"
    return {
        "venue": venue,
        "name": venue.name_en if english else venue.name,
        "other_name": venue.name if english else venue.name_en,
        "unit_name": venue.unit.name_en if english else venue.unit.name,
        "kind_name": message(f"venues.kind.{venue.kind}"),
    }


def _name(door: Entrance) -> str:
    return door.name_en if current_language() == "en" else door.name
