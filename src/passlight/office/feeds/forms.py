"""Forms of the feeds' pages."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile

from passlight.agencies.csv.mapping import load_mapping
from passlight.agencies.registry import FOLDERS
from passlight.core.kernel.problem import ProblemError
from passlight.office.feeds.models import Feed
from passlight.office.feeds.queries import reason_text
from passlight.office.pages.choices import named_choices
from passlight.office.pages.language import current_language, lazy_message, message

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

UPLOAD_BYTES_MAX = 256 * 1024**2
MAPPING_BYTES_MAX = 64 * 1024
LINES_CHARS_MAX = 20_000
_MEBIBYTE = 1024**2


def agency_choices() -> list[tuple[str, Any]]:
    """Return the formats with their names."""
    return [(name, lazy_message(f"feeds.agency.{name}")) for name in FOLDERS]


class BatchFilterForm(forms.Form):
    """Which batches are listed; the first choice is the work."""

    state = forms.ChoiceField(
        required=False,
        label=lazy_message("feeds.filter.state"),
        choices=named_choices(("open",), words="feeds.filter", empty="feeds.filter.all"),
    )
    feed = forms.ModelChoiceField(
        Feed.objects.order_by("agency", "name"),
        required=False,
        label=lazy_message("feeds.filter.feed"),
        empty_label=lazy_message("feeds.filter.any_feed"),
    )


class UploadForm(forms.Form):
    """A file of an agency, how to read it, and when it was published."""

    agency = forms.ChoiceField(choices=agency_choices, label=lazy_message("feeds.field.agency"))
    file = forms.FileField(
        required=False,
        label=lazy_message("feeds.field.file"),
        help_text=lazy_message("feeds.field.file_hint"),
        allow_empty_file=True,  # received and shown as empty, like any other unreadable file
    )
    lines = forms.CharField(
        required=False,
        strip=False,
        max_length=LINES_CHARS_MAX,
        label=lazy_message("feeds.field.lines"),
        help_text=lazy_message("feeds.field.lines_hint"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
    mapping = forms.FileField(
        required=False,
        label=lazy_message("feeds.field.mapping"),
        help_text=lazy_message("feeds.field.mapping_hint"),
    )
    as_of = forms.DateTimeField(
        required=False,
        label=lazy_message("feeds.field.as_of"),
        help_text=lazy_message("feeds.field.as_of_hint"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

    def clean_file(self) -> "UploadedFile[bytes] | None":
        """Refuse a file that is better fed at the command line."""
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > UPLOAD_BYTES_MAX:
            limit = UPLOAD_BYTES_MAX // _MEBIBYTE
            raise forms.ValidationError(message("feeds.field.file_large", limit=limit))
        return file

    def clean_mapping(self) -> str:
        """Return the mapping's text, checked; empty when there is none."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("mapping")
        if file is None:
            return ""
        try:
            text = bytes(file.read(MAPPING_BYTES_MAX)).decode("utf-8-sig")
            load_mapping(text, file="mapping.yaml")
        except UnicodeDecodeError:
            raise forms.ValidationError(message("feeds.mapping")) from None
        except ProblemError as error:
            language = current_language()
            raise forms.ValidationError(
                [
                    f"{problem.field or ''} {reason_text(problem.code, {}, language)}".strip()
                    for problem in error.problems
                ]
            ) from None
        return text

    def clean(self) -> dict[str, Any]:
        """Ask for the mapping when the format needs one, and take pasted lines as a file."""
        data = super().clean() or {}
        lines = str(data.get("lines") or "").strip()
        if lines and data.get("agency") == "jsonl" and not data.get("file"):
            data["file"] = SimpleUploadedFile("lines.jsonl", f"{lines}\n".encode())
        elif not data.get("file") and "file" not in self.errors:
            self.add_error("file", message("feeds.field.file_needed"))
        asked = data.get("agency") == "csv" and not data.get("mapping")
        if asked and "mapping" not in self.errors:
            self.add_error("mapping", message("feeds.field.mapping_needed"))
        if data.get("agency") != "csv":
            data["mapping"] = ""
        return data
