"""Changes carried to everybody set-based, and people whom the office asks to evaluate again."""

from django.db import migrations, models

from passlight.office.facts.triggers import append_only

STATES = [
    ("running", "Running"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("overtaken", "Overtaken"),
]


class Migration(migrations.Migration):
    dependencies = [("statuses", "0002_sweep_again")]

    operations = [
        migrations.AddField("heartbeat", "switch", models.BigIntegerField(null=True)),
        migrations.AddField("heartbeat", "request_seq", models.BigIntegerField(db_default=0)),
        migrations.CreateModel(
            name="Request",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("ordinal", models.IntegerField()),
                ("because", models.TextField()),
                ("asked_at", models.DateTimeField()),
            ],
            options={"db_table": "recompute_request"},
        ),
        migrations.CreateModel(
            name="Switch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("packs_seq", models.BigIntegerField()),
                ("fact_seq", models.BigIntegerField()),
                ("state", models.TextField(choices=STATES)),
                ("people", models.IntegerField()),
                ("people_done", models.IntegerField(db_default=0)),
                ("changed", models.IntegerField(db_default=0)),
                ("bucket", models.IntegerField(db_default=0)),
                ("attempts", models.SmallIntegerField(db_default=0)),
                ("step", models.TextField(blank=True, db_default="")),
                ("step_done", models.BigIntegerField(db_default=0)),
                ("step_total", models.BigIntegerField(db_default=0)),
                ("fault", models.TextField(blank=True, db_default="")),
                ("started_at", models.DateTimeField()),
                ("publishing_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["running", "done", "failed", "overtaken"])
                        ),
                        name="statuses_switch_state",
                    ),
                ],
            },
        ),
        migrations.RunSQL(append_only("recompute_request"), migrations.RunSQL.noop),
    ]
