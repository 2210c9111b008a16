"""``{% load people %}``: document types, purposes and fields in the page's language."""

from collections.abc import Sequence

from django import template

from passlight.office.pages.language import current_language, message

register = template.Library()


@register.simple_tag
def document_type(kind: str) -> str:
    """Return the name of a document type."""
    return message(f"people.type.{kind}")


@register.simple_tag
def purpose(code: str) -> str:
    """Return the name of a purpose."""
    return message(f"people.purpose.{code}")


@register.simple_tag
def field_names(fields: Sequence[str]) -> str:
    """Return the names of the fields that were read, in one line."""
    comma = ", " if current_language() == "en" else "、"
    return comma.join(message(f"people.field.{name}") for name in fields)
