"""Forms about halls: the list's filter, a head count, a state, a new hall."""

from typing import Any

from django import forms

from passlight.core.places.hall import HallLevel, HallState
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import visible_units
from passlight.office.halls.models import Hall, Zone
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import current_language, lazy_message, message
from passlight.office.venues.models import Venue

COUNT_MAX = 100_000


class HallFilterForm(forms.Form):
    """Narrows the list; every field may stay empty."""

    query = forms.CharField(label=lazy_message("halls.filter.query"), required=False, max_length=80)
    level = forms.ChoiceField(
        label=lazy_message("halls.level"),
        required=False,
        choices=named_choices(HallLevel, words="halls.level", empty="halls.filter.any_level"),
    )
    state = forms.ChoiceField(
        label=lazy_message("halls.state"),
        required=False,
        choices=named_choices(HallState, words="halls.state", empty="halls.filter.any_state"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["query"].widget.attrs["placeholder"] = message("halls.filter.query")

    def wanted(self) -> dict[str, str]:
        """Return what is asked for; an invalid field narrows nothing."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class ZoneField(forms.ModelChoiceField):  # type: ignore[type-arg]  # no subscripts at run time
    """Zones of a hall by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the zone's name in the page's language."""
        assert isinstance(obj, Zone)
        return obj.name_en if current_language() == "en" else obj.name


class CorrectionForm(forms.Form):
    """A head count of one zone, and why it differs."""

    prefix = "count"
    zone = ZoneField(label=lazy_message("halls.zone"), queryset=Zone.objects.none())
    counted = forms.IntegerField(
        label=lazy_message("halls.correct.counted"), min_value=0, max_value=COUNT_MAX
    )
    reason = forms.CharField(
        label=lazy_message("halls.correct.reason"),
        help_text=lazy_message("halls.correct.reason_hint"),
        max_length=200,
    )

    def __init__(self, hall: Hall, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["zone"]
        assert isinstance(zone, ZoneField)
        zone.queryset = hall.zones.exclude(kind="outside")
        zone.empty_label = None

    @classmethod
    def of(cls, hall: Hall) -> "CorrectionForm":
        """Return the form as it is first shown: the hall itself is chosen."""
        return cls(hall, initial={"zone": hall.zones.filter(kind="hall").first()})


class StateForm(forms.Form):
    """A hall's state, and why."""

    prefix = "state"
    state = forms.ChoiceField(
        label=lazy_message("halls.state"), choices=named_choices(HallState, words="halls.state")
    )
    reason = forms.CharField(
        label=lazy_message("halls.state.reason"),
        help_text=lazy_message("halls.state.reason_hint"),
        max_length=200,
    )

    def chosen(self) -> HallState:
        """Return the state that a valid form names."""
        return HallState(self.cleaned_data["state"])


class VenueField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Venues by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the venue's name in the page's language."""
        assert isinstance(obj, Venue)
        return obj.name_en if current_language() == "en" else obj.name


class HallForm(forms.Form):
    """Makes a hall of a venue: level, and how many each zone holds; empty: no limit of its own."""

    venue = VenueField(label=lazy_message("halls.new.venue"), queryset=Venue.objects.none())
    level = forms.ChoiceField(
        label=lazy_message("halls.level"), choices=named_choices(HallLevel, words="halls.level")
    )
    cap_screen = forms.IntegerField(required=False, min_value=0, max_value=COUNT_MAX)
    cap_hall = forms.IntegerField(required=False, min_value=0, max_value=COUNT_MAX)
    cap_isolate = forms.IntegerField(required=False, min_value=0, max_value=COUNT_MAX)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        venue = self.fields["venue"]
        assert isinstance(venue, VenueField)
        venue.queryset = Venue.objects.filter(
            unit__in=visible_units(user), kind="hall", hall=None
        ).order_by("name")
        venue.empty_label = None
        for name in ("screen", "hall", "isolate"):
            zone = message(f"halls.zone.{name}")
            self.fields[f"cap_{name}"].label = message("halls.key.cap", which=zone)
