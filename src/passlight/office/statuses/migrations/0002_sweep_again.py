"""A sweep that is asked for during a sweep follows it instead of starting it over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("statuses", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="sweep_again",
            field=models.BooleanField(db_default=False),
        ),
    ]
