"""The example of a fact that the upload page shows, true at the moment it is shown."""

import json
from datetime import datetime, timedelta

from django.utils import timezone

from passlight.core.kernel.documents import DocumentType

#: Stands where the document's number belongs; sent as it is, the row is put aside.
NUMBER_HERE = "NUMBER"


def example_line(now: datetime) -> str:
    """Return a confirmed case that was known an hour ago, as one line of JSON."""
    shown = timezone.localtime(now).replace(microsecond=0)
    name = f"{shown:%Y%m%d%H%M%S}"
    fact = {
        "fact_id": f"example:{name}",
        "ver": 1,
        "op": "assert",
        "kind": "case.confirmed",
        "subject": {"type": DocumentType.RESIDENT_ID.value, "number": NUMBER_HERE},
        "occurred_at": (shown - timedelta(hours=1)).isoformat(),
        "recorded_at": shown.isoformat(),
        "source": "cdc",
        "payload": {"case_id": name},
    }
    return json.dumps(fact, ensure_ascii=False)
