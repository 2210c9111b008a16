"""Lands one fact when told to, and says when it was committed, in POSIX milliseconds.

Run as the office: ``python tests/browser/land.py KIND SUBJECT PAYLOAD``. It prints ``ready``,
waits for a line, lands the fact, and prints one JSON object: nothing slow is inside a measured time.
"""

import json
import sys
from datetime import timedelta

import django

django.setup()

from passlight.office.facts.actions import land_facts  # noqa: E402
from passlight.office.facts.intake import NewFact  # noqa: E402
from passlight.runtime.clock import SystemClock  # noqa: E402

CLOCK = SystemClock()
kind, subject, payload = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
fact = NewFact(
    fact_id=f"cdc:{kind}-{subject}",
    kind=kind,
    subject=subject,
    occurred_at=CLOCK.now() - timedelta(minutes=1),
    source="cdc",
    payload=payload,
)
land_facts([], batch_id="browser-tests-warm", clock=CLOCK)  # opens the connection
print("ready", flush=True)
sys.stdin.readline()
landing = land_facts([fact], batch_id="browser-tests-fact", clock=CLOCK)
committed_ms = CLOCK.now().timestamp() * 1000
print(json.dumps({"committed_ms": committed_ms, "landed": landing.landed}), flush=True)
