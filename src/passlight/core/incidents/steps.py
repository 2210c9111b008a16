"""The steps of an incident (异常处置步骤), in order, with what each stands on (field/03 2.7).

S4 三(二)5: an abnormal code is led to the isolation area at once, reported to the duty leader
and at once, by phone or work group, to the street office; once verified it is dealt with by the
procedure (A), or it is an error of the data and goes to the district (B). S4 三(二)6: beside that,
at once, the leading group and the bodies concerned. What the text says to do at once may be
recorded in the order in which it really happened; what decides needs all of it before.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class FindingKind(StrEnum):
    """What was found: a colour of the code, a sign of illness, or a false declaration."""

    RED = "red"
    YELLOW = "yellow"
    FEVER = "fever"
    SYMPTOMS = "symptoms"
    FALSE_DECLARATION = "false-declaration"
    OTHER = "other"


class Step(StrEnum):
    """One step; the two ends are kept apart: A from ``disposed``, B from ``data-error``."""

    FOUND = "found"
    ISOLATED = "isolated"
    DUTY_LEADER_TOLD = "duty-leader-told"
    STREET_TOLD = "street-told"
    LEADING_GROUP_TOLD = "leading-group-told"
    ACKNOWLEDGED = "acknowledged"
    VERIFYING = "verifying"
    DISPOSED = "disposed"
    DATA_ERROR = "data-error"
    DISTRICT_TOLD = "district-told"
    CORRECTED = "corrected"
    NOT_CORRECTED = "not-corrected"
    RELEASED = "released"
    CLOSED = "closed"


class Channel(StrEnum):
    """How somebody was told: S4 names the phone and the work group; the system is ours."""

    PHONE = "phone"
    GROUP = "group"
    SYSTEM = "system"


_FIRST = frozenset({Step.FOUND})
_BEFORE_ENDS = frozenset({Step.VERIFYING, Step.ISOLATED, Step.DUTY_LEADER_TOLD})

STANDS_ON: Mapping[Step, tuple[frozenset[Step], ...]] = MappingProxyType(
    {
        Step.FOUND: (),
        Step.ISOLATED: (_FIRST,),
        Step.DUTY_LEADER_TOLD: (_FIRST,),
        Step.STREET_TOLD: (_FIRST,),
        Step.LEADING_GROUP_TOLD: (_FIRST,),
        Step.ACKNOWLEDGED: (frozenset({Step.STREET_TOLD}),),
        Step.VERIFYING: (frozenset({Step.ACKNOWLEDGED}),),
        Step.DISPOSED: (_BEFORE_ENDS,),
        Step.DATA_ERROR: (_BEFORE_ENDS,),
        Step.DISTRICT_TOLD: (frozenset({Step.DATA_ERROR}),),
        Step.CORRECTED: (frozenset({Step.DISTRICT_TOLD}),),
        Step.NOT_CORRECTED: (frozenset({Step.DISTRICT_TOLD}),),
        Step.RELEASED: (frozenset({Step.CORRECTED}), frozenset({Step.NOT_CORRECTED})),
        Step.CLOSED: (
            frozenset({Step.DISPOSED, Step.LEADING_GROUP_TOLD}),
            frozenset({Step.RELEASED, Step.LEADING_GROUP_TOLD}),
        ),
    }
)
"""Step → the sets of steps of which one must be done, whole, before it."""

EXCLUDES: Mapping[Step, Step] = MappingProxyType(
    {
        Step.DISPOSED: Step.DATA_ERROR,
        Step.DATA_ERROR: Step.DISPOSED,
        Step.CORRECTED: Step.NOT_CORRECTED,
        Step.NOT_CORRECTED: Step.CORRECTED,
    }
)
"""Of two such steps a round has one."""

TELLING = frozenset(
    {Step.DUTY_LEADER_TOLD, Step.STREET_TOLD, Step.LEADING_GROUP_TOLD, Step.DISTRICT_TOLD}
)
"""Steps that name who was told, and how."""

EXCUSABLE = frozenset({Step.ISOLATED, Step.RELEASED})
"""Steps that a person who has gone makes impossible; the reason is recorded in their place."""

EXPLAINED = frozenset(
    {Step.DISPOSED, Step.DATA_ERROR, Step.CORRECTED, Step.NOT_CORRECTED, Step.RELEASED}
)
"""Steps that say in words what was done or found."""

KEPT_BY_REOPENING = frozenset(
    {
        Step.FOUND,
        Step.ISOLATED,
        Step.DUTY_LEADER_TOLD,
        Step.STREET_TOLD,
        Step.LEADING_GROUP_TOLD,
    }
)
"""What happened once for all; a new round begins where the street office takes it up."""

CLOCKED_FROM: Mapping[Step, tuple[Step, ...]] = MappingProxyType(
    {
        Step.ISOLATED: (Step.FOUND,),
        Step.DUTY_LEADER_TOLD: (Step.ISOLATED,),
        Step.STREET_TOLD: (Step.DUTY_LEADER_TOLD,),
        Step.LEADING_GROUP_TOLD: (Step.FOUND,),
        Step.ACKNOWLEDGED: (Step.STREET_TOLD,),
        Step.VERIFYING: (Step.ACKNOWLEDGED,),
        Step.DISPOSED: (Step.VERIFYING,),
        Step.DATA_ERROR: (Step.VERIFYING,),
        Step.DISTRICT_TOLD: (Step.DATA_ERROR,),
        Step.CORRECTED: (Step.DISTRICT_TOLD,),
        Step.NOT_CORRECTED: (Step.DISTRICT_TOLD,),
        Step.RELEASED: (Step.CORRECTED, Step.NOT_CORRECTED),
        Step.CLOSED: (Step.DISPOSED, Step.RELEASED),
    }
)
"""Step → where its clock starts: the one of these that is done, or else would be due."""
