"""Who says it, and as what: fact, promise or opinion; and whether it is denied."""

from __future__ import annotations

import re

from .layout import Layout, Stretch

AUTHOR = "the article"
SAYS = "表示|宣称|证实|认为|承诺|透露|写道|坦言|强调|指出|预计|预测|估计|公布|称|说|警告"
SAID = (
    "said|says|say|noted|notes|added|told|warned|argued|wrote|promised|"
    "estimates?|estimated|disclosed|doubt|expects?|expected|reckons?|thinks?|believes?|take"
)
HAN_SPEAKER = re.compile(
    rf"(?:正如|据|而|其|公司)?(?P<who>[^。,;:!?“”\n()]{{1,30}}?)(?:\([^)\n]{{0,40}}\))?(?:所|们?已|则|也|还|近日)?(?P<verb>{SAYS})[:,]?\s?\Z"
)
HAN_BEGINS = re.compile(
    r"\s{0,4}(?:[^。,\n]{1,14}[日月年],)?(?:正如|据)?(?P<who>[^。,;:!?“”\n()]{1,24}?)(?P<verb>(?:表示|认为|指出|预计|预测|公告称|称|坦言|透露)(?:[,:]|(?=[\u4e00-\u9fff]))|(?:公布|承诺)[,:])"
)
HAN_PRICED = re.compile(r"\s{0,4}(?P<who>分析师们|分析师|机构|市场人士)已?将")
PERSON = r"[A-Z][A-Za-z'-]{1,20}(?: [A-Z][A-Za-z'-]{1,20}){0,3}"
BEHIND = re.compile(
    rf"[,.!?]?[”\"]?,? ?(?:(?:{SAID}) (?P<who>{PERSON})|(?P<who2>{PERSON}|he|she|He|She)(?:, [^.”\"]{{1,60}},)? (?:{SAID})(?![A-Za-z]))"
)
AHEAD = re.compile(rf"(?P<who>{PERSON}|He|She|he|she)(?:,? [^.”\"\n]{{0,60}}?)? (?:{SAID})[,:]? ?[“\"]?\Z")
BEGINS = re.compile(
    rf"\s{{0,4}}(?:[^.\n]{{1,40}} [-–] )?(?:The [a-z ]{{3,40}}, )?(?P<who>{PERSON}|He|She|he|she|Analysts|Critics|[Ss]ome)(?:, "
    rf"[^.”\"\n]{{1,60}},)? (?:{SAID}|sees|see)(?![A-Za-z])"
)
ACCORDING = re.compile(rf"according to (?:the |an? )?(?P<who>{PERSON})")
TITLED = re.compile(rf"(?:chief [a-z]+ officer|chief executive|president|founder|chair(?:man|woman)?|analyst|director), (?P<who>{PERSON})")
HAN_TITLED = re.compile(
    r"(?:首席[^\s,。]{2,4}官|创始人|董事长|总裁|总经理|副总裁|发言人)(?P<who>[\u4e00-\u9fff·]{2,10}?)(?=表示|宣称|证实|认为|承诺|指出|称|说|\()"
)
THINGS = re.compile(  # cannot speak
    r"收入|营收|支出|利润|成本|订单|份额|销售|需求|产能|价格|金额|合同|协议|项目|系统|规模|股价|市值|折旧"
)
PRONOUN = frozenset(("他", "她", "He", "She", "he", "she"))
JUDGES = re.compile(r"分析师|机构|观点|市场人士|analyst|Analyst|Critics|critics|Some|some")

CONDITION = re.compile(r"如果|若|一旦|假如|倘若|只要|即使|(?<![A-Za-z])(?:if|unless|should|assuming|provided)(?![A-Za-z])", re.IGNORECASE)
MAYBE = re.compile(
    r"可能|或将|或许|预计|预期|预测|有望|恐|需要|应当|(?<!不)仅仅是|总比|大概率|会(?!议|计|员)|将(?!其|(?:5|\d)|军)|"
    r"(?<![A-Za-z])(?:may|might|could|would|should|expect|expects|expected|forecast|likely|must|needs? to|will|hopes?|doubts?|"
    r"thinks?|reckons?|if)(?![A-Za-z])",
    re.IGNORECASE,
)
MUST = re.compile(r"需要|必须|要在|(?<![A-Za-z])(?:must|needs? to|have to|has to)(?![A-Za-z])")
FORECAST = re.compile(r"预计|预测|(?<![A-Za-z])(?:expects|expect|forecasts?|predicts?|anticipates?)(?![A-Za-z])")
VOWS = re.compile(
    r"承诺[^。]{0,3}[:“]|交付计划|我们将|我们的[^。]{1,10}将|(?<![A-Za-z])(?:[Ww]e will|promised|promises|pledged|pledges|plans? "
    r"to|vowed|says it will)(?![A-Za-z])"
)
DOES = re.compile(
    r"(?:部署|交付|投运|投产|扩张|新增|安装|公布|披露|上线|出现)|(?<![A-Za-z])(?:deliver|deploy|add|install|build|run|open|opens|launch|publish|expand)(?![A-Za-z])"
)
AHEAD_OF_US = re.compile(r"预计|可能|将|会|计划|规划|目标|(?<![A-Za-z])(?:will|may|plans?|aims?|targets?|opens|by the end)(?![A-Za-z])")
RUNNING = re.compile(r"(?:每周|每月|每天|日均|今天的?|目前的?|现有的?|weekly|today's|currently)\s?\Z")
TODAY = re.compile(r"\s(?:today|now|currently)(?![A-Za-z])")
NOT = re.compile(
    r"并未|未曾|从未|没有|并非|不是|否认|尚未|(?<![仅只])不会|未(?=披露|达|有|能|公布)|(?<![A-Za-z])(?:not|never|neither|denied|"
    r"denies|no longer|without)(?![A-Za-z])|n't",
    re.IGNORECASE,
)
YET = re.compile(
    r"不仅|不只|不到|不超过|不低于|不足|不断|(?<![A-Za-z])not (?:only|just|more than|less than|yet)|no (?:more|less) than|never "
    r"[^.,;]{0,30}(?:more|less) than",
    re.IGNORECASE,
)
QUESTION = re.compile(r"[?？][”\"]?\s{0,2}\Z")


