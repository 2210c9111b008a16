"""A registration whose documents name two people leaves an identity task too."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="identitytask",
            name="other",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="other_tasks",
                to="people.documentlink",
            ),
        ),
        migrations.RemoveConstraint(model_name="identitytask", name="people_identitytask_once"),
        migrations.AddConstraint(
            model_name="identitytask",
            constraint=models.UniqueConstraint(
                fields=["document", "name_mark"],
                condition=models.Q(("other", None)),
                name="people_identitytask_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="identitytask",
            constraint=models.UniqueConstraint(
                fields=["document", "other"], name="people_identitytask_pair_once"
            ),
        ),
    ]
