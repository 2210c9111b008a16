"""The fact log, its indexes and the trigger that keeps it append-only."""

from django.db import migrations, models

from passlight.office.facts.triggers import REFUSE_CHANGE, append_only

# Which areas a person's arrivals and stays name: the way from a listed area to the people.
AREA_INDEX = """
create index facts_fact_area on facts_fact
    ((coalesce(payload ->> 'from_area', payload ->> 'area')) text_pattern_ops)
    where subject not like 'area:%' and coalesce(payload ->> 'from_area', payload ->> 'area') is not null;
create index facts_fact_identity on facts_fact (kind, seq)
    where kind in ('identity.link', 'identity.unlink', 'identity.not_same');
create index facts_fact_areas on facts_fact (seq) where subject like 'area:%'
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="FactVersion",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("fact_id", models.TextField()),
                ("ver", models.IntegerField()),
                ("op", models.TextField()),
                ("kind", models.TextField()),
                ("subject", models.TextField()),
                ("occurred_at", models.DateTimeField()),
                ("occurred_until", models.DateTimeField(null=True)),
                ("recorded_at", models.DateTimeField()),
                ("source", models.TextField()),
                ("batch_id", models.TextField()),
                ("payload", models.JSONField()),
            ],
            options={
                "db_table": "facts_fact",
                "indexes": [
                    models.Index(fields=["subject", "seq"], name="facts_fact_subject"),
                    models.Index(fields=["kind", "-seq"], name="facts_fact_kind"),
                    models.Index(fields=["source", "-seq"], name="facts_fact_source"),
                    models.Index(fields=["batch_id", "seq"], name="facts_fact_batch"),
                    models.Index(fields=["-recorded_at"], name="facts_fact_recorded"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("fact_id", "ver"), name="facts_fact_version"),
                    models.CheckConstraint(
                        condition=models.Q(("op__in", ["assert", "retract"])), name="facts_fact_op"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seq__gte", 1), ("ver__gte", 1)),
                        name="facts_fact_counted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("fact_id", ""), _negated=True),
                            models.Q(("subject", ""), _negated=True),
                            models.Q(("source", ""), _negated=True),
                        ),
                        name="facts_fact_named",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("occurred_until__isnull", True),
                            ("occurred_until__gte", models.F("occurred_at")),
                            _connector="OR",
                        ),
                        name="facts_fact_interval",
                    ),
                ],
            },
        ),
        migrations.RunSQL(AREA_INDEX, migrations.RunSQL.noop),
        migrations.RunSQL(REFUSE_CHANGE, "drop function passlight_refuse_change()"),
        migrations.RunSQL(append_only("facts_fact"), migrations.RunSQL.noop),
    ]
