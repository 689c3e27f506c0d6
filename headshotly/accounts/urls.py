"""Addresses of the accounts room."""

from django.urls import path

from headshotly.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-up/", views.sign_up, name="sign-up"),
    path("check-mail/", views.check_mail, name="check-mail"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("reset/", views.ask_reset, name="reset"),
    path("reset/<str:token>/", views.reset, name="reset-link"),
    path("settings/", views.settings, name="settings"),
]
