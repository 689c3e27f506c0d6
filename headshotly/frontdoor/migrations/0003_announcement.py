from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('frontdoor', '0002_objectives'),
    ]

    operations = [
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('task_id', models.UUIDField(primary_key=True, serialize=False)),
                ('times', models.PositiveSmallIntegerField(default=1)),
                ('again_at', models.DateTimeField(db_index=True)),
            ],
        ),
    ]
