"""Names of the sealed fields; each is bound into its ciphertext."""

EMAIL_FIELD = "accounts.email"
NEW_EMAIL_FIELD = "accounts.new-email"
NAME_FIELD = "accounts.name"
