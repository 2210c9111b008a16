"""Rule packs, their publications and the previews of what they change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from passlight.office.facts.triggers import append_only


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("facts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='StoredPack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.TextField()),
                ('version', models.TextField()),
                ('hash', models.TextField(unique=True)),
                ('files', models.JSONField()),
                ('effective_from', models.DateTimeField()),
                ('effective_until', models.DateTimeField(null=True)),
                ('uploaded_at', models.DateTimeField()),
                ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'packs_pack',
            },
        ),
        migrations.CreateModel(
            name='Preview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateTimeField()),
                ('known_seq', models.BigIntegerField()),
                ('after_seq', models.BigIntegerField()),
                ('position', models.IntegerField(default=0)),
                ('total', models.IntegerField()),
                ('evaluated', models.IntegerField(default=0)),
                ('failed', models.IntegerField(default=0)),
                ('changes', models.JSONField(default=dict)),
                ('causes', models.JSONField(default=dict)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pack', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='previews', to='packs.storedpack')),
            ],
        ),
        migrations.CreateModel(
            name='PackPublication',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False)),
                ('effective_from', models.DateTimeField()),
                ('effective_until', models.DateTimeField(null=True)),
                ('published_at', models.DateTimeField()),
                ('note', models.TextField(blank=True)),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pack', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='publications', to='packs.storedpack')),
            ],
            options={
                'db_table': 'packs_publication',
            },
        ),
        migrations.AddConstraint(
            model_name='storedpack',
            constraint=models.UniqueConstraint(fields=('name', 'version'), name='packs_pack_version'),
        ),
        migrations.AddConstraint(
            model_name='packpublication',
            constraint=models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='packs_publication_count'),
        ),
        migrations.AddConstraint(
            model_name='packpublication',
            constraint=models.CheckConstraint(condition=models.Q(('effective_until__isnull', True), ('effective_until__gt', models.F('effective_from')), _connector='OR'), name='packs_publication_interval'),
        ),
        migrations.RunSQL(append_only('packs_pack'), migrations.RunSQL.noop),
        migrations.RunSQL(append_only('packs_publication'), migrations.RunSQL.noop),
    ]
