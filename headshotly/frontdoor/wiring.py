"""Hands lower rooms what they may not reach for themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from headshotly.access import bearers, grants
from headshotly.audit import witnesses
from headshotly.continuity import scratch_place
from headshotly.frontdoor import broker, logs
from headshotly.incidents import alerts, cases, reacting
from headshotly.incidents import residence as where_people_live
from headshotly.incidents.watching import saw_decision
from headshotly.integrations import telling, tokens
from headshotly.orders import selectors as orders_selectors
from headshotly.orders import services as orders
from headshotly.orders import spending
from headshotly.policy import configuration
from headshotly.proof import doors, roles
from headshotly.proof import service as proof_service
from headshotly.purposes import withdrawal
from headshotly.rights import rooms as rights_rooms
from headshotly.studio import entitlement, leaving
from headshotly.studio import services as studio
from headshotly.vendors import decisions, way_out


def _s3_witness() -> witnesses.Witness:
    # Loaded only where it is used: boto3 is slow to import.
    from headshotly.audit.s3_witness import S3Witness  # noqa: PLC0415
    from headshotly.vendors import aws  # noqa: PLC0415

    options = configuration.current().options
    client = aws.client(
        "s3",
        region=options.get("witness.region", "eu-north-1"),
        endpoint=options.get("witness.endpoint", ""),
    )
    return S3Witness(
        client,
        bucket=options["witness.bucket"],
        days=int(options.get("witness.days", "3650")),
        prefix=f"era-{era}/heads/" if (era := witnesses.current_era()) else "heads/",
    )


@contextmanager
def _scratch_service() -> Iterator[tuple[int, int, Path]]:
    from headshotly.frontdoor.scratch import scratch_service  # noqa: PLC0415 - only where a check starts one

    with scratch_service() as found:
        yield found


def _drill_place() -> scratch_place.ScratchPlace:
    from headshotly.frontdoor.drill_place import DrillPlace  # noqa: PLC0415 - only where a drill makes one

    return DrillPlace()


def _trace() -> None:
    from headshotly.frontdoor import tracing  # noqa: PLC0415 - loads OpenTelemetry, where a collector is named

    tracing.install()


def _roles() -> dict[str, list[str]]:
    from headshotly.frontdoor.database_roles import shortcomings_of_all  # noqa: PLC0415 - models of every room

    return shortcomings_of_all()


def _commands() -> Iterator[tuple[str, str | None]]:
    from headshotly.frontdoor.commandline import walk  # noqa: PLC0415 - loads every command

    return walk()


def _residence(subject: UUID) -> str:
    abroad = orders_selectors.billed_abroad(subject)
    return where_people_live.ELSEWHERE if abroad else where_people_live.UNKNOWN


def wire() -> None:
    """Guard the process's ways out, choose the journal's witness, and hand rooms the acts of higher ones.

    The witness is a bucket with object lock where one is named, else a folder. Options: ``witness.bucket``,
    ``witness.region``, ``witness.endpoint``, ``witness.days``; ``witness.folder``.
    """
    way_out.install()
    broker.engine()  # a queue that there is none of is refused before anybody is served
    logs.tame_libraries()
    if configuration.current().options.get("traces.collector"):
        _trace()
    if configuration.current().options.get("witness.bucket"):
        witnesses.use(_s3_witness)
    alerts.when_raised(cases.open_for_alert)
    alerts.when_raised(reacting.react)
    decisions.when_decided(saw_decision)
    where_people_live.known_by(_residence)
    grants.when_glass_broken(cases.open_for_glass)
    withdrawal.when_stopped(studio.stop_work)
    leaving.when_leaving(rights_rooms.erase_rows)
    leaving.named_as_kept(orders_selectors.kept_after_erasure)
    entitlement.when_starting(spending.claim)
    entitlement.when_asked(orders_selectors.left, more="orders:prices")
    entitlement.when_delivering(spending.deliver)
    entitlement.when_ended(orders.shoot_ended)
    entitlement.when_ended(telling.shoot_ended)
    bearers.recognise_with(tokens.recognise)
    scratch_place.make_with(_drill_place)
    proof_service.start_scratch_with(_scratch_service)
    doors.walk_commands_with(_commands)
    roles.ask_with(_roles)
