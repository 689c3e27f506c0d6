"""Orders are found by age and state, and what waits without what is done."""

from django.db import migrations, models

from headshotly.policy.indexing import AddIndexOnline


class Migration(migrations.Migration):
    """Indexes made while others write; cut short, it goes on where it was."""

    atomic = False
    dependencies = [("orders", "0003_seat_invited")]

    operations = [
        AddIndexOnline(
            model_name="order",
            index=models.Index(fields=["created_at"], name="order_created"),
        ),
        AddIndexOnline(
            model_name="order",
            index=models.Index(fields=["state", "created_at"], name="order_state"),
        ),
        AddIndexOnline(
            model_name="spend",
            index=models.Index(fields=["reserved_at"], condition=models.Q(state="reserved"), name="spend_reserved"),
        ),
        AddIndexOnline(
            model_name="seat",
            index=models.Index(fields=["subject"], condition=models.Q(subject__isnull=False), name="seat_subject"),
        ),
        AddIndexOnline(
            model_name="refund",
            index=models.Index(fields=["asked_at"], condition=models.Q(sent_at__isnull=True) | models.Q(returned_at__isnull=False), name="refund_open"),
        ),
        AddIndexOnline(
            model_name="storedevent",
            index=models.Index(fields=["received_at"], condition=models.Q(done_at__isnull=True), name="event_waiting"),
        ),
    ]
