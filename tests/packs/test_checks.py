"""Every load-time check of field/08 1.3, each with the error that its author reads.

The list of the section is gone through one by one; what is expected (line, field, the word that
was meant, what to write instead) was counted and written by hand from the texts below.
"""

from pathlib import Path

import pytest

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.runtime.packs import read_pack_folder

HERE = Path(__file__).parent
GOOD = """pack:
  id: town
  version: 1
  timezone: Asia/Shanghai
  effective: [2022-01-01T00:00, null]
  published_at: 2022-01-01T00:00
  existing_measures: convert
  sources: {lab.result: [cdc]}
  cap: {chained_yellow: 21d}
params:
  days: {2022-01-01: 14d}
  tests: {2022-01-01: 2}
rules:
  - id: arrived
    on: {kind: travel.arrived, where: {via: train}}
    basis: {text: 来自某地, ref: notice 1}
    phases:
      - colour: red
        until: {after: [trigger.occurred, param.days]}
        reason: {zh: 来自某地, en: Arrived}
        advice: {zh: 观察, en: Observe}
      - colour: yellow
        until: {nth: {kind: lab.result, where: {value: neg}, n: param.tests, gap: 24h}}
        reason: {zh: 待检测, en: Tests due}
        advice: {zh: 检测, en: Have tests}
badges:
  - id: new
    while: {after_within: [travel.arrived, 5d]}
    text: {zh: 新到, en: New}
waivers:
  - id: trip
    rules: [arrived]
    longest: 48h
    text: {zh: 返程, en: Trip}
    basis: {text: 返程, ref: notice 1}
"""
NTH = "{nth: {kind: lab.result, where: {value: neg}, n: param.tests, gap: 24h}}"

# check: (old, new, code, line, field, part of the remedy or of what is wrong)
CHECKS: dict[str, tuple[str, str, str, int, str, str]] = {
    "unknown kind": ("travel.arrived, where", "travel.arived, where", "unknown-kind", 15, "kind", "Did you mean travel.arrived?"),
    "unknown kind in a point": ("lab.result, where", "lab.results, where", "unknown-kind", 23, "kind", "Did you mean lab.result?"),
    "unknown kind of a ranking": ("{lab.result: [cdc]}", "{lab_result: [cdc]}", "unknown-kind", 8, "lab_result", "policies/README.md"),
    "unknown kind of a badge": ("[travel.arrived, 5d]", "[travel.arrive, 5d]", "unknown-kind", 28, "after_within", "Did you mean travel.arrived?"),
    "unknown field": ("via: train", "vai: train", "unknown-field", 15, "vai", "Did you mean via?"),
    "unknown field of a test": ("value: neg", "valeu: neg", "unknown-field", 23, "valeu", "Did you mean value?"),
    "a word of no laboratory": ("value: neg", "value: negative", "other-word", 23, "value", "Write neg."),
    "unknown key": ("    basis: {text: 来自", "    basics: {text: 来自", "unknown-key", 16, "basics", "Did you mean basis?"),
    "unknown key of a phase": ("colour: yellow\n", "colour: yellow\n        untill: never\n", "unknown-key", 23, "untill", "Did you mean until?"),
    "unknown parameter": ("param.days", "param.day", "unknown-parameter", 19, "after", "Did you mean days?"),
    "unknown point": ("trigger.occurred", "trigger.occured", "unknown-point", 19, "after", "Did you mean trigger.occurred?"),
    "unknown compound point": ("{nth:", "{nht:", "unknown-point", 23, "until", "Did you mean nth?"),
    "unknown rule in a waiver": ("rules: [arrived]", "rules: [arived]", "unknown-rule", 31, "waivers", "Did you mean arrived?"),
    "no Chinese reason": ("{zh: 来自某地, en: Arrived}", "{en: Arrived}", "missing-key", 20, "reason.zh", "Chinese and in English"),
    "no English reason": ("{zh: 来自某地, en: Arrived}", "{zh: 来自某地}", "missing-key", 20, "reason.en", "Chinese and in English"),
    "no English advice": ("{zh: 观察, en: Observe}", "{zh: 观察}", "missing-key", 21, "advice.en", "Chinese and in English"),
    "no reason": ("        reason: {zh: 来自某地, en: Arrived}\n", "", "missing-key", 18, "phases.reason", "what the person reads"),
    "no advice": ("        advice: {zh: 观察, en: Observe}\n", "", "missing-key", 18, "phases.advice", "what the person can do"),
    "no basis": ("    basis: {text: 来自某地, ref: notice 1}\n", "", "missing-key", 14, "rules.basis", "the sentence of the notice"),
    "no reference of a basis": ("{text: 来自某地, ref: notice 1}", "{text: 来自某地}", "missing-key", 16, "basis.ref", "Add ref"),
    "no existing_measures": ("  existing_measures: convert\n", "", "missing-key", 2, "pack.existing_measures", "convert (the new rules) or keep"),
    "an end that never comes": ("{after: [trigger.occurred, param.days]}", "never", "no-end", 19, "until", "open_ended: true"),
    "an end behind one that never comes": ("{after: [trigger.occurred, param.days]}", "{latest: [trigger.occurred, never]}", "no-end", 19, "until", "open_ended: true"),
    "a phase behind one without an end": ("{after: [trigger.occurred, param.days]}", "never\n        open_ended: true", "never-starts", 23, "from", "nothing follows a phase without an end"),
    "a row that resets itself": ("gap: 24h}", "gap: 24h, reset_on: {where: {value: neg}}}", "reset-same", 23, "reset_on", "that break the row"),
    "gap and every": ("gap: 24h}", "gap: 24h, every: 1d}", "gap-and-every", 23, "every", "every for days in a row"),
    "every other day": ("gap: 24h}", "every: 2d}", "not-every-day", 23, "every", "every: 1d"),
    "conditions that exclude each other": ("value: neg}", "pool_id: a, pool_id_present: false}", "contradiction", 23, "pool_id", "Remove one"),
    "limits that cross": ("travel.arrived, where: {via: train}", "exposure.assessed, where: {class_present: false, class: close}", "contradiction", 15, "class", "Remove one"),
    "more tests than can be": ("{2022-01-01: 2}", "{2022-01-01: 600}", "not-a-number", 23, "n", "under params"),
    "a parameter longer than a life": ("{2022-01-01: 14d}", "{2022-01-01: 99999d}", "too-long", 11, "2022-01-01", "never"),
    "a list of areas as a trigger": ("travel.arrived, where: {via: train}", "area.listed", "no-person", 15, "kind", "area: {listed: …}"),
    "a parameter without a value yet": ("{2022-01-01: 14d}", "{2022-03-01: 14d}", "parameter-late", 11, "days", "effective date or earlier"),
    "a rule that reads a colour": ("via: train", "colour: red", "recursion", 15, "colour", "never a colour or a measure"),
    "a rule that starts from a status": ("travel.arrived, where: {via: train}", "status.changed", "recursion", 15, "kind", "never a colour or a measure"),
    "a rule that waits for a measure": ("lab.result, where: {value: neg}", "measure.ended", "recursion", 23, "kind", "never a colour or a measure"),
    "a rule that reads who somebody is": ("via: train", "hukou: x", "personal-input", 15, "hukou", "use what happened"),
    "the place of a phone": ("travel.arrived, where: {via: train}", "phone.presence", "phone-presence", 15, "kind", "stay, residence, travel.arrived, exposure.assessed"),
    "the same in Chinese": ("travel.arrived, where: {via: train}", "手机漫游", "phone-presence", 15, "kind", "presence by phone"),
    "red from a check-in": ("travel.arrived, where: {via: train}", "venue.checkin", "automatic-red", 18, "colour", "which a person has judged"),
    "red from computed exposure": ("travel.arrived, where: {via: train}", "exposure.derived", "automatic-red", 18, "colour", "which a person has judged"),
    "yellow that waits for ever": ("  cap: {chained_yellow: 21d}\n", "", "yellow-for-ever", 22, "until", "Add an end by time"),
    "a cap that is none": ("{chained_yellow: 21d}", "{chained_yellow: 3000d}", "cap-too-long", 9, "chained_yellow", "green although the test never came"),
    "a moment of another form": ("trigger.occurred, param", "stay.until, param", "no-such-moment", 19, "until", "This rule has trigger.occurred"),
    "a key that the trigger lacks": (NTH, "{next: {kind: order.lifted, same: order_id}}", "no-same-key", 23, "until", "leave same out"),
    "a key that the fact lacks": (NTH, "{next: {kind: lab.result, same: sampleid}}", "unknown-field", 23, "same", "Did you mean sample_id?"),
}  # fmt: skip


