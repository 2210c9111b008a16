"""What gateways may know of staff: who they are at a venue, and that their day has begun.

Views, so that a gateway reads neither the roster nor anybody's visits.
"""

from django.db import migrations

STAFF = """
CREATE VIEW gates_staff AS
SELECT h.venue_id, p.ordinal
FROM halls_staff s
JOIN halls_hall h ON h.id = s.hall_id
JOIN people_person p ON p.id = s.person_id
WHERE s.ended_at IS NULL
"""
STARTED = """
CREATE VIEW gates_started AS
SELECT h.venue_id, p.ordinal, r.occurred_at
FROM halls_staff s
JOIN halls_hall h ON h.id = s.hall_id
JOIN people_person p ON p.id = s.person_id
JOIN records_record r
  ON r.visits_key = p.visits_key AND r.venue_id = h.venue_id AND r.kind = 'admit'
WHERE s.ended_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gates", "0001_initial"),
        ("halls", "0001_initial"),
        ("people", "0001_initial"),
        ("records", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(STAFF, "DROP VIEW gates_staff"),
        migrations.RunSQL(STARTED, "DROP VIEW gates_started"),
    ]
