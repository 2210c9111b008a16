"""Feeds, batches, what was put aside and the lists in force."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Feed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('agency', models.CharField(max_length=16)),
                ('name', models.CharField(max_length=32)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('agency', 'name'), name='feeds_feed_once')],
            },
        ),
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=255)),
                ('sha256', models.CharField(max_length=64)),
                ('size_bytes', models.BigIntegerField()),
                ('encoding', models.CharField(max_length=16)),
                ('mapping', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('landing', 'Landing'), ('complete', 'Complete'), ('held', 'Held'), ('unreadable', 'Unreadable')], max_length=12)),
                ('published_at', models.DateTimeField(null=True)),
                ('received_at', models.DateTimeField()),
                ('touched_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('released_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=64)),
                ('reason_params', models.JSONField(default=dict)),
                ('position', models.BigIntegerField(default=0)),
                ('bytes_done', models.BigIntegerField(default=0)),
                ('declared', models.BigIntegerField(default=0)),
                ('landed', models.BigIntegerField(default=0)),
                ('unchanged', models.BigIntegerField(default=0)),
                ('quarantined', models.BigIntegerField(default=0)),
                ('held', models.BigIntegerField(default=0)),
                ('closed', models.BigIntegerField(default=0)),
                ('received_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('released_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('feed', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='feeds.feed')),
            ],
        ),
        migrations.CreateModel(
            name='PublishedList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('list_id', models.CharField(max_length=64)),
                ('published_at', models.DateTimeField()),
                ('applied_at', models.DateTimeField(null=True)),
                ('listed', models.JSONField(null=True)),
                ('content', models.JSONField(null=True)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lists', to='feeds.batch')),
                ('feed', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lists', to='feeds.feed')),
            ],
        ),
        migrations.CreateModel(
            name='QuarantinedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.BigIntegerField()),
                ('field', models.CharField(blank=True, max_length=120)),
                ('code', models.CharField(max_length=64)),
                ('params', models.JSONField(default=dict)),
                ('raw', models.CharField(blank=True, max_length=200)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quarantined_rows', to='feeds.batch')),
            ],
            options={
                'db_table': 'feeds_quarantinedrow',
            },
        ),
        migrations.CreateModel(
            name='Doubt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.BigIntegerField(null=True)),
                ('field', models.CharField(blank=True, max_length=120)),
                ('code', models.CharField(max_length=64)),
                ('params', models.JSONField(default=dict)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='doubts', to='feeds.batch')),
            ],
            options={
                'indexes': [models.Index(fields=['batch', 'line'], name='feeds_doubt_line')],
            },
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['feed', '-received_at'], name='feeds_batch_feed'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['-received_at'], name='feeds_batch_received'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['sha256'], name='feeds_batch_digest'),
        ),
        migrations.AddConstraint(
            model_name='batch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['landing', 'unreadable']), ('declared', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('landed'), '+', models.F('unchanged')), '+', models.F('quarantined')), '+', models.F('held'))), _connector='OR'), name='feeds_batch_balances'),
        ),
        migrations.AddIndex(
            model_name='publishedlist',
            index=models.Index(fields=['feed', '-published_at'], name='feeds_list_feed'),
        ),
        migrations.AddConstraint(
            model_name='publishedlist',
            constraint=models.UniqueConstraint(fields=('feed', 'list_id'), name='feeds_list_once'),
        ),
        migrations.AddIndex(
            model_name='quarantinedrow',
            index=models.Index(fields=['batch', 'line'], name='feeds_quarantine_line'),
        ),
    ]
