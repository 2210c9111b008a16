"""The forms of incidents: open one, record a step, hand over, declare an error, decide it."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings

from passlight.core.incidents.steps import Channel, FindingKind
from passlight.core.kernel.documents import Document, read_document
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import ACTIONS, visible_units
from passlight.office.incidents.wording import masked_user
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import current_language, lazy_message, message
from passlight.office.people.forms import SHOWN_TYPES
from passlight.office.venues.models import Venue

NOTE_CHARS = 300
WHO_CHARS = 60


def problem_text(problem: Problem) -> str:
    """Return what a refusal says in the page's language; steps by their names."""
    params: dict[str, str] = dict(problem.params)
    steps = params.get("steps") or params.get("step") or ""
    named = [name for name in steps.split(",") if name]
    comma = ", " if current_language() == "en" else "、"
    params["steps"] = comma.join(message(f"incidents.step.{name}") for name in named)
    return message(problem.code, **params)


def local_instant(given: time, now: datetime) -> datetime:
    """Return the instant of a time of day that was just typed: today's, or yesterday's.

    A minute is typed, and a step may follow another within it: its end is meant, or now.
    """
    here = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    found = here.replace(hour=given.hour, minute=given.minute, second=0, microsecond=0)
    if found > here:
        found -= timedelta(days=1)
    return min(found + timedelta(seconds=59), here)


