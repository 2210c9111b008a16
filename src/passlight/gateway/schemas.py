"""What requests and answers look like: checked on the way in, and the source of the OpenAPI."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

UUID_FORM = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# Line breaks and tabs are the only control characters that a person types.
TEXT_FORM = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Uuid = Annotated[str, Meta(pattern=UUID_FORM, description="UUID, lower case")]
Instant = Annotated[str, Meta(description="ISO 8601 with offset")]
Door = Annotated[str, Meta(pattern="^[a-z0-9-]{1,8}$", description="code of an entrance")]
Sealed = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,1024}$", description="sealed handle")]
Text = Annotated[str, Meta(max_length=500, pattern=TEXT_FORM)]
AnswerWord = Literal["green", "yellow", "red", "undetermined", "expired", "not-found", "closed"]
ColourWord = Literal["green", "yellow", "red", "unknown", "closed"]
DoorAct = Literal["admit", "ask", "refuse", "isolate", "exit", "report"]
OutcomeWord = Literal["admit", "ask", "refuse", "isolate"]
RoleWord = Literal["visitor", "staff", "staff-reentry", "companion", "courier"]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, hexadecimal")]


class Both(Struct, frozen=True):
    """A text in both languages."""

    zh: str
    en: str


class Problem(Struct, frozen=True, kw_only=True):
    """Every error: its code, what to say, and the server's time; never a colour."""

    error: str
    message: Both
    now_ms: int
    latest_end_ms: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class CodeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One code that a phone asks for; its chain is made before (PL1 2.4)."""

    start: Annotated[int, Meta(ge=0, le=0xFFFFFF, description="minutes since 2026-01-01Z")]
    lifetime: Annotated[int, Meta(ge=0, le=113, description="lifetime byte of PL1 2.1")]
    slot_code: Annotated[int, Meta(ge=0, le=3)]
    anchor: Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="v0 of the chain")]


class CodesRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One to four codes."""

    requests: Annotated[list[CodeRequest], Meta(min_length=1, max_length=4)]


class ReasonOut(Struct, frozen=True, kw_only=True):
    """Why a person has this colour: the published words."""

    key: str
    zh: str
    en: str


class NextChange(Struct, frozen=True, kw_only=True):
    """When the colour changes by itself, and into what."""

    at: Instant
    colour: ColourWord


class StatusOut(Struct, frozen=True, kw_only=True):
    """One's own status."""

    colour: ColourWord
    reason: ReasonOut | None
    advice: Both | None
    until: Instant | None
    next_change: NextChange | None
    sampled_at: Instant | None
    as_of: Instant
    now_ms: int


class IssuedCode(Struct, frozen=True, kw_only=True):
    """A code: bytes 0…97 in base64url; ``request`` is the place of what asked for it."""

    request: int
    body: str
    kind: Literal["hot", "cold"]


class RefusedCode(Struct, frozen=True, kw_only=True):
    """A code that was not made, beside others that were."""

    request: int
    error: str
    message: Both
    latest_end_ms: int | UnsetType = UNSET


class CodesOut(Struct, frozen=True, kw_only=True):
    """At least one code."""

    now_ms: int
    epoch_end_ms: int
    codes: list[IssuedCode]
    refused: list[RefusedCode]
    status: StatusOut


class TemperatureIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A temperature in tenths of a degree Celsius, and the thermometer that took it."""

    tenths: int | float
    thermometer: Annotated[str, Meta(max_length=64, pattern=TEXT_FORM)]


class RegisteredIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the visitor was registered, and under which reference."""

    how: Literal["code", "document", "paper", "guardian", "companion", "none"]
    reference: Annotated[str, Meta(max_length=64, pattern=TEXT_FORM)] = ""


class PresentedIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was observed of a visitor; what is left out was not observed."""

    temperature: TemperatureIn | None = None
    mask: Literal["yes", "no", "unobserved"] = "unobserved"
    questions: Annotated[dict[str, bool], Meta(max_length=12)] | None = None
    registered: RegisteredIn | None = None
    room: Literal["free", "full", "unknown"] = "unknown"
    emergency: bool = False


class VerdictOut(Struct, frozen=True, kw_only=True):
    """What this door does with this visitor, by its door document: one outcome, one reason."""

    outcome: OutcomeWord
    requirement: str
    say: Both
    prompt: str
    age_hours: int | None
    role: RoleWord
    policy: str


class VerificationRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checker scanned (``text``) or whom the office found by document."""

    venue: Uuid
    entrance: Door
    interaction: Uuid
    text: Annotated[str, Meta(max_length=4096)] | None = None
    subject_token: Sealed | None = None
    role: RoleWord | None = None
    """What the visitor says they are; who is staff is known here and not claimed."""
    presented: PresentedIn | None = None
    """What was observed besides; with it the answer carries the verdict of this door."""


class AnswerReason(Struct, frozen=True, kw_only=True):
    """The one reason of an answer."""

    code: str
    zh: str
    en: str


class EntranceOut(Struct, frozen=True, kw_only=True):
    """An entrance."""

    code: str
    zone: str
    name: str
    name_en: str


class VenueOut(Struct, frozen=True, kw_only=True):
    """A venue."""

    id: str
    name: str
    name_en: str
    address: str


