"""Choices of a form whose words are in the catalogue."""

from collections.abc import Callable, Iterable

from passlight.office.pages.language import message


def named_choices(
    codes: Iterable[str], *, words: str, empty: str = ""
) -> Callable[[], list[tuple[str, str]]]:
    """Return the choices ``codes``, each named by the message ``words.code``.

    With ``empty``, a message, an empty choice comes first. A form asks at every page, so that
    the words are in that page's language.
    """
    kept = tuple(codes)

    def choices() -> list[tuple[str, str]]:
        first = [("", message(empty))] if empty else []
        return [*first, *((str(code), message(f"{words}.{code}")) for code in kept)]

    return choices
