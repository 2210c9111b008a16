"""``{% load incidents %}``: what was found, the clock of a step, a message by two parts."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from passlight.core.kernel.masking import mask_phone
from passlight.office.incidents.models import StoredIncident
from passlight.office.pages import formats
from passlight.office.pages.language import current_language, message
from passlight.office.pages.templatetags.passlight import chip, en, icon
from passlight.runtime.clock import SystemClock

register = template.Library()
CLOCK = SystemClock()
COLOURS = ("red", "yellow")


@register.simple_tag
def finding(stored: StoredIncident, *, large: bool = False) -> str:
    """Return what was found: the status chip of a colour, a plain tag for a sign of illness."""
    if stored.kind in COLOURS:
        return chip(stored.kind, large=large)
    drawn = icon("thermo" if stored.kind == "fever" else "flag")
    words = message(f"incidents.kind_word.{stored.kind}")
    return format_html('<span class="tag{}">{}{}</span>', " tag-lg" if large else "", drawn, words)


@register.simple_tag
def due_tag(due_at: datetime | None) -> str:
    """Return how late a step is, in ink, or how much time is left; a script carries it on."""
    if due_at is None:
        return ""
    now = CLOCK.now()
    late, language = now > due_at, current_language()
    amount = formats.amount_of_time(abs(now - due_at), language)
    return format_html(
        '<span class="tag {}" data-due="{}">{}<span data-due-text>{}</span></span>',
        "tag-late" if late else "tag-soon",
        epoch_ms(due_at),
        icon("clock" if late else "half"),
        message("incidents.late" if late else "incidents.left", time=amount),
    )


@register.simple_tag
def t_of(prefix: str, name: str) -> str:
    """Return the message ``prefix.name``; empty for no name."""
    return message(f"{prefix}.{name}") if name else ""


@register.simple_tag
def en_of(prefix: str, name: str) -> str | SafeString:
    """Return the English second line of ``prefix.name``."""
    return en(f"{prefix}.{name}")


@register.filter
def epoch_ms(moment: datetime | None) -> str:
    """Return milliseconds since 1970, for the script's clock."""
    return str(int(moment.timestamp() * 1000)) if moment is not None else ""


@register.filter
def masked_phone(phone: str) -> str:
    """Return ``138****2261``: a list is read over shoulders; who has to dial opens the case."""
    return mask_phone(phone)


@register.filter
def by_when(moment: datetime | None) -> str:
    """Return ``10:42``, and with its day when that is not today."""
    if moment is None:
        return ""
    if timezone.localdate(moment) == timezone.localdate(CLOCK.now()):
        return formats.time_of_day(moment)
    return formats.day_and_time(moment, current_language())


@register.filter
def clock_minutes(moment: datetime | None) -> str:
    """Return ``10:42``."""
    return formats.time_of_day(moment) if moment is not None else ""
