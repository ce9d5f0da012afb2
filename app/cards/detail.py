"""The detail of a card (decision 69): what to do, why, what is blocked or missing; then the sources; then remarks.

What stands above the sources is a first screen that is read in seconds. What does not fit there stands below them, and
what does not fit the card is counted: the explanation of the card has all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.advice.draft import NAMES
from app.advice.model import Advice, Cited, OptionStatus, Role
from app.cards import drug_lines
from app.cards.explanation import EvidenceRenderer
from app.cards.length import (
    CARD_WORDS,
    FIRST_SCREEN_CHARACTERS,
    FIRST_SCREEN_WORDS,
    USUAL_WORDS,
    WordCount,
    count_words,
    words_in,
)
from app.cards.summary import action_of
from app.cards.wording import Wording, escaped
from app.chart import Availability

FACTS = 10
"""Most facts that a card lists."""
_MORE = 8
"""Words that are kept free for the line that counts what is left out."""


def detail_of(advice: Advice, wording: Wording, facts: EvidenceRenderer) -> str:
    """The detail as GitHub Flavored Markdown. No HTML; what came from the record is escaped."""
    phrases = wording.phrases
    deciding = list(dict.fromkeys(facts.rendered(one).line for one in advice.deciding))
    other = [line for one in advice.evidence if (line := facts.rendered(one).line) not in deciding]
    tests = [wording.locale.orderables[test.id].name for test in advice.tests]
    counts: dict[str, WordCount] = {}
    for reasons in (3, 2, 1):
        screen = _screen(advice, wording, deciding, tests, reasons, counts)
        if screen.fits:
            break
    late = screen.add(phrases.notes, _incomplete(advice, wording))
    late += screen.add(phrases.cautions, drug_lines.cautions(advice, wording))
    left = screen.add(phrases.why, deciding[1:FACTS]) + deciding[FACTS:]
    if not left:
        left = screen.add(phrases.why, list(dict.fromkeys(other))[: FACTS - len(deciding)])
    late += screen.add(phrases.notes, _notes(advice, wording))
    return _with_sources(screen, late, advice, wording)


def _screen(
    advice: Advice,
    wording: Wording,
    deciding: Sequence[str],
    tests: Sequence[str],
    reasons: int,
    counts: dict[str, WordCount],
) -> _Screen:
    """What always stands on the first screen. `reasons`: most reasons of a line about blocked drugs."""
    phrases = wording.phrases
    return _Screen(
        {
            phrases.why: list(deciding[:1]),
            phrases.options: drug_lines.options(advice, wording),
            phrases.tests: [phrases.list_separator.join(dict.fromkeys(tests))] if tests else [],
            phrases.not_suggested: drug_lines.not_suggested(advice, wording, reasons=reasons),
            phrases.missing: [wording.listed(advice.missing)] if advice.missing else [],
            phrases.cautions: [],
            phrases.notes: [],
        },
        _action(advice, wording),
        counts,
    )


class _Screen:
    """The first screen: sections with lines, which are added while there is room.

    `counts` keeps the words of each piece: most of them are on the screen whenever a line is tried.
    """

    def __init__(self, sections: dict[str, list[str]], action: str, counts: dict[str, WordCount]) -> None:
        self._sections, self._action, self._counts = sections, action, counts

    def text(self) -> str:
        """The action and the sections that have lines."""
        return "\n\n".join(filter(None, (self._action, *(_section(t, lines) for t, lines in self._sections.items()))))

    @property
    def fits(self) -> bool:
        """Whether it is within its limits."""
        return self.words <= FIRST_SCREEN_WORDS and len(self.text()) <= FIRST_SCREEN_CHARACTERS

    @property
    def words(self) -> int:
        """The words of the text."""
        filled = ((title, lines) for title, lines in self._sections.items() if any(lines))
        pieces = [self._action, *(piece for title, lines in filled for piece in (title, *lines))]
        counts = [self._count(piece) for piece in pieces]
        return WordCount(sum(one.words for one in counts), sum(one.han for one in counts)).in_words

    def _count(self, piece: str) -> WordCount:
        found = self._counts.get(piece)
        if found is None:
            found = self._counts[piece] = count_words(piece)
        return found

    def add(self, title: str, lines: Sequence[str]) -> list[str]:
        """Add lines to a section while they fit; returns those that do not."""
        section, left = self._sections[title], []
        for line in dict.fromkeys(lines):
            section.append(line)
            if not self.fits:
                section.pop()
                left.append(line)
        return left


def _section(title: str, lines: Iterable[str]) -> str:
    items = [f"- {line}" for line in lines if line]
    return "\n".join([f"**{title}**", "", *items]) if items else ""


def _with_sources(screen: _Screen, remarks: Sequence[str], advice: Advice, wording: Wording) -> str:
    """The first screen, the statements of the sources, and below them the remarks that did not fit above."""
    used, shown, left = screen.words, [], 0
    for cited, decides in statements(advice):
        line = wording.citation(cited.rule, safety=cited.role is Role.SAFETY)
        words = words_in(line)
        if used + words + _MORE <= (CARD_WORDS if decides else USUAL_WORDS):
            shown.append(line)
            used += words
        else:
            left += 1
    below = []
    for lines, limit in ((remarks, CARD_WORDS), (drug_lines.instructions(advice, wording), USUAL_WORDS)):
        for line in lines:
            words = words_in(line)
            if used + words + _MORE <= limit:
                below.append(line)
                used += words
    left += sum(line not in below for line in remarks)
    if left:
        shown.append(wording.phrases.more_facts.format(count=str(left)))
    parts = (screen.text(), _section(wording.phrases.sources, shown), _section(wording.phrases.remarks, below))
    return "\n\n".join(filter(None, parts))


def statements(advice: Advice) -> list[tuple[Cited, bool]]:
    """The statements that stand on the card, and whether each decides: deciding and safety statements come first.

    Statements about drugs that are blocked, or that are not the first option, stand there only as a reason.
    """
    order = {Role.LEAD: 0, Role.FILL: 1, Role.SAFETY: 2}
    triggers = {cited.id for cited in advice.triggered_by}
    reasons = {cited.id for o in advice.options for cited in (*o.by, *o.blocked_by, *o.cautions)} - triggers
    first = next((o for o in advice.options if o.status is OptionStatus.OFFERED), None)
    place = {cited.id for cited in first.by} if first is not None else set()
    deciding = [c for c in advice.cited if c.id in triggers]
    safety = [c for c in advice.cited if c.rule.block.safety and c.id not in triggers | reasons]
    others = [c for c in advice.cited if c.id not in triggers | reasons and not c.rule.block.safety]
    placed = [c for c in advice.cited if c.id in place - triggers]
    decides = sorted(deciding, key=lambda c: order[c.role]) + safety
    return [(c, True) for c in decides] + [(c, False) for c in (*placed, *sorted(others, key=lambda c: order[c.role]))]


def _action(advice: Advice, wording: Wording) -> str:
    action = action_of(advice, wording)
    said = [
        wording.locale.remarks[key] for key in (*advice.replacement_text, *advice.preamble, *advice.no_drug_reasons)
    ]
    lines = [*said, action] if action and not advice.no_drug_reasons and not advice.replacement_text else said
    if after := wording.after(advice.id):
        lines = [*lines, after]
    if advice.kind.block.purpose and not advice.no_drug_reasons:
        lines += _why_no_order(advice, wording)
    if advice.orders:
        lines.insert(0, _about_orders(advice, wording))
    return "\n\n".join(lines)


def _about_orders(advice: Advice, wording: Wording) -> str:
    """Which of the orders at hand the card is about: how many and, up to a limit, their different names."""
    names = [escaped(name) for name in dict.fromkeys(wording.course(order.course) for order in advice.orders)]
    if len(advice.orders) == 1:
        return wording.phrases.about_order.format(order=names[0])
    listed = wording.phrases.list_separator.join(_first(names, wording))
    return wording.phrases.about_orders.format(count=str(len(advice.orders)), orders=listed)


def _first(names: list[str], wording: Wording) -> list[str]:
    """The first names, and how many more there are."""
    more = len(names) - NAMES
    return names[:NAMES] + ([wording.phrases.more_names.format(count=str(more))] if more > 0 else [])


def _why_no_order(advice: Advice, wording: Wording) -> list[str]:
    """Why a drug card offers no order: what must be known first, or that none of the drugs can be taken."""
    statuses = {option.status for option in advice.options}
    if statuses & {OptionStatus.OFFERED, OptionStatus.NAMED}:
        return [wording.phrases.no_order_yet] if advice.no_suggestion and advice.missing else []
    if OptionStatus.BLOCKED in statuses:
        return [wording.phrases.no_drug_left]
    return [wording.phrases.none_stocked] if statuses == {OptionStatus.NOT_STOCKED} else []


def _notes(advice: Advice, wording: Wording) -> list[str]:
    remarks = wording.locale.remarks
    lines = [remarks[key] for key in advice.notes]
    if advice.data_of:
        lines.append(wording.phrases.data_of_day.format(date=advice.data_of))
    lines += [remarks[key] for key in advice.disagreements]
    said = {limit for cited in advice.cited for limit in cited.rule.local_limits}
    lines += wording.local_limits([limit for limit in advice.local_limits if limit not in said])
    lines += _formulary(advice, wording)
    names = _first([escaped(name) for name in advice.not_recognised], wording)
    lines += [wording.phrases.not_recognised.format(drug=name) for name in names]
    lines += [wording.statement(c.rule).card_note for c in advice.triggered_by]
    distinct = list(dict.fromkeys(line for line in lines if line))
    # Recommendations of one source share remarks: a line that another one contains is left out.
    return [line for line in distinct if not any(other != line and other.startswith(line) for other in distinct)]


def _formulary(advice: Advice, wording: Wording) -> list[str]:
    """The order of the source, where that of the hospital's formulary is another one."""
    shown = [option for option in advice.options if option.status in {OptionStatus.OFFERED, OptionStatus.NAMED}]
    of_source = sorted(shown, key=lambda option: (option.demoted, option.rank, option.drug.id))
    if shown == of_source:
        return []
    names = wording.phrases.list_separator.join(wording.locale.drugs[option.drug.id].name for option in of_source)
    return [wording.phrases.formulary_order.format(drugs=names)]


def _incomplete(advice: Advice, wording: Wording) -> list[str]:
    """One line that says which of the lists that the advice rests on did not come, or not wholly."""
    if not advice.incomplete:
        return []
    phrases = wording.phrases
    forms = {
        Availability.FAILED: phrases.list_failed,
        Availability.PARTIAL: phrases.list_in_part,
        Availability.ABSENT: phrases.list_not_sent,
    }
    lists = [forms[came].format(name=wording.name(key)) for key, came in advice.incomplete]
    return [wording.phrases.incomplete.format(lists=wording.phrases.list_separator.join(lists))]
