"""The rows of the verdict vectors: each expectation worked out by hand from its clause.

S0 is the street newspaper of February 2020, S4 the district's plan of May 2022, D5 and D6 the
design's sections 5 and 6. Times are of the realm (UTC+8) unless a row says another offset. A test's
sampling lies in the ten minutes from ``sampled`` on, and the age counts from their end (PL1 2.7):
sampled 06-06 09:00 is 48 hours old at 06-08 09:10:00.
"""

from verdict_ages import DAYS, HOURS
from verdict_row import ABNORMAL, HALL, LIMIT, MUSTS, row

UNASKED = {"symptoms": False}
ANSWERS = [
    row("green with everything in order", HALL, "visitor", "admit", age=11),
    row("red is led to the isolation area", ABNORMAL, "visitor", "isolate red", answer="red"),
    row("yellow is too", ABNORMAL, "visitor", "isolate yellow", answer="yellow"),
    row("undetermined is asked", "D5", "visitor", "ask unknown", answer="undetermined"),
    row("expired is asked", "D5", "visitor", "ask expired", answer="expired"),
    row("not found is asked", "D5", "visitor", "ask not-found", answer="not-found"),
    row("closed is asked", "D5", "visitor", "ask closed", answer="closed"),
    row(
        "an error without a test is asked, and nobody is refused for a test unread",
        *("D5", "visitor", "ask unknown"),
        answer="undetermined",
        sampled=None,
    ),
    row(
        "an expired code with an old test is still only asked",
        *("D5", "visitor", "ask expired"),
        answer="expired",
        sampled="05-01 09:00",
    ),
    row("2020: green goes in", MUSTS, "2020", "admit", sampled=None),
    row("2020: yellow does not go in", MUSTS, "2020", "refuse yellow", answer="yellow"),
    row("2020: red is isolated", "S0 随申码 红色", "2020", "isolate red", answer="red"),
    row("an estate looks for green only", "field/01 1.2", "housing", "admit", sampled=None),
    row("a yellow at an estate", "field/01 1.2", "housing", "isolate yellow", answer="yellow"),
    row(
        "where yellow is admitted it goes in", "D5 colours", "yellow-too", "admit", answer="yellow"
    ),
    row(
        "and still needs its test",
        *("D5 colours", "yellow-too", "refuse test"),
        answer="yellow",
        sampled="06-01 09:00",
    ),
    row("but red does not", "D5 colours", "yellow-too", "isolate red", answer="red"),
]
LIMIT_SETTING = "D5: the limit is a setting"
OBSERVATIONS = [
    row("a tenth below the limit", LIMIT_SETTING, "visitor", "admit", temperature=372),
    row("at the limit", LIMIT_SETTING, "visitor", "isolate temperature", temperature=373),
    row("a tenth above", LIMIT_SETTING, "visitor", "isolate temperature", temperature=374),
    row("a low reading is no fever", LIMIT_SETTING, "visitor", "admit", temperature=340),
    row("must be measured: was not", MUSTS, "visitor", "ask temperature?", temperature=None),
    row("strict: was not measured", MUSTS, "strict", "refuse temperature?", temperature=None),
    row("need not be measured: was not", "D5", "unmeasured", "admit", temperature=None),
    row(
        "need not be measured, but was, and is too high",
        *("D5", "unmeasured", "isolate temperature"),
        temperature=380,
    ),
    row("no rule on temperature", "field/01 1.2", "housing", "admit", temperature=390),
    row("no mask", HALL, "visitor", "ask mask", mask="no"),
    row("nobody saw, and that admits", "D5", "visitor", "admit", mask="unobserved"),
    row("nobody saw, and that is asked", "D5", "strict", "ask mask?", mask="unobserved"),
    row("the guard's key: seen", "D5", "strict", "admit", mask="yes"),
    row("an estate asks for no mask", "field/01 1.2", "housing", "admit", mask="no"),
    row("2020: a mask is asked for", MUSTS, "2020", "ask mask", mask="no"),
    row(
        "symptoms",
        *(HALL, "visitor", "isolate symptoms"),
        questions={"symptoms": True, "travel": False},
    ),
    row(
        "been to a risk area",
        *(MUSTS, "visitor", "ask travel"),
        questions={"symptoms": False, "travel": True},
    ),
    row("one question left open", MUSTS, "visitor", "ask declaration", questions=UNASKED),
    row("asked nothing although told so", MUSTS, "visitor", "ask declaration", questions={}),
    row("nobody asked, and that admits", "D5", "visitor", "admit", questions=None),
    row("2020: must be asked", MUSTS, "2020", "ask declaration?", questions=None),
    row("staff again that day are not asked", "D5", "staff-reentry", "admit", questions=None),
    row(
        "answers to what this door does not ask",
        *("D5", "staff-reentry", "admit"),
        questions={"symptoms": True},
    ),
    row(
        "a question whose alarming answer is no",
        *("D5", "well", "isolate symptoms"),
        questions={"well": False, "symptoms": False, "travel": False},
    ),
    row(
        "and yes is in order",
        *("D5", "well", "admit"),
        questions={"well": True, "symptoms": False, "travel": False},
    ),
    row("not registered", MUSTS, "visitor", "ask registration", registered=None),
    row("registered by nothing", MUSTS, "visitor", "ask registration", registered="none"),
    row("registered on paper", MUSTS, "visitor", "admit", registered="paper"),
    row("registered by a document", MUSTS, "visitor", "admit", registered="document"),
    row("registered by a guardian", MUSTS, "visitor", "admit", registered="guardian"),
    row("an estate registers nobody", "field/01 1.2", "housing", "admit", registered=None),
    row(
        "paper and no code: never green",
        *("D5", "visitor", "ask unknown"),
        answer="undetermined",
        reason="no-code",
        sampled=None,
        registered="paper",
    ),
    row("full", LIMIT, "visitor", "refuse full", room="full"),
    row("2020: full", LIMIT, "2020", "refuse full", room="full", sampled=None),
    row("room not known", LIMIT, "visitor", "ask full?", room="unknown"),
    row("strict: room not known", LIMIT, "strict", "refuse full?", room="unknown"),
]
WORST = "D5: one verdict, one reason"
CARE = "field/01 1.2: emergency care is never refused"
TOGETHER = [
    row("red and full", WORST, "visitor", "isolate red", answer="red", room="full"),
    row(
        "red and no test: the red",
        *(WORST, "visitor", "isolate red"),
        answer="red",
        sampled=None,
    ),
    row(
        "old test and no mask: the test",
        *(WORST, "visitor", "refuse test"),
        sampled="06-01 09:00",
        mask="no",
    ),
    row(
        "no mask and full: the graver, though later",
        *(WORST, "visitor", "refuse full"),
        mask="no",
        room="full",
    ),
    row(
        "expired and feverish: the fever",
        *(WORST, "visitor", "isolate temperature"),
        answer="expired",
        temperature=385,
    ),
    row(
        "old test and full: the first of equals",
        *(WORST, "visitor", "refuse test"),
        sampled="06-01 09:00",
        room="full",
    ),
    row(
        "yellow and feverish: the first of equals",
        *(WORST, "visitor", "isolate yellow"),
        answer="yellow",
        temperature=385,
    ),
    row(
        "fever and symptoms: the first of equals",
        *(WORST, "visitor", "isolate temperature"),
        temperature=385,
        questions={"symptoms": True, "travel": True},
    ),
    row(
        "unknown and no mask: the first of equals",
        *(WORST, "visitor", "ask unknown"),
        answer="undetermined",
        mask="no",
    ),
    row(
        "no test known and not registered",
        *(WORST, "visitor", "ask test-none"),
        sampled=None,
        registered=None,
    ),
    row(
        "travel before what was left open",
        *(WORST, "visitor", "ask travel"),
        questions={"travel": True},
    ),
    row(
        "red refused here, fever asked", WORST, "equal", "refuse red", answer="red", temperature=385
    ),
    row(
        "equal: a mask unseen asks, a temperature not taken refuses",
        *(WORST, "equal", "refuse temperature?"),
        mask="unobserved",
        temperature=None,
    ),
    row(
        "equal: fever before symptoms before full",
        *(WORST, "equal", "ask temperature"),
        temperature=385,
        questions={"symptoms": True, "travel": False},
        room="full",
    ),
    row(
        "equal: symptoms before full",
        *(WORST, "equal", "ask symptoms"),
        questions={"symptoms": True, "travel": False},
        room="full",
    ),
    row(
        "equal: unseen mask before full",
        WORST,
        "equal",
        "ask mask?",
        mask="unobserved",
        room="full",
    ),
    row(
        "equal: yellow before an old test",
        *(WORST, "equal", "ask yellow"),
        answer="yellow",
        sampled="06-01 09:00",
    ),
    row(
        "emergency: red goes to care",
        CARE,
        "visitor",
        "admit emergency",
        answer="red",
        emergency=True,
    ),
    row(
        "emergency: nothing shown at all",
        *(CARE, "strict", "admit emergency"),
        answer="undetermined",
        reason="no-code",
        sampled=None,
        temperature=None,
        mask="unobserved",
        questions=None,
        registered=None,
        room="full",
        emergency=True,
    ),
    row(
        "emergency: in order all the same",
        *(CARE, "hospital", "admit emergency"),
        emergency=True,
        age=11,
    ),
    row(
        "a hospital asks for an old test",
        *(CARE, "hospital", "ask test"),
        sampled="06-01 09:00",
    ),
    row("a full hospital asks", CARE, "hospital", "ask full", room="full"),
]
FILES = {
    "answers": ANSWERS,
    "hours": HOURS,
    "days": DAYS,
    "observations": OBSERVATIONS,
    "together": TOGETHER,
}
