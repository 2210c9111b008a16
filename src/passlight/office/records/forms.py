"""The filter of the list of records."""

from typing import Any

from django import forms

from passlight.office.accounts.models import User
from passlight.office.pages.calendar import IN_CALENDAR
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import current_language, lazy_message, message
from passlight.office.records.queries import DOOR_KINDS
from passlight.office.venues.queries import venues_visible

ANSWERS = ("green", "yellow", "red", "undetermined", "expired", "not-found", "closed")


class RecordFilterForm(forms.Form):
    """Narrows by day, venue, kind and answer; every field may stay empty."""

    day = forms.DateField(
        label=lazy_message("records.filter.day"),
        required=False,
        validators=IN_CALENDAR,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    venue = forms.ChoiceField(label=lazy_message("records.filter.venue"), required=False)
    kind = forms.ChoiceField(
        label=lazy_message("records.filter.kind"),
        required=False,
        choices=named_choices(DOOR_KINDS, words="records.kind", empty="records.filter.any_kind"),
    )
    answer = forms.ChoiceField(
        label=lazy_message("records.filter.answer"),
        required=False,
        choices=named_choices(ANSWERS, words="records.answer", empty="records.filter.any_answer"),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        english = current_language() == "en"
        venues = venues_visible(user).order_by("name", "id")
        named = [(str(one.pk), one.name_en if english else one.name) for one in venues]
        venue = self.fields["venue"]
        assert isinstance(venue, forms.ChoiceField)
        venue.choices = [("", message("records.filter.any_venue")), *named]

    def wanted(self) -> dict[str, Any]:
        """Return the filter; an invalid field narrows nothing."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}