class StepForm(forms.Form):
    """What is said about one step: when, how, to whom, and a note."""

    at = forms.TimeField(
        required=False,
        label=lazy_message("incidents.form.at"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    channel = forms.ChoiceField(
        required=False,
        label=lazy_message("incidents.form.how"),
        choices=[(one.value, one.value) for one in Channel],
    )
    who = forms.CharField(
        required=False, max_length=WHO_CHARS, label=lazy_message("incidents.form.who")
    )
    body = forms.CharField(required=False, max_length=200)
    note = forms.CharField(
        required=False, max_length=NOTE_CHARS, label=lazy_message("incidents.form.note")
    )

    def given(self, now: datetime) -> dict[str, Any]:
        """Return what a step's command takes."""
        data = self.cleaned_data
        at = data["at"]
        return {
            "at": local_instant(at, now) if at is not None else None,
            "channel": Channel(data["channel"]) if data["channel"] else None,
            "who": data["who"],
            "body": data["body"],
            "note": data["note"],
        }


class PlaceField(forms.CharField):
    """Where somebody was led to: who comes next has to find them."""

    def __init__(self) -> None:
        super().__init__(
            max_length=WHO_CHARS,
            label=lazy_message("incidents.form.room"),
            error_messages={"required": lazy_message("incidents.form.room_required")},
        )


class NoteForm(forms.Form):
    """One line of text."""

    note = forms.CharField(
        max_length=NOTE_CHARS,
        label=lazy_message("incidents.form.note"),
        error_messages={"required": lazy_message("incidents.form.note_required")},
    )


class FileForm(forms.Form):
    """A recording or a screenshot, and the step that it proves."""

    file = forms.FileField(
        label=lazy_message("incidents.form.file"),
        error_messages={"required": lazy_message("incidents.form.file_required")},
    )
    step = forms.CharField(max_length=24)


class OpenForm(forms.Form):
    """An incident from a post: where, what, whom."""

    venue = forms.ChoiceField(label=lazy_message("incidents.form.venue"))
    kind = forms.ChoiceField(label=lazy_message("incidents.form.kind"), widget=forms.RadioSelect)
    myself = forms.BooleanField(required=False, label=lazy_message("incidents.form.myself"))
    type = forms.ChoiceField(
        required=False,
        label=lazy_message("incidents.form.document_type"),
        choices=named_choices(SHOWN_TYPES, words="people.type"),
    )
    number = forms.CharField(
        required=False,
        max_length=64,
        label=lazy_message("incidents.form.number"),
        help_text=lazy_message("incidents.form.number_hint"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    detail = forms.CharField(
        required=False, max_length=NOTE_CHARS, label=lazy_message("incidents.form.detail")
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.venues = {
            str(venue.pk): venue
            for venue in Venue.objects.filter(unit__in=visible_units(user), active=True)
            .select_related("unit")
            .order_by("name")
        }
        english = current_language() == "en"
        _choices(
            self.fields["venue"],
            [(key, v.name_en if english else v.name) for key, v in self.venues.items()],
            unchosen=len(self.venues) > 1,
        )
        _choices(
            self.fields["kind"],
            [(kind.value, message(f"incidents.kind_word.{kind.value}")) for kind in FindingKind],
        )
        if user.person_id is None:
            del self.fields["myself"]

    @property
    def place(self) -> Venue:
        """Return the venue that was chosen."""
        return self.venues[self.cleaned_data["venue"]]

    @property
    def document(self) -> Document | None:
        """Return the document that was typed; None when there is none."""
        return self.cleaned_data.get("document")

    def clean(self) -> dict[str, Any]:
        """Read the document, where one was typed."""
        data = super().clean() or {}
        number = (data.get("number") or "").strip()
        if number:
            try:
                data["document"] = read_document(data.get("type") or "", number)
            except ProblemError as error:
                self.add_error("number", message(error.problems[0].code))
        return data


class HandOverForm(forms.Form):
    """To whom an incident goes."""

    to = forms.ChoiceField(label=lazy_message("incidents.form.to"))
    note = forms.CharField(
        required=False, max_length=NOTE_CHARS, label=lazy_message("incidents.form.note")
    )

    def __init__(self, people: list[User], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(user.pk): user for user in people}
        language = current_language()
        _choices(
            self.fields["to"],
            [
                (
                    key,
                    " · ".join(
                        (
                            masked_user(u)[language],
                            message(f"accounts.role.{u.role}"),
                            _unit(u, language),
                        )
                    ),
                )
                for key, u in self.people.items()
            ],
            unchosen=True,
        )

    @property
    def receiver(self) -> User:
        """Return who was chosen."""
        return self.people[self.cleaned_data["to"]]


class DataErrorForm(forms.Form):
    """The fact that is wrong, and why."""

    fact_id = forms.ChoiceField(
        required=False,
        label=lazy_message("incidents.form.fact"),
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        max_length=NOTE_CHARS,
        label=lazy_message("incidents.form.reason"),
        error_messages={"required": lazy_message("incidents.form.reason_required")},
    )

    def __init__(self, facts: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self.fields["fact_id"], facts)


class DecideForm(forms.Form):
    """The district's answer."""

    corrected = forms.ChoiceField(choices=[("1", "1"), ("0", "0")])
    fact_id = forms.CharField(
        required=False, max_length=200, label=lazy_message("incidents.form.fact_id")
    )
    answer = forms.CharField(
        max_length=NOTE_CHARS,
        label=lazy_message("incidents.form.answer"),
        error_messages={"required": lazy_message("incidents.form.answer_required")},
    )


def hand_over_people(stored_unit: str, user: User) -> list[User]:
    """Return who may be given an incident: those who handle them, near its unit."""
    roles = ACTIONS["incidents.lead"] | ACTIONS["incidents.street"] | ACTIONS["incidents.hall"]
    found = User.objects.filter(role__in=[role.value for role in roles], locked_at=None)
    district = stored_unit.split("/")[1]
    near = found.filter(unit__path__startswith=f"/{district}/").exclude(pk=user.pk)
    return list(near.select_related("unit").order_by("unit__path", "role", "id")[:60])


def _choices(field: forms.Field, choices: list[tuple[str, str]], *, unchosen: bool = False) -> None:
    """Give a field its choices; ``unchosen``: nobody takes the first one by accident."""
    assert isinstance(field, forms.ChoiceField)
    field.choices = [("", message("pages.choose")), *choices] if unchosen else choices


def _unit(user: User, language: str) -> str:
    if user.unit is None:
        return ""
    return user.unit.name_en if language == "en" else user.unit.name
