"""Home by role, health, and the components that later pages reuse."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from passlight.office.accounts.roles import public
from passlight.office.pages.menu import entries_for
from passlight.office.pages.styleguide import example_context

# Where a role starts when its work is not in the office's menu.
STARTS = {"resident": "resident:code", "checker": "checker:door"}


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


@public
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component in every state."""
    return render(request, "pages/styleguide.html", example_context())
