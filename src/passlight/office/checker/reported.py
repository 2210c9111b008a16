"""What a guard is told after a report: the incident that it opened, and the next steps."""

from passlight.core.incidents.allowed import next_steps
from passlight.core.incidents.steps import Step
from passlight.office.incidents.models import RecordLink
from passlight.office.incidents.recording import read
from passlight.office.incidents.wording import masked_user, step_words
from passlight.office.records.models import Record

STEPS_SHOWN = 3
# What is of the door: who else acts afterwards, and how it ends, stands on the incident's page.
_OF_THE_DOOR = (Step.ISOLATED, Step.DUTY_LEADER_TOLD, Step.STREET_TOLD, Step.LEADING_GROUP_TOLD)


def incident_of(key: str, *, device: str) -> dict[str, object]:
    """Return number and next steps of the incident of a record that this device sent.

    The number is None until the record is in the office and was followed.
    """
    nothing: dict[str, object] = {"number": None, "steps": [], "owner": None}
    if not Record.objects.filter(key=key, actor=device).exists():
        return nothing
    link = RecordLink.objects.select_related("incident__owner").filter(pk=key).first()
    if link is None:
        return nothing
    possible = next_steps(read(link.incident))
    steps = [step_words(step) for step in _OF_THE_DOOR if step in possible]
    return {
        "number": link.incident.number,
        "steps": [dict(words) for words in steps[:STEPS_SHOWN]],
        "owner": dict(masked_user(link.incident.owner)),
    }
