"""How numbers, days and times are written (``ui.md`` 7): one place, both languages.

Times are shown in the installation's zone (Asia/Shanghai), 24 hours, seconds only on live
clocks and evidence.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from passlight.runtime.catalogue import Language

WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MINUTES_PER_HOUR = 60


def short_day(moment: datetime, language: Language) -> str:
    """Return ``6月8日`` or ``8 Jun``."""
    local = timezone.localtime(moment)
    if language == "en":
        return f"{local.day} {MONTHS[local.month - 1]}"
    return f"{local.month}月{local.day}日"


def long_day(moment: datetime, language: Language) -> str:
    """Return ``2022年6月8日 周三`` or ``Wed 8 Jun 2022``."""
    local = timezone.localtime(moment)
    weekday = WEEKDAYS[language][local.weekday()]
    if language == "en":
        return f"{weekday} {short_day(moment, 'en')} {local.year}"
    return f"{local.year}年{short_day(moment, 'zh')} {weekday}"


def week_day(moment: datetime, language: Language) -> str:
    """Return ``6月8日 周三`` or ``Wed 8 Jun``."""
    weekday = WEEKDAYS[language][timezone.localtime(moment).weekday()]
    day = short_day(moment, language)
    return f"{weekday} {day}" if language == "en" else f"{day} {weekday}"


def time_of_day(moment: datetime, *, seconds: bool = False) -> str:
    """Return ``10:42``, with seconds where they are evidence."""
    return timezone.localtime(moment).strftime("%H:%M:%S" if seconds else "%H:%M")


def day_and_time(moment: datetime, language: Language) -> str:
    """Return ``6月8日 10:42`` or ``8 Jun 10:42``."""
    return f"{short_day(moment, language)} {time_of_day(moment)}"


def long_moment(moment: datetime, language: Language) -> str:
    """Return ``2022年6月8日 10:42`` or ``8 Jun 2022 10:42``: a moment of any year."""
    year, day = timezone.localtime(moment).year, short_day(moment, language)
    dated = f"{day} {year}" if language == "en" else f"{year}年{day}"
    return f"{dated} {time_of_day(moment)}"


def record_time(moment: datetime) -> str:
    """Return ``2022-06-08 10:42:07``: files and tables of records."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")


def amount_of_time(length: timedelta, language: Language) -> str:
    """Return ``1时30分`` or ``1 h 30 min``; less than a minute in seconds."""
    seconds = max(0, int(length.total_seconds()))
    hours, minutes = divmod(seconds // 60, MINUTES_PER_HOUR)
    if language == "en":
        parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
        return " ".join(part for part in parts if part) or f"{seconds} s"
    parts = [f"{hours}时" if hours else "", f"{minutes}分" if minutes else ""]
    return "".join(parts) or f"{seconds}秒"


def thousands(value: float) -> str:
    """Return ``12,480``; a minus is a minus sign."""
    return f"{value:,}".replace("-", "−")
