"""The form of a new plan version: a typed field for every key, filled in only where it changes."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone

from passlight.core.entry.plan_keys import PlanKey, PlanValue, plan_key
from passlight.core.entry.plans import ResolvedPlan
from passlight.core.entry.zone_limits import EACH_GATE, EACH_PHONE
from passlight.core.incidents.steps import Step
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.accounts.roles import visible_units
from passlight.office.halls.finding import halls_visible
from passlight.office.halls.models import Hall, Zone
from passlight.office.halls.planning import NewPlan
from passlight.office.halls.words import hall_name, key_name, unit_name, value_text
from passlight.office.pages.language import lazy_message, message

_TENTHS = 10
_STEPS = (
    *(Step.ISOLATED, Step.DUTY_LEADER_TOLD, Step.STREET_TOLD, Step.LEADING_GROUP_TOLD),
    *(Step.ACKNOWLEDGED, Step.VERIFYING, Step.DISPOSED, Step.DISTRICT_TOLD, Step.RELEASED),
)
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "door",
        (
            *("test.visitor.hours", "test.visitor.counts", "test.staff.hours"),
            *("test.staff-reentry.hours", "test.courier.hours"),
            *("temperature.limit", "temperature.required", "mask"),
            *("unobserved.mask", "unobserved.questions", "unobserved.temperature"),
            *("door.one-of", "door.one-of.minutes"),
        ),
    ),
    (
        "places",
        (
            *(f"standing.{EACH_GATE}", f"standing.{EACH_PHONE}", "places.reserved"),
            *("places.limited.percent", "places.block", "places.expires.seconds", "lease.minutes"),
        ),
    ),
    ("day", ("hours.opens", "hours.closes", "disinfection.rounds", "staff.temperatures.per-day")),
    (
        "incident",
        (
            *(f"incident.{step.value}.minutes" for step in _STEPS),
            *("incident.bodies", "notices.unread.minutes"),
        ),
    ),
)


def plan_keys(halls: list[Hall]) -> Iterator[tuple[str, str]]:
    """Yield every key that the form offers with its group: zones and doors of ``halls`` too."""
    for group, names in GROUPS:
        if group == "places":
            codes = Zone.objects.filter(hall__in=halls).exclude(kind="outside")
            for code in sorted(set(codes.values_list("code", flat=True))):
                yield f"cap.{code}", group
            if len(halls) == 1:
                doors = halls[0].venue.entrances.filter(active=True).values_list("code", flat=True)
                yield from ((f"standing.{code}", group) for code in doors)
        yield from ((name, group) for name in names)


class PlanForm(forms.Form):
    """A version for one place in the tree; ``fields_of`` gives its fields by group."""

    effective_from = forms.DateTimeField(
        label=lazy_message("halls.plan.effective_from"),
        help_text=lazy_message("halls.plan.effective_from_hint"),
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    reason = forms.CharField(
        label=lazy_message("halls.plan.reason"),
        help_text=lazy_message("halls.plan.reason_hint"),
        max_length=200,
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, unit: Unit, hall: Hall | None, halls: list[Hall], now: ResolvedPlan, *args: Any
    ) -> None:
        super().__init__(*args)
        self._unit, self._hall = unit, hall
        self._groups: dict[str, list[str]] = {}
        tomorrow = timezone.localtime(now.at) + timedelta(days=1)
        self.fields["effective_from"].initial = datetime.combine(
            tomorrow.date(), time(), tomorrow.tzinfo
        )
        for name, group in plan_keys(halls):
            key = plan_key(name)
            assert key is not None, name
            self.fields[name] = _field(name, key)
            self.fields[name].label = key_name(name)
            self.fields[name].help_text = message("halls.plan.now_unset")
            if name in now.values:
                current = value_text(name, now.values[name])
                self.fields[name].help_text = message("halls.plan.now", value=current)
            self._groups.setdefault(group, []).append(name)
        local = sorted(name for name in now.values if now.is_local(name))
        if local:
            self.fields["restore"] = forms.MultipleChoiceField(
                label=message("halls.plan.restore"),
                help_text=message("halls.plan.restore_hint"),
                required=False,
                choices=[(name, key_name(name)) for name in local],
                widget=forms.CheckboxSelectMultiple,
            )

    def fields_of(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the groups, each with its fields."""
        return [(group, [self[name] for name in names]) for group, names in self._groups.items()]

    def new_plan(self) -> NewPlan:
        """Return what a valid form says; an empty field changes nothing."""
        changes: dict[str, PlanValue] = {}
        for names in self._groups.values():
            for name in names:
                value = _value(name, self.cleaned_data[name])
                if value is not None:
                    changes[name] = value
        changes.update(dict.fromkeys(self.cleaned_data.get("restore", ())))
        return NewPlan(
            unit=self._unit,
            hall=self._hall,
            effective_from=self.cleaned_data["effective_from"],
            changes=changes,
            reason=self.cleaned_data["reason"],
        )


def scopes(user: User) -> list[tuple[str, str]]:
    """Return the places in the tree for which ``user`` may publish, with their names.

    A hall manager publishes for the halls of their unit, a street office and a district for
    every unit and hall below them.
    """
    halls = [(f"hall-{hall.pk}", "\u3000" + hall_name(hall)) for hall in halls_visible(user)]
    if user.role == Role.HALL_MANAGER:
        own = halls_visible(user).filter(venue__unit=user.unit)
        return [(f"hall-{hall.pk}", hall_name(hall)) for hall in own]
    units = visible_units(user)
    return [*((f"unit-{unit.pk}", _indented(unit)) for unit in units), *halls]


def _indented(unit: Unit) -> str:
    return "\u3000" * (unit.path.count("/") - 2) + unit_name(unit)


def _field(name: str, key: PlanKey) -> forms.Field:
    if name == "temperature.limit":
        return forms.DecimalField(
            required=False,
            decimal_places=1,
            min_value=Decimal(key.least) / _TENTHS,
            max_value=Decimal(key.most) / _TENTHS,
        )
    if key.form == "whole":
        return forms.IntegerField(required=False, min_value=key.least, max_value=key.most)
    if key.form == "time":
        return forms.TimeField(
            required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        )
    if key.form == "texts":
        return forms.CharField(required=False, max_length=500)
    words = (
        [("yes", message("halls.yes")), ("no", message("halls.no"))]
        if key.form == "flag"
        else [(choice, message(f"halls.choice.{choice}")) for choice in key.choices]
    )
    return forms.ChoiceField(
        required=False, choices=[("", message("halls.plan.unchanged")), *words]
    )


def _value(name: str, given: Any) -> PlanValue:
    key = plan_key(name)
    assert key is not None, name
    if given in (None, ""):
        return None
    if name == "temperature.limit":
        return int(given * _TENTHS)
    if key.form == "flag":
        return bool(given == "yes")
    if key.form == "time":
        return str(given.strftime("%H:%M"))
    if key.form == "texts":
        return tuple(dict.fromkeys(text for text in re.split(r"[\s,，、;；]+", given) if text))
    return int(given) if key.form == "whole" else str(given)