class Voices:
    """Speakers of a text; a pronoun is the last one who was named."""

    def __init__(self, text: str, plan: Layout) -> None:
        self.text, self.plan = text, plan
        self.of_quote: dict[int, str] = {}
        self.of_sentence: dict[int, str] = {}
        self.known: dict[str, bool] = {}
        last = ""
        quotes = {plan.sentence(q.a): q for q in plan.quotes if q.b - q.a >= 10}
        for n, s in enumerate(plan.sentences):
            who = self._sentence(s)
            quote = quotes.get(n)
            cited = self._quote(quote) if quote else ""
            who, cited = (last if w in PRONOUN else w for w in (who, cited))
            last = cited or (who if who and not JUDGES.search(who) else last) or last
            if who:
                self.of_sentence[n] = who
            if quote and (cited or who):
                self.of_quote[quote.a] = cited or who

    def at(self, place: int) -> str:
        """Who says what stands here."""
        quote = self.plan.quote(place)
        if quote is not None:
            return self.of_quote.get(quote.a, AUTHOR)
        return self.of_sentence.get(self.plan.sentence(place), AUTHOR)

    def judges(self, who: str) -> bool:
        """Whether a speaker is one who judges others, by name or as the text introduces the name."""
        if who not in self.known:
            forms = (f"{who}, an analyst", f"analyst {who}", f"分析师{who}")
            self.known[who] = who != AUTHOR and (JUDGES.search(who) is not None or any(form in self.text for form in forms))
        return self.known[who]

    def _quote(self, quote: Stretch) -> str:
        """The name before the opening mark, or behind the closing one."""
        before = self.text[max(0, quote.a - 90) : quote.a - 1]
        ahead = HAN_SPEAKER.search(before[-60:]) or AHEAD.search(before)
        titled = list(TITLED.finditer(before)) or list(HAN_TITLED.finditer(before))
        if ahead:
            return titled[-1]["who"] if titled else _clean(ahead["who"])
        behind = BEHIND.match(self.text, quote.b, min(len(self.text), quote.b + 140))
        return _clean(behind["who"] or behind["who2"]) if behind else ""

    def _sentence(self, s: Stretch) -> str:
        """Who an unquoted sentence is attributed to."""
        stop = min(s.b, s.a + 160)
        for rule in (HAN_PRICED, HAN_BEGINS, BEGINS):
            found = rule.match(self.text, s.a, stop)
            if found and not THINGS.search(found["who"]):
                titled = list(TITLED.finditer(self.text, s.a, stop)) or list(HAN_TITLED.finditer(self.text, s.a, stop))
                return titled[-1]["who"] if titled and rule is not HAN_PRICED else _clean(found["who"])
        found = ACCORDING.search(self.text, s.a, min(s.b, s.a + 400))
        return found["who"] if found else ""


def _clean(who: str) -> str:
    """Without what leads up to a name: 正如一位彭博社分析师所 -> 彭博社分析师."""
    found = HAN_TITLED.search(who + "说")
    return found["who"] if found else re.sub(r"^(?:正如|据|一位|一名|某位)+|所$", "", re.sub(r"^(?:正如|据)", "", who)).strip()


def kind(text: str, plan: Layout, span: tuple[int, int], judges: bool) -> str:
    """fact, promise or opinion, by the words of the clause and of the sentence before it, and whether the speaker `judges` others."""
    at, end = span
    s, c = plan.sentences[plan.sentence(at)], plan.clauses[plan.clause(at)]
    before, clause = text[max(s.a, at - 400) : at], text[max(c.a, at - 200) : min(c.b, at + 200)]
    if QUESTION.search(text, max(s.a, s.b - 6), s.b) or CONDITION.search(before):
        return "opinion"
    if RUNNING.search(text, max(s.a, at - 12), at) or TODAY.match(text, end):
        return "fact"
    around = text[max(s.a, at - 60) : min(s.b, at + 60)]
    if MUST.search(before):
        return "opinion"
    if FORECAST.search(before) and not DOES.search(around):
        return "opinion"
    if not judges and (VOWS.search(around) or _vowed(text, plan, at) or (DOES.search(around) and AHEAD_OF_US.search(around))):
        return "promise"
    return "opinion" if judges or MAYBE.search(clause) else "fact"


def _vowed(text: str, plan: Layout, at: int) -> bool:
    """Whether the quotation around a place is led in as a promise."""
    quote = plan.quote(at)
    return quote is not None and VOWS.search(text, max(0, quote.a - 12), quote.a) is not None


def negated(text: str, plan: Layout, at: int) -> bool:
    """Whether the clause up to the quantity, or the verb it hangs on, denies it."""
    c = plan.clauses[plan.clause(at)]
    before = text[max(c.a, at - 60) : at]
    found = list(NOT.finditer(before))
    return bool(found) and not any(y.start() <= found[-1].start() < y.end() for y in YET.finditer(before))
