"""Home by role, health, and the components that later pages reuse."""

import sys

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from passlight.office.accounts.roles import public
from passlight.office.pages.menu import entries_for
from passlight.office.pages.styleguide import example_context

# Where a role starts when its work is not the first line of the office's menu that it sees.
STARTS = {
    "resident": "resident:code",
    "checker": "checker:door",
    # What nobody has dealt with yet comes before everything else (field/03 7).
    "duty-leader": "incidents:index",
    "street-office": "incidents:street",
}


@public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send each visitor to the page their role works on."""
    if not request.user.is_authenticated:
        return redirect("accounts:login")
    if request.user.role in STARTS:
        return redirect(STARTS[request.user.role])
    entries = entries_for(request.user)
    if entries:
        return redirect(reverse(entries[0].route))
    return render(request, "pages/home_none.html")


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether this process can serve: 200, or 503 and why."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"ready": False, "why": "database"}, status=503)
    return JsonResponse({"ready": True})


def fault(_: HttpRequest) -> HttpResponse:
    """Answer for a view that failed: 503 while the database is away, else 500.

    Rendered without the request, whose session and user would ask the database again.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return HttpResponse(loader.get_template("500.html").render(), status=500)
    away = loader.get_template("503.html").render()
    return HttpResponse(away, status=503, headers={"Retry-After": "5"})


@public
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component in every state."""
    return render(request, "pages/styleguide.html", example_context())