def problems(files: dict[str, str]) -> tuple[Problem, ...]:
    with pytest.raises(ProblemError) as error:
        load_pack(files)
    return error.value.problems


def test_what_every_check_changes_is_good() -> None:
    """Positive control: none of the refusals comes from the common part."""
    assert load_pack({"pack.yaml": GOOD}).key == "town@1"


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_says_where_what_and_what_instead(name: str) -> None:
    old, new, code, line, field, words = CHECKS[name]
    assert GOOD.count(old) >= 1, old
    found = [
        one
        for one in problems({"pack.yaml": GOOD.replace(old, new, 1)})
        if one.code == f"rules.{code}"
    ]
    assert found, name
    told = found[0]
    assert (told.file, told.line, told.field) == ("pack.yaml", line, field)
    assert words in f"{told.message} {told.remedy}"
    assert told.remedy


def test_presence_by_phone_and_yellow_for_ever_are_refused_together() -> None:
    """Set L of the field notes: both faults and both remedies, each at its line."""
    found = problems(read_pack_folder(HERE / "phone-presence"))
    told = {(one.code, one.file, one.line) for one in found}
    assert told == {
        ("rules.phone-presence", "rules/presence.yaml", 2),
        ("rules.yellow-for-ever", "rules/presence.yaml", 18),
    }
    text = "\n".join(str(one) for one in found)
    assert "presence by phone" in text
    assert "not a kind of fact" in text
    assert "Start from a fact: stay, residence" in text
    assert "lasts for ever when the awaited fact never comes" in text
    assert "Add an end by time" in text


def test_the_negative_example_is_good_without_its_two_faults() -> None:
    """Positive control: mended as the errors say, the same folder loads."""
    files = read_pack_folder(HERE / "phone-presence")
    rules = files["rules/presence.yaml"].replace(
        "kind: phone.presence, where: {minutes_gte: 60}", "kind: stay"
    )
    head = files["pack.yaml"].rstrip("\n") + "\n  cap: {chained_yellow: 28d}\n"
    assert len(load_pack({"pack.yaml": head, "rules/presence.yaml": rules}).rules) == 2


def test_two_packs_of_one_office_may_not_claim_one_time() -> None:
    first = load_pack({"pack.yaml": GOOD})
    second = load_pack({"pack.yaml": GOOD.replace("version: 1", "version: 2")})
    with pytest.raises(ProblemError) as error:
        PackSchedule.of([first, second])
    told = error.value.problems[0]
    assert (told.code, told.field) == ("rules.overlap", "effective")
    assert "supersedes" in told.remedy
