"""Pages of halls: the list, one hall, its state, head counts."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.places.hall import HallLevel, ZoneKind
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.halls.actions import ZoneDetails, correct, make_hall, set_state
from passlight.office.halls.finding import halls_visible, zone_of_entrance
from passlight.office.halls.forms import CorrectionForm, HallFilterForm, HallForm, StateForm
from passlight.office.halls.models import Correction, DoorHolding, Hall
from passlight.office.halls.queries import ZoneOccupancy, occupancy
from passlight.office.halls.words import hall_name, unit_name
from passlight.office.pages.language import current_language, message
from passlight.runtime.catalogue import text
from passlight.runtime.clock import SystemClock, SystemEntropy

ROWS_A_PAGE = 50
CORRECTIONS_SHOWN = 20


@require_safe
@requires("halls.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show the halls of the user's units: state and how full."""
    user, now = signed_in_user(request), SystemClock().now()
    form = HallFilterForm(request.GET)
    page = Paginator(_listed(halls_visible(user), form.wanted()), ROWS_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "page": page,
        "rows": [{**words(hall), "zones": main_zones(hall)} for hall in page.object_list],
        "as_of": now,
        "may_make": allowed(user, "halls.change"),
    }
    return render(request, "halls/index.html", context)


@require_safe
@requires("halls.view")
def detail(request: HttpRequest, hall_id: UUID) -> HttpResponse:
    """Show one hall: zones with who is inside, doors, corrections, state."""
    hall = visible(request, hall_id)
    return _detail(request, hall, CorrectionForm.of(hall), StateForm(initial={"state": hall.state}))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("halls.change")
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a hall of a venue, with the zones that every hall has."""
    data = request.POST if request.method == "POST" else None
    form = HallForm(signed_in_user(request), data)
    if data is not None and form.is_valid():
        said = form.cleaned_data
        hall = make_hall(
            said["venue"],
            HallLevel(said["level"]),
            usual_zones({name: said.get(f"cap_{name}") for name in ("screen", "hall", "isolate")}),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        messages.success(request, message("halls.new.done", name=hall_name(hall)))
        return redirect("halls:detail", hall.pk)
    return render(request, "halls/new.html", {"form": form}, status=200 if data is None else 422)


@require_POST
@requires("halls.correct")
def head_count(request: HttpRequest, hall_id: UUID) -> HttpResponseBase:
    """Take a head count."""
    hall = visible(request, hall_id)
    form = CorrectionForm(hall, request.POST)
    if not form.is_valid():
        return _detail(request, hall, form, StateForm(initial={"state": hall.state}), status=422)
    made = correct(
        form.cleaned_data["zone"],
        counted=form.cleaned_data["counted"],
        reason=form.cleaned_data["reason"],
        actor=signed_in_user(request),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    messages.success(request, message("halls.correct.done", known=made.known, counted=made.counted))
    return redirect("halls:detail", hall.pk)


@require_POST
@requires("halls.state")
def state(request: HttpRequest, hall_id: UUID) -> HttpResponseBase:
    """Open, limit or close a hall."""
    hall = visible(request, hall_id)
    form = StateForm(request.POST)
    if not form.is_valid():
        return _detail(request, hall, CorrectionForm.of(hall), form, status=422)
    set_state(
        hall,
        form.chosen(),
        reason=form.cleaned_data["reason"],
        actor=signed_in_user(request),
        clock=SystemClock(),
    )
    words = message(f"halls.state.{hall.state}")
    messages.success(request, message("halls.state.done", state=words))
    return redirect("halls:detail", hall.pk)


def visible(request: HttpRequest, hall_id: UUID) -> Hall:
    """Return the hall when this user may see it."""
    return get_object_or_404(halls_visible(signed_in_user(request)), pk=hall_id)


def words(hall: Hall) -> dict[str, Any]:
    """Return a hall with what a page says about it."""
    english = current_language() == "en"
    return {
        "hall": hall,
        "name": hall_name(hall),
        "other_name": hall.venue.name if english else hall.venue.name_en,
        "unit_name": unit_name(hall.venue.unit),
        "level_name": message(f"halls.level.{hall.level}"),
        "state_name": message(f"halls.state.{hall.state}"),
    }


def zone_rows(zones: list[ZoneOccupancy]) -> list[dict[str, Any]]:
    """Return zones with their names, and the English second line."""
    english = current_language() == "en"
    return [
        {
            "one": one,
            "name": one.zone.name_en if english else one.zone.name,
            "name_en": "" if english else one.zone.name_en,
            "kind": message(f"halls.kind.{one.zone.kind}"),
        }
        for one in zones
    ]


def main_zones(hall: Hall) -> list[dict[str, Any]]:
    """Return the zones that a list shows: the hall itself, else all that count."""
    zones = occupancy(hall, SystemClock().now())
    main = [one for one in zones if one.zone.kind == ZoneKind.HALL]
    return zone_rows(main or zones)


def usual_zones(caps: dict[str, int | None]) -> list[ZoneDetails]:
    """Return the zones of seed 004: outside, screening, hall, counters, temporary isolation."""
    kinds = {
        "out": ZoneKind.OUTSIDE,
        "screen": ZoneKind.SCREENING,
        "hall": ZoneKind.HALL,
        "counters": ZoneKind.COUNTERS,
        "isolate": ZoneKind.ISOLATION,
    }
    return [
        ZoneDetails(
            code=code,
            kind=kind,
            name=text(f"halls.zone.{code}", "zh"),
            name_en=text(f"halls.zone.{code}", "en"),
            cap=caps.get(code),
        )
        for code, kind in kinds.items()
    ]


def _listed(rows: QuerySet[Hall], wanted: dict[str, str]) -> QuerySet[Hall]:
    if "query" in wanted:
        query = wanted["query"]
        rows = rows.filter(Q(venue__name__icontains=query) | Q(venue__name_en__icontains=query))
    for name in ("level", "state"):
        if name in wanted:
            rows = rows.filter(**{name: wanted[name]})
    return rows.order_by("venue__unit__path", "venue__name")


def _doors(hall: Hall) -> list[dict[str, Any]]:
    """Return the hall's doors with their zones and what their devices hold."""
    holdings: dict[str, list[DoorHolding]] = {}
    for holding in DoorHolding.objects.filter(zone__hall=hall).order_by("-seen_at"):
        holdings.setdefault(holding.entrance, []).append(holding)
    english = current_language() == "en"
    found = []
    for door in hall.venue.entrances.all():
        zone, held = zone_of_entrance(hall, door.zone), holdings.get(door.code, [])
        found.append(
            {
                "row": door,
                "name": door.name_en if english else door.name,
                "zone": (zone.name_en if english else zone.name) if zone is not None else "–",
                "standing": sum(one.standing for one in held),
                "lent": sum(one.lent for one in held),
                "seen_at": held[0].seen_at if held else None,
            }
        )
    return found


def _detail(
    request: HttpRequest,
    hall: Hall,
    correction: CorrectionForm,
    state_form: StateForm,
    *,
    status: int = 200,
) -> HttpResponse:
    user, now = signed_in_user(request), SystemClock().now()
    corrections = Correction.objects.filter(zone__hall=hall).select_related("zone", "actor")
    context = {
        **words(hall),
        "zones": zone_rows(occupancy(hall, now)),
        "outside": hall.zones.filter(kind=ZoneKind.OUTSIDE.value),
        "doors": _doors(hall),
        "corrections": corrections[:CORRECTIONS_SHOWN],
        "as_of": now,
        "correction": correction,
        "state_form": state_form,
        "may_correct": allowed(user, "halls.correct", hall.venue.unit),
        "may_state": allowed(user, "halls.state", hall.venue.unit),
        "may_plan": allowed(user, "plans.view"),
        "may_staff": allowed(user, "rosters.view"),
    }
    return render(request, "halls/detail.html", context, status=status)
