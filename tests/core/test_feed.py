"""The status feed at a door: deltas, and every message that must not be believed.

Expected values are written by hand from the contract (PL1 6.1: never less than the highest
seq and as_of); the property compares a chain of changes with a plain dictionary.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passlight.core.codes.envelope import seal_envelope
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.problem import ProblemError
from passlight.core.verification.feed import (
    FeedSource,
    StatusFeed,
    first_feed,
    open_message,
    read_message,
)
from passlight.core.verification.status_source import ListState

REALM = "cn-310118"
NOW = 1_795_392_000
LIST = Issuer.of_seed(bytes(range(32)), realm=REALM, purpose=Purpose.LIST, slot_code=0)
OTHER = Issuer.of_seed(bytes(range(1, 33)), realm=REALM, purpose=Purpose.LIST, slot_code=0)


def payload(**changes: Any) -> dict[str, Any]:
    return {
        "realm": REALM,
        "epoch": 326,
        "size": 1_000_000,
        "as_of": NOW,
        "seq": 10,
        "since": 0,
        "entries": [],
        "staff": {},
        "started": {},
        **changes,
    }


def message(**changes: Any):
    return read_message(json.dumps(payload(**changes)).encode())


def held(**changes: Any) -> StatusFeed:
    return first_feed(message(**changes), realm=REALM, epoch=326, now=NOW)


def code_of(error: pytest.ExceptionInfo[ProblemError]) -> str:
    return error.value.problems[0].code


def test_a_state_begins_at_its_second_without_a_message() -> None:
    feed = held(entries=[[5, [[0, 0], [NOW + 10, 2], [NOW + 20, 0]]], [6, [[0, 3]]]])
    assert [feed.state(5, NOW + s) for s in (9, 10, 19, 20)] == [0, 2, 2, 0]
    assert feed.state(6, 0) is ListState.WITHDRAWN
    assert feed.state(7, NOW) is ListState.NO_RESTRICTION


def test_a_change_replaces_an_index_and_lifts_it() -> None:
    feed = held(entries=[[5, [[0, 2]]], [6, [[0, 1]]]])
    feed = feed.apply(message(seq=12, since=10, entries=[[5, [[0, 0]]], [7, [[0, 2]]]]), now=NOW)
    assert [feed.state(i, NOW) for i in (5, 6, 7)] == [0, 1, 2]
    assert sorted(feed.lines) == [6, 7], "what has no restriction needs no place"
    whole = feed.apply(message(seq=12, entries=[[9, [[0, 1]]]]), now=NOW)
    assert sorted(whole.lines) == [9], "a whole message forgets what it does not name"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"realm": "cn-310101"}, "realm"),
        ({"epoch": 327}, "epoch"),
        ({"seq": 9}, "seq"),
        ({"as_of": NOW - 1}, "as-of"),
        ({"as_of": NOW + 61}, "future"),
        ({"seq": 12, "since": 11}, "gap"),
        ({"seq": 12, "since": 10, "size": 1_000_001}, "size"),
    ],
)
def test_a_message_that_must_not_be_believed_changes_nothing(
    changes: dict[str, Any], what: str
) -> None:
    feed = held(entries=[[5, [[0, 2]]]])
    with pytest.raises(ProblemError) as refused:
        feed.apply(message(**changes), now=NOW)
    assert code_of(refused) == f"codes.feed_{what}"
    assert feed.state(5, NOW) is ListState.RED


def test_the_edges_are_taken() -> None:
    """The control of the refusals above: equal numbers and 60 s ahead are good."""
    feed = held()
    assert feed.apply(message(), now=NOW).seq == 10
    assert feed.apply(message(as_of=NOW + 60, seq=11, since=10), now=NOW).as_of == NOW + 60


def test_the_first_message_is_a_whole_one() -> None:
    with pytest.raises(ProblemError) as refused:
        held(since=3)
    assert code_of(refused) == "codes.feed_gap"


@pytest.mark.parametrize(
    "changes",
    [
        {"entries": [[1_000_000, [[0, 2]]]]},
        {"entries": [[-1, [[0, 2]]]]},
        {"entries": [[True, [[0, 2]]]]},
        {"entries": [[5, [[0, 4]]]]},
        {"entries": [[5, [[7, 2], [7, 0]]]]},
        {"entries": [[5, [[0, 2, 1]]]]},
        {"entries": {"5": [[0, 2]]}},
        {"entries": [[5, [[n, 1] for n in range(65)]]]},
        {"staff": {"v": [1_000_000]}},
        {"staff": []},
        {"as_of": 1.5},
        {"seq": "10"},
        {"realm": 7},
    ],
)
def test_a_field_of_another_kind_refuses_the_whole(changes: dict[str, Any]) -> None:
    with pytest.raises(ProblemError) as refused:
        message(**changes)
    assert code_of(refused) == "codes.feed_malformed"


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_garbage_is_refused(raw: bytes) -> None:
    with pytest.raises(ProblemError):
        read_message(raw)


def test_only_a_list_key_of_this_realm_and_kind_signs() -> None:
    raw = json.dumps(payload()).encode()
    keys = [LIST.public_key]
    good = seal_envelope(raw, kind="statuses", signer=LIST)
    assert open_message(good, realm=REALM, keys=keys).seq == 10
    for forged, realm in (
        (seal_envelope(raw, kind="statuses", signer=OTHER), REALM),
        (seal_envelope(raw, kind="door", signer=LIST), REALM),
        (good, "cn-310101"),
        (good.replace(b'"payload":"', b'"payload":"AAAA'), REALM),
    ):
        with pytest.raises(ProblemError) as refused:
            open_message(forged, realm=realm, keys=keys)
        assert code_of(refused) == "codes.envelope_signature"


def test_staff_and_the_days_that_have_begun() -> None:
    feed = held(staff={"v": [1, 2]}, started={"v": [2]})
    assert [feed.is_staff("v", 1), feed.is_staff("v", 3), feed.is_staff("w", 1)] == [
        True,
        False,
        False,
    ]
    assert [feed.has_started("v", 1), feed.has_started("v", 2)] == [False, True]


def test_a_neighbours_epoch_and_paper_have_no_view() -> None:
    source = FeedSource(feeds=[held()], now=NOW)
    view = source.view(realm=REALM, purpose=Purpose.PHONE, epoch=326)
    assert view is not None
    assert (view.as_of, view.size) == (NOW, 1_000_000)
    assert source.view(realm=REALM, purpose=Purpose.PHONE, epoch=327) is None
    assert source.view(realm="cn-310101", purpose=Purpose.PHONE, epoch=326) is None
    assert source.view(realm=REALM, purpose=Purpose.PAPER, epoch=None) is None


@given(
    st.lists(
        st.dictionaries(st.integers(0, 20), st.integers(0, 3), max_size=6), min_size=1, max_size=8
    ),
    st.data(),
)
def test_changes_come_to_the_same_as_the_whole(
    steps: list[dict[int, int]], data: st.DataObject
) -> None:
    """Oracle: a dictionary. Any step may be lost or come twice; a later one names more."""
    world: dict[int, int] = {}
    changed: list[tuple[int, int]] = []
    feed = first_feed(message(seq=0), realm=REALM, epoch=326, now=NOW)
    for seq, step in enumerate(steps, start=1):
        world |= step
        changed += [(seq, index) for index in step]
        if data.draw(st.booleans(), label="lost") and seq < len(steps):
            continue
        named = sorted({index for at, index in changed if at > feed.seq})
        entries = [[index, [[0, world[index]]]] for index in named]
        one = message(seq=seq, since=feed.seq, entries=entries)
        feed = feed.apply(one, now=NOW)
        feed = feed.apply(one, now=NOW)
    assert {i: int(feed.state(i, NOW)) for i in range(21)} == {
        i: world.get(i, 0) for i in range(21)
    }
