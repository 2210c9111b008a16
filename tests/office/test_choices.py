"""Choices of a form in the language of the page that shows it."""

from django import forms
from django.utils.translation import override

from passlight.office.pages.choices import named_choices


class OneForm(forms.Form):
    colour = forms.ChoiceField(
        choices=named_choices(("red",), words="pages.colour", empty="statuses.filter.any_colour")
    )


def shown() -> list[tuple[str, str]]:
    field = OneForm().fields["colour"]
    assert isinstance(field, forms.ChoiceField)
    return list(field.choices)


def test_the_same_form_speaks_the_language_of_each_page() -> None:
    with override("zh-hans"):
        chinese = shown()
    with override("en"):
        english = shown()
    assert [code for code, _ in chinese] == [code for code, _ in english] == ["", "red"]
    assert chinese[1][1] == "红码"
    assert english[1][1] == "Red"
