"""Addresses of the accounts room."""

from django.urls import path

from headshotly.accounts import protection_views as protection
from headshotly.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-up/", views.sign_up, name="sign-up"),
    path("check-mail/", views.check_mail, name="check-mail"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/second/", views.sign_in_second, name="second-factor"),
    path("sign-in/second/options/", views.sign_in_second_options, name="second-factor-options"),
    path("sign-in/passkey/", views.sign_in_passkey, name="passkey-sign-in"),
    path("sign-in/passkey/options/", views.sign_in_passkey_options, name="passkey-sign-in-options"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("reset/", views.ask_reset, name="reset"),
    path("reset/<str:token>/", views.reset, name="reset-link"),
    path("settings/", views.settings, name="settings"),
    path("address/<str:token>/", views.change_address, name="change-address"),
    path("prove/", protection.prove, name="prove"),
    path("prove/options/", protection.prove_options, name="prove-options"),
    path("protection/", protection.protection, name="protection"),
    path("protection/app/", protection.app, name="app"),
    path("protection/app/code.svg", protection.app_qr, name="app-qr"),
    path("protection/app/remove/", protection.app_remove, name="app-remove"),
    path("protection/codes/", protection.codes_renew, name="codes"),
    path("protection/passkeys/options/", protection.passkey_options, name="passkey-options"),
    path("protection/passkeys/", protection.passkey_add, name="passkey-add"),
    path("protection/passkeys/remove/", protection.passkey_remove, name="passkey-remove"),
    path("sessions/end/", protection.session_end, name="session-end"),
]
