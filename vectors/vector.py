"""One vector: the fields that every implementation reads, with what most vectors share."""

from typing import Any

from handmade import REALM, Code

SIZE = 25_500_000


def epoch(code: Code) -> int:
    """field/09 2.5 with the realm's offset of 480 minutes."""
    return (code.start + 480 - 240) // 1440


def listing(
    as_of: int, *, number: int | None, states: dict[int, int] | None = None, size: int = SIZE
) -> dict[str, Any]:
    return {
        "realm": REALM,
        "purpose": "phone" if number is not None else "paper",
        "epoch": number,
        "as_of": as_of,
        "size": size,
        "states": {str(index): state for index, state in (states or {}).items()},
    }


def list_of(code: Code, as_of: int, **more: Any) -> dict[str, Any]:
    return listing(as_of, number=epoch(code) if code.phone else None, **more)


def vector(
    name: str,
    text: str | dict[str, Any],
    now: int,
    answer: str,
    reason: str,
    *,
    code: Code,
    off: list[str] | None = None,
    instead: dict[str, Any] | None = None,
    no_control: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """``code`` gives the list that the door carries; ``off`` defaults to the reason itself."""
    made: dict[str, Any] = {
        "name": name,
        "text": text,
        "now": now,
        "trust": "main",
        "lists": [list_of(code, now - 10)],
        "policy": {"freshness_seconds": 300, "admission_point": True, "suites": [1]},
        "clock": {"disciplined_at": now - 60, "floor": 0, "power_cut": False},
        "interaction": "now",
        "document": None,
        "before": [],
        "expect": {"answer": answer, "reason": reason},
    }
    made.update(more)
    if no_control is not None:
        made["no_control"] = no_control
    elif reason != "status":
        made["control"] = {"off": [reason] if off is None else off, "set": instead or {}}
    return made


def row(number: int, about: str, vectors: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"row": number, "about": about, **more, "vectors": vectors}
