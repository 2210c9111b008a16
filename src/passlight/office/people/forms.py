"""The forms about people; what was typed is read once, by ``read_document``."""

from datetime import date, datetime
from typing import Any

from django import forms

from passlight.core.kernel.documents import Document, DocumentType, read_document
from passlight.core.kernel.problem import ProblemError
from passlight.office.pages.calendar import IN_CALENDAR
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import lazy_message, message
from passlight.office.people.identity import NAME_LENGTH_MAX, NewPerson, Purpose
from passlight.office.people.models import Access

# What a clerk may give as a reason; the other purposes belong to the door and to oneself.
CLERK_PURPOSES = (Purpose.COUNTER, Purpose.INCIDENT, Purpose.CORRECTION, Purpose.REVIEW)
# An agency's key is no document that anybody holds in their hand.
SHOWN_TYPES = tuple(kind for kind in DocumentType if kind is not DocumentType.AGENCY)


class DocumentForm(forms.Form):
    """A document as somebody reads it from the card; ``document`` after validation."""

    type = forms.ChoiceField(
        label=lazy_message("people.type"), choices=named_choices(SHOWN_TYPES, words="people.type")
    )
    number = forms.CharField(
        label=lazy_message("people.number"),
        help_text=lazy_message("people.number_hint"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        error_messages={"required": lazy_message("people.number_required")},
    )
    document: Document

    def clean(self) -> dict[str, Any]:
        """Read the document, or say what is wrong with its number."""
        data: dict[str, Any] = super().clean() or {}
        if "type" in data and "number" in data:
            try:
                self.document = read_document(data["type"], data["number"])
            except ProblemError as error:
                self.add_error("number", message(error.problems[0].code))
        return data


class RegisterForm(DocumentForm):
    """Everything that a registration takes."""

    name = forms.CharField(
        label=lazy_message("people.name"),
        help_text=lazy_message("people.name_hint"),
        max_length=NAME_LENGTH_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": lazy_message("people.name_required")},
    )
    phone = forms.RegexField(
        r"^\+?[0-9][0-9 -]{5,18}$",
        label=lazy_message("people.phone"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
        error_messages={"invalid": lazy_message("people.phone_invalid")},
    )
    born_on = forms.DateField(
        label=lazy_message("people.birth"),
        help_text=lazy_message("people.birth_hint"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "off"}),
        error_messages={"invalid": lazy_message("people.birth_invalid")},
    )

    def person(self) -> NewPerson:
        """Return what is to be registered; an identity card says the birth date itself."""
        data = self.cleaned_data
        return NewPerson(
            documents=(self.document,),
            name=data["name"],
            phone=data["phone"].replace(" ", "").replace("-", ""),
            born_on=data["born_on"] or _birth_on_card(self.document),
        )


def _birth_on_card(document: Document) -> date | None:
    if document.type is not DocumentType.RESIDENT_ID:
        return None
    try:
        return datetime.strptime(document.number[6:14], "%Y%m%d").date()  # noqa: DTZ007  # a day, no instant
    except ValueError:
        return None


class FieldBoxes(forms.CheckboxSelectMultiple):
    """Boxes whose whole line is the target."""

    template_name = "people/_field_boxes.html"


class RevealForm(forms.Form):
    """Which full values are needed, and why."""

    fields_wanted = forms.MultipleChoiceField(
        label=lazy_message("people.reveal_fields"),
        widget=FieldBoxes,
        choices=named_choices(Access.FIELDS, words="people.field"),
        error_messages={"required": lazy_message("people.reveal_fields_required")},
    )
    purpose = forms.ChoiceField(
        label=lazy_message("people.purpose"),
        choices=named_choices(
            CLERK_PURPOSES, words="people.purpose", empty="people.purpose_choose"
        ),
        error_messages={"required": lazy_message("people.purpose_required")},
    )
    case = forms.CharField(
        label=lazy_message("people.case"),
        help_text=lazy_message("people.case_hint"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": lazy_message("people.case_required")},
    )


class AccessFilter(forms.Form):
    """Which readings the auditor looks at."""

    person = forms.CharField(
        required=False,
        label=lazy_message("people.handle"),
        max_length=34,
        widget=forms.TextInput(attrs={"placeholder": lazy_message("people.handle")}),
    )
    actor = forms.CharField(
        required=False,
        label=lazy_message("people.reader"),
        max_length=64,
        widget=forms.TextInput(attrs={"placeholder": lazy_message("people.reader_hint")}),
    )
    purpose = forms.ChoiceField(
        required=False,
        label=lazy_message("people.purpose"),
        choices=named_choices(Purpose, words="people.purpose", empty="people.every_purpose"),
    )
    extent = forms.ChoiceField(
        required=False,
        label=lazy_message("people.extent"),
        choices=named_choices(("full", "masked"), words="people", empty="people.every_extent"),
    )
    since = forms.DateField(
        required=False,
        label=lazy_message("people.since"),
        validators=IN_CALENDAR,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = forms.DateField(
        required=False,
        label=lazy_message("people.until"),
        validators=IN_CALENDAR,
        widget=forms.DateInput(attrs={"type": "date"}),
    )


class HandleFilter(forms.Form):
    """Find one person by handle."""

    handle = forms.CharField(
        required=False,
        label=lazy_message("people.handle"),
        max_length=34,
        widget=forms.TextInput(attrs={"placeholder": lazy_message("people.handle_hint")}),
    )
