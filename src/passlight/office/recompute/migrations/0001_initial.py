"""Runs of the full recompute, and what each of them found."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("asked", "Asked"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ]
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("at", models.DateTimeField(null=True)),
                ("fact_seq", models.BigIntegerField(null=True)),
                ("packs_seq", models.BigIntegerField(null=True)),
                ("people", models.IntegerField(db_default=0)),
                ("compared", models.IntegerField(db_default=0)),
                ("counts", models.JSONField(default=dict)),
                ("bucket", models.IntegerField(db_default=0)),
                ("attempts", models.SmallIntegerField(db_default=0)),
                ("step", models.TextField(blank=True, db_default="")),
                ("step_done", models.BigIntegerField(db_default=0)),
                ("step_total", models.BigIntegerField(db_default=0)),
                ("fault", models.TextField(blank=True, db_default="")),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Difference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ordinal", models.IntegerField()),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("colour", "Colour"),
                            ("missing", "Missing"),
                            ("later", "Later"),
                            ("reason", "Reason"),
                            ("sampled", "Sampled"),
                        ]
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("open", "Open"),
                            ("corrected", "Corrected"),
                            ("overtaken", "Overtaken"),
                            ("stays", "Stays"),
                        ]
                    ),
                ),
                ("served", models.JSONField(null=True)),
                ("computed", models.JSONField()),
                ("publication_seq", models.BigIntegerField(null=True)),
                ("request_seq", models.BigIntegerField(null=True)),
                ("found_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="differences",
                        to="recompute.run",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["-id"], name="recompute_run_newest"),
        ),
        migrations.AddIndex(
            model_name="difference",
            index=models.Index(fields=["run", "kind", "ordinal"], name="recompute_difference_kind"),
        ),
        migrations.AddConstraint(
            model_name="difference",
            constraint=models.UniqueConstraint(
                fields=("run", "ordinal"), name="recompute_difference_once"
            ),
        ),
    ]
