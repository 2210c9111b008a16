"""Masks (``ui.md`` 7): what may be shown of a name, a document and a phone number.

Masks are for eyes only, made by the server; nothing is ever joined or searched by one.
"""

import re

from passlight.core.kernel.documents import Document, DocumentType

STAR = "*"
LATIN_STARS = STAR * 2
PHONE_HEAD, PHONE_TAIL = 3, 4
ID_HEAD, ID_TAIL = 3, 2

# Surnames of two characters; field/08 1.7: they keep both.
COMPOUND_SURNAMES = frozenset(
    re.findall(
        "[^ ]{2}",
        "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫"
        " 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官"
        " 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延"
        " 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 第五",
    )
)


def mask_name(name: str) -> str:
    """Return 王*明, 李*, 欧阳*; other scripts keep the first letter of each part: A** K**."""
    text = " ".join(name.split())
    if not text:
        return STAR
    if not _is_han(text):
        parts = text.replace("·", " ").replace("-", " ").split()
        return " ".join(part[0] + LATIN_STARS for part in parts) or STAR
    head = 2 if len(text) > 2 and text[:2] in COMPOUND_SURNAMES else 1  # noqa: PLR2004  # characters
    given = len(text) - head
    if given <= 0:
        return STAR
    if given == 1:
        return text[:head] + STAR
    return text[:head] + STAR * (given - 1) + text[-1]


def mask_document(document: Document) -> str:
    """Return 310***********12 for an identity card; other documents keep their first and last 2.

    An agency's own key keeps the agency and nothing of the number but its last 2.
    """
    number = document.number
    if document.type is DocumentType.RESIDENT_ID:
        # 11 stars for 13 characters: the mask does not even tell where the birthday was.
        return number[:ID_HEAD] + STAR * 11 + number[-ID_TAIL:]
    if document.type is DocumentType.AGENCY:
        agency, _, key = number.partition(":")
        return f"{agency}:{STAR * 4}{key[-2:] if len(key) > 4 else ''}"  # noqa: PLR2004  # characters
    return number[:1] + STAR * max(4, len(number) - 3) + number[-2:]


def mask_phone(phone: str) -> str:
    """Return 138****2261; a short number shows its last two digits alone."""
    digits = phone.strip()
    if len(digits) < PHONE_HEAD + PHONE_TAIL + 1:
        return STAR * 4 + digits[-2:]
    return digits[:PHONE_HEAD] + STAR * 4 + digits[-PHONE_TAIL:]


def _is_han(text: str) -> bool:
    """Return whether every character is a Chinese one (the CJK blocks that names use)."""
    return all(
        "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" or c >= "\U00020000" for c in text
    )
