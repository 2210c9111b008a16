"""``{% load passlight %}``: messages in both languages, icons, status chips, times, numbers."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.http import HttpRequest
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from passlight.office.pages import formats
from passlight.office.pages.language import HTML_CODES, current_language, message
from passlight.office.pages.sources import source_name_in
from passlight.runtime.catalogue import catalogue, text

register = template.Library()
SHAPES = ("green", "yellow", "red")
SEPARATOR = mark_safe('<i class="sep">·</i>')
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@register.simple_tag
def html_language() -> str:
    """Return the page's language as HTML names it."""
    return HTML_CODES[current_language()]


@register.simple_tag
def t(code: str, **parameters: object) -> str:
    """Return the message in the page's language."""
    return message(code, **parameters)


@register.simple_tag
def en(code: str, *, block: bool = False, **parameters: object) -> str:
    """Return the English second line; nothing on an English page."""
    if current_language() == "en":
        return ""
    names = "en en-block" if block else "en"
    return format_html(
        '<span class="{}" lang="en">{}</span>', names, text(code, "en", **parameters)
    )


@register.simple_tag
def zh(code: str, *, block: bool = False, **parameters: object) -> str:
    """Return the Chinese second line of an English page; nothing on a Chinese page."""
    if current_language() == "zh":
        return ""
    names = "en en-block" if block else "en"
    return format_html(
        '<span class="{}" lang="zh-Hans">{}</span>', names, text(code, "zh", **parameters)
    )


@register.simple_tag
def pick(texts: dict[str, str] | None) -> str:
    """Return the page's language out of ``{"zh": …, "en": …}``, as stored reasons are."""
    return (texts or {}).get(current_language(), "")


@register.simple_tag
def pick_en(texts: dict[str, str] | None, *, block: bool = False) -> str:
    """Return the English second line out of ``{"zh": …, "en": …}``."""
    english = (texts or {}).get("en", "")
    if current_language() == "en" or not english:
        return ""
    return format_html(
        '<span class="{}" lang="en">{}</span>', "en en-block" if block else "en", english
    )


@register.simple_tag
def messages_json(*prefixes: str) -> str:
    """Return a data block ``#messages`` with every message below the prefixes, for scripts."""
    wanted = {
        code: dict(texts)
        for code, texts in catalogue().items()
        if any(code.startswith(f"{prefix}.") for prefix in prefixes)
    }
    body = json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    return mark_safe(f'<script type="application/json" id="messages">{body}</script>')  # noqa: S308  # escaped above


@register.simple_tag
def icon(name: str) -> str:
    """Return a line icon; it says nothing, so the words beside it must."""
    return format_html(
        '<svg class="i" aria-hidden="true"><use href="{}#i-{}"/></svg>', static("icons.svg"), name
    )


