"""Putting a gateway together from an installation's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.gateway.app import Parts, create_app
from passlight.gateway.auth import Authenticator
from passlight.gateway.checkins import Checkins
from passlight.gateway.database import Database
from passlight.gateway.door_feed import DoorFeed
from passlight.gateway.door_records import DoorRecords
from passlight.gateway.doors import Doors
from passlight.gateway.follower import Follower
from passlight.gateway.handlers import Handlers
from passlight.gateway.issuing import Issuing
from passlight.gateway.keys import CodeKeys
from passlight.gateway.places import Places
from passlight.gateway.published import Published
from passlight.gateway.records import Records
from passlight.gateway.venue_page import VenuePage
from passlight.gateway.verifying import Verifying
from passlight.journal.drain import Drainer
from passlight.journal.spool import Spool
from passlight.runtime.catalogue import catalogue
from passlight.runtime.keys import KeyFolder
from passlight.runtime.sealed import PURPOSE, Sealer

START_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """What a gateway is told."""

    name: str
    realm: str
    public_url: str
    keys: Path
    folder: Path
    """Where this gateway keeps its spool and its copy of what is published."""
    database_url: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway, not yet serving."""

    app: Starlette
    published: Published
    spool: Spool
    follower: Follower
    drainer: Drainer
    feed: DoorFeed


def assemble(
    config: GatewayConfig,
    *,
    clock: Clock,
    entropy: Entropy,
    make_spool: Callable[..., Spool] = Spool,
) -> Gateway:
    """Return a gateway whose threads start with its application.

    Raises:
        SpoolLockedError: when another process has the folder.
    """
    catalogue()  # read now: no answer may wait for it or miss a text
    keys = KeyFolder(config.keys)
    copy_key = keys.read_or_make(PURPOSE, entropy)
    sealer = Sealer(copy_key)
    published = Published(keys=CodeKeys(keys, realm=config.realm))
    spool = make_spool(config.folder, clock=clock)
    authenticator = _authenticator(config, published, clock=clock)
    follower = _follower(config, published, authenticator, clock=clock, copy_key=copy_key)
    drainer = Drainer(spool, url=config.database_url, gateway=config.name)
    doors_database = Database(url=config.database_url)
    doors = _doors(published, doors_database, clock=clock, sealer=sealer, name=config.name)
    checkins = Checkins(published, clock=clock, spool=spool)
    handlers = Handlers(
        published,
        clock=clock,
        spool=spool,
        issuing=Issuing(published, clock=clock, entropy=entropy, spool=spool),
        verifying=Verifying(published, clock=clock, entropy=entropy, spool=spool, sealer=sealer),
        checkins=checkins,
        records=Records(published, clock=clock, spool=spool, sealer=sealer),
        doors=doors,
        database=lambda: drainer.state.connected,
    )

    def started() -> None:
        follower.start()
        drainer.start()
        follower.settled.wait(START_SECONDS)

    def stopped() -> None:
        drainer.stop()
        follower.stop()
        doors_database.close()
        spool.close()

    app = create_app(
        Parts(
            clock=clock,
            authenticator=authenticator,
            handlers=handlers,
            venue_page=VenuePage(checkins),
            started=started,
            stopped=stopped,
        )
    )
    return Gateway(
        app=app,
        published=published,
        spool=spool,
        follower=follower,
        drainer=drainer,
        feed=doors.feed,
    )


def _doors(
    published: Published, database: Database, *, clock: Clock, sealer: Sealer, name: str
) -> Doors:
    """Return what doors ask for; ``database`` is theirs alone."""
    return Doors(
        published=published,
        feed=DoorFeed(published, clock=clock),
        records=DoorRecords(published, clock=clock, database=database, sealer=sealer, name=name),
        places=Places(clock=clock, database=database),
    )


def _authenticator(config: GatewayConfig, published: Published, *, clock: Clock) -> Authenticator:
    """Return what knows residents, checkers and gates by what the office published."""
    return Authenticator(
        clock=clock,
        realm=config.realm,
        public_url=config.public_url,
        grant_keys=published.keys.grant_keys,
        revocations=published.revocations,
    )


def _follower(
    config: GatewayConfig,
    published: Published,
    authenticator: Authenticator,
    *,
    clock: Clock,
    copy_key: bytes,
) -> Follower:
    """Return what follows the office's tables and keeps their copy."""
    return Follower(
        published,
        clock=clock,
        url=config.database_url,
        copy=config.folder / "published.copy",
        copy_key=copy_key,
        keys_changed=authenticator.forget,
    )
