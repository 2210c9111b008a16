"""Pages of the fact log: the list and one fact with its versions."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from passlight.office.accounts.roles import requires
from passlight.office.facts.forms import FactFilterForm
from passlight.office.facts.models import FactVersion
from passlight.office.facts.queries import LISTED_MAX, facts_listed, versions_of
from passlight.office.facts.words import kind_name, payload_lines, short_subject

ROWS_A_PAGE = 50


@require_safe
@requires("facts.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show the newest facts that match the filter."""
    form = FactFilterForm(request.GET or None)
    paginator = Paginator(facts_listed(form.wanted()), ROWS_A_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    rows = [
        {"row": row, "kind": kind_name(row.kind), "subject": short_subject(row.subject)}
        for row in page.object_list
    ]
    capped = LISTED_MAX if paginator.count >= LISTED_MAX else None
    context = {"form": form, "page": page, "rows": rows, "capped": capped}
    return render(request, "facts/index.html", context)


@require_safe
@requires("facts.view")
def detail(request: HttpRequest, seq: int) -> HttpResponse:
    """Show one fact: every version, the one in force first."""
    row = get_object_or_404(FactVersion, seq=seq)
    versions = versions_of(row.fact_id)
    latest = versions[0]
    context = {
        "fact": latest,
        "kind": kind_name(latest.kind),
        "person": None if latest.subject.startswith("area:") else latest.subject,
        "versions": [
            {
                "row": version,
                "subject": short_subject(version.subject),
                "latest": version.ver == latest.ver,
                "lines": payload_lines(version.kind, version.payload),
            }
            for version in versions
        ],
    }
    return render(request, "facts/detail.html", context)
