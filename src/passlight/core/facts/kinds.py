"""The fact kinds: which exist, what their payload holds, and what they are called (field/08 1.2).

``fields`` says what a rule may read and how a value is written; ``required`` is what a fact
cannot do without. Everything else in a payload is kept and ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class FieldType(StrEnum):
    """How a payload value is written."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    INSTANT = "instant"
    AREA = "area"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactKind:
    """One kind of fact, its payload and its names."""

    name: str
    zh: str
    en: str
    fields: Mapping[str, FieldType]
    required: tuple[str, ...] = ()


_TYPES = {
    "t": FieldType.TEXT,
    "n": FieldType.NUMBER,
    "f": FieldType.FLAG,
    "i": FieldType.INSTANT,
    "a": FieldType.AREA,
    "o": FieldType.OBJECT,
}


def _kind(name: str, zh: str, en: str, fields: str = "") -> FactKind:
    """Return the kind; ``fields`` is ``name:type`` by blanks, ``*`` marks a required one."""
    found: dict[str, FieldType] = {}
    required: list[str] = []
    for word in fields.split():
        key, _, letter = word.rstrip("*").partition(":")
        found[key] = _TYPES[letter]
        if word.endswith("*"):
            required.append(key)
    return FactKind(
        name=name, zh=zh, en=en, fields=MappingProxyType(found), required=tuple(required)
    )


_ORDER = "order_id:t* type:t due:i"
_CASE = "case_id:t*"
_LAB = "sample_id:t sampled_at:i reported_at:i value:t pool_id:t place:t"
_PAIR = "a:t* b:t* evidence:t"

_ALL = (
    _kind("person.registered", "登记", "registration"),
    _kind("person.born", "出生", "birth"),
    _kind("person.deceased", "死亡", "death"),
    _kind("code.closed", "注销", "closing of the code"),
    _kind(
        "travel.arrived", "到达", "arrival", "from_area:a* left_at:i arrived_at:i via:t to_area:a"
    ),
    _kind("stay", "停留", "stay", "area:a* place:t"),
    _kind("residence", "居住", "residence", "area:a*"),
    _kind("case.suspected", "疑似", "suspected case", _CASE),
    _kind("case.confirmed", "确诊", "confirmed case", _CASE),
    _kind("case.asymptomatic", "无症状感染", "asymptomatic infection", _CASE),
    _kind("case.ruled_out", "排除", "ruling out", _CASE),
    _kind("case.discharged", "出院", "discharge", _CASE),
    _kind("order.started", "医学管理措施开始", "start of a medical order", _ORDER),
    _kind("order.lifted", "解除医学管理措施", "lifting of the medical order", "order_id:t*"),
    _kind("order.extended", "医学管理措施延长", "extension of the order", "order_id:t* due:i"),
    _kind("lab.sampled", "采样", "sampling", _LAB),
    _kind("lab.result", "核酸检测结果", "test result", _LAB.replace("value:t", "value:t*")),
    _kind("venue.checkin", "进场登记", "check-in", "venue:t entry_point:t channel:t"),
    _kind("venue.checkout", "离场登记", "check-out", "venue:t entry_point:t channel:t"),
    _kind("symptom.reported", "症状报告", "reported symptom", "value:t place:t"),
    _kind("symptom.cleared", "症状排除", "cleared symptom", "value:t place:t"),
    _kind("temp.measured", "测温", "temperature", "value:n place:t"),
    _kind("area.listed", "地区列入", "listing of an area", "area:a* level:t* list_id:t parent:a"),
    _kind("area.delisted", "地区移出", "delisting of an area", "area:a* level:t list_id:t"),
    _kind("relation.household", "同住", "household", "other:t"),
    _kind("relation.guardian", "监护", "guardianship", "other:t"),
    _kind("identity.link", "身份关联", "identity link", _PAIR),
    _kind("identity.unlink", "身份解除关联", "identity unlink", _PAIR),
    _kind("identity.not_same", "身份非同一人", "identities kept apart", _PAIR),
    _kind("waiver.granted", "暂停措施", "waiver", "measure:o* from:i until:i officer:t basis:t"),
    _kind("dispute.opened", "异议", "dispute", "fact_id:t"),
    _kind("dispute.decided", "异议决定", "decision on a dispute", "fact_id:t outcome:t"),
    _kind(
        "exposure.assessed",
        "流调判定",
        "assessed exposure",
        "class:t* case_id:t assessor:t relation:t",
    ),
    _kind(
        "exposure.derived",
        "时空伴随",
        "derived exposure",
        "case_id:t venue:t minutes:n* direct_minutes:n params_hash:t",
    ),
    _kind("source.delivered", "数据到达", "delivery of a source"),
    _kind("health.declared", "健康申报", "health declaration", "value:t* place:t"),
)

KINDS: Mapping[str, FactKind] = MappingProxyType({kind.name: kind for kind in _ALL})
"""Every kind, in the order in which facts of one instant are read (``kind_rank``)."""

_RANKS = {kind.name: rank for rank, kind in enumerate(_ALL)}


def kind_rank(name: str) -> int:
    """Return the place of the kind in the order of facts of one instant (field/08 1.6)."""
    return _RANKS.get(name, len(_RANKS))
