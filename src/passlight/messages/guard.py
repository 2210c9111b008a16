"""The guard: refuses a text that could carry an identity number, a phone number or a full name.

A message goes through other people's servers and lies open on a lock screen, so the guard
would rather refuse a harmless text than pass a number. It looks for what *looks like* one:
a check digit misread, full-width digits, digits with spaces between, Chinese numerals.
"""

import re
import unicodedata
from datetime import date

from passlight.core.kernel.masking import COMPOUND_SURNAMES
from passlight.core.kernel.problem import Problem, ProblemError

# 40 of the most frequent surnames' characters and their peers: what a Han name begins with.
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾"
    "丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤"
    "尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅"
)
# A place may begin with a surname (周庄, 马桥镇); with one of these in it, it is a place.
_PLACE_WORDS = re.compile(
    "[省市区县镇乡村街道路桥巷弄里港湾门厅室站馆所院楼层号处口区组会社台窗岗亭园庄宅厂场库局办部]"
    "|中心|大厅|机构"
)
_MARKUP = re.compile(r"://|WWW\.|[<>\[\]`@]")
_HAN_NAME = re.compile("[\u3400-\u9fff]{2,4}")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9X])[\s\-‐‑–—_.·/]{1,3}(?=[0-9X])")
_AFTER_LETTER = re.compile(r"(?<=[A-Z])[\s\-‐‑–—_.·/]{1,3}(?=[0-9])")
_NUMERALS = str.maketrans("〇零一二三四五六七八九", "00123456789")

_LONG = re.compile(r"(?<![0-9])[0-9]{12,}")
_MOBILE = re.compile(r"(?<![0-9])(?:86|0086)?1[3-9][0-9]{9}(?![0-9])")
# Passports, permits to and from Hong Kong, Macao and Taiwan, foreign residents' cards.
_LETTERED = re.compile(r"(?<![A-Z0-9])[A-Z]{1,3}[0-9]{7,}")
_RESIDENT_18 = re.compile(r"(?=([1-9][0-9]{5})((?:18|19|20)[0-9]{6})[0-9]{3}[0-9X])")
_RESIDENT_15 = re.compile(r"(?=([1-9][0-9]{5})([0-9]{6})[0-9]{3}(?![0-9]))")
_LABELLED_NUMBER = re.compile(
    r"(?:身份证|护照|通行证|证件|ID NUMBER|IDENTITY|PASSPORT)\s*(?:号码|号|NO\.?)?\s*[:：#]?\s*"
    r"(?=[A-Z0-9]*[0-9])[A-Z0-9]{5,}"
)
_LABELLED_NAME = re.compile(r"(?:姓名|名叫|本名)\s*[:：]?\s*([\u3400-\u9fff]{2,4})(?!\*)")
_TITLED_NAME = re.compile(r"([\u3400-\u9fff]{2,4})(?:先生|女士|同志|小姐|老师|医生)")
_TITLED_LATIN = re.compile(r"\b(?:MR|MS|MRS|MISS|NAME:?)\.? +[A-Z]{2,}")


class UnsafeTextError(ProblemError):
    """A text that may not leave the house; the text itself is not in the error."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            Problem(
                code="messages.unsafe",
                message=f"The text holds what looks like {what}.",
                remedy="Use the incident's number and masked names.",
            )
        )


def check_text(text: str) -> None:
    """Let a text pass that names nobody.

    Raises:
        UnsafeTextError: saying what kind of thing was found, never the thing itself.
    """
    plain = _plain(text)
    joined = _AFTER_LETTER.sub("", _BETWEEN_DIGITS.sub("", plain))
    spelt = _BETWEEN_DIGITS.sub("", plain.translate(_NUMERALS))
    for form in (plain, joined, spelt):
        _check_numbers(form)
    if _LABELLED_NUMBER.search(plain):
        raise UnsafeTextError("an identity number")
    if _names_somebody(plain):
        raise UnsafeTextError("a full name")


def check_person(value: str) -> None:
    """Let the name of a person pass when it is masked: 王*明, 李*, A** K**.

    Raises:
        UnsafeTextError: otherwise.
    """
    parts = value.split()
    if not parts or not all(re.fullmatch(r"[^*\s]{0,2}\*{1,8}[^*\s]?", part) for part in parts):
        raise UnsafeTextError("a full name")


def check_place(value: str) -> None:
    """Let the name of a place, a unit or a post pass unless it looks like a person's.

    Venues name themselves: a link or markup in a name would go out in the office's own voice.

    Raises:
        UnsafeTextError: when it does.
    """
    if _MARKUP.search(_plain(value)):
        raise UnsafeTextError("a link or markup")
    if _HAN_NAME.fullmatch(value) and _is_name(value):
        raise UnsafeTextError("a full name")


def _check_numbers(form: str) -> None:
    if any(_is_date(f[2]) for f in _RESIDENT_18.finditer(form)):
        raise UnsafeTextError("a resident identity number")
    if any(_is_date("19" + f[2]) for f in _RESIDENT_15.finditer(form)):
        raise UnsafeTextError("a resident identity number")
    if _MOBILE.search(form):
        raise UnsafeTextError("a mobile number")
    if _LETTERED.search(form):
        raise UnsafeTextError("the number of a passport or permit")
    if _LONG.search(form):
        raise UnsafeTextError("a long number")


def _plain(text: str) -> str:
    """Return the text in NFKC capitals, without characters that only hide something."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) not in {"Cf", "Mn"}).upper()


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True


def _names_somebody(plain: str) -> bool:
    named = _LABELLED_NAME.search(plain)
    titled = any(_ends_in_name(found[1]) for found in _TITLED_NAME.finditer(plain))
    return bool(named) or titled or bool(_TITLED_LATIN.search(plain))


def _ends_in_name(run: str) -> bool:
    """Return whether the characters before a title end in a name: 请联系王小明 does."""
    return any(_is_name(run[-size:]) for size in (2, 3, 4) if size <= len(run))


def _is_name(value: str) -> bool:
    if _PLACE_WORDS.search(value):
        return False
    return value[:2] in COMPOUND_SURNAMES or (value[0] in _SURNAMES and len(value) <= 3)  # noqa: PLR2004  # characters
