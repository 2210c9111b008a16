"""The poster as it comes out: rendered, read back as text and decoded as a picture."""

import io
from datetime import date
from uuid import UUID

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Unit
from passlight.office.venues import poster
from passlight.office.venues.models import Entrance, Venue
from passlight.office.venues.poster import poster_pdf, poster_png, sheets_of
from tests.venues import vector_builder

URL = "https://code.qingyu.example.cn"
LONG = "青屿区第一人民医院附属东塘村社区卫生服务中心" * 4  # 80 characters and more, cut below
LONG_EN = "Qingyu District First People's Hospital, Dongtang Village Community Health Centre, " * 2

pytestmark = pytest.mark.skipif(
    not set(poster.FONTS) & set(poster.typst.Fonts().families()),
    reason="no Chinese font: apt-get install fonts-noto-cjk",
)


def make(entrances=1, *, name="青汀政务服务大厅", name_en="Qingting Government Service Hall"):
    unit = Unit(name="青汀街道", name_en="Qingting Subdistrict")
    venue = Venue(
        id=UUID("6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"),
        name=name,
        name_en=name_en,
        address="青屿区青汀路12号",
        unit=unit,
    )
    doors = [
        Entrance(venue=venue, code=f"d{n}", zone="f1", name=f"{n}号门", name_en=f"Gate {n}")
        for n in range(1, entrances + 1)
    ]
    issuer = Issuer.of_seed(
        vector_builder.SEED, realm="cn-310118", purpose=Purpose.VENUE, slot_code=0
    )
    return sheets_of(venue, doors, issuer=issuer, public_url=URL, today=date(2026, 11, 22))


def decoded(picture):
    return zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))


def text_of(pdf):
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def test_both_languages_can_be_read_from_the_pdf():
    (text,) = text_of(poster_pdf(make()))
    flat = "".join(text.split())
    for words in (
        "场所码",
        "青汀政务服务大厅",
        "1号门",
        "青屿区青汀路12号",
        "没有手机？",
        "随行码",
    ):
        assert words in flat, words
    for words in ("Venuecode", "QingtingGovernmentServiceHall", "Gate1", "Nophone?"):
        assert words in flat, words
    assert "6F1C2A34-D1-20261122" in flat
    assert "code.qingyu.example.cn" in flat
    assert "2026-11-22" in flat
    assert "2028-11-20" in flat  # 730 days from 22 Nov 2026: the last good day


def test_every_font_is_embedded_and_the_page_is_a4():
    reader = PdfReader(io.BytesIO(poster_pdf(make())))
    (page,) = reader.pages
    width, height = (round(float(side) / 72 * 25.4) for side in page.mediabox[2:])
    assert (width, height) == (210, 297)
    fonts = page["/Resources"]["/Font"]
    assert len(fonts) >= 1
    for font in fonts.values():
        (inner,) = font.get_object()["/DescendantFonts"]
        descriptor = inner.get_object()["/FontDescriptor"].get_object()
        assert any(name.startswith("/FontFile") for name in descriptor)


def test_the_picture_decodes_to_the_exact_address_at_level_h():
    sheet = make()[0]
    for ppi in (72, 90, 150):
        (code,) = decoded(poster_png(sheet, ppi=ppi))
        assert code.text == sheet.url
        assert code.format == zxingcpp.BarcodeFormat.QRCode
        assert code.ec_level == "H"


def test_a_torn_poster_still_reads():
    """A fifth of the symbol's area is covered: level H restores up to about 30 % of words."""
    sheet = make()[0]
    image = Image.open(io.BytesIO(poster_png(sheet, ppi=150))).convert("L")
    (code,) = zxingcpp.read_barcodes(image)
    corner, side = code.position.top_left, code.position.top_right.x - code.position.top_left.x
    hole = int(side * 0.3)
    image.paste(
        255,
        (
            corner.x + side // 2,
            corner.y + side // 2,
            corner.x + side // 2 + hole,
            corner.y + side // 2 + hole,
        ),
    )
    (again,) = zxingcpp.read_barcodes(image)
    assert again.text == sheet.url


@pytest.mark.parametrize("name", ["店", LONG[:80]])
def test_short_and_long_names_stay_on_one_page(name):
    sheets = make(name=name, name_en=LONG_EN[:160])
    pages = text_of(poster_pdf(sheets))
    assert len(pages) == 1
    assert name in "".join(pages[0].split())
    (code,) = decoded(poster_png(sheets[0]))
    assert code.text == sheets[0].url


def test_twenty_entrances_are_twenty_pages_each_its_own():
    sheets = make(20)
    pages = ["".join(text.split()) for text in text_of(poster_pdf(sheets))]
    assert len(pages) == 20
    for n, page in enumerate(pages, 1):
        assert f"-D{n}-20261122" in page
        assert f"Gate{n}" in page
    assert len({sheet.url for sheet in sheets}) == 20


def test_names_are_text_and_never_code():
    """A name may hold what Typst or SVG would read as an instruction."""
    name = '#eval("1+1") <b>&"\\ {x}'
    (text,) = text_of(poster_pdf(make(name=name)))
    assert "".join(name.split()) in "".join(text.split())


def test_without_a_chinese_font_the_package_is_named(monkeypatch):
    assert poster_pdf(make())  # positive control
    latin_only = poster.typst.Fonts(include_system_fonts=False)
    assert not set(latin_only.families()) & set(poster.FONTS)

    def fonts():
        return latin_only

    fonts.cache_clear = lambda: None
    monkeypatch.setattr(poster, "_fonts", fonts)
    with pytest.raises(ProblemError) as caught:
        poster_pdf(make())
    assert caught.value.problems[0].code == "venues.font-missing"
    assert "fonts-noto-cjk" in caught.value.problems[0].remedy
