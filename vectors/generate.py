"""Writes ``vectors/codes/*.json``: the 30 rows of field/09-pl1.md 11, for every implementation.

    python vectors/generate.py [FOLDER]

The bytes are made by hand (``handmade.py``) and the answers are written here from the
document, row by row; no code of Passlight takes part. A vector says what goes in, the answer
and the reason, and ``control``: which checks to switch off (``off``) or what to give instead
(``set``) so that the very same text is accepted. That proves that the named check is what
refused it. A vector without a control says why in ``no_control``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from handmade import PAPER_CODE, PHONE_CODE, T
from rows_bytes import bytes_rows
from rows_doors import door_rows
from rows_trust import TRUSTS, trust_rows

PUBLISHED_PHONE = (
    "PL1:Q82P0J4UUX+0CCO7I2 30O1Q38N*:JLR5$4HM8L9UNZ+DMU40HBLI9E*UA1JE/9ZA89PUYLJKYR2H5DC8A%O:"
    "BWZ0UBSPZ%E%LL$65CVV$-QWH1*$A15D4EACZ4K*VADVL/TUILB3V /4K34+QU700P21X2KL$SBU99AVZCHW54V+K"
)
PUBLISHED_PAPER = (
    "PL1:W6225J:O6X+0CGOUAW000F46.1T7BK000000000000000000$S00UVD:QXCC735JO6AR6H1COMQGU9N1E7O63"
    "$9$C87TKV5KES0I8DMMIY74ZVI2I997O%SUZY46S36.4QZDC8Q94VH5Q*LJE73"
)


def write(folder: Path) -> None:
    assert PHONE_CODE.text() == PUBLISHED_PHONE, "not the phone text of field/09 11"
    assert PAPER_CODE.text() == PUBLISHED_PAPER, "not the paper text of field/09 11"
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, dict[str, Any]] = {**bytes_rows(), **trust_rows(), **door_rows()}
    common = {
        "about": "Trust lists by name, as their payloads; the vectors name one each.",
        "start": T,
        "trust": TRUSTS,
    }
    for name, row in {"common": common, **rows}.items():
        text = json.dumps(row, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "codes")
