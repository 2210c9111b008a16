"""Pages of gates: the fleet, one device, a token for a new one, and alarms."""

import json
from uuid import UUID

import segno
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.codes.layout import Purpose
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.gates import service
from passlight.office.gates.enrolment import Invitation, confirm, invite
from passlight.office.gates.forms import (
    EndingForm,
    FingerprintForm,
    FleetFilterForm,
    InvitationForm,
)
from passlight.office.gates.models import GateAlarm, GateDevice
from passlight.office.gates.queries import (
    FleetRow,
    alarms_visible,
    devices_visible,
    fleet,
    with_reports,
)
from passlight.office.pages.language import current_language, message
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import public_key_for

ROWS_A_PAGE = 50
ALARMS_SHOWN = 20


@require_safe
@requires("gates.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show the devices of the user's units, those with alarms first."""
    user, now = signed_in_user(request), SystemClock().now()
    form = FleetFilterForm(request.GET)
    page = Paginator(fleet(user, form.wanted(), now=now), ROWS_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "page": page,
        "rows": [_row(row, now=now) for row in with_reports(list(page.object_list), now=now)],
        "alarms": alarms_visible(user).filter(seen_at=None).count(),
        "may_change": allowed(user, "gates.change"),
    }
    return render(request, "gates/index.html", context)


@require_safe
@requires("gates.view")
def detail(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Show one device: how it is, how it came in, and what was raised."""
    return _detail(request, _visible(request, device_id))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("gates.change")
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a token for a new device and show it, this once."""
    user = signed_in_user(request)
    data = request.POST if request.method == "POST" else None
    form = InvitationForm(user, data)
    if data is not None and form.is_valid():
        made = invite(
            form.entrance,
            name=form.cleaned_data["name"],
            actor=user,
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        return _token(request, made, form)
    return render(request, "gates/new.html", {"form": form}, status=200 if data is None else 422)


@require_POST
@requires("gates.change")
def confirm_device(request: HttpRequest, device_id: UUID) -> HttpResponseBase:
    """Let a device in by the digits on its screen; never by whoever made its token."""
    device = _visible(request, device_id)
    form = FingerprintForm(request.POST)
    if form.is_valid():
        try:
            confirm(
                device.pk,
                form.cleaned_data["fingerprint"],
                actor=signed_in_user(request),
                clock=SystemClock(),
                entropy=SystemEntropy(),
            )
        except ProblemError as error:
            problem = error.problems[0]
            form.add_error(problem.field, message(problem.code))
        else:
            messages.success(request, message("gates.done.confirmed", name=device.name))
            return redirect("gates:detail", device.pk)
    return _detail(request, _visible(request, device_id), fingerprint=form, status=422)


@require_POST
@requires("gates.change")
def end(request: HttpRequest, device_id: UUID) -> HttpResponseBase:
    """Put a device out of service: revoked at once, or told to send, wipe and sign for it."""
    device, user, clock = _visible(request, device_id), signed_in_user(request), SystemClock()
    form = EndingForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            if form.cleaned_data["erase"]:
                service.order_wipe(
                    device, reason=reason, actor=user, clock=clock, entropy=SystemEntropy()
                )
            else:
                service.revoke(device, reason=reason, actor=user, clock=clock)
        except ProblemError as error:
            form.add_error(None, message(error.problems[0].code))
        else:
            done = "gates.done.wiping" if form.cleaned_data["erase"] else "gates.done.revoked"
            messages.success(request, message(done, name=device.name))
            return redirect("gates:detail", device.pk)
    return _detail(request, _visible(request, device_id), ending=form, status=422)


@require_safe
@requires("gates.view")
def alarms(request: HttpRequest) -> HttpResponse:
    """Show what was raised about devices, what nobody looked after first."""
    user = signed_in_user(request)
    page = Paginator(alarms_visible(user), ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_alarm(alarm) for alarm in page.object_list],
        "may_change": allowed(user, "gates.change"),
    }
    return render(request, "gates/alarms.html", context)


@require_POST
@requires("gates.change")
def alarm_seen(request: HttpRequest, alarm_id: int) -> HttpResponseBase:
    """Note that this user has looked after an alarm."""
    user = signed_in_user(request)
    alarm = get_object_or_404(alarms_visible(user), pk=alarm_id)
    service.see_alarm(alarm, actor=user, clock=SystemClock())
    messages.success(request, message("gates.done.seen"))
    return redirect("gates:alarms")


def _token(request: HttpRequest, made: Invitation, form: InvitationForm) -> HttpResponse:
    url = settings.PASSLIGHT.public_url
    picture = segno.make(json.dumps({"url": url, "token": made.token}), error="m")
    root = public_key_for(KeyFolder(settings.PASSLIGHT.keys), Purpose.LIST)
    context = {
        "token": made.token,
        "url": url,
        "root": root.hex(),
        "until": made.row.expires_at,
        "name": made.row.name,
        "door": dict(form.fields["door"].choices)[form.cleaned_data["door"]],  # type: ignore[attr-defined]
        # Our own SVG of our own text.
        "picture": mark_safe(picture.svg_inline(scale=5, border=4, light="white")),  # noqa: S308
    }
    response = render(request, "gates/token.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _visible(request: HttpRequest, device_id: UUID) -> GateDevice:
    return get_object_or_404(devices_visible(signed_in_user(request)), pk=device_id)


def _detail(
    request: HttpRequest,
    device: GateDevice,
    *,
    fingerprint: FingerprintForm | None = None,
    ending: EndingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user, now = signed_in_user(request), SystemClock().now()
    [row] = with_reports([device], now=now)
    may_change = allowed(user, "gates.change", device.venue.unit)
    context = {
        **_row(row, now=now),
        "may_change": may_change,
        "may_confirm": may_change and user.is_second_person(device.invited_by),
        "fingerprint": fingerprint or FingerprintForm(),
        "ending": ending or EndingForm(),
        "alarms": [_alarm(a) for a in device.alarms.order_by("seen_at", "-at")[:ALARMS_SHOWN]],
        # A steward keeps machines in order and needs no colleague's name for it.
        "named": allowed(user, "gates.change"),
        "receipt": getattr(device, "receipt", None),
        "now": now,
    }
    return render(request, "gates/detail.html", context, status=status)


def _row(row: FleetRow, *, now: object) -> dict[str, object]:
    """Return a device with what a page says about it in its language."""
    english = current_language() == "en"
    door, venue = row.door, row.device.venue
    name = (door.name_en if english else door.name) if door is not None else row.device.entrance
    return {
        "device": row.device,
        "report": row,
        "venue_name": venue.name_en if english else venue.name,
        "door_name": name,
        "silent": row.is_silent(now),  # type: ignore[arg-type]
    }


def _alarm(alarm: GateAlarm) -> dict[str, object]:
    english = current_language() == "en"
    venue = alarm.device.venue
    details = alarm.details
    return {
        "alarm": alarm,
        "venue_name": venue.name_en if english else venue.name,
        "kind": f"gates.alarm.{alarm.kind}",
        "place": _place(details),
        "faults": ", ".join(details.get("faults", [])),
    }


def _place(details: dict[str, object]) -> str:
    """Return where in a device's chain something is: boot and numbers; nothing without one."""
    if "boot" not in details:
        return ""
    if not details["to"]:  # of earlier boots, whose numbers nobody knows
        return f"<{details['boot']}"
    return f"{details['boot']}:{details['from']}–{details['to']}"
