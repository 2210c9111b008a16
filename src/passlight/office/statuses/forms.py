"""The forms of statuses: the list's filter, and the moment an explanation is for."""

from datetime import datetime

from django import forms

from passlight.core.kernel.colour import Colour
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import lazy_message, message


class StatusFilterForm(forms.Form):
    """Narrows the list by colour and by the beginning of a handle."""

    colour = forms.ChoiceField(
        required=False,
        label=lazy_message("statuses.filter.colour"),
        choices=named_choices(Colour, words="pages.colour", empty="statuses.filter.any_colour"),
    )
    handle = forms.CharField(required=False, max_length=40)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
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
