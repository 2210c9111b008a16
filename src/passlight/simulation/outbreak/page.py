"""The report of one world as a page of its own: no script, no address outside it, fit to print."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import passlight
from passlight.runtime.catalogue import Language, text
from passlight.simulation.outbreak.plots import Series, bar_plot, line_plot

STATIC = Path(passlight.__file__).parent / "office" / "static"
_OWN = """
main{max-width:1120px;margin:0 auto;padding:24px 16px;display:grid;gap:16px;align-items:start}
.frame svg{max-width:440px}.frame text{font-size:13px}.frame .ax{stroke:var(--line);fill:none}
.frame .c1{stroke:var(--c1);fill:none}.frame .c3{stroke:var(--c3);fill:none}
.frame .b1{fill:var(--c1)}.frame .b3{fill:var(--c4)}
.panel-body .table-wrap{margin:0 calc(-1 * var(--s4))}.table .num{white-space:nowrap}
code{font-family:var(--font-mono);overflow-wrap:anywhere}
details{margin-top:8px}summary{cursor:pointer;color:var(--brand-text)}
@media(min-width:960px){main{grid-template-columns:1fr 1fr}header,.wide{grid-column:1/-1}}
@media(max-width:480px){.table th,.table td{padding-left:6px;padding-right:6px}}
@media print{main{padding:0;display:block}.panel{break-inside:avoid;margin-bottom:12px}}
"""
Report = Mapping[str, Any]


class Page:
    """Writes one report in one language, with the other as its second line where it helps."""

    def __init__(self, report: Report, language: Language) -> None:
        self._report = report
        self._language = language
        self._measures: Report = report["measures"]

    def say(self, code: str, **parameters: object) -> str:
        """Return a message, escaped."""
        return escape(text(f"simulation.{code}", self._language, **parameters))

    def html(self) -> str:
        """Return the whole page."""
        styles = "".join(
            (STATIC / name).read_text(encoding="utf-8") for name in ("tokens.css", "components.css")
        )
        lang = "zh-CN" if self._language == "zh" else "en"
        other = (
            '<a href="report.en.html" lang="en">English</a>'
            if self._language == "zh"
            else '<a href="report.html" lang="zh-CN">中文</a>'
        )
        setting = self._report["setting"]
        head = self.say("setting", **{**setting, "people": f"{setting['people']:,}"})
        panels = [self._checks(), self._epidemic(), self._speed(), self._fairness(), self._doses()]
        return (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{self.say('title')} · Passlight</title><style>{styles}{_OWN}</style></head>"
            f'<body class="office"><main><header class="stack-s"><h1>{self.say("title")}</h1>'
            f"<p>{head}</p><p class='muted'>{self.say('lead')}</p><p>{other}</p>"
            f"<p>{self.say('again')}: <code>{escape(self._report['command'])}</code></p></header>"
            f"{''.join(panels)}{self._feeds()}</main></body></html>\n"
        )

    def _panel(self, title: str, body: str, note: str = "") -> str:
        foot = f'<p class="note muted">{note}</p>' if note else ""
        return (
            f'<section class="panel"><div class="panel-head"><h2>{self.say(title)}</h2></div>'
            f'<div class="panel-body stack-s">{body}{foot}</div></section>'
        )

    def _table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table whose first column names and whose others are numbers."""
        top = "".join(
            f'<th scope="col"{_number(place)}>{head}</th>' for place, head in enumerate(heads)
        )
        body = "".join(
            "<tr>"
            + "".join(f"<td{_number(place)}>{cell}</td>" for place, cell in enumerate(row))
            + "</tr>"
            for row in rows
        )
        return (
            '<div class="table-wrap"><table class="table"><thead><tr>'
            f"{top}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _checks(self) -> str:
        heads = [self.say(f"checks.{one}") for one in ("what", "looked", "wrong", "result")]
        rows = [
            (
                self.say(f"check.{one['check']}"),
                f"{one['looked_at']:,}",
                f"{one['wrong']:,}",
                self.say("checks.good" if one["good"] else "checks.bad"),
            )
            for one in self._report["checks"]
        ]
        return self._panel("checks.title", self._table(heads, rows), self.say("checks.note"))

    def curve(self, *, alone: bool = False) -> str:
        """Return the plot of new infections with and without colours."""
        guarded, unguarded = self._infections()
        lines = [
            Series(text("simulation.epidemic.unguarded", self._language), unguarded, "c3"),
            Series(text("simulation.epidemic.guarded", self._language), guarded, "c1"),
        ]
        day = text("simulation.epidemic.day", self._language)
        return line_plot(lines, label=self._label(), horizontal=day, alone=alone)

    def _infections(self) -> tuple[list[int], list[int]]:
        series = self._report["series"]
        return series["infections"], series["infections_unguarded"]

    def _label(self) -> str:
        guarded, unguarded = (f"{sum(one):,}" for one in self._infections())
        return text(
            "simulation.epidemic.label", self._language, guarded=guarded, unguarded=unguarded
        )

    def _epidemic(self) -> str:
        guarded, unguarded = self._infections()
        label, plot = self._label(), self.curve()
        heads = [self.say(f"epidemic.{one}") for one in ("day", "guarded", "unguarded")]
        rows = [
            (f"{number}", f"{one:,}", f"{other:,}")
            for number, (one, other) in enumerate(zip(guarded, unguarded, strict=True), 1)
        ]
        table = f"<details><summary>{escape(label)}</summary>{self._table(heads, rows)}</details>"
        return self._panel("epidemic.title", f'<figure class="frame">{plot}</figure>{table}')

    def _speed(self) -> str:
        names = {
            "refusal": "result_to_refusal_seconds",
            "sampled": "sampled_to_recorded_hours",
            "contact": "confirmed_to_contact_coloured_minutes",
        }
        heads = [self.say("speed.what"), "p50", "p95", "p99", self.say("speed.count")]
        rows = [
            (self.say(f"speed.{name}"), *_percentiles(self._measures[key]))
            for name, key in names.items()
        ]
        return self._panel("speed.title", self._table(heads, rows), self.say("speed.note"))

    def _fairness(self) -> str:
        found, late = self._measures, self._measures["late_green"]
        averted = found["unnecessary_yellow_days_an_averted_infection"]
        rows = [
            ("false_red", f"{100 * found['false_red_share']:.2f}%"),
            ("false_red_people", f"{found['false_red_people']:,} / {found['red_people']:,}"),
            ("yellow", f"{found['yellow_people_days']:,}"),
            ("unnecessary", f"{found['unnecessary_yellow_people_days']:,}"),
            ("untrue", f"{found['untrue_yellow_people_days']:,}"),
            ("averted", "–" if averted is None else f"{averted:,.1f}"),
            ("late", f"{late['late_refusals']:,} / {late['late_minutes']:,}"),
            ("unknown", f"{100 * found['unknown_share']:.2f}%"),
            ("receipts", f"{100 * found['receipts_reproduced_share']:.4g}%"),
            ("held", f"{found['zones_held_for_an_officer']:,} / {found['zones_kept_back']:,}"),
        ]
        heads = [self.say("fairness.measure"), self.say("fairness.value")]
        named = [(self.say(f"fairness.{name}"), value) for name, value in rows]
        return self._panel("fairness.title", self._table(heads, named))

    def bars(self, *, alone: bool = False) -> str:
        """Return the plot of recall and precision by minutes."""
        doses = self._measures["exposure_doses"]
        names = (
            text("simulation.doses.recall", self._language),
            text("simulation.doses.precision", self._language),
        )
        bars = [(f"≥ {one['minutes']}", one["recall"], one["precision"]) for one in doses]
        label = text("simulation.doses.title", self._language)
        return bar_plot(bars, names=names, label=label, alone=alone)

    def _doses(self) -> str:
        doses = self._measures["exposure_doses"]
        heads = [
            self.say(f"doses.{one}") for one in ("minutes", "true", "found", "recall", "precision")
        ]
        rows = [
            (
                f"{one['minutes']}",
                f"{one['true']:,}",
                f"{one['found']:,}",
                f"{100 * one['recall']:.1f}%",
                f"{100 * one['precision']:.1f}%",
            )
            for one in doses
        ]
        note = self.say(
            "doses.note",
            outside=f"{self._measures['infections_outside_by_traced_cases']:,}",
            named=f"{self._measures['of_them_named']:,}",
        )
        body = f'<figure class="frame">{self.bars()}</figure>{self._table(heads, rows)}'
        why = [self.say("doses.missed"), self.say("speed.count")]
        missed = [
            (self.say(f"missed.{reason}"), f"{count:,}")
            for reason, count in self._measures["exposures_missed"].items()
        ]
        return self._panel("doses.title", body + self._table(why, missed), note)

    def _feeds(self) -> str:
        heads = [self.say("feeds.source"), "p50", "p95", "p99", self.say("speed.count")]
        rows = [
            (self.say(f"source.{source}"), *_percentiles(found))
            for source, found in self._report["delays"].items()
        ]
        return self._panel("feeds.title", self._table(heads, rows), self.say("feeds.hours"))


def _number(place: int) -> str:
    return ' class="num"' if place else ""


def _percentiles(found: Mapping[str, float]) -> tuple[str, str, str, str]:
    return (
        f"{found['p50']:,}",
        f"{found['p95']:,}",
        f"{found['p99']:,}",
        f"{found['count']:,}",
    )


def write_pages(report: Report, folder: Path) -> None:
    """Write the report in both languages; Chinese is ``report.html``."""
    for language, name in (("zh", "report.html"), ("en", "report.en.html")):
        page = Page(report, language)  # type: ignore[arg-type]
        (folder / name).write_text(page.html(), encoding="utf-8")
    page = Page(report, "en")
    for name, plot in (("epidemic", page.curve(alone=True)), ("doses", page.bars(alone=True))):
        (folder / f"outbreak-{name}.svg").write_text(f"{plot}\n", encoding="utf-8")
