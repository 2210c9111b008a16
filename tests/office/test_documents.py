"""Documents: GB 11643 and its legacy form, permits and passports, and what never refuses.

Numbers with a right check digit are the two printed in GB 11643-1999 itself, and fictional
ones (region 999999) worked out by hand with the standard's weights 7 9 10 5 8 4 2 1 6 3 ….
"""

import pytest

from passlight.core.kernel.documents import (
    GATE_CODES,
    Document,
    DocumentType,
    check_digit,
    read_document,
    region_known,
)
from passlight.core.kernel.masking import mask_document, mask_name, mask_phone
from passlight.core.kernel.problem import ProblemError

STANDARD = ("11010519491231002X", "440524188001010014")


def problem(kind: str, number: str) -> str:
    with pytest.raises(ProblemError) as caught:
        read_document(kind, number)
    found = caught.value.problems[0]
    assert len(number) < 3 or number not in str(found), "a problem never carries the number"
    assert found.remedy
    return found.code


@pytest.mark.parametrize("number", [*STANDARD, "999999199003070012"])
def test_right_numbers(number: str) -> None:
    assert read_document("resident-id", number).number == number
    assert check_digit(number[:17]) == number[17]


@pytest.mark.parametrize(
    "written",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105-19491231-002X",
        "110105\u200b19491231002X",
        "110105491231002",  # 15 digits of before 1999
    ],
)
def test_one_number_however_it_is_written(written: str) -> None:
    assert read_document("resident-id", written) == read_document("10", STANDARD[0])


def test_every_wrong_digit_and_every_swap_is_found() -> None:
    """ISO 7064 MOD 11-2 promises both; tried exhaustively on the standard's number."""
    right = STANDARD[1]
    wrong = set()
    for i in range(18):
        wrong |= {right[:i] + digit + right[i + 1 :] for digit in "0123456789"}
    wrong |= {right[:i] + right[i + 1] + right[i] + right[i + 2 :] for i in range(17)}
    wrong.discard(right)
    assert len(wrong) > 150
    for number in wrong:
        assert problem("resident-id", number) == "people.document-check-digit"


@pytest.mark.parametrize("number", ["", "1", "1101051949123100", "A" * 18, "11010519491231002XX"])
def test_what_is_no_resident_id(number: str) -> None:
    assert problem("resident-id", number) == "people.document-resident-id"


def test_an_unknown_region_warns_and_never_refuses() -> None:
    assert not region_known(read_document("resident-id", "999999199003070012"))
    assert region_known(read_document("resident-id", STANDARD[0]))
    assert region_known(read_document("passport", "SIM000123"))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("passport", "e12345678", "E1"),
        ("passport", "SIM 000123", "E1234567$"),
        ("hk-mo-permit", "h12345678", "C12345678"),
        ("hk-mo-permit", "M1234567801", "M123456789"),
        ("tw-permit", "12345678", "1234567"),
        ("tw-permit", "1234567801", "A2345678"),
        ("foreign-pr", "ABC310000000001", "AB310000000001"),
        ("foreign-pr", "911124198108030024", "811124198108030024"),
        ("agency", "kcdc:1000000001", "1000000001"),
    ],
)
def test_other_documents(kind: str, good: str, bad: str) -> None:
    found = read_document(kind, good)
    assert found.type == kind
    assert problem(kind, bad) == f"people.document-{kind}"


def test_gate_codes() -> None:
    """field/01 1.3: 10 resident, 14 HK/Macau, 15 Taiwan, 20 passport, 34 permanent, 99 other."""
    assert {code: kind.value for code, kind in GATE_CODES.items()} == {
        "10": "resident-id",
        "14": "hk-mo-permit",
        "15": "tw-permit",
        "20": "passport",
        "34": "foreign-pr",
        "99": "agency",
    }
    assert read_document("20", "E12345678").type is DocumentType.PASSPORT
    assert problem("16", "12345678") == "people.document-type"


def test_types_never_collide_and_agency_keys_keep_their_case() -> None:
    number = "12345678"
    passport = Document(type=DocumentType.PASSPORT, number=number)
    permit = Document(type=DocumentType.TW_PERMIT, number=number)
    assert passport.canonical != permit.canonical
    assert read_document("agency", "lab:Ab").number == "lab:Ab"


def test_a_document_hides_its_number() -> None:
    document = read_document("passport", "SIM000123")
    assert "SIM000123" not in repr(document) + str(document)


# ui.md 7 gives the first three and both numbers; the rest follow its rules by hand.
@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("王晓明", "王*明"),
        ("李静", "李*"),
        ("欧阳静", "欧阳*"),
        ("欧阳晓静", "欧阳*静"),
        ("欧阳", "欧*"),
        ("王小小明", "王**明"),
        ("王", "*"),
        ("Anna Maria Kowalska", "A** M** K**"),
        ("O'Neill", "O**"),
        ("阿依·买买提", "阿** 买**"),
        ("Ῥόδος", "Ῥ**"),
        (" 王晓明 ", "王*明"),
        ("", "*"),
        ("   ", "*"),
        ("·", "*"),
    ],
)
def test_names(name: str, mask: str) -> None:
    assert mask_name(name) == mask


def test_documents_and_phones() -> None:
    card = Document(type=DocumentType.RESIDENT_ID, number="310000199003070012")
    assert mask_document(card) == "310***********12"
    assert mask_document(read_document("passport", "E12345678")) == "E******78"
    assert mask_document(read_document("agency", "kcdc:1000000001")) == "kcdc:****01"
    assert mask_document(read_document("agency", "lab:7")) == "lab:****"
    assert mask_phone("13800002261") == "138****2261"
    assert mask_phone("1234567") == "****67"
