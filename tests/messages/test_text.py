"""Rendering: both languages, every parameter of its kind, the space between two scripts."""

import pytest

from passlight.core.kernel.problem import ProblemError
from passlight.messages.guard import UnsafeTextError
from passlight.messages.text import KINDS, message, parameters_of, render, spaced
from passlight.runtime.catalogue import catalogue

PARAMS = {
    "hall": {"zh": "清河街道中心", "en": "Qinghe Centre"},
    "number": "0608-03",
    "step": {"zh": "报街镇防控办", "en": "Tell the street office"},
    "minutes": 6,
    "owner": "郑*强",
}


def test_a_message_in_both_languages() -> None:
    """Worked by hand from the catalogue's text and ``ui.md`` 4: the amount and the owner."""
    assert render("messages.step_late", PARAMS, "zh") == (
        "清河街道中心0608-03，“报街镇防控办”已逾期6分，责任人郑*强。请立即处理。"
    )
    assert render("messages.step_late", PARAMS, "en") == (
        'Qinghe Centre 0608-03: "Tell the street office" is 6 min late, owner 郑*强. Act now.'
    )


def test_values_stand_in_the_order_of_the_chinese_text() -> None:
    told = message("messages.step_late", PARAMS, "zh")
    assert [name for name, _ in told.values] == ["hall", "number", "step", "minutes", "owner"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("请戴N95口罩", "请戴 N95口罩"),  # ideograph-alpha: before N, and not after a digit
        ("打开APP查看", "打开 APP 查看"),
        ("6月8日48小时", "6月8日48小时"),
        ("PL1码", "PL1码"),
        ("A门", "A 门"),
        ("王*明", "王*明"),
        ("已是 APP", "已是 APP"),
        ("编号0608-03，VIP。", "编号0608-03，VIP。"),
    ],
)
def test_the_space_between_han_and_latin(typed: str, sent: str) -> None:
    """``ui.md`` 6: a space between Han and Latin letters, numerals tight."""
    assert spaced(typed) == sent


@pytest.mark.parametrize(
    "wrong",
    [
        {"owner": "郑国强"},
        {"hall": "郑国强"},
        {"hall": ""},
        {"hall": "厅" * 121},
        {"hall": {"en": "Qinghe"}},
        {"minutes": -1},
        {"minutes": "一"},
        {"number": "310118199003070017"},
        {"number": "3"},
        {"step": "310118199003070017"},
        {"extra": "x"},
    ],
)
def test_a_parameter_that_is_not_of_its_kind_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ProblemError):
        render("messages.step_late", {**PARAMS, **wrong}, "zh")


def test_two_harmless_parts_that_make_a_number_are_refused() -> None:
    """Nobody's check of one parameter sees it; the guard on the whole text does."""
    with pytest.raises(UnsafeTextError):
        render(
            "messages.incident_closed", {"hall": "大厅31011819900", "number": "3070-01700"}, "zh"
        )


def test_every_message_has_known_parameters_and_fits_its_kind() -> None:
    codes = [
        code
        for code in catalogue()
        if code.startswith("messages.") and not code.startswith("messages.fault.")
    ]
    assert len(codes) >= 18
    for code in codes:
        assert set(parameters_of(code)) <= set(KINDS), code
