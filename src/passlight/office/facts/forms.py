"""The filter of the list of facts."""

from django import forms

from passlight.core.facts.kinds import KINDS
from passlight.office.facts.queries import FactFilter, sources
from passlight.office.facts.words import kind_name
from passlight.office.pages.language import current_language, message
from passlight.office.pages.sources import source_name_in


class FactFilterForm(forms.Form):
    """Narrows the list by kind, source, subject and day; every field may stay empty."""

    kind = forms.ChoiceField(required=False)
    source = forms.ChoiceField(required=False)
    subject = forms.CharField(required=False, max_length=200)
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, field in self.fields.items():
            field.label = message(f"facts.filter.{name}")
        kinds = [(kind, kind_name(kind)) for kind in KINDS]
        named = [(source, source_name_in(source, current_language())) for source in sources()]
        for name, choices in (("kind", kinds), ("source", named)):
            choice = self.fields[name]
            assert isinstance(choice, forms.ChoiceField)
            choice.choices = [("", message(f"facts.filter.any_{name}")), *choices]
        self.fields["subject"].widget.attrs["placeholder"] = message("facts.filter.subject")

    def wanted(self) -> FactFilter:
        """Return the filter; an invalid field narrows nothing."""
        if not self.is_bound:
            return FactFilter()
        self.is_valid()
        return FactFilter(**{name: value for name, value in self.cleaned_data.items() if value})