class Place(Struct, frozen=True, kw_only=True):
    """Where something happened."""

    venue: VenueOut
    entrance: EntranceOut


class VerificationOut(Struct, frozen=True, kw_only=True):
    """One of the seven answers; an error is never red and never green."""

    answer: AnswerWord
    reason: AnswerReason
    advice: Both | None
    test_age_hours: int | None
    as_of: Instant | None
    lookup: str | None
    verification: str
    place: Place
    kind: Literal["hot", "cold", "paper", "document"] | None
    sampled_from: int | None
    """POSIX seconds of the sampling, down to the ten minutes of a code's grid."""
    recorded: bool
    """False: the answer stands, but the journal had not confirmed its record in time."""
    now_ms: int
    verdict: VerdictOut | None = None
    """None where nothing was presented, or no door document is in force here."""


class RecordIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done at a door."""

    key: Uuid
    kind: DoorAct
    venue: Uuid
    entrance: Door
    occurred_at: Annotated[str, Meta(max_length=40)]
    answer: AnswerWord
    reason: Text
    verification: Uuid | None = None
    lookup: Sealed | None = None
    note: Text = ""
    entry: dict[str, Any] | None = None
    """What was asked, measured and registered (EntryRecord); checked by the core."""


class RecordsRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch of records, sent again until acknowledged."""

    records: Annotated[list[RecordIn], Meta(min_length=1, max_length=500)]


class RefusedRecord(Struct, frozen=True, kw_only=True):
    """Why a record was not taken and will not be, however often it is sent."""

    key: str
    error: str
    message: Both


class RecordsOut(Struct, frozen=True, kw_only=True):
    """Which keys are durable, and which can never be: ``refused`` says why."""

    acknowledged: list[str]
    conflicts: list[str]
    refused: list[RefusedRecord]
    now_ms: int


class DoorQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which door."""

    venue: Uuid
    entrance: Door


class StatusesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which epoch, and what the door already holds: 0 asks for the whole."""

    epoch: Annotated[int, Meta(ge=0, le=1_000_000)]
    since: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0


class SignedOut(Struct, frozen=True, kw_only=True):
    """A signed document: the payload is base64url of the exact bytes that are signed."""

    kid: str
    payload: str
    signature: str


class DoorRecordIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sealed record with its place in the device's chain."""

    seq: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    sealed: Annotated[str, Meta(max_length=24 * 1024)]
    hash: Hash
    prev: Hash


class DoorReportIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the device is, for the office's list of devices."""

    waiting: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    feed_as_of: Annotated[int, Meta(ge=0, le=2**37)] | None = None
    software: Annotated[str, Meta(max_length=40, pattern=TEXT_FORM)] = ""
    clock_sure: bool = True


class DoorRecordsRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch of one boot of one device; without records it only reports."""

    device: Uuid
    boot: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    records: Annotated[list[DoorRecordIn], Meta(max_length=500)]
    held_from: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    """From where on the device has every number of this boot up to the first one here. What lies
    below and is not stored is gone for good: an alarm names it, and it holds up nothing."""
    report: DoorReportIn | None = None


class DoorRecordsOut(Struct, frozen=True, kw_only=True):
    """How far the records of this boot are durable: contiguous, after the commit."""

    boot: int
    highest: int
    set_aside: list[int]
    """Kept, but torn or unreadable: they count as received."""
    branch: bool
    """This batch does not follow from what the device sent before; all of it is kept beside."""
    call_office: bool
    """The office has something for this device: it asks for its grant anew."""
    now_ms: int


class CheckinRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A venue code that a resident scanned."""

    key: Uuid
    venue_token: Annotated[str, Meta(max_length=400)]
    companions: Annotated[int, Meta(ge=0, le=9)] = 0
    """How many came along who have no code of their own; only their number is kept."""
    joins: Uuid | None = None
    """The check-in that these companions belong to."""


class AsksOut(Struct, frozen=True, kw_only=True):
    """What the door of a venue asks of everybody who comes."""

    test_hours: int | None
    test_days: int | None
    mask: bool


class CheckinOut(Struct, frozen=True, kw_only=True):
    """The check-in is durable; and one's own status."""

    venue: VenueOut
    entrance: EntranceOut
    presence: Literal["weak", "strong"]
    colour: ColourWord
    reason: ReasonOut | None
    advice: Both | None
    until: Instant | None
    sampled_at: Instant | None
    as_of: Instant
    recorded_at: Instant
    repeated: bool
    now_ms: int
    verdict: VerdictOut | None = None
    """What this door will do, as far as a code says; None while it has no door document."""
    asks: AsksOut | None = None


class TimeOut(Struct, frozen=True, kw_only=True):
    """The server's time."""

    now_ms: int


class HealthOut(Struct, frozen=True, kw_only=True):
    """Whether this gateway is ready, and if not, why."""

    ready: bool
    why: list[str]
    book_age_seconds: float | None
    people: int
    database: bool
    waiting: int
    set_aside: int
    now_ms: int


class TrustOut(Struct, frozen=True, kw_only=True):
    """The signed trust list as the office made it."""

    kid: str
    payload: str
    signature: str
