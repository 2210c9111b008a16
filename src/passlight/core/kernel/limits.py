"""Limits: every input has an upper bound, and they are all here."""

from datetime import UTC, datetime, timedelta

# Facts
FACT_LINE_BYTES_MAX = 64 * 1024
FACT_TEXT_CHARS_MAX = 512
FACT_NUMBER_MAX = 2**53 - 1  # beyond it a double holds no longer every whole number (RFC 7493 2.2)
# Far enough from the ends of the calendar that adding a duration never leaves it.
FACT_EARLIEST = datetime(1800, 1, 1, tzinfo=UTC)
FACT_LATEST = datetime(3000, 1, 1, tzinfo=UTC)
FACT_FUTURE_TOLERANCE = timedelta(minutes=5)  # E18: clocks differ by a little
ARRIVAL_AGE_MAX = timedelta(days=30)  # field/08 1.6: an arrival 40 days ago is a doubt

# Rule packs
PACK_FILES_MAX = 200
PACK_FILE_BYTES_MAX = 256 * 1024
PACK_AREAS_BYTES_MAX = 8 * 1024 * 1024
PACK_RULES_MAX = 200
PACK_PHASES_MAX = 8
PACK_PARAMETERS_MAX = 200
PACK_DEPTH_MAX = 24
PACK_NODES_MAX = 50_000
PACK_TEXT_CHARS_MAX = 1_000
POINT_DEPTH_MAX = 6
NTH_COUNT_MAX = 60
CHAINED_YELLOW_MAX = timedelta(days=92)  # a season; longer is no bound on yellow
DURATION_MAX = timedelta(days=366 * 20)
AGE_YEARS_MAX = 150
AREA_DEPTH_MAX = 12
AREA_VIEWS_MAX = 256
PLANS_MAX = 64  # compiled packs kept in memory at once
KIND_SETS_MAX = 1024  # sets of kinds for which a plan keeps its rules

# Incidents
INCIDENT_TEXT_CHARS_MAX = 500
INCIDENT_BODIES_MAX = 12
INCIDENT_EVENTS_MAX = 1_000

# Doors
DOOR_DOCUMENT_BYTES_MAX = 512 * 1024
DOOR_TEXT_CHARS_MAX = 400
DOOR_POLICIES_MAX = 16
DOOR_QUESTIONS_MAX = 12
ENTRY_RECORD_BYTES_MAX = 8 * 1024
ENTRY_TEXT_CHARS_MAX = 200
ENTRY_COMPANIONS_MAX = 20
TEST_AGE_HOURS_MAX = 14 * 24
# What a thermometer for people can mean, in tenths of a degree Celsius.
TEMPERATURE_TENTHS_MIN = 300
TEMPERATURE_TENTHS_MAX = 450
