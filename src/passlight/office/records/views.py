"""The page of records."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from passlight.office.accounts.roles import requires, signed_in_user
from passlight.office.records.forms import RecordFilterForm
from passlight.office.records.queries import door_records, with_places

ROWS_A_PAGE = 50


@require_safe
@requires("records.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show what the doors of the user's units recorded, newest first."""
    user = signed_in_user(request)
    form = RecordFilterForm(user, request.GET)
    page = Paginator(door_records(user, **form.wanted()), ROWS_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {"form": form, "page": page, "rows": with_places(list(page.object_list))}
    return render(request, "records/index.html", context)
