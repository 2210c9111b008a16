"""The one rule of entry that the seeds state for everybody: a test within 48 h.

S4: everyone who enters shows a negative result within 48 hours. Other limits (temperature,
occupancy, roles) are settings of a hall's policy and come with the door policies.
"""

ENTRY_TEST_HOURS = 48
