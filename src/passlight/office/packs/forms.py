"""The forms of rule packs: upload, preview, publish."""

from datetime import datetime
from typing import Any

from django import forms

from passlight.core.kernel.problem import ProblemError
from passlight.office.packs.upload import ZIP_BYTES_MAX, read_zip
from passlight.office.pages.language import message


class UploadForm(forms.Form):
    """Takes one zip of a pack's folder."""

    file = forms.FileField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["file"].label = message("packs.upload_file")
        self.fields["file"].help_text = message("packs.upload_hint")
        self.fields["file"].error_messages["required"] = message("packs.upload_missing")
        self.fields["file"].widget.attrs["accept"] = ".zip,application/zip"
        #: What was found wrong with the pack's text, each with file and line.
        self.problems = ()

    problems: tuple[Any, ...]

    def texts(self) -> dict[str, str] | None:
        """Return the texts in the zip, or None with ``problems`` or a field error set."""
        if not self.is_valid():
            return None
        upload = self.cleaned_data["file"]
        try:
            return read_zip(upload.read(ZIP_BYTES_MAX + 1))
        except ProblemError as error:
            self.problems = error.problems
            return None


class EffectiveForm(forms.Form):
    """Takes the moment from which a pack shall hold; empty is the first that is possible."""

    effective_from = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}),
    )
    note = forms.CharField(required=False, max_length=300)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name in ("effective_from", "note"):
            self.fields[name].label = message(f"packs.{name}")
            self.fields[name].help_text = message(f"packs.{name}_hint")
        invalid = message("packs.effective_from_invalid")
        self.fields["effective_from"].error_messages["invalid"] = invalid

    def moment(self) -> datetime | None:
        """Return the chosen moment."""
        chosen: datetime | None = self.cleaned_data["effective_from"]
        return chosen
