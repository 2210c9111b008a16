"""Finding a person by a typed document, wherever a page takes one: misses wait, hits are written.

A miss tells that nobody has this number, a hit that somebody has: whoever tries numbers waits
(T14), and who was found sees it in their own log.
"""

from typing import Final

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.documents import Document
from passlight.office.accounts import throttle
from passlight.office.accounts.models import User
from passlight.office.pages.formats import amount_of_time
from passlight.office.pages.language import current_language, message
from passlight.office.people.models import Person
from passlight.office.people.queries import find_by_document, log_found

# A guess is a miss: this many in a quarter of an hour, and the next search waits.
MISSES_MAX: Final = 20


def missed_too_often(user: User, clock: Clock) -> str | None:
    """Return what to say to a user who has to wait before the next search; None when not."""
    wait = throttle.wait(throttle.Guess.DOCUMENT, str(user.pk), clock, limit=MISSES_MAX)
    if wait is None:
        return None
    return message("people.find_wait", wait=amount_of_time(wait, current_language()))


def looked_up(
    document: Document, *, actor: User, purpose: str, place: str, clock: Clock
) -> Person | None:
    """Return whom a document names, and write who looked; a miss counts as a guess.

    Raises:
        UnloggedReadError: outside ``transaction.atomic``.
    """
    person = find_by_document(document)
    if person is None:
        throttle.failed(throttle.Guess.DOCUMENT, str(actor.pk), clock)
    else:
        log_found(person, actor=actor, purpose=purpose, place=place, clock=clock)
    return person
