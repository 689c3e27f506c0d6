"""Django's engine for PostgreSQL, signing in by the task's AWS role (RDS, Aurora); see ``base``."""
