"""Forms about venues."""

from collections.abc import Sequence
from typing import Any

from django import forms

from passlight.core.places.venue import (
    ENTRANCE_CODE,
    FRESHNESS_SECONDS_MAX,
    FRESHNESS_SECONDS_MIN,
    ZONE_CODE,
    VenueClass,
)
from passlight.core.places.venue import Entrance as Door
from passlight.office.accounts.forms import UnitField
from passlight.office.accounts.models import Unit, User
from passlight.office.accounts.roles import visible_units
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import lazy_message, message
from passlight.office.venues.actions import VenueDetails
from passlight.office.venues.models import Entrance, Venue
from passlight.office.venues.queries import VenueFilter


class VenueFilterForm(forms.Form):
    """Narrows the list by text, class and state; every field may stay empty."""

    query = forms.CharField(
        label=lazy_message("venues.filter.query"), required=False, max_length=80
    )
    kind = forms.ChoiceField(
        label=lazy_message("venues.filter.kind"),
        required=False,
        choices=named_choices(VenueClass, words="venues.kind", empty="venues.filter.any_kind"),
    )
    state = forms.ChoiceField(
        label=lazy_message("venues.filter.state"),
        required=False,
        choices=named_choices(
            ("active", "inactive"), words="venues.state", empty="venues.filter.any_state"
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["query"].widget.attrs["placeholder"] = message("venues.filter.query")

    def wanted(self) -> VenueFilter:
        """Return the filter; an invalid field narrows nothing."""
        self.is_valid()
        return VenueFilter(**{name: value for name, value in self.cleaned_data.items() if value})


class VenueForm(forms.Form):
    """What may be said about a venue."""

    name = forms.CharField(
        label=lazy_message("venues.field.name"),
        help_text=lazy_message("venues.field.name_hint"),
        max_length=80,
    )
    name_en = forms.CharField(label=lazy_message("venues.field.name_en"), max_length=160)
    address = forms.CharField(label=lazy_message("venues.field.address"), max_length=160)
    kind = forms.ChoiceField(
        label=lazy_message("venues.field.kind"),
        choices=named_choices(VenueClass, words="venues.kind"),
    )
    unit = UnitField(label=lazy_message("venues.field.unit"), queryset=Unit.objects.none())
    freshness_seconds = forms.IntegerField(
        label=lazy_message("venues.field.freshness"),
        help_text=lazy_message("venues.field.freshness_hint"),
        required=False,
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unit = self.fields["unit"]
        assert isinstance(unit, UnitField)
        unit.queryset = visible_units(user)
        unit.empty_label = None

    @classmethod
    def of(cls, venue: Venue, user: User, *args: Any) -> "VenueForm":
        """Return the form filled with what is known of ``venue``."""
        initial = {
            "name": venue.name,
            "name_en": venue.name_en,
            "address": venue.address,
            "kind": venue.kind,
            "unit": venue.unit,
            "freshness_seconds": venue.freshness_seconds,
        }
        return cls(user, *args, initial=initial)

    def clean_freshness_seconds(self) -> int | None:
        """Return the limit, or None for that of the class."""
        seconds: int | None = self.cleaned_data["freshness_seconds"]
        if seconds is not None and not FRESHNESS_SECONDS_MIN <= seconds <= FRESHNESS_SECONDS_MAX:
            raise forms.ValidationError(
                message(
                    "venues.field.freshness_bounds",
                    least=FRESHNESS_SECONDS_MIN,
                    most=FRESHNESS_SECONDS_MAX,
                )
            )
        return seconds

    def details(self) -> VenueDetails:
        """Return what a valid form says."""
        said = self.cleaned_data
        return VenueDetails(
            name=said["name"],
            name_en=said["name_en"],
            address=said["address"],
            kind=VenueClass(said["kind"]),
            unit=said["unit"],
            freshness_seconds=said["freshness_seconds"],
        )


class EntranceForm(forms.Form):
    """One door."""

    prefix = "entrance"
    name = forms.CharField(label=lazy_message("venues.field.entrance_name"), max_length=40)
    name_en = forms.CharField(label=lazy_message("venues.field.entrance_name_en"), max_length=80)
    code = forms.CharField(
        label=lazy_message("venues.field.entrance_code"),
        help_text=lazy_message("venues.field.entrance_code_hint"),
        max_length=Entrance._meta.get_field("code").max_length,  # noqa: SLF001  # Django's own way
    )
    zone = forms.CharField(
        label=lazy_message("venues.field.zone"),
        help_text=lazy_message("venues.field.zone_hint"),
        max_length=Entrance._meta.get_field("zone").max_length,  # noqa: SLF001
        required=False,
    )

    def __init__(self, *args: Any, zones: Sequence[str] = (), **kwargs: Any) -> None:
        """Take the codes of a hall's zones; at another venue a zone is what its people say."""
        super().__init__(*args, **kwargs)
        self._zones = tuple(zones)
        if self._zones:
            self.fields["zone"].help_text = message(
                "venues.field.zone_of_hall", zones=", ".join(self._zones)
            )

    def clean_code(self) -> str:
        """Return the code when it can stand in a venue code."""
        code: str = self.cleaned_data["code"]
        if not ENTRANCE_CODE.fullmatch(code):
            raise forms.ValidationError(message("venues.field.entrance_code_form"))
        return code

    def clean_zone(self) -> str:
        """Return the zone when it can stand in a venue code, and is one of the hall's."""
        zone: str = self.cleaned_data["zone"]
        if not ZONE_CODE.fullmatch(zone):
            raise forms.ValidationError(message("venues.field.entrance_code_form"))
        if zone and self._zones and zone not in self._zones:
            zones = ", ".join(self._zones)
            raise forms.ValidationError(message("venues.field.zone_unknown", zones=zones))
        return zone

    def door(self) -> Door:
        """Return what a valid form says."""
        return Door(**self.cleaned_data)
