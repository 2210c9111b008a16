"""The rule pack of the simulated city: a shipped pack, and what this city adds to it.

To the Jiangsu rules it adds that a positive result is red until it is confirmed or a second
test is negative, and that green needs the laboratories' daily delivery (E47): so the way from
a laboratory's result to a door, and what an outage does, can be measured.
"""

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.runtime.packs import read_pack_folder, shipped_packs

JIANGSU, SHANGHAI = "jiangsu-2021", "shanghai-2020-02"
PACKS = (JIANGSU, SHANGHAI)
FRESH_HOURS = 40
_HEAD = "existing_measures: convert\n"
_MANDATORY = f"""existing_measures: convert
  mandatory:
    - source: site
      within: {FRESH_HOURS}h
      when_stale: unknown
      text: {{zh: 检测数据未按时到达, en: Test results are late}}
"""
_POSITIVE = """
- id: screening-positive
  on: {kind: lab.result, where: {value: pos}}
  basis:
    text: 摘要：检测初筛阳性的，复核排除前为红码。
    ref: 模拟城市自定规则，供测试用
  phases:
    - colour: red
      from: trigger.occurred
      until:
        earliest:
          - next: {kind: lab.result, where: {value: neg}, since: trigger.sampled}
          - next:
              kind: case.confirmed
              since: trigger.occurred
              needs: {zh: 或转为确诊, en: Or by a confirmation}
      reason: {zh: 检测初筛阳性，待复核, en: "Test positive, to be reviewed"}
      advice: {zh: 请原地等待复核。, en: Wait for the second test.}
"""


def city_pack(name: str) -> Pack:
    """Return the pack under which a simulated city runs.

    Raises:
        ProblemError: when there is no clerk's table for it to be checked against.
    """
    if name not in PACKS:
        raise ProblemError(
            Problem(
                code="simulation.no-such-pack",
                message=f"{name!r} has no table to be checked against.",
                remedy=f"Choose one of {', '.join(PACKS)}.",
                field="pack",
            )
        )
    files = read_pack_folder(shipped_packs() / name)
    if name == JIANGSU:
        files["pack.yaml"] = files["pack.yaml"].replace(_HEAD, _MANDATORY, 1)
        files["rules/city.yaml"] = _POSITIVE
        files = {path: text for path, text in files.items() if not path.startswith("tests/")}
    return load_pack(files)
