"""Pages of contacts: whom a unit's news reaches, and how."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.roles import requires, signed_in_user
from passlight.office.notices.contacts import add_contact, remove_contact, send_test
from passlight.office.notices.forms import ContactForm
from passlight.office.notices.models import Contact, Notice, NoticeChannel
from passlight.office.notices.queries import contacts_visible, last_notices
from passlight.office.pages.language import current_language, message
from passlight.runtime.clock import SystemClock, SystemEntropy

ROWS_A_PAGE = 50


@require_safe
@requires("notices.contacts")
def index(request: HttpRequest) -> HttpResponse:
    """List the contacts of the user's units, each with what became of its last notice."""
    rows = contacts_visible(signed_in_user(request))
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    contacts = list(page.object_list)
    last = last_notices(contacts)
    context = {
        "page": page,
        "rows": [_line(contact, last.get(contact.pk)) for contact in contacts],
    }
    return render(request, "notices/contacts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("notices.contacts")
def add(request: HttpRequest) -> HttpResponseBase:
    """Add a contact."""
    user = signed_in_user(request)
    data = request.POST if request.method == "POST" else None
    form = ContactForm(user, data)
    if data is not None and form.is_valid():
        try:
            contact = add_contact(
                form.recipient(),
                NoticeChannel(form.cleaned_data["channel"]),
                form.cleaned_data["address"],
                language=form.language_chosen(),
                actor=user,
                clock=SystemClock(),
                entropy=SystemEntropy(),
            )
        except ProblemError as error:
            form.add_error(error.problems[0].field, message(error.problems[0].code))
        else:
            messages.success(request, message("notices.done.added", hint=contact.hint))
            return redirect("notices:contacts")
    context = {"form": form}
    return render(request, "notices/contact_add.html", context, status=200 if data is None else 422)


@require_POST
@requires("notices.contacts")
def remove(request: HttpRequest, contact_id: UUID) -> HttpResponseBase:
    """Take a contact out of use."""
    contact = _visible(request, contact_id)
    remove_contact(contact, clock=SystemClock())
    messages.success(request, message("notices.done.removed", hint=contact.hint))
    return redirect("notices:contacts")


@require_POST
@requires("notices.contacts")
def test(request: HttpRequest, contact_id: UUID) -> HttpResponseBase:
    """Send a test notice; its row says a moment later whether it went."""
    contact = _visible(request, contact_id)
    send_test(contact, clock=SystemClock())
    messages.success(request, message("notices.done.test", hint=contact.hint))
    return redirect("notices:contacts")


def _visible(request: HttpRequest, contact_id: UUID) -> Contact:
    return get_object_or_404(contacts_visible(signed_in_user(request)), pk=contact_id)


def _line(contact: Contact, last: Notice | None) -> dict[str, object]:
    english = current_language() == "en"
    if contact.user is not None:
        who = contact.user.display_name_en if english else contact.user.display_name
    else:
        who = message(f"accounts.role.{contact.role}")
    return {
        "contact": contact,
        "who": who,
        "unit": contact.unit.name_en if english else contact.unit.name,
        "channel": message(f"notices.channel.{contact.channel}"),
        "language": message(f"notices.language.{contact.language}"),
        "last": last,
        "fault": message(f"messages.fault.{last.fault}") if last and last.fault else "",
    }
