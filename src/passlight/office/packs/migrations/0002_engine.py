"""A preview may be counted by a process that evaluates everybody set-based."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("packs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="preview",
            name="attempts",
            field=models.SmallIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="preview",
            name="engine",
            field=models.TextField(
                choices=[("person", "Person"), ("city", "City")],
                db_default="person",
                default="person",
            ),
        ),
        migrations.AddField(
            model_name="preview",
            name="fault",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.AddField(
            model_name="preview",
            name="step",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.AddField(
            model_name="preview",
            name="step_done",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="preview",
            name="step_total",
            field=models.BigIntegerField(db_default=0),
        ),
    ]
