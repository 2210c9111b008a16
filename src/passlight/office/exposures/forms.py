"""The forms of tracing: a reason, parameters, places to publish, lists from elsewhere."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings

from passlight.city.publication import AUCKLAND
from passlight.core.exposure.parameters import Cap, Dwell, TracingParameters
from passlight.core.kernel.problem import Problem
from passlight.core.places.venue import VenueClass
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import lazy_message, message
from passlight.runtime.catalogue import LANGUAGES, text

REASON_CHARS: Final = 300
UPLOAD_BYTES_MAX: Final = 4 * 1024**2
_NUMBERS: Final = {
    "lead_hours": (0, 24 * 14),
    "linger_minutes": (0, 240),
    "minutes_min": (1, 240),
    "stay_hours_max": (1, 24),
    "people_max": (0, 100_000),
    "share_percent_max": (0, 100),
    "share_people_min": (0, 10_000),
}
_DAY_MINUTES: Final = 24 * 60


def problem_text(problem: Problem) -> str:
    """Return what a refusal says in the page's language."""
    return message(problem.code, **problem.params)


class CaseFilterForm(forms.Form):
    """Which cases are listed; the first choice is the work."""

    show = forms.ChoiceField(
        required=False,
        label=lazy_message("exposures.filter.show"),
        choices=named_choices(
            ("waiting", "ended", "all"), words="exposures.filter", empty="exposures.filter.active"
        ),
    )

    def wanted(self) -> str:
        """Return the filter; an unknown one narrows nothing."""
        return str(self.cleaned_data["show"]) if self.is_valid() else ""


class ReasonForm(forms.Form):
    """Why an officer decides as they do."""

    reason = forms.CharField(
        label=lazy_message("exposures.field.reason"),
        max_length=REASON_CHARS,
        error_messages={"required": lazy_message("exposures.refused.no-reason")},
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ParametersForm(forms.Form):
    """Every number of tracing, and why another one is asked for."""

    def __init__(self, held: TracingParameters, *args: Any, **kwargs: Any) -> None:
        """Offer the values of ``held``."""
        super().__init__(*args, **kwargs)
        values = held.to_json()
        flat = {**values, **values["cap"]}
        for name, (least, most) in _NUMBERS.items():
            self.fields[name] = forms.IntegerField(
                label=message(f"exposures.parameter.{name}"),
                help_text=message(f"exposures.parameter_hint.{name}"),
                min_value=least,
                max_value=most,
                initial=flat[name],
            )
        for kind in VenueClass:
            for part in ("usual", "certain"):
                self.fields[f"{part}_{kind.value}"] = forms.IntegerField(
                    label=message(
                        f"exposures.parameter.{part}", kind=message(f"venues.kind.{kind.value}")
                    ),
                    min_value=0,
                    max_value=_DAY_MINUTES,
                    initial=values["dwell"][kind.value][f"{part}_minutes"],
                )
        self.fields["reason"] = forms.CharField(
            label=message("exposures.field.reason"), max_length=REASON_CHARS
        )

    def numbers(self) -> list[forms.BoundField]:
        """Return the fields of the numbers, in their order."""
        return [self[name] for name in _NUMBERS]

    def stays(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Return the fields of the usual stays by class of venue."""
        return [
            (
                message(f"venues.kind.{kind.value}"),
                self[f"usual_{kind.value}"],
                self[f"certain_{kind.value}"],
            )
            for kind in VenueClass
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse a shortest stay that is longer than the usual one."""
        given = super().clean() or {}
        for kind in VenueClass:
            usual, certain = given.get(f"usual_{kind.value}"), given.get(f"certain_{kind.value}")
            if usual is not None and certain is not None and certain > usual:
                self.add_error(f"certain_{kind.value}", message("exposures.refused.stay"))
        return given

    def parameters(self) -> TracingParameters:
        """Return what was typed; only after ``is_valid``."""
        given = self.cleaned_data
        return TracingParameters(
            lead_hours=given["lead_hours"],
            linger_minutes=given["linger_minutes"],
            minutes_min=given["minutes_min"],
            stay_hours_max=given["stay_hours_max"],
            dwell={
                kind: Dwell(
                    usual_minutes=given[f"usual_{kind.value}"],
                    certain_minutes=given[f"certain_{kind.value}"],
                )
                for kind in VenueClass
            },
            cap=Cap(
                people_max=given["people_max"],
                share_percent_max=given["share_percent_max"],
                share_people_min=given["share_people_min"],
            ),
        )


class PublishForm(forms.Form):
    """Windows of a case to make public, and what people who were there are asked to do."""

    windows = forms.TypedMultipleChoiceField(coerce=int, label="")
    advice_zh = forms.CharField(
        label=lazy_message("exposures.field.advice_zh"), max_length=REASON_CHARS
    )
    advice_en = forms.CharField(
        label=lazy_message("exposures.field.advice_en"), max_length=REASON_CHARS
    )

    def __init__(self, windows: list[int], *args: Any, **kwargs: Any) -> None:
        """Offer ``windows`` alone."""
        super().__init__(*args, **kwargs)
        chosen = self.fields["windows"]
        assert isinstance(chosen, forms.TypedMultipleChoiceField)
        chosen.choices = [(pk, str(pk)) for pk in windows]
        chosen.error_messages["required"] = message("exposures.refused.no-window")
        for language in LANGUAGES:
            self.fields[f"advice_{language}"].initial = text("exposures.advice", language)


class ForeignForm(forms.Form):
    """A publication of places elsewhere, and by which clock its times are."""

    name = forms.CharField(label=lazy_message("exposures.foreign.name"), max_length=120)
    file = forms.FileField(
        label=lazy_message("exposures.foreign.file"),
        help_text=lazy_message("exposures.foreign.file_hint"),
    )
    zone = forms.ChoiceField(label=lazy_message("exposures.foreign.zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer our own clock and Auckland's."""
        super().__init__(*args, **kwargs)
        zones = dict.fromkeys((AUCKLAND.key, settings.TIME_ZONE))
        zone = self.fields["zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = [(name, name) for name in zones]

    def clean_file(self) -> Any:
        """Refuse a file that no publication is as long as."""
        found = self.cleaned_data["file"]
        if found.size > UPLOAD_BYTES_MAX:
            raise forms.ValidationError(message("exposures.foreign.too_long"))
        return found

    def timezone(self) -> ZoneInfo:
        """Return the chosen clock; only after ``is_valid``."""
        return ZoneInfo(self.cleaned_data["zone"])
