"""The explanation of a status in sentences, Chinese and English side by side."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from passlight.core.kernel.colour import Colour
from passlight.core.rules.terms import Text
from passlight.core.status.measures import Measure, Question
from passlight.core.status.status import Status, need_texts

_COLOURS = {
    Colour.GREEN: Text("绿码", "green"),
    Colour.YELLOW: Text("黄码", "yellow"),
    Colour.RED: Text("红码", "red"),
    Colour.UNKNOWN: Text("无法确认", "unknown"),
    Colour.CLOSED: Text("已注销", "closed"),
}


def explain(status: Status) -> Iterator[Text]:
    """Yield the sentences that tell a person why this colour, until when, and what would end it."""
    zone = status.zone
    name, at = _COLOURS[status.colour], _local(status.at, zone)
    yield Text(f"{status.subject}：{at} 为{name.zh}。", f"{status.subject}: {name.en} at {at}.")
    for measure in status.measures:
        yield from _measure(measure, zone)
    for measure in status.waived:
        reason = measure.phase.reason
        yield Text(f"已暂停：{reason.zh}。", f"Suspended by a waiver: {reason.en}.")
    for badge in status.badges:
        yield Text(f"标记：{badge.text.zh}。", f"Mark: {badge.text.en}.")
    yield from (_question(question) for question in status.questions)
    for conflict in status.conflicts:
        kept = "、".join(conflict.kept), ", ".join(conflict.kept)
        yield Text(
            f"数据有矛盾：{conflict.key}，采用 {kept[0]}。",
            f"Facts about {conflict.key} contradict each other; {kept[1]} counts.",
        )
    change = status.next_change
    if change is not None:
        then, when = _COLOURS[change.colour], _local(change.at, zone)
        yield Text(f"{when} 转为{then.zh}。", f"Becomes {then.en} at {when}.")
    if status.pack is not None:
        yield Text(f"规则：{status.pack.name.zh}。", f"Rules: {status.pack.name.en}.")
        yield Text(f"版本 {status.pack.key}", f"{status.pack.hash}")


def _measure(measure: Measure, zone: ZoneInfo) -> Iterator[Text]:
    colour, phase = _COLOURS[measure.colour], measure.phase
    start = _local(measure.start, zone)
    until_zh, until_en = "，期限未定", ", without an end yet"
    if measure.when.end is not None:
        end = _local(measure.when.end, zone)
        until_zh, until_en = f" 至 {end}", f" until {end}"
    facts = ", ".join(measure.facts)
    yield Text(
        f"{colour.zh}：{phase.reason.zh}，自 {start}{until_zh}。依据事实 {facts}。",
        f"{colour.en.capitalize()}: {phase.reason.en}, from {start}{until_en}. Facts: {facts}.",
    )
    yield phase.advice
    yield from need_texts(measure, zone=zone)
    basis = measure.rule.basis
    yield Text(f"规定：{basis.text}（{basis.ref}）", f"Basis: {basis.ref}")


def _question(question: Question) -> Text:
    fact = question.fact.fact_id
    return Text(
        f"需要询问：{fact} 的地区不够具体，无法对照名单。请问在哪个街道、小区或楼栋？",
        f"To ask: the area of {fact} is too coarse for the list. Which street or building?",
    )


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"
