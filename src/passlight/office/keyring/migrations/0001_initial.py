"""The table of published trust lists."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="TrustListVersion",
            fields=[
                ("version", models.BigIntegerField(primary_key=True, serialize=False)),
                ("document", models.BinaryField()),
                ("made_at", models.DateTimeField()),
            ],
            options={"db_table": "keyring_trustlist", "ordering": ("-version",)},
        ),
    ]
