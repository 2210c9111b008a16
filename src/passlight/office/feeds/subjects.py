"""Whom a file's rows are about: from the source's key to the subject in the fact log.

A document or an agency's stable key becomes a person (found, or registered for the first
time); the fact carries that person's pseudonym and nothing of the document. A subject that
already is one of our pseudonyms is taken only when such a person exists.
"""

import re
from collections.abc import Iterable, Mapping

from passlight.agencies.rows import Row
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.documents import Document, DocumentType, read_document
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.people.actions import people_for_documents
from passlight.office.people.models import Person

_NO_PERSON = ("area:", "source:")
_PSEUDONYM = re.compile(r"p-[0-9a-f]{32}")
_NAMESPACED = re.compile(r"[a-z0-9][a-z0-9-]{0,31}:.+")


def subjects_for(
    rows: Iterable[Row], *, namespace: str, clock: Clock
) -> Mapping[str, str | Problem]:
    """Return for each subject of ``rows`` its subject in the log, or why it has none.

    Runs inside the caller's transaction: new people are registered there.
    """
    found: dict[str, str | Problem] = {}
    documents: dict[str, Document] = {}
    pseudonyms: set[str] = set()
    for row in rows:
        for subject in {fact.subject for fact in row.facts}:
            if subject in row.documents:
                documents[subject] = row.documents[subject]
            elif subject.startswith(_NO_PERSON):
                found[subject] = subject
            elif _PSEUDONYM.fullmatch(subject):
                pseudonyms.add(subject)
            elif subject not in documents:
                _by_key(subject, namespace, documents, found)
    people = people_for_documents(list(dict.fromkeys(documents.values())), clock=clock)
    found |= {subject: people[document].facts_key for subject, document in documents.items()}
    known = set(Person.objects.filter(facts_key__in=pseudonyms).values_list("facts_key", flat=True))
    found |= {name: name if name in known else _unknown() for name in pseudonyms}
    return found


def _by_key(
    subject: str,
    namespace: str,
    documents: dict[str, Document],
    found: dict[str, str | Problem],
) -> None:
    key = subject if _NAMESPACED.fullmatch(subject) else f"{namespace}:{subject}"
    try:
        documents[subject] = read_document(DocumentType.AGENCY.value, key)
    except ProblemError:
        found[subject] = Problem(
            code="feeds.subject-form",
            message="The subject is no key: visible ASCII without spaces, at most 80 characters.",
            remedy="Ask the source for a stable key.",
            field="subject",
        )


def _unknown() -> Problem:
    return Problem(
        code="feeds.subject-unknown",
        message="Nobody has this pseudonym.",
        remedy="Send the person's document or the agency's own key.",
        field="subject",
    )
