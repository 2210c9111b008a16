"""The hall's big screen, and the count as a widget reads it: how many are inside, as of when."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from passlight.core.places.hall import ZoneKind
from passlight.office.accounts.roles import requires
from passlight.office.halls.models import Hall
from passlight.office.halls.plans import resolved_plan
from passlight.office.halls.queries import occupancy
from passlight.office.halls.views import visible, words, zone_rows
from passlight.runtime.clock import SystemClock


@require_safe
@requires("halls.view")
def display(request: HttpRequest, hall_id: UUID) -> HttpResponse:
    """Show the screen of a hall; it looks again every two seconds and says when it last could."""
    return render(request, "halls/display.html", _shown(visible(request, hall_id)))


@require_safe
@requires("halls.view")
def display_now(request: HttpRequest, hall_id: UUID) -> HttpResponse:
    """Show what changes on the screen."""
    return render(request, "halls/_display.html", _shown(visible(request, hall_id)))


@require_safe
@requires("halls.view", api=True)
def count(request: HttpRequest, hall_id: UUID) -> JsonResponse:
    """Return state, and inside and cap of each zone; ``cap`` null: no limit."""
    hall, now = visible(request, hall_id), SystemClock().now()
    return JsonResponse(
        {
            "state": hall.state,
            "as_of": now.isoformat(),
            "zones": [
                {
                    "code": one.zone.code,
                    "kind": one.zone.kind,
                    "inside": one.inside,
                    "cap": one.cap,
                    "lent": one.lent,
                }
                for one in occupancy(hall, now)
            ],
        }
    )


def _shown(hall: Hall) -> dict[str, Any]:
    now = SystemClock().now()
    zones = occupancy(hall, now)
    main = next((one for one in zones if one.zone.kind == ZoneKind.HALL), None)
    plan = resolved_plan(hall, now).values
    return {
        **words(hall),
        "main": main,
        # Everybody sees this screen: it does not say that somebody is being isolated.
        "others": zone_rows(
            [one for one in zones if one is not main and one.zone.kind != ZoneKind.ISOLATION]
        ),
        "as_of": now,
        "opens": plan.get("hours.opens"),
        "closes": plan.get("hours.closes"),
    }
