"""Which vendors' doors are shut at the moment."""

from django.db import models


class VendorClosure(models.Model):
    """A vendor that nothing leaves for until somebody opens it again. ``vendor`` is a stable short name or a host."""

    vendor = models.CharField(max_length=120, primary_key=True)
    closed_at = models.DateTimeField()
    closed_by = models.UUIDField(null=True)
    because = models.CharField(max_length=300)