@register.simple_tag
def shape(colour: str) -> str:
    """Return the status shape; anything but green, yellow and red is the square."""
    name = colour if colour in SHAPES else "unknown"
    return format_html(
        '<svg class="shape" aria-hidden="true"><use href="{}#s-{}"/></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag
def chip(colour: str, *, large: bool = False) -> str:
    """Return the status chip: shape, word and colour together."""
    name = colour if colour in SHAPES else "unknown"
    word = message(f"pages.colour.{colour if colour in (*SHAPES, 'closed') else 'unknown'}")
    size = " st-lg" if large else ""
    return format_html('<span class="st{} st-{}">{}{}</span>', size, name, shape(colour), word)


@register.simple_tag
def sep() -> SafeString:
    """Return the middle dot of one width."""
    return SEPARATOR


@register.simple_tag
def mark() -> str:
    """Return the brand mark's drawing."""
    return format_html(
        '<svg viewBox="0 0 24 24" aria-hidden="true"><use href="{}#mark"/></svg>',
        static("mark.svg"),
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: object) -> str:
    """Return ``?…`` of this page with changes; a change to ``None`` removes the parameter."""
    request = context.get("request")
    values = request.GET.copy() if isinstance(request, HttpRequest) else {}
    pairs = {key: value for key, value in values.items() if key not in changes}
    pairs |= {key: str(value) for key, value in changes.items() if value is not None}
    return "?" + urlencode(pairs)


@register.filter
def short_day(moment: datetime | None) -> str:
    """Return ``6月8日``."""
    return formats.short_day(moment, current_language()) if moment else ""


@register.filter
def week_day(moment: datetime | None) -> str:
    """Return ``6月8日 周三``."""
    return formats.week_day(moment, current_language()) if moment else ""


@register.filter
def long_day(moment: datetime | None) -> str:
    """Return ``2022年6月8日 周三``."""
    return formats.long_day(moment, current_language()) if moment else ""


@register.filter
def moment(value: datetime | None) -> str:
    """Return ``6月8日 10:42``."""
    return formats.day_and_time(value, current_language()) if value else ""


@register.filter
def long_moment(value: datetime | None) -> str:
    """Return ``2022年6月8日 10:42``."""
    return formats.long_moment(value, current_language()) if value else ""


@register.filter
def clock(value: datetime | None) -> str:
    """Return ``10:42:07``."""
    return formats.time_of_day(value, seconds=True) if value else ""


@register.filter
def record_time(value: datetime | None) -> str:
    """Return ``2022-06-08 10:42:07``."""
    return formats.record_time(value) if value else ""


@register.filter
def duration(value: timedelta | int | None) -> str:
    """Return ``1时30分`` of a length, or of a number of seconds."""
    if isinstance(value, int):
        value = timedelta(seconds=value)
    return formats.amount_of_time(value, current_language()) if value is not None else ""


@register.filter
def number(value: float | None) -> str:
    """Return ``12,480``."""
    return formats.thousands(value) if value is not None else ""


@register.simple_tag
def user_name(user: Any) -> str:
    """Return what a user is called in the language of the page."""
    english = current_language() == "en" and user.display_name_en
    return str(user.display_name_en if english else user.display_name)


@register.simple_tag
def role_name(user: Any) -> str:
    """Return the name of this user's role in the page's language."""
    return message(f"accounts.role.{user.role}")


@register.simple_tag
def fault_of(field: BoundField, fault: str) -> str:
    """Return a fault for a list of faults: with its field's name, where it does not say it."""
    label = str(field.label)
    return fault if label in fault else message("pages.fault_of", field=label, fault=fault)


@register.filter
def is_day(field: BoundField) -> bool:
    """Return whether the field is a day: empty, it does not say what it is for."""
    return getattr(field.field.widget, "input_type", "") == "date"


@register.filter
def source_name(source: str) -> str:
    """Return what an agency is called in the page's language; its code when we have no name."""
    return source_name_in(source, current_language())


@register.filter
def is_choice(field: BoundField) -> bool:
    """Return whether the field is one box to tick, whose label stands beside it."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Return whether the field is several boxes under one label."""
    return isinstance(field.field.widget, RadioSelect | CheckboxSelectMultiple)


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """Return the field's control in the house's classes, tied to its hint and its fault."""
    attributes: dict[str, Any] = {}
    if not is_choice(field) and not is_group(field):
        attributes["class"] = "input"
    described = []
    if field.help_text:
        described.append(f"{field.id_for_label}-hint")
    if field.errors:
        attributes["aria-invalid"] = "true"
        described.append(f"{field.id_for_label}-fault")
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attributes)


@register.filter
def page_numbers(page: Page[Any]) -> list[int]:
    """Return the page numbers to offer; 0 stands for a gap."""
    last = page.paginator.num_pages
    near = {1, last, *range(page.number - 1, page.number + 2)}
    numbers: list[int] = []
    for n in sorted(n for n in near if 1 <= n <= last):
        if numbers and n - numbers[-1] > 1:
            numbers.append(0)
        numbers.append(n)
    return numbers
