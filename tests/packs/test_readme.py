"""policies/README.md is complete and true: kinds, packs, points, keys and refusals."""

import re
from pathlib import Path

import yaml

from passlight.core.facts.kinds import KINDS
from passlight.core.kernel.limits import CHAINED_YELLOW_MAX
from passlight.core.rules.load import HEAD, HEAD_MORE
from passlight.core.rules.points import Moment
from passlight.core.rules.read_points import COMPOUND
from passlight.core.rules.read_rules import FORMS
from passlight.core.status.expect import KNOWN
from passlight.core.status.scenario import CASE_KEYS
from passlight.runtime.packs import shipped_packs

README = (shipped_packs() / "README.md").read_text(encoding="utf-8")
REPOSITORY = Path(__file__).parents[2]


def test_the_table_of_kinds_is_the_code_s() -> None:
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", README, re.MULTILINE
    )
    told = {name: (zh.strip(), en.strip(), fields.strip()) for name, zh, en, fields in rows}
    wanted = {
        kind.name: (
            kind.zh,
            kind.en,
            ", ".join(
                f"{name}{'*' if name in kind.required else ''} ({wanted.value})"
                for name, wanted in kind.fields.items()
            )
            or "–",
        )
        for kind in KINDS.values()
    }
    assert {name: told.get(name) for name in wanted} == wanted
    assert list(KINDS) == [name for name, *_ in rows if name in KINDS]


def test_every_shipped_pack_has_its_row() -> None:
    shipped = {path.parent.name for path in shipped_packs().glob("*/pack.yaml")}
    assert shipped == {
        "beijing-2020",
        "hangzhou-2020-02",
        "jiangsu-2021",
        "qingpu-2022-05",
        "quanzhou-2022-11",
        "shanghai-2020-02",
        "shanghai-2022-09",
    }
    assert set(re.findall(r"^\| `([a-z]+-[0-9-]+)` \|", README, re.MULTILINE)) == shipped


def test_every_point_form_and_key_is_explained() -> None:
    words = {*FORMS, *COMPOUND, *(moment.value for moment in Moment), "never"}
    words |= {*HEAD, *HEAD_MORE, *KNOWN, *CASE_KEYS}
    assert {word for word in words if word not in README} == set()


def test_the_bound_on_yellow_is_the_one_told() -> None:
    assert f"of at most {CHAINED_YELLOW_MAX.days} days" in README


def test_every_basis_that_is_no_quotation_says_so() -> None:
    """Packs of reposted texts summarise (摘要); those of quoted texts never say so."""
    quoted = {"shanghai-2020-02", "qingpu-2022-05"}
    for path in shipped_packs().glob("*/rules/*.yaml"):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8")):
            text = rule["basis"]["text"]
            assert text.startswith("摘要：") is (path.parts[-3] not in quoted), rule["id"]


def test_every_pack_says_where_its_text_was_read() -> None:
    for path in shipped_packs().glob("*/pack.yaml"):
        head = path.read_text(encoding="utf-8").partition("\npack:")[0]
        comments = [line for line in head.splitlines() if line.startswith("#")]
        assert len(comments) >= 3, path
        assert re.search(r"[\u4e00-\u9fff]", "".join(comments)), path
