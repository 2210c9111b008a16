"""What a visitor chose: language, theme and text size; kept in cookies, never in an account.

``?lang=en``, ``?theme=dark`` and ``?size=elder`` choose; the cookie remembers. A link that
chooses keeps working without JavaScript.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

CHOICES: dict[str, tuple[str, ...]] = {
    "lang": ("zh", "en"),
    "theme": ("system", "light", "dark"),
    "size": ("standard", "elder"),
}
YEAR = 365 * 24 * 3600


def chosen(request: HttpRequest, name: str) -> str | None:
    """Return what this visitor chose for ``name``: by the address, else by the cookie."""
    for source in (request.GET, request.COOKIES):
        value = source.get(name)
        if value in CHOICES[name]:
            return value
    return None


class PreferencesMiddleware:
    """Activates the chosen language and remembers every choice made in the address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the chosen language and set the cookies of what was just chosen."""
        with translation.override("en" if chosen(request, "lang") == "en" else "zh-hans"):
            response = self.get_response(request)
        for name, allowed in CHOICES.items():
            value = request.GET.get(name)
            if value in allowed:
                response.set_cookie(
                    name, value, max_age=YEAR, samesite="Lax", secure=request.is_secure()
                )
        return response
