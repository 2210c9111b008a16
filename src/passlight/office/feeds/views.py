"""Pages of the feeds: sources, batches, upload, and the release of a list that was held."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.agencies.registry import FOLDERS
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.feeds import queries
from passlight.office.feeds.actions import release_list
from passlight.office.feeds.example import example_line
from passlight.office.feeds.forms import BatchFilterForm, UploadForm
from passlight.office.feeds.models import Batch, BatchState
from passlight.office.feeds.uploads import kept_file, land_beside, receive_upload
from passlight.office.pages.formats import thousands
from passlight.office.pages.language import current_language, message
from passlight.runtime.clock import SystemClock, SystemEntropy

BATCHES_A_PAGE = 30
ROWS_A_PAGE = 25
CLOCK = SystemClock()
ENTROPY = SystemEntropy()


@require_safe
@requires("feeds.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show how fresh every source is, and the batches."""
    now = CLOCK.now()
    form = BatchFilterForm(request.GET or None)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = queries.batches(
        feed=wanted.get("feed"), only_open=wanted.get("state") == "open", now=now
    )
    page = Paginator(found, BATCHES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": [
            {"batch": batch, "still": queries.interrupted(batch, now=now)}
            for batch in page.object_list
        ],
        "sources": queries.freshness(now=now),
        "filtered": bool(form.changed_data),
        "can_change": allowed(request.user, "feeds.change"),
    }
    return render(request, "feeds/index.html", context)


@require_safe
@requires("feeds.view")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one batch: the account of its rows, and what was put aside."""
    batch = get_object_or_404(Batch.objects.select_related("feed"), pk=pk)
    now, language = CLOCK.now(), current_language()
    reasons = queries.quarantine_reasons(batch)
    rows = batch.quarantined_rows.order_by("line", "pk")
    chosen = request.GET.get("reason", "")
    if chosen in {reason.code for reason in reasons}:
        rows = rows.filter(code=chosen)
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    done = batch.landed + batch.unchanged + batch.quarantined + batch.held
    context = {
        "batch": batch,
        "counts": batch.reconciliation,
        "done": done,
        "percent": 100 * done // batch.declared if batch.declared else 0,
        "still": queries.interrupted(batch, now=now),
        "kept": kept_file(batch).exists(),
        "reasons": reasons,
        "chosen": chosen,
        "page": page,
        "rows": [
            {"row": row, "reason": queries.reason_text(row.code, row.params, language)}
            for row in page.object_list
        ],
        "doubts": queries.doubts(batch),
        "reason": queries.reason_text(batch.reason, batch.reason_params, language)
        if batch.reason
        else "",
        "reason_en": queries.reason_text(batch.reason, batch.reason_params, "en")
        if batch.reason
        else "",
        "gone": _gone(batch),
        "can_change": allowed(request.user, "feeds.change"),
        "can_release": queries.can_release(batch),
        "week_share": queries.week_share(batch.feed, now=now),
        "batch_share": queries.percent(batch.quarantined, batch.declared),
    }
    return render(request, "feeds/detail.html", context)


@require_http_methods(["GET", "POST"])
@requires("feeds.change")
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file in and go to its batch, which shows how far it has landed."""
    form = UploadForm(request.POST or None, request.FILES or None, initial=_wanted(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        batch = receive_upload(
            data["file"],
            agency=data["agency"],
            mapping=data["mapping"],
            as_of=data["as_of"],
            actor=signed_in_user(request),
            clock=CLOCK,
            entropy=ENTROPY,
        )
        if batch.state == BatchState.LANDING:
            land_beside(batch, clock=CLOCK)
        return redirect("feeds:detail", pk=batch.pk)
    status = 422 if form.errors else 200
    context = {"form": form, "example": example_line(CLOCK.now())}
    return render(request, "feeds/upload.html", context, status=status)


@require_POST
@requires("feeds.change")
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply a list that was held."""
    batch = get_object_or_404(Batch, pk=pk)
    try:
        done = release_list(batch, actor=signed_in_user(request), clock=CLOCK)
    except ProblemError as error:
        problem = error.problems[0]
        language = current_language()
        messages.error(request, queries.reason_text(problem.code, problem.params, language))
    else:
        messages.success(request, message("feeds.released", count=thousands(done.landed)))
    return redirect("feeds:detail", pk=pk)


@require_POST
@requires("feeds.change")
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a batch whose process died."""
    batch = get_object_or_404(Batch.objects.select_related("feed"), pk=pk)
    if queries.interrupted(batch, now=CLOCK.now()) and kept_file(batch).exists():
        land_beside(batch, clock=CLOCK)
        messages.success(request, message("feeds.resumed"))
    return redirect("feeds:detail", pk=pk)


def _wanted(request: HttpRequest) -> dict[str, str]:
    """Return what the address already says: the format of the feed one comes from."""
    asked = request.GET.get("agency", "")
    return {"agency": asked} if asked in FOLDERS else {}


def _gone(batch: Batch) -> dict[str, int] | None:
    """Return how much vanishes against the limit, for a list that was held for it."""
    params = batch.reason_params
    if batch.reason != "feeds.held-vanished":
        return None
    gone, listed = int(params["gone"]), int(params["listed"])
    return {
        "gone": gone,
        "listed": listed,
        "limit": int(params["limit"]),
        "percent": 100 * gone // listed,
    }
