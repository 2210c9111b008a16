"""Pages of rule packs: list, upload, one pack, difference, preview, publication."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.packs.actions import previewed, publish_pack, store_pack
from passlight.office.packs.forms import EffectiveForm, UploadForm
from passlight.office.packs.models import Preview, StoredPack
from passlight.office.packs.preview import start_preview, step_preview
from passlight.office.packs.queries import (
    differences,
    pack_in_force,
    pack_listed,
    packs_listed,
    shipped_not_stored,
)
from passlight.office.packs.schedule import compiled
from passlight.office.pages.language import message
from passlight.office.recompute.steps import step_context
from passlight.office.statuses.models import Reason
from passlight.office.statuses.queries import switch_progress
from passlight.office.statuses.switching import city_installed
from passlight.runtime.clock import SystemClock
from passlight.runtime.packs import read_pack_folder, shipped_packs

CLOCK = SystemClock()
CAUSES_SHOWN = 12


@require_http_methods(["GET", "POST"])
@requires("packs.view")
def index(request: HttpRequest) -> HttpResponse:
    """List the packs; take an upload from those who may change them."""
    may_change = allowed(request.user, "packs.change")
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and may_change:
        stored = _stored(request, form)
        if stored is not None:
            messages.success(request, message("packs.stored", pack=str(stored)))
            return redirect("packs:detail", stored.pk)
    context = {
        "packs": packs_listed(now=CLOCK.now()),
        "form": form if may_change else None,
        "problems": form.problems,
        "shipped": shipped_not_stored() if may_change else [],
        **_switching(),
    }
    return render(request, "packs/index.html", context, status=400 if form.problems else 200)


@require_POST
@requires("packs.change")
def store_shipped(request: HttpRequest, name: str) -> HttpResponse:
    """Store a pack that comes with Passlight, checked like any other."""
    if name not in {one.folder for one in shipped_not_stored()}:
        raise Http404
    files = read_pack_folder(shipped_packs() / name)
    try:
        stored = store_pack(files, user=signed_in_user(request), clock=CLOCK)
    except ProblemError as error:
        for problem in error.problems:
            messages.error(request, str(problem))
        return redirect("packs:index")
    messages.success(request, message("packs.stored", pack=str(stored)))
    return redirect("packs:detail", stored.pk)


def _stored(request: HttpRequest, form: UploadForm) -> StoredPack | None:
    files = form.texts()
    if files is None:
        return None
    try:
        return store_pack(files, user=signed_in_user(request), clock=CLOCK)
    except ProblemError as error:
        form.problems = error.problems
        return None


@require_safe
@requires("packs.view")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one pack: its rules, when it holds, what it would change."""
    return _detail(request, get_object_or_404(StoredPack, pk=pk), EffectiveForm())


def _detail(request: HttpRequest, stored: StoredPack, form: EffectiveForm) -> HttpResponse:
    now = CLOCK.now()
    preview = Preview.objects.filter(pack=stored).order_by("-id").first()
    current = pack_in_force(now=now)
    context = {
        "listed": pack_listed(stored, now=now),
        "publications": stored.publications.order_by("-seq").select_related("published_by"),
        "current": current if current != stored else None,
        "others": StoredPack.objects.exclude(pk=stored.pk).order_by("-uploaded_at")[:20],
        "preview": _preview_context(preview) if preview else None,
        "previewed": previewed(stored),
        "form": form,
        "may_preview": allowed(request.user, "packs.change"),
        "may_publish": allowed(request.user, "packs.publish"),
        **_switching(),
    }
    return render(request, "packs/detail.html", context, status=400 if form.errors else 200)


@require_safe
@requires("packs.view")
def difference(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Show what changed from one pack to another."""
    old, new = get_object_or_404(StoredPack, pk=pk), get_object_or_404(StoredPack, pk=other)
    context = {"old": old, "new": new, "files": differences(old, new)}
    return render(request, "packs/difference.html", context)


@require_POST
@requires("packs.change")
def begin_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin to count what a pack would change."""
    stored = get_object_or_404(StoredPack, pk=pk)
    form = EffectiveForm(request.POST)
    if not form.is_valid():
        return _detail(request, stored, form)
    preview = start_preview(
        stored, effective_from=form.moment(), user=signed_in_user(request), clock=CLOCK
    )
    step_preview(preview.pk, clock=CLOCK)
    return redirect("packs:detail", pk)


@require_POST
@requires("packs.change")
def continue_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Count the next people; the page asks again until everybody is counted."""
    get_object_or_404(Preview, pk=pk)
    preview = step_preview(pk, clock=CLOCK)
    if request.headers.get("HX-Request") != "true":
        return redirect("packs:detail", preview.pack.pk)
    context = {
        "preview": _preview_context(preview),
        "may_preview": True,
    }
    response = render(request, "packs/_preview.html", context)
    if preview.finished_at is not None:
        response["HX-Refresh"] = "true"  # the publish form appears beside it
    return response


@require_POST
@requires("packs.publish")
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a pack in force; its effect on people has been counted first."""
    stored = get_object_or_404(StoredPack, pk=pk)
    form = EffectiveForm(request.POST)
    if not form.is_valid():
        return _detail(request, stored, form)
    if previewed(stored) is None:
        form.add_error(None, message("packs.preview_first"))
        return _detail(request, stored, form)
    try:
        publication = publish_pack(
            stored,
            effective_from=form.moment(),
            user=signed_in_user(request),
            clock=CLOCK,
            note=form.cleaned_data["note"],
        )
    except ProblemError as error:
        for problem in error.problems:
            form.add_error(problem.field, message(problem.code, **problem.params))
        return _detail(request, stored, form)
    messages.success(request, message("packs.published", pack=str(publication.pack)))
    return redirect("packs:detail", pk)


def _switching() -> dict[str, object]:
    """Return how far a change of packs has been carried to everybody."""
    progress = switch_progress(now=CLOCK.now())
    row = progress.row if progress is not None else None
    return {
        "switching": progress,
        "switch_step": step_context(row) if row is not None else None,
    }


def _preview_context(preview: Preview) -> dict[str, object]:
    changes = sorted(preview.changes.items(), key=lambda item: (-item[1], item[0]))
    causes = sorted(preview.causes.items(), key=lambda item: (-item[1], item[0]))[:CAUSES_SHOWN]
    reasons = _reasons(preview)
    return {
        "row": preview,
        "city": preview.engine == Preview.Engine.CITY,
        "installed": city_installed(),
        "step": step_context(preview),
        "percent": 100 if not preview.total else 100 * preview.evaluated // preview.total,
        "changed": sum(preview.changes.values()),
        "changes": [(*key.split(">"), count) for key, count in changes],
        "causes": [
            {
                "was": key.partition("|")[0].split(">")[0],
                "becomes": key.partition("|")[0].split(">")[1],
                "key": key.partition("|")[2],
                "reason": reasons.get(key.partition("|")[2]),
                "count": count,
            }
            for key, count in causes
        ],
    }


def _reasons(preview: Preview) -> dict[str, dict[str, str]]:
    """Return the words behind a preview's causes: of this pack, and of those before it."""
    keys = [key.partition("|")[2] for key in preview.causes]
    found: dict[str, dict[str, str]] = {
        reason.key: reason.reason for reason in Reason.objects.filter(key__in=keys)
    }
    pack = compiled(preview.pack.hash)
    for rule in pack.rules:
        for phase in rule.phases:
            found[pack.reason_key(rule.id, phase.index)] = phase.reason.to_json()
    return found
