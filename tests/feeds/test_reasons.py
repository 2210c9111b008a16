"""Every reason that can stand in quarantine has its words in both languages.

The codes are read from the source as text, so a new one without words fails here.
"""

import re
from pathlib import Path

import passlight
from passlight.office.feeds.queries import reason_text
from passlight.runtime.catalogue import catalogue

SOURCE = Path(passlight.__file__).parent
FEEDS = re.compile(r'"(feeds\.[a-z-]+[a-z])"')
FORM = re.compile(r'(?:wrong|_doubt)\(\s*(?:[\w."]+,\s*)?"([a-z]+(?:-[a-z]+)*)"')


def test_every_code_of_the_readers_has_words() -> None:
    codes = set()
    for folder in ("agencies", "office/feeds"):
        for path in (SOURCE / folder).rglob("*.py"):
            codes |= set(FEEDS.findall(path.read_text(encoding="utf-8")))
    routes = {"feeds.view", "feeds.change"}
    beginnings = {"feeds.filter"}  # of codes, in the words of a form's choices
    codes -= routes | beginnings
    assert len(codes) > 40
    assert codes - set(catalogue()) <= {"feeds.kv", "feeds.state"}


def test_every_doubt_of_the_core_has_words() -> None:
    text = (SOURCE / "core/facts/form.py").read_text(encoding="utf-8")
    text += (SOURCE / "core/facts/intake.py").read_text(encoding="utf-8")
    codes = {f"intake.{code}" for code in FORM.findall(text)}
    assert {"intake.missing", "intake.naive-time", "intake.future"} <= codes
    assert codes - {"intake.kind", "intake.op", "intake.payload"} <= set(catalogue())


def test_a_code_without_words_is_named_and_breaks_no_page() -> None:
    assert reason_text("other.code", {}, "en") == "Another reason (other.code)"
    assert "other.code" in reason_text("other.code", {}, "zh")
