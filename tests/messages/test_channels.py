"""Apprise's channels against a real server, addresses as people paste them, and the file."""

from pathlib import Path

import apprise
import pytest

from passlight.core.kernel.problem import ProblemError
from passlight.messages.addresses import apprise_url, mask_address, read_address
from passlight.messages.channels import Channels
from passlight.messages.config import read_config
from passlight.messages.faults import PermanentError, TemporaryError
from passlight.messages.text import message
from tests.notices.conftest import Receiver, receiver  # noqa: F401  # a fixture

TOLD = message("messages.incident_closed", {"hall": "清河街道中心", "number": "0608-03"}, "zh")
NOTHING = Channels(sms=None, mail_server="")
KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


def test_a_message_arrives_with_title_and_body(receiver: Receiver) -> None:  # noqa: F811
    NOTHING.send("url", receiver.url, TOLD)
    assert receiver.taken[0]["title"] == "随行码通知"
    assert receiver.taken[0]["message"] == "清河街道中心0608-03已结案。"


def test_a_refusal_is_an_error_and_not_silence(receiver: Receiver) -> None:  # noqa: F811
    receiver.status = 500
    with pytest.raises(TemporaryError):
        NOTHING.send("url", receiver.url, TOLD)


@pytest.mark.parametrize(
    ("channel", "address", "fault"),
    [
        ("sms", "13812342261", "not-configured"),
        ("mail", "a@example.cn", "not-configured"),
        ("url", "nothing://x", "address"),
    ],
)
def test_what_is_not_set_up_says_so(channel: str, address: str, fault: str) -> None:
    with pytest.raises(PermanentError) as raised:
        NOTHING.send(channel, address, TOLD)
    assert raised.value.fault == fault


@pytest.mark.parametrize(
    ("channel", "typed", "url"),
    [
        ("wecom", KEY, f"wecombot://{KEY}"),
        (
            "wecom",
            f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
            f"wecombot://{KEY}",
        ),
        ("dingtalk", "a" * 64, "dingtalk://" + "a" * 64),
        (
            "dingtalk",
            f"https://oapi.dingtalk.com/robot/send?access_token={'a' * 64}",
            "dingtalk://" + "a" * 64,
        ),
        ("dingtalk", "a" * 64 + "/SEC" + "b" * 64, f"dingtalk://SEC{'b' * 64}@{'a' * 64}"),
        ("feishu", "c" * 36, "feishu://" + "c" * 36),
        (
            "feishu",
            "https://open.feishu.cn/open-apis/bot/v2/hook/" + "c" * 36,
            "feishu://" + "c" * 36,
        ),
    ],
)
def test_robots_as_people_paste_them(channel: str, typed: str, url: str) -> None:
    made = apprise_url(channel, read_address(channel, typed))
    assert made == url
    NOTHING_LOADED = apprise.Apprise.instantiate(made)  # the library itself takes it
    assert NOTHING_LOADED is not None


def test_mail_goes_through_the_installations_server() -> None:
    made = apprise_url("mail", "a+b@example.cn", mail_server="mailto://u:p@smtp.example.cn")
    assert made == "mailto://u:p@smtp.example.cn?to=a%2Bb%40example.cn"


@pytest.mark.parametrize(
    ("channel", "typed"),
    [
        *(("wecom", "short"), ("wecom", ""), ("mail", "nobody"), ("sms", "5978 0110")),
        *(
            ("sms", "138123422"),
            ("url", "nothing://x"),
            ("url", "x" * 501),
            ("feishu", "有空格" * 9),
        ),
        ("dingtalk", "a" * 64 + "/SECx"),
    ],
)
def test_wrong_addresses_are_refused(channel: str, typed: str) -> None:
    with pytest.raises(ProblemError) as raised:
        read_address(channel, typed)
    assert raised.value.problems[0].code == f"notices.field.address_{channel}"


def test_masks() -> None:
    assert mask_address("sms", "13812342261") == "138****2261"
    assert mask_address("mail", "wang@example.cn") == "w***@example.cn"
    assert mask_address("wecom", KEY) == "****5aaa"
    assert mask_address("url", "json://user:secret@host/x") == "json://****"


GOOD = """
sms = "aliyun"
[mail]
url = "mailtos://u:p@smtp.example.cn"
[aliyun]
key_id = "id"
key_secret = "secret-1"
sign_name = "随行码"
[aliyun.templates]
"messages.step_late" = "SMS_1"
"""


def test_the_file_is_read_and_kept_to_itself(tmp_path: Path) -> None:
    assert read_config(tmp_path).sms == "", "without it, the bell and the robots"
    (tmp_path / "messages.toml").write_text(GOOD)
    config = read_config(tmp_path)
    assert config.templates["aliyun"] == {"messages.step_late": "SMS_1"}
    assert "secret-1" not in repr(config)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("[mail]", "[post]", "post"),
        ('key_id = "id"', "", "aliyun.key_id"),
        ('key_id = "id"', "key_id = 1", "aliyun.key_id"),
        ('key_id = "id"', 'key_id = "id"\nother = "x"', "aliyun.other"),
        ('sms = "aliyun"', 'sms = "tencent"', "sms"),
        ('sms = "aliyun"', 'sms = "mail"', "sms"),
        ('"messages.step_late"', '"messages.nothing"', "aliyun.templates"),
        ('"SMS_1"', "7", "aliyun.templates"),
        ("[mail]", "[mail", None),
    ],
)
def test_a_wrong_file_names_the_field(tmp_path: Path, old: str, new: str, field: str) -> None:
    assert old in GOOD
    (tmp_path / "messages.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ProblemError) as raised:
        read_config(tmp_path)
    assert raised.value.problems[0].field == field
    assert "secret-1" not in str(raised.value)
