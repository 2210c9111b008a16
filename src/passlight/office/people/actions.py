"""Commands on people: find or make them by document, register, relink, erase.

People are made under one lock, so that ordinals are dense and one document never makes two.
Where facts land in the same transaction, people come first: both locks, always in this order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.documents import Document
from passlight.core.kernel.entropy import Entropy
from passlight.office.facts.actions import land_facts
from passlight.office.facts.intake import NewFact
from passlight.office.people.identity import (
    DOCUMENTS_DOMAIN,
    FACTS_DOMAIN,
    NAME_DOMAIN,
    PREFIXES,
    VISITS_DOMAIN,
    NewPerson,
    claim_cell,
    document_cell,
    name_content,
    person_cell,
)
from passlight.office.people.models import DocumentLink, IdentityTask, Person
from passlight.office.people.vault import vault
from passlight.runtime.clock import SystemClock, SystemEntropy

PEOPLE_LOCK = 0x9A55_0004
SOURCE = "registration"
BATCH = 2_000
T = TypeVar("T")
CLOCK, ENTROPY = SystemClock(), SystemEntropy()
SEALED_COLUMNS = ("name_sealed", "name_mark", "phone_sealed", "birth_sealed")
STORE_SEALED = """
UPDATE people_person AS p SET name_sealed = v.name_sealed, name_mark = v.name_mark,
  phone_sealed = v.phone_sealed, birth_sealed = v.birth_sealed
FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[])
  AS v (id, name_sealed, name_mark, phone_sealed, birth_sealed)
WHERE p.id = v.id
"""


def pseudonym(domain: str, document: Document) -> str:
    """Return the document's pseudonym in one domain, with the domain's prefix."""
    return PREFIXES[domain] + vault().pseudonym(domain, document)


def people_for_documents(
    documents: Iterable[Document], *, clock: Clock = CLOCK, entropy: Entropy = ENTROPY
) -> dict[Document, Person]:
    """Return the person of every document, making those that nobody has named before."""
    found: dict[Document, Person] = {}
    for batch in _batches(list(dict.fromkeys(documents))):
        handles = {pseudonym(DOCUMENTS_DOMAIN, document): document for document in batch}
        known = _people_of(handles)
        if len(known) < len(handles):
            with transaction.atomic():
                _lock()
                known = _people_of(handles)
                missing = {h: d for h, d in handles.items() if h not in known}
                known |= _make(missing, clock=clock, entropy=entropy)
        found |= {document: known[handle] for handle, document in handles.items()}
    return found


def register_person(
    new: NewPerson, *, clock: Clock = CLOCK, entropy: Entropy = ENTROPY, source: str = SOURCE
) -> Person:
    """Register one person; see ``register_people``."""
    return register_people([new], clock=clock, entropy=entropy, source=source)[0]


def register_people(
    people: Sequence[NewPerson],
    *,
    clock: Clock = CLOCK,
    entropy: Entropy = ENTROPY,
    source: str = SOURCE,
) -> list[Person]:
    """Register people and return them in order; thousands a second.

    Somebody already known by one of the documents is completed, never doubled. A name that
    differs from the registered one changes nothing and leaves an identity task (E43); so does
    one whose documents name two people already: it is the first document's. Every first
    registration lands a ``person.registered`` fact, so a first status is published.
    """
    result: list[Person] = []
    for batch in _batches(list(people)):
        with transaction.atomic():
            _lock()
            result += _Registration(clock=clock, entropy=entropy, source=source).run(batch)
    return result


def end_document(link: DocumentLink, *, clock: Clock = CLOCK) -> None:
    """End a document's link to its person: lost, expired, or never theirs."""
    DocumentLink.objects.filter(pk=link.pk, valid_until=None).update(valid_until=clock.now())


def erase_person(person: Person, *, clock: Clock = CLOCK) -> None:
    """Destroy the person's data key: name, documents and phone cannot be read by anybody.

    The row is marked first; a crash between the two is finished by calling this again.
    """
    Person.objects.filter(pk=person.pk).update(erased_at=clock.now())
    transaction.on_commit(lambda: vault().erase(str(person.pk)))


