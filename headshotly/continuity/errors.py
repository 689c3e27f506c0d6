"""Why a backup, a restore or a drill says no."""

from headshotly.policy.refusal import Refusal


class PlacesRefused(Refusal):
    """The backup stores do not lie in two regions of the Union (clause 6.1.b)."""

    code = "continuity.places_refused"


class Busy(Refusal):
    """Another backup runs on this machine."""

    code = "continuity.busy"
    status = 409


class BackupIncomplete(Refusal):
    """A backup was made, and something is not in it, or it is not in every store."""

    code = "continuity.backup_incomplete"
    status = 500


class BackupDamaged(Refusal):
    """What lies in the backup stores is not what was written there."""

    code = "continuity.backup_damaged"
    status = 500


class NoBackup(Refusal):
    """There is no backup to go back to."""

    code = "continuity.no_backup"
    status = 404


class PlaceTaken(Refusal):
    """A backup is restored into an empty place only."""

    code = "continuity.place_taken"
    status = 409


class RestoreIncomplete(Refusal):
    """Something is not restored; the service stays closed."""

    code = "continuity.restore_incomplete"
    status = 500


class StillRestoring(Refusal):
    """The service does not start on a place that is being restored."""

    code = "continuity.still_restoring"
    status = 503


class DatabaseUnfit(Refusal):
    """The database cannot be copied or loaded as it is."""

    code = "continuity.database_unfit"
    status = 500


class PlanChanged(Refusal):
    """A review is of a plan that is no longer in force."""

    code = "continuity.plan_changed"
    status = 409


class DrillFailed(Refusal):
    """A step of the plan did not run, or an objective was missed."""

    code = "continuity.drill_failed"
    status = 500


class NotFound(Refusal):
    """There is no such record."""

    code = "continuity.not_found"
    status = 404
