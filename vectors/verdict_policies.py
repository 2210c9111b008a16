"""The policies of the verdict vectors, written out by hand: each isolates one thing."""

from typing import Any

HALL = "方案三（二）1"
STAFF = "方案三（二）4"


def failure(outcome: str, zh: str, en: str, basis: str = "setting") -> dict[str, Any]:
    return {"outcome": outcome, "say": {"zh": zh, "en": en}, "basis": basis}


FAILURES = {
    "red": failure("isolate", "红码。", "Red code.", "方案三（二）5"),
    "yellow": failure("isolate", "黄码。", "Yellow code.", "方案三（二）5"),
    "unknown": failure("ask", "无法确认。", "Not confirmed."),
    "expired": failure("ask", "已过期。", "Expired."),
    "not-found": failure("ask", "未找到。", "Not found."),
    "closed": failure("ask", "已停用。", "Closed."),
    "test": failure("refuse", "检测过期。", "Test too old.", HALL),
    "test-none": failure("ask", "未查到检测。", "No test found."),
    "mask": failure("ask", "请戴口罩。", "Mask, please.", HALL),
    "temperature": failure("isolate", "体温异常。", "Fever.", HALL),
    "symptoms": failure("isolate", "有症状。", "Symptoms.", HALL),
    "travel": failure("ask", "旅居情况。", "Travel."),
    "declaration": failure("ask", "请回答。", "Please answer."),
    "full": failure("refuse", "已满。", "Full."),
    "registration": failure("ask", "请登记。", "Please register."),
    "guardian": failure("ask", "监护人。", "Guardian."),
}
ADMITTING = {
    "mask": failure("admit", "看口罩。", "Mask not seen."),
    "questions": failure("admit", "未询问。", "Not asked."),
    "temperature": failure("ask", "请测温。", "Not measured."),
    "room": failure("ask", "请稍候。", "Room not known."),
}
STRICT = {
    "mask": failure("ask", "看口罩。", "Mask not seen."),
    "questions": failure("ask", "未询问。", "Not asked."),
    "temperature": failure("refuse", "请测温。", "Not measured."),
    "room": failure("refuse", "请稍候。", "Room not known."),
}
QUESTIONS = [
    {
        "id": "symptoms",
        "text": {"zh": "有无症状？", "en": "Symptoms?"},
        "alarming": True,
        "requirement": "symptoms",
    },
    {
        "id": "travel",
        "text": {"zh": "到过风险地区？", "en": "Risk areas?"},
        "alarming": True,
        "requirement": "travel",
    },
]
WELL = {
    "id": "well",
    "text": {"zh": "身体是否良好？", "en": "Are you well?"},
    "alarming": False,
    "requirement": "symptoms",
}

VISITOR: dict[str, Any] = {
    "id": "vectors@1/service-hall/visitor",
    "role": "visitor",
    "venue_class": "service-hall",
    "colours": ["green"],
    "test": {"hours_max": 48, "counts": "elapsed"},
    "temperature": {"limit": 373, "required": True},
    "mask": True,
    "registration": True,
    "questions": QUESTIONS,
    "unobserved": ADMITTING,
    "failures": FAILURES,
    "freshness_seconds": 3600,
    "basis": HALL,
}


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**base, **changes}


def outcomes(**wanted: str) -> dict[str, Any]:
    """The same failures with other outcomes, by name with _ for -."""
    found = dict(FAILURES)
    for name, outcome in wanted.items():
        key = name.replace("_", "-")
        found[key] = {**found[key], "outcome": outcome, "basis": "setting"}
    return found


POLICIES: dict[str, dict[str, Any]] = {
    "visitor": VISITOR,
    "staff": changed(
        VISITOR,
        id="vectors@1/service-hall/staff",
        role="staff",
        test={"hours_max": 24, "counts": "elapsed"},
        basis=STAFF,
    ),
    "staff-reentry": changed(
        VISITOR, id="vectors@1/service-hall/staff-reentry", role="staff-reentry", questions=[]
    ),
    "calendar": changed(
        VISITOR, id="vectors@2/service-hall/visitor", test={"days_max": 2, "counts": "calendar"}
    ),
    "same-day": changed(
        VISITOR, id="vectors@3/service-hall/visitor", test={"days_max": 0, "counts": "calendar"}
    ),
    "now-only": changed(
        VISITOR, id="vectors@4/service-hall/visitor", test={"hours_max": 0, "counts": "elapsed"}
    ),
    "strict": changed(VISITOR, id="vectors@5/service-hall/visitor", unobserved=STRICT),
    "unmeasured": changed(
        VISITOR,
        id="vectors@6/service-hall/visitor",
        temperature={"limit": 373, "required": False},
    ),
    "housing": {
        **VISITOR,
        "id": "vectors@1/housing/visitor",
        "venue_class": "housing",
        "test": None,
        "temperature": None,
        "mask": False,
        "questions": [],
        "registration": False,
        "basis": "setting",
    },
    "2020": changed(
        VISITOR,
        id="vectors@2020/service-hall/visitor",
        test=None,
        unobserved={**STRICT, "mask": ADMITTING["mask"], "temperature": ADMITTING["temperature"]},
        failures=outcomes(yellow="refuse"),
        basis="四平路街道，措施5",
    ),
    "yellow-too": changed(
        VISITOR, id="vectors@7/service-hall/visitor", colours=["green", "yellow"]
    ),
    "equal": changed(
        VISITOR,
        id="vectors@8/service-hall/visitor",
        failures=outcomes(
            test="ask", temperature="ask", symptoms="ask", full="ask", red="refuse", yellow="ask"
        ),
        unobserved=STRICT,
    ),
    "hospital": changed(
        VISITOR,
        id="vectors@1/hospital/visitor",
        venue_class="hospital",
        failures=outcomes(test="ask", full="ask"),
    ),
    "well": changed(VISITOR, id="vectors@9/service-hall/visitor", questions=[WELL, *QUESTIONS]),
}
