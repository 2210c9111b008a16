"""The closed lists of tracing: where a case comes from, and what becomes of what is found."""

from enum import StrEnum


class Origin(StrEnum):
    """Where the windows of a case come from."""

    FACT = "fact"
    FOREIGN = "foreign"


class CaseState(StrEnum):
    """How a case stands; ``past`` ended before the visits that are still looked at."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    PAST = "past"


class BeginsBy(StrEnum):
    """What the infectious window is counted from."""

    ONSET = "onset"
    SAMPLE = "sample"
    CONFIRMATION = "confirmation"
    PUBLISHED = "published"


class BatchState(StrEnum):
    """How the exposures of one case in one zone stand."""

    CLEAR = "clear"
    HELD = "held"
    ASKED = "asked"
    RELEASED = "released"
    REFUSED = "refused"


class Decision(StrEnum):
    """What an officer decides on a batch."""

    ASKED = "asked"
    RELEASED = "released"
    REFUSED = "refused"
    REOPENED = "reopened"


class ExposureState(StrEnum):
    """How one exposure stands."""

    HELD = "held"
    LANDED = "landed"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"


class What(StrEnum):
    """What became of an exposure."""

    FOUND = "found"
    CHANGED = "changed"
    HELD = "held"
    LANDED = "landed"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"


class Reason(StrEnum):
    """Why a venue is looked at again, or an exposure is withdrawn."""

    CASE = "case"
    RETRACTED = "retracted"
    VISIT = "visit"
    PARAMETERS = "parameters"
    REFUSED = "refused"
