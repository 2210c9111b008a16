"""The bell: what one is told, and what could not be told to others."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.messages.text import render as words_of
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.notices.actions import mark_read, send_again
from passlight.office.notices.forms import BellFilterForm
from passlight.office.notices.models import Notice, NoticeState
from passlight.office.notices.queries import bell_of, failed_visible, unread_count
from passlight.office.pages.language import current_language, message
from passlight.runtime.clock import SystemClock

ROWS_A_PAGE = 50
INCIDENTS = "incidents.view"
FAILED_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A notice as the page shows it."""

    notice: Notice
    text: str
    to: str
    fault: str

    @property
    def unread(self) -> bool:
        """Return whether nobody has read it."""
        return self.notice.state == NoticeState.SENT


@require_safe
@requires("notices.use")
def index(request: HttpRequest) -> HttpResponse:
    """Show the bell: unread first, and what failed to those who must use the phone now."""
    user = signed_in_user(request)
    form = BellFilterForm(request.GET)
    rows = bell_of(user).select_related("user", "unit")
    if not form.everything:
        rows = rows.filter(state=NoticeState.SENT)
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    may_care = allowed(user, "notices.contacts")
    failed = failed_visible(user) if may_care else Notice.objects.none()
    context = {
        "form": form,
        "page": page,
        "rows": [line(notice) for notice in page.object_list],
        "unread": unread_count(user),
        "failed": [line(notice) for notice in failed[:FAILED_SHOWN]],
        "failed_count": failed.count(),
        "may_care": may_care,
        "may_open": may_open(user),
    }
    return render(request, "notices/index.html", context)


@require_POST
@requires("notices.use")
def read(request: HttpRequest) -> HttpResponseBase:
    """Mark one notice, or all, as read."""
    chosen = request.POST.get("notice", "")
    notices = [int(chosen)] if chosen.isdecimal() and len(chosen) < 19 else None  # noqa: PLR2004  # digits of a bigint
    if notices is None and chosen != "all":
        return redirect("notices:index")
    user = signed_in_user(request)
    count = mark_read(user, notices, clock=SystemClock())
    incident = bell_of(user).filter(pk__in=notices or []).values_list("incident", flat=True).first()
    if incident is not None and request.POST.get("open") and may_open(user):
        return redirect("incidents:detail", incident)
    if count:
        messages.success(request, message("notices.done.read", count=count))
    return redirect("notices:index")


@require_POST
@requires("notices.contacts")
def again(request: HttpRequest, notice_id: int) -> HttpResponseBase:
    """Send a failed notice once more."""
    notice = get_object_or_404(failed_visible(signed_in_user(request)), pk=notice_id)
    send_again(notice)
    messages.success(request, message("notices.done.again"))
    return redirect("notices:index")


def may_open(user: User) -> bool:
    """Return whether the user may look at incidents at all."""
    return allowed(user, INCIDENTS)


def line(notice: Notice) -> Line:
    """Return a notice in the page's language."""
    try:
        text = words_of(notice.code, notice.params, current_language())
    except (ProblemError, KeyError):  # a template that changed since
        text = message("messages.withheld")
    return Line(
        notice=notice,
        text=text,
        to=_recipient(notice),
        fault=message(f"messages.fault.{notice.fault}") if notice.fault else "",
    )


def _recipient(notice: Notice) -> str:
    english = current_language() == "en"
    unit = (notice.unit.name_en if english else notice.unit.name) if notice.unit else ""
    if notice.user is not None:
        who = notice.user.display_name_en if english else notice.user.display_name
    else:
        who = message(f"accounts.role.{notice.role}")
    return f"{unit} {who}".strip()
