"""The rows about a test's age, to the second: elapsed hours, and calendar days of the realm.

The age counts from the end of the sampling's ten minutes (PL1 2.7): sampled 06-06 09:00 is 48 hours
old at 06-08 09:10:00. Each expectation is worked out by hand from its clause.
"""

from verdict_row import HALL, STAFF, row

# Test by elapsed hours: the age counts from the end of the sampling's ten minutes.
HOURS = [
    row(
        "48 h to the second",
        *(HALL, "visitor", "admit"),
        sampled="06-06 09:00",
        now="06-08 09:10:00",
        age=48,
    ),
    row(
        "48 h and a second less",
        *(HALL, "visitor", "admit"),
        sampled="06-06 09:00",
        now="06-08 09:09:59",
        age=47,
    ),
    row(
        "48 h and a second more",
        *(HALL, "visitor", "refuse test"),
        sampled="06-06 09:00",
        now="06-08 09:10:01",
        age=48,
    ),
    row(
        "an hour later it is 49 h",
        *(HALL, "visitor", "refuse test"),
        sampled="06-06 09:00",
        now="06-08 10:10:00",
        age=49,
    ),
    row(
        "staff: 24 h to the second",
        *(STAFF, "staff", "admit"),
        sampled="06-07 08:00",
        now="06-08 08:10:00",
        age=24,
    ),
    row(
        "staff: a second less",
        *(STAFF, "staff", "admit"),
        sampled="06-07 08:00",
        now="06-08 08:09:59",
        age=23,
    ),
    row(
        "staff: a second more",
        *(STAFF, "staff", "refuse test"),
        sampled="06-07 08:00",
        now="06-08 08:10:01",
        age=24,
    ),
    row(
        "staff: 47 h at the start of work",
        *(STAFF, "staff", "refuse test"),
        sampled="06-06 09:00",
        now="06-08 08:10",
        age=47,
    ),
    row(
        "staff again that day: the same test will do",
        *(HALL, "staff-reentry", "admit"),
        sampled="06-06 09:00",
        now="06-08 08:10",
        age=47,
    ),
    row(
        "staff again that day: 48 h and a second",
        *(HALL, "staff-reentry", "refuse test"),
        sampled="06-06 09:00",
        now="06-08 09:10:01",
        age=48,
    ),
    row("no test known", HALL, "visitor", "ask test-none", sampled=None),
    row("staff without a test known", STAFF, "staff", "ask test-none", sampled=None),
    row(
        "sampled in this very ten minutes",
        *("PL1 2.7", "visitor", "admit"),
        sampled="06-08 12:00",
        age=0,
    ),
    row(
        "a phone's clock ahead of the door's: the age is nought, not less",
        *("PL1 2.7", "visitor", "admit"),
        sampled="06-08 12:30",
        age=0,
    ),
    row(
        "nought hours: until the ten minutes are over",
        *("PL1 2.7", "now-only", "admit"),
        sampled="06-08 11:50",
        now="06-08 12:00:00",
        age=0,
    ),
    row(
        "nought hours: and a second",
        *("PL1 2.7", "now-only", "refuse test"),
        sampled="06-08 11:50",
        now="06-08 12:00:01",
        age=0,
    ),
    row(
        "no rule, no matter how old",
        *("field/01 1.2", "housing", "admit"),
        sampled="05-01 09:00",
        age=38 * 24 + 2,
    ),
]
# Test by calendar days of the realm from the sampling's day (field/01 1.4, Beijing).
BEIJING = "field/01 1.4"
DAYS = [
    row(
        "the second day after, its last second",
        *(BEIJING, "calendar", "admit"),
        sampled="06-06 00:00",
        now="06-08 23:59:59",
        age=71,
    ),
    row(
        "the third day, its first second",
        *(BEIJING, "calendar", "refuse test"),
        sampled="06-06 23:50",
        now="06-09 00:00:00",
        age=48,
    ),
    row(
        "sampled ten minutes before that day",
        *(BEIJING, "calendar", "refuse test"),
        sampled="06-05 23:50",
        now="06-08 00:00:00",
        age=48,
    ),
    row(
        "sampled at its first minute",
        *(BEIJING, "calendar", "admit"),
        sampled="06-06 00:00",
        now="06-08 00:00:00",
        age=47,
    ),
    row(
        "more than 48 h is no matter to calendar days",
        *(BEIJING, "calendar", "admit"),
        sampled="06-06 01:00",
        now="06-08 22:00",
        age=68,
    ),
    row(
        "the same moments in another zone are other days",
        *(BEIJING, "calendar", "admit"),
        sampled="06-05 15:50",
        now="06-07 16:00:00",
        offset=0,
        age=48,
    ),
    row(
        "west of Greenwich",
        *(BEIJING, "calendar", "refuse test"),
        sampled="06-05 23:50",
        now="06-08 00:00:00",
        offset=-300,
        age=48,
    ),
    row(
        "same day only: that evening",
        *(BEIJING, "same-day", "admit"),
        sampled="06-08 00:00",
        now="06-08 23:59:59",
        age=23,
    ),
    row(
        "same day only: at midnight",
        *(BEIJING, "same-day", "refuse test"),
        sampled="06-08 23:40",
        now="06-09 00:00:00",
        age=0,
    ),
    row("calendar days without a test", BEIJING, "calendar", "ask test-none", sampled=None),
]
