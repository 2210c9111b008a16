"""The venue poster: the venue code of each entrance on a sheet of A4, Chinese and English.

Typst makes the PDF; it embeds the fonts it uses. A poster is weak presence, inside its
signature: somebody may have a picture of it (field/06 T3).
"""

import functools
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import segno
import typst

from passlight.core.codes.issuing import Issuer
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.places.venue_code import Presence, venue_url
from passlight.core.verification.venue_codes import sign_venue_code
from passlight.office.venues.models import Entrance, Venue
from passlight.runtime.catalogue import both

SOURCE = Path(__file__).with_name("poster.typ")
POSTER_DAYS = 730
SHEETS_MAX = 200
PREVIEW_PPI = 90.0
# Any of these draws Chinese; the first that is installed is used, and embedded.
FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("Noto Serif CJK SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "AR PL UMing CN"),
)
_TEXTS = (
    *("brand", "kind", "scan", "compare", "show", "no_phone", "no_phone_text"),
    *("weak", "number"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One poster: an entrance and the address its code holds."""

    venue: Venue
    entrance: Entrance
    url: str
    issued_on: date
    ends_on: date

    @property
    def number(self) -> str:
        """Return what somebody says on the telephone about this sheet."""
        return f"{self.venue.pk.hex[:8]}-{self.entrance.code}-{self.issued_on:%Y%m%d}".upper()


def sheets_of(
    venue: Venue,
    entrances: Sequence[Entrance],
    *,
    issuer: Issuer,
    public_url: str,
    today: date,
) -> list[Sheet]:
    """Return one sheet an entrance, signed."""
    assert len(entrances) <= SHEETS_MAX
    return [
        Sheet(
            venue=venue,
            entrance=entrance,
            url=venue_url(
                sign_venue_code(
                    issuer,
                    venue_id=venue.pk,
                    entrance=entrance.code,
                    zone=entrance.zone,
                    presence=Presence.WEAK,
                    issued_on=today,
                    days=POSTER_DAYS,
                ),
                public_url=public_url,
            ),
            issued_on=today,
            ends_on=today + timedelta(days=POSTER_DAYS),
        )
        for entrance in entrances
    ]


def poster_pdf(sheets: Sequence[Sheet]) -> bytes:
    """Return the sheets as a PDF, one page each.

    Raises:
        ProblemError: when no font of this machine draws Chinese.
    """
    (made,) = _compile(sheets, "pdf")
    return made


def poster_png(sheet: Sheet, *, ppi: float = PREVIEW_PPI) -> bytes:
    """Return one sheet as a picture, for the preview.

    Raises:
        ProblemError: when no font of this machine draws Chinese.
    """
    (made,) = _compile([sheet], "png", ppi=ppi)
    return made


def _compile(
    sheets: Sequence[Sheet], form: Literal["pdf", "png"], *, ppi: float | None = None
) -> list[bytes]:
    fonts = _fonts()
    data = _data(sheets, font=_chinese_font(fonts.families()))
    compiler = typst.Compiler(
        SOURCE.read_bytes(),
        font_paths=fonts,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    made = compiler.compile(format=form, ppi=ppi)
    assert made is not None, "without an output path the result is returned"
    return made if isinstance(made, list) else [made]


def _data(sheets: Sequence[Sheet], *, font: str) -> dict[str, Any]:
    return {
        "font": font,
        "title": f"{both('venues.poster.kind')['zh']} {sheets[0].venue.name}",
        "author": both("venues.poster.brand")["zh"],
        "texts": {name: both(f"venues.poster.{name}") for name in _TEXTS},
        "sheets": [_sheet_data(sheet) for sheet in sheets],
    }


def _sheet_data(sheet: Sheet) -> dict[str, str]:
    venue, entrance = sheet.venue, sheet.entrance
    return {
        "venue": venue.name,
        "venue_en": venue.name_en,
        "address": venue.address,
        "unit": venue.unit.name,
        "unit_en": venue.unit.name_en,
        "entrance": entrance.name,
        "entrance_en": entrance.name_en,
        "url": sheet.url,
        "host": urlsplit(sheet.url).netloc,
        "qr": qr_svg(sheet.url),
        "number": sheet.number,
        "issued": sheet.issued_on.isoformat(),
        "ends": (sheet.ends_on - timedelta(days=1)).isoformat(),
    }


def qr_svg(url: str) -> str:
    """Return the QR code of ``url``: level H, so that a torn or scribbled poster still reads."""
    out = io.BytesIO()
    code = segno.make(url, error="h", boost_error=False, micro=False)
    code.save(out, kind="svg", border=4, svgclass=None, lineclass=None)
    return out.getvalue().decode()


@functools.cache
def _fonts() -> typst.Fonts:
    return typst.Fonts()


def _chinese_font(families: Sequence[str]) -> str:
    for name in FONTS:
        if name in families:
            return name
    _fonts.cache_clear()  # it may be installed while the office runs
    raise ProblemError(
        Problem(
            code="venues.font-missing",
            message="No font on this machine draws Chinese, so the poster cannot be made.",
            remedy="Run apt-get install fonts-noto-cjk and open the poster again.",
        )
    )
