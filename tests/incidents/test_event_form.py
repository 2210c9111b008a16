"""The JSON form of events: strict, and the same after a round trip."""

import pytest

from passlight.core.incidents.event_form import event_from_json, event_to_json
from passlight.core.kernel.problem import ProblemError

WRITTEN = {
    "number": 4,
    "what": "step",
    "at": "2022-06-08T02:42:00+00:00",
    "recorded_at": "2022-06-08T02:43:00+00:00",
    "actor": "u-7",
    "step": "street-told",
    "evidence": {"channel": "phone", "who": "街镇防控办", "digest": "ab" * 32},
    "note": "电话",
}


def test_an_event_is_the_same_after_a_round_trip():
    assert event_to_json(event_from_json(WRITTEN)) == WRITTEN


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": 0}, "number"),
        ({"number": True}, "number"),
        ({"what": "painted-green"}, "what"),
        ({"at": "2022-06-08T02:42:00"}, "at"),
        ({"recorded_at": 5}, "recorded_at"),
        ({"actor": None}, "actor"),
        ({"step": "coloured"}, "step"),
        ({"evidence": "phone"}, "evidence"),
        ({"evidence": {"channel": "letter", "who": "x"}}, "evidence.channel"),
        ({"evidence": {"channel": "phone", "whom": "x"}}, "evidence.whom"),
        ({"finding": {"kind": "green"}}, "finding.kind"),
        ({"note": "n" * 501}, "note"),
        ({"bodies": ["b"] * 13}, "bodies"),
        ({"bodies": "cdc"}, "bodies"),
        ({"colour": "green"}, "event.colour"),
    ],
)
def test_what_is_no_event_is_refused_by_its_field(change, field):
    with pytest.raises(ProblemError) as refused:
        event_from_json({**WRITTEN, **change})
    assert refused.value.problems[0].field == field
