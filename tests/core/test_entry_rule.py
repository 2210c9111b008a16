"""One rule of entry in two places: what the checker's page applies and what the plan's pack says.

Expected values are the plan's (S4: 方案三（二）1, 三（二）4), read by hand: visitors within 48
hours, staff at the beginning of work within 24.
"""

from datetime import UTC, datetime

from passlight.core.kernel.colour import Colour
from passlight.core.rules.admission import AdmissionPolicy, AgeCount, Outcome
from passlight.core.rules.load import load_pack
from passlight.office.pages.entry import ENTRY_TEST_HOURS
from passlight.runtime.packs import read_pack_folder, shipped_packs

IN_FORCE = datetime(2022, 6, 8, tzinfo=UTC)


def policies() -> dict[str, AdmissionPolicy]:
    pack = load_pack(read_pack_folder(shipped_packs() / "qingpu-2022-05"))
    return {policy.role: policy for policy in pack.admission}


def test_the_page_and_the_pack_ask_a_visitor_for_the_same() -> None:
    visitor = policies()["visitor"]
    assert visitor.test_age_hours_max(IN_FORCE) == 48 == ENTRY_TEST_HOURS
    assert visitor.test_age_counts is AgeCount.ELAPSED
    assert visitor.colours == (Colour.GREEN,)


def test_staff_begin_work_with_a_newer_test() -> None:
    """Control: the number is read from each policy, not the same for all."""
    assert policies()["staff"].test_age_hours_max(IN_FORCE) == 24


def test_the_page_and_the_pack_do_the_same_afterwards() -> None:
    """``web/src/outcome.ts`` isolates red and yellow, asks when unknown, refuses an old test."""
    outcomes = {
        name: failure.outcome
        for name in ("red", "yellow", "unknown", "test")
        if (failure := policies()["visitor"].failure(name)) is not None
    }
    assert outcomes == {
        "red": Outcome.ISOLATE,
        "yellow": Outcome.ISOLATE,
        "unknown": Outcome.ASK,
        "test": Outcome.REFUSE,
    }
