"""Forms of rosters."""

from typing import Any

from django import forms

from passlight.core.places.hall import DutyRole
from passlight.office.accounts.forms import UnitField
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.accounts.roles import visible_units
from passlight.office.halls.rosters import NewDuty, Shift, duties_given_by
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import current_language, lazy_message, message
from passlight.office.people.forms import DocumentForm

_ROLES = (
    *(Role.HALL_MANAGER, Role.DUTY_LEADER, Role.STREET_OFFICE, Role.DISTRICT_OFFICE),
    *(Role.COUNTER_CLERK, Role.GUIDE),
)


class StaffForm(DocumentForm):
    """Somebody by their document, with a post and hours."""

    post = forms.CharField(
        label=lazy_message("halls.staff.post"),
        help_text=lazy_message("halls.staff.post_hint"),
        max_length=40,
    )
    starts_at = forms.TimeField(
        label=lazy_message("halls.staff.starts_at"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    ends_at = forms.TimeField(
        label=lazy_message("halls.staff.ends_at"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def shift(self) -> Shift:
        """Return what a valid form says of post and hours."""
        said = self.cleaned_data
        return Shift(post=said["post"], starts_at=said["starts_at"], ends_at=said["ends_at"])


class UserField(forms.ModelChoiceField):  # type: ignore[type-arg]  # no subscripts at run time
    """Users of the office by what they are called."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and role in the page's language."""
        assert isinstance(obj, User)
        english = current_language() == "en" and obj.display_name_en
        name = obj.display_name_en if english else obj.display_name
        return f"{name} · {message(f'accounts.role.{obj.role}')} · {obj.badge}"


class DutyForm(forms.Form):
    """A line of a duty roster."""

    unit = UnitField(label=lazy_message("halls.duty.unit"), queryset=Unit.objects.none())
    role = forms.ChoiceField(
        label=lazy_message("halls.duty.role"), choices=named_choices(DutyRole, words="halls.duty")
    )
    user = UserField(label=lazy_message("halls.duty.user"), queryset=User.objects.none())
    deputy = UserField(
        label=lazy_message("halls.duty.deputy_label"), queryset=User.objects.none(), required=False
    )
    starts_at = forms.DateTimeField(
        label=lazy_message("halls.duty.starts_at"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    ends_at = forms.DateTimeField(
        label=lazy_message("halls.duty.ends_at"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, actor: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unit, user, deputy = (self.fields[name] for name in ("unit", "user", "deputy"))
        assert isinstance(unit, UnitField)
        assert isinstance(user, UserField)
        assert isinstance(deputy, UserField)
        unit.queryset = visible_units(actor)
        unit.empty_label = None
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = named_choices(sorted(duties_given_by(actor)), words="halls.duty")
        people = User.objects.filter(
            unit__in=visible_units(actor), role__in=_ROLES, locked_at=None
        ).order_by("unit__path", "role", "id")
        user.queryset, user.empty_label = people, message("pages.choose")
        deputy.queryset, deputy.empty_label = people, "–"

    def duty(self) -> NewDuty:
        """Return what a valid form says."""
        said = self.cleaned_data
        return NewDuty(
            unit=said["unit"],
            role=DutyRole(said["role"]),
            user=said["user"],
            deputy=said["deputy"],
            starts_at=said["starts_at"],
            ends_at=said["ends_at"],
        )
