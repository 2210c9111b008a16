"""What is published about people, why, and how far the worker is."""

from django.db import migrations, models

from passlight.office.facts.triggers import append_only


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("facts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name='Reason',
            fields=[
                ('key', models.TextField(primary_key=True, serialize=False)),
                ('colour', models.TextField()),
                ('reason', models.JSONField()),
                ('advice', models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('fact_seq', models.BigIntegerField()),
                ('publication_seq', models.BigIntegerField()),
                ('packs_seq', models.BigIntegerField()),
                ('sweep_seq', models.BigIntegerField()),
                ('sweep_ordinal', models.IntegerField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='statuses_heartbeat_single')],
            },
        ),
        migrations.CreateModel(
            name='Publication',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False)),
                ('ordinal', models.IntegerField()),
                ('segments', models.JSONField()),
                ('sampled_at', models.DateTimeField(null=True)),
                ('state', models.TextField(choices=[('active', 'Active'), ('closed', 'Closed'), ('unknown', 'Unknown')])),
                ('as_of', models.DateTimeField()),
                ('fact_seq', models.BigIntegerField()),
                ('packs_seq', models.BigIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['ordinal', '-seq'], name='statuses_publication_person')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['active', 'closed', 'unknown'])), name='statuses_publication_state'), models.CheckConstraint(condition=models.Q(('ordinal__gte', 0), ('seq__gte', 1)), name='statuses_publication_counted')],
            },
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ordinal', models.IntegerField()),
                ('kind', models.TextField(choices=[('evaluation-failed', 'Evaluation Failed'), ('conflict', 'Conflict'), ('question', 'Question')])),
                ('detail', models.TextField()),
                ('fact_seq', models.BigIntegerField()),
                ('opened_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['-id'], name='statuses_task_newest'), models.Index(fields=['ordinal', '-id'], name='statuses_task_person')],
            },
        ),
        migrations.RunSQL(append_only('statuses_publication'), migrations.RunSQL.noop),
        migrations.RunSQL(append_only('statuses_reason'), migrations.RunSQL.noop),
    ]
