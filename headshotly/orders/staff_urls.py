"""Addresses of the cash desk in the staff console."""

from django.urls import path

from headshotly.orders import staff_views as views

app_name = "orders-desk"
urlpatterns = [
    path("", views.orders, name="orders"),
    path("<uuid:order_id>/refund/", views.refund, name="refund"),
    path("refunds/<uuid:refund_id>/again/", views.send_again, name="send-again"),
]
