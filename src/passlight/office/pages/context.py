"""What every template may use: language, theme, text size, menu, the server's time."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from passlight.office.pages.language import current_language
from passlight.office.pages.menu import items_for
from passlight.office.pages.preferences import chosen
from passlight.runtime.clock import SystemClock


def page(request: HttpRequest) -> Mapping[str, object]:
    """Return the context that the base templates read."""
    language = current_language()
    return {
        "language": language,
        "other_language": "zh" if language == "en" else "en",
        "theme": chosen(request, "theme"),
        "size": chosen(request, "size") or "standard",
        "demo": settings.PASSLIGHT.demo,
        "now": SystemClock().now(),
        "menu": SimpleLazyObject(lambda: items_for(request)),
    }
