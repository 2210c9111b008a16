"""The guard refuses what could be an identity number, a phone number or a full name.

The numbers are made up: the region codes 110101 and 310118 exist, the people do not. What is
harmless is written by hand from real messages of ours.
"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passlight.messages.guard import UnsafeTextError, check_person, check_place, check_text

NUMBERS = {
    "18 digits": "请核实310118199003070017",
    "18 with X": "31011819900307001X",
    "lower x": "31011819900307001x",
    "a wrong check digit is still a number": "310118199003070019",
    "15 digits": "证号310118900307001",
    "with spaces": "310118 19900307 0017",
    "with hyphens": "310118-1990-0307-0017",
    "full width": "３１０１１８１９９００３０７００１７",
    "zero width between": "310118\u200b19900307\u200b0017",
    "Chinese numerals": "三一〇一一八一九九〇〇三〇七〇〇一七",
    "inside other digits": "99310118199003070017",
    "passport": "护照E12345678",
    "new passport": "EA1234567",
    "foreign passport by its label": "passport no. 12AB34567",
    "Hong Kong permit": "H12345678",
    "Hong Kong permit, spaced": "H 1234 5678 01",
    "foreign resident": "CHN310112345678",
    "bank card": "6222021234567890",
    "mobile": "联系13812342261",
    "mobile with country": "+86 138 1234 2261",
    "mobile in groups": "138-1234-2261",
    "mobile in full width": "１３８１２３４２２６１",
}
NAMES = {
    "label": "姓名：王晓明",
    "title": "请联系王晓明先生",
    "compound surname": "欧阳晓女士来电",
    "two characters": "李明同志到场",
    "English title": "Call Mr. WANG at once",
}
HARMLESS = [
    "清河街道中心10:21发现红码，编号0608-03，人员在临时隔离区。请接报并核实。",
    "清河街道中心0608-03，“报街镇防控办”已逾期6分，责任人郑*强。请立即处理。",
    "值班电话5978 0110，服务热线12345，2022-06-08 10:42",
    "王*明 310***********12 138****2261",
    "请群众出示随申码，老师傅请走东门。",
    "Qinghe Centre: a red code found at 10:21, North gate, incident 0608-03.",
    "2022年6月8日 10:42:07，在场86/150",
]


@pytest.mark.parametrize("text", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_refused(text: str) -> None:
    with pytest.raises(UnsafeTextError) as refused:
        check_text(text)
    assert text not in str(refused.value), "the error does not carry it on"


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_names_are_refused(text: str) -> None:
    with pytest.raises(UnsafeTextError, match="name"):
        check_text(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_our_own_messages_pass(text: str) -> None:
    check_text(text)


@given(
    st.dates(min_value=date(1920, 1, 1)),
    st.integers(110000, 659000),
    st.integers(0, 999),
    st.sampled_from("0123456789X"),
    st.sampled_from(["", " ", "-", "\u3000", ".", "/"]),
    st.text("请核实编号人员。，", max_size=6),
)
def test_no_resident_number_passes(born, region, order, last, gap, around) -> None:
    number = gap.join([f"{region}", f"{born:%Y%m%d}", f"{order:03}{last}"])
    with pytest.raises(UnsafeTextError):
        check_text(around + number + around)


@pytest.mark.parametrize("name", ["王*明", "李*", "欧阳*", "A** K**", "*"])
def test_masked_names_pass(name: str) -> None:
    check_person(name)


@pytest.mark.parametrize(
    "name", ["王晓明", "李明", "Anna Karenina", "", "王晓*明明", "A** Karenina"]
)
def test_names_without_a_mask_are_refused(name: str) -> None:
    with pytest.raises(UnsafeTextError):
        check_person(name)


@pytest.mark.parametrize(
    "place",
    [
        "清河街道中心",
        "北门",
        "东门",
        "马桥镇",
        "周庄",
        "一号隔离间",
        "值班领导",
        "North gate",
        "陈家湾",
    ],
)
def test_places_pass(place: str) -> None:
    check_place(place)


@pytest.mark.parametrize(
    "place",
    [
        "大厅 https://evil.example",
        "大厅：／／x",
        "[点此领取](x)",
        "<a>大厅",
        "WWW.evil.example",
        "ｗｗｗ.evil.example",
        "@所有人 大厅",
    ],
)
def test_a_link_in_the_place_of_a_place_is_refused(place: str) -> None:
    """A venue names itself: its name does not speak in the office's voice."""
    with pytest.raises(UnsafeTextError):
        check_place(place)


@pytest.mark.parametrize("place", ["王晓明", "李明", "欧阳晓"])
def test_a_person_in_the_place_of_a_place_is_refused(place: str) -> None:
    with pytest.raises(UnsafeTextError):
        check_place(place)
