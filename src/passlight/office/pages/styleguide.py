"""What the components page shows: a form with faults, filters that are on, a page of many."""

from typing import Any

from django import forms
from django.core.paginator import Paginator

from passlight.office.pages.language import lazy_message, message
from passlight.runtime.catalogue import text

COLOURS = ("green", "yellow", "red", "unknown")
ROWS = 28
ROWS_A_PAGE = 3


class ExampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(
        label=lazy_message("styleguide.field_name"),
        help_text=lazy_message("styleguide.field_name_hint"),
    )
    temperature = forms.CharField(label=lazy_message("styleguide.field_temperature"))
    hall = forms.ChoiceField(
        label=lazy_message("styleguide.field_hall"),
        choices=[("1", lazy_message("styleguide.field_hall_choice"))],
    )
    outcome = forms.ChoiceField(
        label=lazy_message("styleguide.field_outcome"),
        widget=forms.RadioSelect,
        choices=[
            ("home", lazy_message("styleguide.field_outcome_home")),
            ("care", lazy_message("styleguide.field_outcome_care")),
        ],
        error_messages={"required": lazy_message("styleguide.field_outcome_wrong")},
    )
    note = forms.CharField(label=lazy_message("styleguide.field_note"), required=False)
    asked = forms.BooleanField(label=lazy_message("styleguide.field_asked"), required=False)

    def clean_temperature(self) -> str:
        """Refuse what no thermometer shows."""
        raise forms.ValidationError(message("styleguide.field_temperature_wrong"))


class ExampleFilter(forms.Form):
    """The filter row of a list."""

    status = forms.ChoiceField(
        label=lazy_message("styleguide.field_state"),
        required=False,
        choices=[
            ("", lazy_message("styleguide.field_all")),
            *((colour, lazy_message(f"pages.colour.{colour}")) for colour in COLOURS),
        ],
    )


def example_context() -> dict[str, Any]:
    """Return the context of the components page."""
    return {
        "colours": [
            (c, f"pages.word.{c}", f"pages.say.{c}", f"{text(f'pages.word.{c}', 'en')}, {said}")
            for c, said in ((c, text(f"pages.say.{c}", "en").lower()) for c in COLOURS)
        ],
        "form": ExampleForm({"name": "沈*", "temperature": "364", "hall": "1", "asked": "on"}),
        "filters": ExampleFilter({"status": "red"}, prefix=None),
        "page_obj": Paginator(range(ROWS), ROWS_A_PAGE).page(4),
    }
