"""Addresses of the cash desk."""

from django.urls import path

from headshotly.orders import views

app_name = "orders"
urlpatterns = [
    path("", views.history, name="history"),
    path("prices/", views.prices, name="prices"),
    path("buy/", views.buy, name="buy"),
    path("stripe/webhook/", views.webhook, name="webhook"),
    path("rehearsal/<str:ref>/", views.rehearse, name="rehearsal"),
    path("seat/<str:token>/", views.seat, name="seat"),
    path("<uuid:order_id>/", views.order, name="order"),
    path("<uuid:order_id>/pay/", views.pay, name="pay"),
    path("<uuid:order_id>/refund/", views.take_back, name="refund"),
    path("<uuid:order_id>/receipt.pdf", views.receipt, name="receipt"),
    path("<uuid:order_id>/portal/", views.portal, name="portal"),
    path("<uuid:order_id>/seats/<uuid:seat_id>/", views.seat_link, name="seat-link"),
    path("<uuid:order_id>/seats/<uuid:seat_id>/withdraw/", views.seat_withdraw, name="seat-withdraw"),
]
