"""The forms of login and users."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from passlight.office.accounts.models import Role, Unit, User
from passlight.office.accounts.roles import gives, visible_units
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import current_language, lazy_message, message


class LoginForm(forms.Form):
    """User name and password."""

    username = forms.CharField(
        label=lazy_message("accounts.username"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        error_messages={"required": lazy_message("accounts.username_required")},
    )
    password = forms.CharField(
        label=lazy_message("accounts.password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": lazy_message("accounts.password_required")},
    )


class SecondFactorForm(forms.Form):
    """The six digits of an authenticator."""

    code = forms.CharField(
        label=lazy_message("accounts.code"),
        help_text=lazy_message("accounts.code_hint"),
        max_length=8,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": lazy_message("accounts.code_required")},
    )


class UnitField(forms.ModelChoiceField):  # type: ignore[type-arg]  # no subscripts at run time
    """Units of the tree, indented, in the page's language."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the unit's name behind as many spaces as it is deep."""
        assert isinstance(obj, Unit)
        name = obj.name_en if current_language() == "en" else obj.name
        return "\u3000" * (obj.path.count("/") - 2) + name


def _role_choices(actor: User) -> list[tuple[str, str]]:
    # A resident's account is made with the person, never here.
    return [(role, message(f"accounts.role.{role}")) for role in Role if gives(actor, role)]


class PostForm(forms.Form):
    """Which role, in which unit."""

    role = forms.ChoiceField(
        label=lazy_message("accounts.role_label"),
        error_messages={"required": lazy_message("accounts.role_required")},
    )
    unit = UnitField(
        queryset=Unit.objects.none(),
        label=lazy_message("accounts.unit"),
        help_text=lazy_message("accounts.unit_hint"),
        error_messages={
            "required": lazy_message("accounts.unit_required"),
            "invalid_choice": lazy_message("accounts.unit_required"),
        },
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = _role_choices(actor)
        unit = self.fields["unit"]
        assert isinstance(unit, UnitField)
        unit.queryset = visible_units(actor)
        unit.empty_label = message("accounts.unit_required")


class AddUserForm(PostForm):
    """Everything a new user needs."""

    field_order = ("username", "display_name", "display_name_en", "role", "unit", "password")
    username = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$",
        label=lazy_message("accounts.username"),
        help_text=lazy_message("accounts.username_hint"),
        error_messages={
            "required": lazy_message("accounts.username_required"),
            "invalid": lazy_message("accounts.username_invalid"),
        },
    )
    display_name = forms.CharField(
        label=lazy_message("accounts.display_name"),
        max_length=80,
        error_messages={"required": lazy_message("accounts.display_name_required")},
    )
    display_name_en = forms.CharField(
        label=lazy_message("accounts.display_name_en"),
        max_length=120,
        error_messages={"required": lazy_message("accounts.display_name_en_required")},
    )
    password = forms.CharField(
        label=lazy_message("accounts.first_password"),
        help_text=lazy_message("accounts.password_hint"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": lazy_message("accounts.password_required")},
    )

    def clean_password(self) -> str:
        """Return the password, or say in our words what is missing."""
        password = str(self.cleaned_data["password"])
        try:
            validate_password(password)
        except ValidationError:
            raise ValidationError(message("accounts.password_weak")) from None
        return password


class LockForm(forms.Form):
    """Why an account is locked."""

    REASONS = ("left", "dormant", "suspicious", "other")
    reason = forms.ChoiceField(
        label=lazy_message("accounts.lock_reason"),
        choices=named_choices(REASONS, words="accounts.lock_reason"),
    )


class UserFilter(forms.Form):
    """What of the list of users is shown."""

    role = forms.ChoiceField(
        required=False,
        label=lazy_message("accounts.role_label"),
        choices=named_choices(Role, words="accounts.role", empty="accounts.every_role"),
    )
    state = forms.ChoiceField(
        required=False,
        label=lazy_message("accounts.state"),
        choices=named_choices(("active", "locked"), words="accounts", empty="accounts.every_state"),
    )
