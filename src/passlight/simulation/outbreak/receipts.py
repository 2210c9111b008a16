"""Receipts told again: from the facts file and the pack, to the byte.

A receipt holds the moment, the knowledge and a digest. Whoever has the facts file can work the
line out anew and compare; nothing that the world kept in memory is used.
"""

from collections.abc import Iterator

from passlight.core.facts.book import FactBook
from passlight.core.facts.form import parse_line
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import deliveries_of
from passlight.core.status.line import status_line
from passlight.simulation.outbreak.city_pack import city_pack
from passlight.simulation.outbreak.colours import digest_of
from passlight.simulation.outbreak.hours import instant, second_of
from passlight.simulation.outbreak.loop import Outbreak, Receipt
from passlight.simulation.outbreak.town import person_of, subject_of


def reproduced(world: Outbreak) -> Iterator[tuple[Receipt, bool]]:
    """Yield every receipt and whether the same question gives the same bytes again.

    Only the facts that ever named somebody with a receipt are read, in all their versions.
    """
    people = {subject_of(receipt.person).encode() for receipt in world.receipts}
    pack = city_pack(world.setting.pack)
    schedule = PackSchedule.only(pack)
    book = FactBook()
    first: dict[int, int] = {}
    with world.intake.facts_path.open("rb") as file:
        wanted = {_part(line, _FACT_ID) for line in file if _part(line, _SUBJECT) in people}
        file.seek(0)
        for line in file:
            about_person = _part(line, _SUBJECT).startswith(b"p-")
            if about_person and _part(line, _FACT_ID) not in wanted:
                continue
            fact = parse_line(line)
            book.add(fact)
            if fact.about_person:
                person, second = person_of(fact.subject), second_of(fact.recorded_at)
                first[person] = min(first.get(person, second), second)
    areas = AreaHistory.of(book.area_facts, schedule.area_codes)
    deliveries = deliveries_of(book.source_facts)
    visitors = frozenset(world.town.visitors().tolist())
    for receipt in world.receipts:
        person, subject = receipt.person, subject_of(receipt.person)
        timeline = evaluate(
            schedule,
            book.versions([subject]),
            areas=areas,
            known_at=instant(receipt.known),
            identified=person not in visitors or first.get(person, 2**62) <= receipt.known,
            subject=subject,
            members=(subject,),
            deliveries=deliveries,
        )
        line = status_line(timeline.status(instant(receipt.at)))
        yield receipt, digest_of(line, pack) == receipt.answer.digest


_SUBJECT, _FACT_ID = b'"subject":"', b'"fact_id":"'


def _part(line: bytes, key: bytes) -> bytes:
    """Return the text that follows ``key`` on a line of a facts file."""
    return line.split(key, 1)[1].split(b'"', 1)[0]
