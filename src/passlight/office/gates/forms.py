"""Forms about gates."""

from typing import Any

from django import forms

from passlight.office.accounts.models import User
from passlight.office.gates.models import STATES
from passlight.office.gates.queries import CONDITIONS, FleetFilter
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import current_language, lazy_message, message
from passlight.office.venues.models import Entrance
from passlight.office.venues.queries import venues_visible

DIGITS = r"^[0-9]{6}$"


class FleetFilterForm(forms.Form):
    """Narrows the list by text, state and condition; every field may stay empty."""

    query = forms.CharField(label=lazy_message("gates.filter.query"), required=False, max_length=80)
    state = forms.ChoiceField(
        label=lazy_message("gates.filter.state"),
        required=False,
        choices=named_choices(STATES, words="gates.state", empty="gates.filter.any_state"),
    )
    condition = forms.ChoiceField(
        label=lazy_message("gates.filter.condition"),
        required=False,
        choices=named_choices(
            CONDITIONS, words="gates.condition", empty="gates.filter.any_condition"
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["query"].widget.attrs["placeholder"] = message("gates.filter.query")

    def wanted(self) -> FleetFilter:
        """Return the filter; an invalid field narrows nothing."""
        self.is_valid()
        return FleetFilter(**{name: value for name, value in self.cleaned_data.items() if value})


class InvitationForm(forms.Form):
    """Where the device will stand, and what people call it."""

    door = forms.ChoiceField(label=lazy_message("gates.field.door"))
    name = forms.CharField(
        label=lazy_message("gates.field.name"),
        help_text=lazy_message("gates.field.name_hint"),
        max_length=60,
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        english = current_language() == "en"
        self._doors = {
            f"{door.venue_id}/{door.code}": door
            for door in Entrance.objects.filter(
                venue__in=venues_visible(user), venue__active=True, active=True
            )
            .select_related("venue__unit")
            .order_by("venue__name", "id")
        }
        field = self.fields["door"]
        assert isinstance(field, forms.ChoiceField)
        doors = [(key, _words(door, english=english)) for key, door in self._doors.items()]
        field.choices = [("", message("pages.choose")), *doors] if len(doors) > 1 else doors

    @property
    def entrance(self) -> Entrance:
        """Return the chosen entrance of a valid form."""
        return self._doors[self.cleaned_data["door"]]


class FingerprintForm(forms.Form):
    """The six digits that a second person reads off the device's screen."""

    fingerprint = forms.RegexField(
        DIGITS,
        label=lazy_message("gates.field.fingerprint"),
        help_text=lazy_message("gates.field.fingerprint_hint"),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": 6}
        ),
    )


class EndingForm(forms.Form):
    """Why a device is put out of service; a few words that name nobody."""

    reason = forms.CharField(
        label=lazy_message("gates.field.reason"),
        help_text=lazy_message("gates.field.reason_hint"),
        max_length=80,
    )
    erase = forms.BooleanField(
        label=lazy_message("gates.field.erase"),
        help_text=lazy_message("gates.field.erase_hint"),
        required=False,
    )


def _words(door: Entrance, *, english: bool) -> str:
    venue = door.venue.name_en if english else door.venue.name
    name = door.name_en if english else door.name
    return f"{venue} · {name} ({door.code})" + ("" if door.active else message("gates.closed"))
