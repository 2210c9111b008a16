"""Forms about notices and contacts."""

from typing import Any

from django import forms

from passlight.core.kernel.problem import ProblemError
from passlight.messages.addresses import read_address
from passlight.office.accounts.forms import UnitField
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.accounts.roles import visible_units
from passlight.office.notices.models import NoticeChannel
from passlight.office.notices.recipients import Recipient, RoleHolder
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import lazy_message, message
from passlight.runtime.catalogue import Language

# Posts that somebody is told at; a resident has no contact here.
POSTS = (
    *(Role.DUTY_LEADER, Role.HALL_MANAGER, Role.GUIDE, Role.COUNTER_CLERK),
    *(Role.STREET_OFFICE, Role.DISTRICT_OFFICE, Role.STEWARD),
)
CHANNELS = tuple(channel for channel in NoticeChannel if channel is not NoticeChannel.IN_APP)


class BellFilterForm(forms.Form):
    """Narrows the bell to what is unread."""

    state = forms.ChoiceField(
        label=lazy_message("notices.filter.state"),
        required=False,
        choices=named_choices(("all",), words="notices.filter", empty="notices.filter.unread"),
    )

    @property
    def everything(self) -> bool:
        """Return whether read notices are wanted, too."""
        return self.is_valid() and self.cleaned_data["state"] == "all"


class ContactForm(forms.Form):
    """Whom to reach, and how."""

    unit = UnitField(label=lazy_message("notices.field.unit"), queryset=Unit.objects.none())
    role = forms.ChoiceField(
        label=lazy_message("notices.field.role"),
        help_text=lazy_message("notices.field.role_hint"),
        choices=named_choices(POSTS, words="accounts.role"),
    )
    username = forms.CharField(
        label=lazy_message("notices.field.username"),
        help_text=lazy_message("notices.field.username_hint"),
        max_length=64,
        required=False,
    )
    channel = forms.ChoiceField(label=lazy_message("notices.field.channel"))
    address = forms.CharField(
        label=lazy_message("notices.field.address"),
        help_text=lazy_message("notices.field.address_hint"),
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": lazy_message("notices.field.address_needed")},
    )
    language = forms.ChoiceField(
        label=lazy_message("notices.field.language"),
        choices=named_choices(("zh", "en"), words="notices.language"),
    )

    def __init__(self, actor: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._actor = actor
        unit, channel = self.fields["unit"], self.fields["channel"]
        assert isinstance(unit, UnitField)
        assert isinstance(channel, forms.ChoiceField)
        unit.queryset = visible_units(actor)
        unit.empty_label = None
        # Any address at all means any server at all: the district answers for that.
        wide = actor.role == Role.DISTRICT_OFFICE
        known = [one for one in CHANNELS if wide or one is not NoticeChannel.URL]
        channel.choices = named_choices(known, words="notices.channel")

    def clean_username(self) -> User | None:
        """Return the user of the actor's units, or None for the whole post."""
        name = str(self.cleaned_data["username"]).strip().lower()
        if not name:
            return None
        found = User.objects.filter(username=name, unit__in=visible_units(self._actor)).first()
        if found is None:
            raise forms.ValidationError(message("notices.field.username_unknown"))
        return found

    def clean(self) -> None:
        """Hold the address against the form of its channel."""
        super().clean()
        channel, address = (self.cleaned_data.get(name) for name in ("channel", "address"))
        if channel and address:
            try:
                read_address(channel, address)
            except ProblemError as error:
                self.add_error("address", message(error.problems[0].code))

    def recipient(self) -> Recipient:
        """Return whom a valid form names."""
        user = self.cleaned_data["username"]
        if isinstance(user, User):
            return user
        return RoleHolder(unit=self.cleaned_data["unit"], role=Role(self.cleaned_data["role"]))

    def language_chosen(self) -> Language:
        """Return the language a valid form names."""
        return "en" if self.cleaned_data["language"] == "en" else "zh"
