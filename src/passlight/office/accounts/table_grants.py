"""What each database role may do with each table: the one place where that is written.

Add your table here in the commit that makes it. ``{}`` means: the owner alone. A privilege
is PostgreSQL's own word; ``SELECT (a, b)`` gives columns. Rules that a test holds:
facts, statuses and records are append-only for everybody but the owner, nobody but the
evaluator inserts a status, and sealed columns are the office's alone.
"""

from collections.abc import Mapping

from passlight.runtime.database import Role

READ = "SELECT"
APPEND = "SELECT, INSERT"
WRITE = "SELECT, INSERT, UPDATE"
CHANGE = "SELECT, INSERT, UPDATE, DELETE"

GRANTS: Mapping[str, Mapping[Role, str]] = {
    # Django
    "auth_group": {},
    "auth_group_permissions": {},
    "auth_permission": {},
    "django_content_type": {},
    "django_migrations": {Role.OFFICE: READ, Role.EVALUATOR: READ},
    "django_session": {Role.OFFICE: CHANGE},
    # accounts
    "accounts_unit": {Role.OFFICE: WRITE, Role.GATEWAY: "SELECT (id, path)"},
    "accounts_user": {Role.OFFICE: WRITE},
    "accounts_registration": {Role.OFFICE: WRITE},
    "accounts_revocation": {Role.OFFICE: APPEND, Role.GATEWAY: READ},
    "accounts_loginfailure": {Role.OFFICE: "SELECT, INSERT, DELETE"},
    # people
    "people_person": {
        Role.OFFICE: "SELECT, INSERT, "
        "UPDATE (name_sealed, name_mark, phone_sealed, birth_sealed, erased_at)",
        Role.EVALUATOR: "SELECT (ordinal, facts_key)",
        Role.GATEWAY: "SELECT (ordinal, visits_key)",
    },
    "people_document": {Role.OFFICE: "SELECT, INSERT, UPDATE (valid_until)"},
    "people_access": {Role.OFFICE: APPEND},
    "people_identitytask": {Role.OFFICE: APPEND},
    # facts
    "facts_fact": {Role.OFFICE: APPEND, Role.EVALUATOR: READ},
    # feeds: counts move on while a batch lands; what was put aside stays as it was
    "feeds_feed": {Role.OFFICE: WRITE},
    "feeds_batch": {Role.OFFICE: WRITE},
    "feeds_quarantinedrow": {Role.OFFICE: APPEND},
    "feeds_doubt": {Role.OFFICE: APPEND},
    "feeds_publishedlist": {Role.OFFICE: WRITE},
    # packs: stored and published by the office, read by the worker
    "packs_pack": {Role.OFFICE: APPEND, Role.EVALUATOR: READ},
    "packs_publication": {Role.OFFICE: APPEND, Role.EVALUATOR: READ},
    "packs_preview": {Role.OFFICE: WRITE},
    # statuses: the evaluator alone writes; everybody else reads what is published
    "statuses_publication": {Role.OFFICE: READ, Role.EVALUATOR: APPEND, Role.GATEWAY: READ},
    "statuses_reason": {Role.OFFICE: READ, Role.EVALUATOR: APPEND, Role.GATEWAY: READ},
    "statuses_task": {Role.OFFICE: READ, Role.EVALUATOR: APPEND},
    "statuses_heartbeat": {Role.OFFICE: READ, Role.EVALUATOR: WRITE, Role.GATEWAY: READ},
    "statuses_switch": {Role.OFFICE: READ, Role.EVALUATOR: WRITE},
    # recompute: what the whole city's evaluation found, and whom to evaluate again; no colours
    "recompute_request": {Role.OFFICE: APPEND, Role.EVALUATOR: READ},
    "recompute_run": {Role.OFFICE: WRITE},
    "recompute_difference": {Role.OFFICE: WRITE},
    # keyring: the worker renews keys every hour
    "keyring_trustlist": {Role.OFFICE: READ, Role.EVALUATOR: APPEND, Role.GATEWAY: READ},
    # venues
    "venues_venue": {Role.OFFICE: WRITE, Role.GATEWAY: READ},
    "venues_entrance": {Role.OFFICE: WRITE, Role.GATEWAY: READ},
    # halls: plans and leases end and never change; gateways move the places of a zone
    "halls_hall": {
        Role.OFFICE: "SELECT, INSERT, UPDATE (state, state_reason, state_by_id, state_at)",
        Role.GATEWAY: READ,
    },
    "halls_zone": {
        Role.OFFICE: "SELECT, INSERT, UPDATE (name, name_en, cap, turn)",
        Role.GATEWAY: "SELECT, UPDATE (turn)",
    },
    "halls_plan": {
        Role.OFFICE: "SELECT, INSERT, UPDATE (withdrawn_by_id, withdrawn_at)",
        Role.GATEWAY: READ,
    },
    "halls_staff": {Role.OFFICE: "SELECT, INSERT, UPDATE (ended_by_id, ended_at)"},
    "halls_duty": {Role.OFFICE: "SELECT, INSERT, UPDATE (withdrawn_at)"},
    "halls_door_places": {Role.OFFICE: WRITE, Role.GATEWAY: WRITE},
    "halls_lease": {Role.OFFICE: WRITE, Role.GATEWAY: WRITE},
    "halls_hold": {Role.OFFICE: READ, Role.GATEWAY: APPEND},
    "halls_correction": {Role.OFFICE: APPEND},
    # records: appended by gateways, read by the office
    "records_record": {Role.OFFICE: READ, Role.GATEWAY: "SELECT (key, digest), INSERT"},
    # gates: the office lets devices in and publishes what doors follow, gateways append
    "gates_device": {
        # Its key, its door and who invited it stay what they were.
        Role.OFFICE: "SELECT, INSERT, UPDATE (state, confirmed_by_id, confirmed_at, account_id,"
        " misread, granted_at, ended_by_id, ended_at, reason, wipe_order)",
        Role.GATEWAY: "SELECT (id, state)",
    },
    "gates_token": {Role.OFFICE: "SELECT, INSERT, UPDATE (used_at, device_id)"},
    "gates_door": {Role.OFFICE: APPEND, Role.GATEWAY: READ},
    "gates_record": {
        Role.OFFICE: READ,
        Role.GATEWAY: "SELECT (device_id, boot, seq, hash, prev), INSERT",
    },
    "gates_branch": {
        Role.OFFICE: READ,
        Role.GATEWAY: "SELECT (device_id, boot, seq, hash, prev), INSERT",
    },
    "gates_report": {Role.OFFICE: READ, Role.GATEWAY: WRITE},
    "gates_alarm": {
        Role.OFFICE: "SELECT, INSERT, UPDATE (seen_by_id, seen_at)",
        # A gap that is named already raises no second alarm.
        Role.GATEWAY: "SELECT (device_id, kind, details), INSERT",
    },
    "gates_receipt": {Role.OFFICE: APPEND},
    # views: a gateway reads neither the roster nor anybody's visits
    "gates_staff": {Role.GATEWAY: READ},
    "gates_started": {Role.GATEWAY: READ},
    # notices: the outbox and its jobs; the office's process of jobs sends (office/jobs.py)
    "notices_contact": {Role.OFFICE: WRITE},
    "notices_notice": {Role.OFFICE: WRITE},
    "procrastinate_jobs": {Role.OFFICE: CHANGE},
    "procrastinate_events": {Role.OFFICE: CHANGE},
    "procrastinate_periodic_defers": {Role.OFFICE: CHANGE},
    "procrastinate_workers": {Role.OFFICE: CHANGE},
    # incidents: events, findings and evidence are appended; the trigger on records queues arrivals
    "incidents_incident": {Role.OFFICE: WRITE},
    "incidents_event": {Role.OFFICE: APPEND},
    "incidents_sight": {Role.OFFICE: APPEND},
    "incidents_record": {Role.OFFICE: APPEND},
    "incidents_arrival": {Role.OFFICE: "SELECT, UPDATE (followed_at, fault)"},
    "incidents_number": {Role.OFFICE: WRITE},
    "incidents_evidence": {Role.OFFICE: APPEND},
    "incidents_correction": {
        Role.OFFICE: "SELECT, INSERT, UPDATE (decided_by_id, decided_at, corrected, answer)",
    },
    # exposures: a trigger on records queues arrivals; events and decisions are appended
    "exposures_arrival": {Role.OFFICE: "SELECT, DELETE"},
    "exposures_position": {Role.OFFICE: WRITE},
    "exposures_parameters": {
        Role.OFFICE: "SELECT, INSERT, "
        "UPDATE (impact, impact_at, decided_by_id, decided_at, in_force_at)",
    },
    "exposures_foreign": {
        Role.OFFICE: "SELECT, INSERT, UPDATE (decided_by_id, decided_at, accepted, reason)",
    },
    "exposures_case": {Role.OFFICE: WRITE},
    "exposures_window": {Role.OFFICE: CHANGE},
    "exposures_sweep": {Role.OFFICE: CHANGE},
    "exposures_batch": {Role.OFFICE: WRITE},
    "exposures_decision": {Role.OFFICE: APPEND},
    "exposures_exposure": {Role.OFFICE: WRITE},
    "exposures_event": {Role.OFFICE: APPEND},
    "exposures_location": {
        Role.OFFICE: "SELECT, INSERT, UPDATE (withdrawn_by_id, withdrawn_at)",
    },
}
