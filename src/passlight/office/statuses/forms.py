"""The forms of statuses: the list's filter, and the moment an explanation is for."""

from datetime import datetime

from django import forms

from passlight.core.kernel.colour import Colour
from passlight.office.pages.language import message


class StatusFilterForm(forms.Form):
    """Narrows the list by colour and by the beginning of a handle."""

    colour = forms.ChoiceField(required=False)
    handle = forms.CharField(required=False, max_length=40)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        colour = self.fields["colour"]
        assert isinstance(colour, forms.ChoiceField)
        named = [(one.value, message(f"pages.colour.{one.value}")) for one in Colour]
        colour.choices = [("", message("statuses.filter.any_colour")), *named]
        colour.label = message("statuses.filter.colour")
        self.fields["handle"].label = message("statuses.filter.handle")
        self.fields["handle"].widget.attrs["placeholder"] = message("statuses.filter.handle")


class MomentForm(forms.Form):
    """Reads ``t`` (the moment to explain) and ``k`` (what was known when); both may be empty."""

    t = forms.DateTimeField(required=False)
    k = forms.DateTimeField(required=False)

    def moments(self, *, now: datetime) -> tuple[datetime, datetime]:
        """Return the moment and the knowledge asked for; none lies in the future."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        at = min(cleaned.get("t") or now, now)
        return at, min(cleaned.get("k") or at, now)