@dataclass(slots=True, kw_only=True)
class _Registration:
    """One batch of registrations inside its transaction."""

    clock: Clock
    entropy: Entropy
    source: str

    def run(self, batch: Sequence[NewPerson]) -> list[Person]:
        handles = {pseudonym(DOCUMENTS_DOMAIN, d): d for new in batch for d in new.documents}
        known = _people_of(handles)
        firsts = self._firsts(batch, known)
        known |= _make(firsts, clock=self.clock, entropy=self.entropy)
        people = [self._person_of(new, known) for new in batch]
        self._link_others(batch, people, known)
        fresh: dict[UUID, tuple[Person, NewPerson]] = {}
        claims: list[_Claim] = []
        for new, person in zip(batch, people, strict=True):
            mark = vault().mark(NAME_DOMAIN, name_content(person.pk, new.name))
            if person.name_mark is None:
                person.name_mark = mark
                fresh[person.pk] = (person, new)
            elif bytes(person.name_mark) != mark:
                claims.append(_Claim(person, new, mark, None))
            claims += [  # the first document's person is the one that was found
                _Claim(person, new, mark, handle)
                for handle in _handles(new)[1:]
                if known[handle].pk != person.pk
            ]
        self._complete(list(fresh.values()))
        self._leave_tasks(claims)
        self._announce([person for person, _ in fresh.values()])
        return people

    def _firsts(
        self, batch: Sequence[NewPerson], known: Mapping[str, Person]
    ) -> dict[str, Document]:
        """Return the first documents of those whom no document names yet."""
        firsts = {}
        for new in batch:
            handles = _handles(new)
            if not any(handle in known for handle in handles):
                firsts[handles[0]] = new.documents[0]
        return firsts

    def _person_of(self, new: NewPerson, known: Mapping[str, Person]) -> Person:
        return next(known[handle] for handle in _handles(new) if handle in known)

    def _link_others(
        self, batch: Sequence[NewPerson], people: Sequence[Person], known: dict[str, Person]
    ) -> None:
        """Link further documents; one that names another person already stays theirs."""
        links = {}
        for new, person in zip(batch, people, strict=True):
            for document in new.documents:
                handle = pseudonym(DOCUMENTS_DOMAIN, document)
                if handle not in known:
                    known[handle] = person
                    links[handle] = (person, document)
        _link(links, clock=self.clock, entropy=self.entropy)

    def _complete(self, fresh: Sequence[tuple[Person, NewPerson]]) -> None:
        """Seal and store the fields of those who are registered for the first time."""
        wanted: list[tuple[Person, str, str]] = []
        for person, new in fresh:
            wanted.append((person, "name_sealed", new.name.strip()))
            if new.phone:
                wanted.append((person, "phone_sealed", new.phone))
            if new.born_on is not None:
                wanted.append((person, "birth_sealed", new.born_on.isoformat()))
        cells = [(person_cell(person.pk, column), text) for person, column, text in wanted]
        for (person, column, _), sealed in zip(wanted, vault().seal(cells), strict=True):
            setattr(person, column, sealed)
        with connection.cursor() as cursor:
            cursor.execute(
                STORE_SEALED,
                [
                    [person.pk for person, _ in fresh],
                    *([getattr(p, column) for p, _ in fresh] for column in SEALED_COLUMNS),
                ],
            )

    def _leave_tasks(self, claims: Sequence["_Claim"]) -> None:
        """Record what was claimed of a document, a second name or a second person's; no more."""
        rows = []
        for claim in claims:
            link = _link_of(_handles(claim.new)[0])
            other = _link_of(claim.other) if claim.other is not None else None
            rows.append((link, other, claim))
        cells = [
            (claim_cell(claim.person.pk, link.pk, claim.mark), claim.new.name.strip())
            for link, _, claim in rows
        ]
        IdentityTask.objects.bulk_create(
            [
                IdentityTask(
                    document=link,
                    other=other,
                    name_sealed=text,
                    name_mark=claim.mark,
                    source=self.source,
                    recorded_at=self.clock.now(),
                )
                for (link, other, claim), text in zip(rows, vault().seal(cells), strict=True)
            ],
            ignore_conflicts=True,  # the same claim again is the same task
        )

    def _announce(self, people: Sequence[Person]) -> None:
        now = self.clock.now()
        facts = [
            NewFact(
                fact_id=f"registered:{person.facts_key}",
                kind="person.registered",
                subject=person.facts_key,
                occurred_at=now,
                source=self.source,
                payload={},
            )
            for person in people
        ]
        if facts:
            land_facts(facts, batch_id=self.source, clock=self.clock).require_all()


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one registration claims beside the register: a name, or another's document."""

    person: Person
    new: NewPerson
    mark: bytes
    other: str | None


def _handles(new: NewPerson) -> list[str]:
    return [pseudonym(DOCUMENTS_DOMAIN, document) for document in new.documents]


def _link_of(handle: str) -> DocumentLink:
    return DocumentLink.objects.get(handle=handle, valid_until=None)


def _people_of(handles: Iterable[str]) -> dict[str, Person]:
    links = DocumentLink.objects.filter(handle__in=list(handles), valid_until=None)
    return {link.handle: link.person for link in links.select_related("person")}


def _make(
    documents: Mapping[str, Document], *, clock: Clock, entropy: Entropy
) -> dict[str, Person]:
    """Make a person for each document; the caller holds the lock and knows there is none."""
    last = Person.objects.aggregate(last=Max("ordinal"))["last"]
    first = 0 if last is None else last + 1
    people = {
        handle: Person(
            id=_uuid(entropy),
            ordinal=first + position,
            facts_key=pseudonym(FACTS_DOMAIN, document),
            visits_key=pseudonym(VISITS_DOMAIN, document),
            registered_at=clock.now(),
        )
        for position, (handle, document) in enumerate(documents.items())
    }
    Person.objects.bulk_create(people.values(), batch_size=BATCH)
    _link(
        {handle: (people[handle], document) for handle, document in documents.items()},
        clock=clock,
        entropy=entropy,
    )
    return people


def _link(links: Mapping[str, tuple[Person, Document]], *, clock: Clock, entropy: Entropy) -> None:
    ids = [_uuid(entropy) for _ in links]
    cells = [
        (document_cell(person.pk, key), document.number)
        for key, (person, document) in zip(ids, links.values(), strict=True)
    ]
    sealed = vault().seal(cells)
    rows = zip(ids, links.items(), sealed, strict=True)
    DocumentLink.objects.bulk_create(
        [
            DocumentLink(
                id=key,
                person=person,
                type=document.type.value,
                handle=handle,
                number_sealed=number,
                valid_from=clock.now(),
            )
            for key, (handle, (person, document)), number in rows
        ],
        batch_size=BATCH,
    )


def _batches(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PEOPLE_LOCK])


def _uuid(entropy: Entropy) -> UUID:
    return UUID(bytes=entropy.token(16), version=4)
