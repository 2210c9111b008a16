"""An alarm for records that neither the server nor the device has any more."""

from django.db import migrations, models

KINDS = ("fork", "set-aside", "gap", "fingerprint", "receipt")


class Migration(migrations.Migration):
    dependencies = [("gates", "0002_staff")]
    operations = [
        migrations.RemoveConstraint(model_name="gatealarm", name="gates_alarm_kind"),
        migrations.AlterField(
            model_name="gatealarm",
            name="kind",
            field=models.CharField(choices=[(kind, kind) for kind in KINDS], max_length=16),
        ),
        migrations.AddConstraint(
            model_name="gatealarm",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=KINDS), name="gates_alarm_kind"
            ),
        ),
    ]
