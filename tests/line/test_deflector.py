"""The deflector: what it decides about a ticket and why, and that no text makes it raise."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deflect.errors import ParameterError
from deflect.line.banner import Banner, Customer, Outlook
from deflect.line.deflector import Deflector
from deflect.line.incident_prior import IncidentPrior
from deflect.line.playbook import Article, Playbook, Tool, parse_playbook
from deflect.line.suggestion import Suggestion
from deflect.line.thresholds import Threshold, Thresholds
from deflect.loop.classifier import TicketClassifier

TRAIN = {
    "billing": ["the invoice is wrong", "a refund for the invoice", "why was my card charged?", "credit card refund"],
    "dns": ["the CNAME of our domain", "name servers do not answer", "my domain is not found", "which DNS target"],
    "email": ["mail is not delivered", "SMTP refuses the mail", "mail bounces"],
    "other": ["thank you so much", "thanks, have a nice day", "hello and thank you"],
    "timeout": ["H12 on every request", "it is slow, request timeout", "requests took 30 s", "H12 timeout"],
}
CATEGORIES = tuple(TRAIN)
PLAYBOOK = """
format = 1
out_of_scope = "other"

[categories.dns]
owner = "networking"
reviewed_on = 2026-11-23
lead = "Most of the time a DNS record is missing."

[categories.dns.locales.de]
lead = "Meistens fehlt ein DNS-Eintrag."

[[categories.dns.articles]]
title = "Custom domains"
url = "https://example.com/domains"
summary = "How to point a domain at an app."

[categories.dns.tool]
name = "DNS check"
diagnosis = "dns"

[categories.timeout]
owner = "runtime"
reviewed_on = 2026-11-23
lead = "A request has 30 seconds."

[categories.billing]
mode = "never"
owner = "accounts"
reviewed_on = 2026-11-23
"""
#: A ticket of each category.
DNS, TIMEOUT, BILLING = "My domain is not found: which CNAME?", "H12 timeout, it is slow", "refund my credit card"
EMAIL, OTHER = "SMTP refuses my mail", "thank you, thank you"


@pytest.fixture(scope="module")
def classifier() -> TicketClassifier:
    """Return a small fitted classifier."""
    texts = [text for tickets in TRAIN.values() for text in tickets]
    return TicketClassifier().fit(texts, [category for category, tickets in TRAIN.items() for _ in tickets])


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """Return a playbook that knows some of the categories."""
    return parse_playbook(PLAYBOOK)


@pytest.fixture(scope="module")
def deflector(classifier: TicketClassifier, playbook: Playbook) -> Deflector:
    """Return a deflector that accepts every probability."""
    return Deflector(classifier, at_least(0.0), playbook)


def at_least(threshold: float | None, categories: tuple[str, ...] = CATEGORIES) -> Thresholds:
    """Return one threshold for all categories; None is silent."""
    return Thresholds("overall", categories, (Threshold(None, threshold, 0.9, 0.95, 100, 60, 58, 0.9, 29),))


def decision(suggestion: Suggestion) -> tuple[str, str, str | None]:
    """Return what was decided, why, and the category."""
    return suggestion.decision, suggestion.reason, suggestion.category


def with_mode(mode: str) -> Playbook:
    """Return a playbook whose entry about timeouts has a mode."""
    return parse_playbook(PLAYBOOK.replace('owner = "runtime"', f'owner = "runtime"\nmode = "{mode}"'))


SLOW = Banner("banner", "incident", "major", "Routing is slow.")


class Incident:
    """Knows of an incident with H12, which touches timeouts."""

    def __init__(self, banner: Banner = SLOW, impact: str | None = None) -> None:
        self.shown, self.impact = banner, impact
        self.asked: list[tuple[object, object]] = []

    def outlook(self, customer: Customer) -> Outlook:
        """Return what is on for everybody."""
        self.customer = customer
        return Outlook(self.impact, ("timeout",))

    def banner(self, text: str, **context: object) -> Banner | None:
        """Return the banner where the text is about it."""
        self.asked.append((context["category"], context["customer"]))
        return self.shown if "H12" in text else None


class Broken:
    """Raises whatever it is asked."""

    def outlook(self, customer: Customer) -> Outlook:
        """Raise an error that holds the customer."""
        raise LookupError(customer)

    def banner(self, text: str, **context: object) -> Banner | None:
        """Raise an error that holds the text."""
        raise LookupError(text, context)

    def arm(self, requester: str) -> str:
        """Raise an error that holds the requester."""
        raise LookupError(requester)


class ByName:
    """Puts a requester into the arm that is the requester's name."""

    def arm(self, requester: str) -> str:
        """Return the name."""
        return requester


def test_confident(deflector: Deflector) -> None:
    """A ticket whose probability reaches the threshold is answered with all that the playbook has."""
    suggestion = deflector.suggest(DNS)
    assert decision(suggestion) == ("suggest", "confident", "dns")
    assert suggestion.lead == "Most of the time a DNS record is missing."
    article = Article("Custom domains", "https://example.com/domains", "How to point a domain at an app.")
    assert (suggestion.articles, suggestion.tool) == ((article,), Tool("DNS check", diagnosis="dns"))


def test_the_probability(deflector: Deflector, classifier: TicketClassifier) -> None:
    """The probability is the classifier's largest, and the alternatives are the two that follow."""
    row = classifier.predict_proba([DNS])[0]
    order = np.argsort(-row)
    suggestion = deflector.suggest(DNS)
    assert suggestion.probability == row[order[0]]
    found = [(alternative.category, alternative.probability) for alternative in suggestion.alternatives]
    assert found == [(CATEGORIES[i], row[i]) for i in order[1:3]]


def test_exactly_the_threshold(classifier: TicketClassifier, playbook: Playbook) -> None:
    """A probability that equals the threshold is accepted, and the next smaller one is not."""
    text = f"{DNS} {TIMEOUT}"
    probability = classifier.predict_proba([text])[0].max()
    above = float(np.nextafter(probability, 1))
    assert Deflector(classifier, at_least(probability), playbook).suggest(text).reason == "confident"
    assert Deflector(classifier, at_least(above), playbook).suggest(text).reason == "below_threshold"


@pytest.mark.parametrize("threshold", [1.0, None], ids=["high", "silent"])
def test_below_threshold(classifier: TicketClassifier, playbook: Playbook, threshold: float | None) -> None:
    """Below the threshold, or without one, the ticket's category is told and nothing is shown."""
    suggestion = Deflector(classifier, at_least(threshold), playbook).suggest(DNS)
    assert decision(suggestion) == ("abstain", "below_threshold", "dns")
    assert (suggestion.lead, suggestion.articles, suggestion.tool, suggestion.evidence) == ("", (), None, ())


def test_the_thresholds_are_the_categories_own(classifier: TicketClassifier, playbook: Playbook) -> None:
    """Each category has its own threshold where the thresholds are per category."""
    promises = [replace(at_least(0.0).promises[0], category=category) for category in CATEGORIES]
    promises[CATEGORIES.index("timeout")] = replace(promises[0], category="timeout", threshold=None)
    deflector = Deflector(classifier, Thresholds("category", CATEGORIES, tuple(promises)), playbook)
    assert [deflector.suggest(text).reason for text in (DNS, TIMEOUT)] == ["confident", "below_threshold"]


def test_out_of_scope(deflector: Deflector) -> None:
    """The category that means "none of these" is never suggested."""
    assert decision(deflector.suggest(OTHER)) == ("abstain", "out_of_scope", "other")


@pytest.mark.parametrize("text", ["", " \n", "?!…", "😀", "\0", "\ud800"])
def test_too_short(deflector: Deflector, text: str) -> None:
    """A ticket without a letter or digit is too short."""
    assert decision(deflector.suggest(text))[:2] == ("abstain", "too_short")


def test_one_character_is_enough(deflector: Deflector) -> None:
    """A ticket of one letter is not too short, in any script."""
    assert [deflector.suggest(text).reason == "too_short" for text in ("a", "域", "ж", "7")] == [False] * 4


def test_no_playbook_entry(deflector: Deflector) -> None:
    """A category that the playbook does not know is not suggested."""
    assert decision(deflector.suggest(EMAIL)) == ("abstain", "no_playbook_entry", "email")


def test_category_off(deflector: Deflector) -> None:
    """A category whose mode is never is not suggested, however probable it is."""
    assert decision(deflector.suggest(BILLING)) == ("abstain", "category_off", "billing")


def test_mode_always(classifier: TicketClassifier) -> None:
    """A category whose mode is always is suggested, however improbable it is."""
    deflector = Deflector(classifier, at_least(None), with_mode("always"))
    assert decision(deflector.suggest(TIMEOUT)) == ("suggest", "confident", "timeout")
    assert deflector.suggest(DNS).reason == "below_threshold"


def test_modes(classifier: TicketClassifier) -> None:
    """Where the threshold is reached, auto and always suggest and never does not."""
    deflectors = [Deflector(classifier, at_least(0.0), with_mode(mode)) for mode in ("auto", "always", "never")]
    assert [deflector.suggest(TIMEOUT).reason for deflector in deflectors] == ["confident"] * 2 + ["category_off"]


def test_control(classifier: TicketClassifier, playbook: Playbook) -> None:
    """In the control arm a suggestion is computed, with articles and tool, and not to be shown."""
    deflector = Deflector(classifier, at_least(0.0), playbook, holdout=ByName())
    suggestion = deflector.suggest(DNS, requester="control")
    assert decision(suggestion) == ("abstain", "control", "dns")
    assert (suggestion.arm, suggestion.tool) == ("control", Tool("DNS check", diagnosis="dns"))


def test_treatment(classifier: TicketClassifier, playbook: Playbook) -> None:
    """In the treatment arm a suggestion is shown, and the arm is told."""
    suggestion = Deflector(classifier, at_least(0.0), playbook, holdout=ByName()).suggest(DNS, requester="treatment")
    assert (suggestion.decision, suggestion.arm) == ("suggest", "treatment")


def test_an_abstention_in_the_control_arm(classifier: TicketClassifier, playbook: Playbook) -> None:
    """A ticket that would be shown nothing anyway keeps its own reason in the control arm."""
    suggestion = Deflector(classifier, at_least(0.0), playbook, holdout=ByName()).suggest(OTHER, requester="control")
    assert (suggestion.reason, suggestion.arm) == ("out_of_scope", "control")


def test_no_requester(classifier: TicketClassifier, playbook: Playbook) -> None:
    """Without a requester nobody is in an arm."""
    suggestion = Deflector(classifier, at_least(0.0), playbook, holdout=ByName()).suggest(DNS)
    assert (suggestion.decision, suggestion.arm) == ("suggest", None)


def test_a_banner(classifier: TicketClassifier, playbook: Playbook) -> None:
    """What the incidents object has to say stands beside the suggestion, for the tickets that it is about."""
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=Incident())
    assert [deflector.suggest(text).banner for text in (TIMEOUT, DNS)] == [SLOW, None]


def test_a_banner_sees_the_subject(classifier: TicketClassifier, playbook: Playbook) -> None:
    """The incidents object is asked about subject and text together."""
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=Incident())
    assert deflector.suggest("what is that?", subject="H12").banner == SLOW


def test_incident_first(classifier: TicketClassifier, playbook: Playbook) -> None:
    """A ticket that a current incident concerns gets the incident as its reason, and its own tool and lead second."""
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=Incident(impact="minor"))
    suggestion = deflector.suggest(f"{DNS} since H12")
    assert decision(suggestion) == ("suggest", "incident", "dns")
    assert (suggestion.banner, suggestion.tool) == (SLOW, Tool("DNS check", diagnosis="dns"))


def test_incident_alone(classifier: TicketClassifier, playbook: Playbook) -> None:
    """Where nothing of the playbook can be shown, the incident is the reason and the decision stays to abstain."""
    deflector = Deflector(classifier, at_least(None), playbook, incidents=Incident(impact="minor"))
    assert decision(deflector.suggest(TIMEOUT)) == ("abstain", "incident", "timeout")


@pytest.mark.parametrize(
    "banner",
    [
        replace(SLOW, level="quiet"),
        replace(SLOW, kind="maintenance"),
        replace(SLOW, resolved_at=datetime(2026, 11, 23, tzinfo=UTC)),
    ],
    ids=["quiet", "maintenance", "resolved"],
)
def test_incident_is_no_reason(classifier: TicketClassifier, playbook: Playbook, banner: Banner) -> None:
    """A quiet line, a maintenance and a resolved incident stand beside a suggestion and are not its reason."""
    suggestion = Deflector(classifier, at_least(0.0), playbook, incidents=Incident(banner)).suggest(TIMEOUT)
    assert (suggestion.reason, suggestion.banner) == ("confident", banner)


def test_incident_does_not_hide_other_reasons(classifier: TicketClassifier, playbook: Playbook) -> None:
    """A ticket for which nothing could be shown at any time keeps that reason beside the banner."""
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=Incident())
    suggestions = [deflector.suggest(f"{text} H12") for text in (OTHER * 9, BILLING * 9)]
    assert [(s.reason, s.banner) for s in suggestions] == [("out_of_scope", SLOW), ("category_off", SLOW)]


def test_prior_shifts(classifier: TicketClassifier, playbook: Playbook) -> None:
    """While an incident is on, a category that it touches is as much more probable as the prior says."""
    prior = IncidentPrior("email", {"major": 2.0}, touched=1.0)
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=Incident(impact="major"), incident_prior=prior)
    usual = classifier.predict_proba([TIMEOUT])[0]
    weighed = usual * np.exp([0, 0, 2, 0, 1])
    assert deflector.suggest(TIMEOUT).probability == pytest.approx((weighed / weighed.sum()).max())


def test_prior_rests(classifier: TicketClassifier, playbook: Playbook) -> None:
    """While nothing is on, a status page changes nothing."""
    plain = Deflector(classifier, at_least(0.0), playbook)
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=Incident())
    assert deflector.suggest(DNS) == plain.suggest(DNS)


def test_incident_opens_nothing(classifier: TicketClassifier, playbook: Playbook) -> None:
    """A category that the incident makes more probable must reach its threshold without the incident too."""
    usual = classifier.predict_proba(["it is slow"])[0].max()
    prior = IncidentPrior("incident", {"major": 0.5}, touched=9.0)
    incidents = Incident(impact="major")
    limit = at_least(float(np.nextafter(usual, 1)))
    deflector = Deflector(classifier, limit, playbook, incidents=incidents, incident_prior=prior)
    suggestion = deflector.suggest("it is slow")
    assert suggestion.probability > usual
    assert decision(suggestion) == ("abstain", "below_threshold", "timeout")


def test_incident_gets_the_usual_tool(classifier: TicketClassifier, playbook: Playbook) -> None:
    """A ticket that the prior makes one about the incident has the tool second that it gets on other days."""
    prior = IncidentPrior("timeout", {"major": 40.0})
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=Incident(impact="major"), incident_prior=prior)
    suggestion = deflector.suggest(DNS)
    assert (suggestion.category, suggestion.tool) == ("timeout", Tool("DNS check", diagnosis="dns"))


def test_incidents_are_told_the_customer(classifier: TicketClassifier, playbook: Playbook) -> None:
    """The incidents object is told the probable category, and the components and regions of the customer."""
    incidents = Incident()
    deflector = Deflector(classifier, at_least(0.0), playbook, incidents=incidents)
    deflector.suggest(DNS, customer_components=["DNS"], customer_regions=["EU"])
    assert incidents.asked == [("dns", Customer(("DNS",), ("EU",)))]


def test_incidents_must_answer(classifier: TicketClassifier, playbook: Playbook) -> None:
    """An object that cannot answer is refused at once, since suggest could only say "error" for ever."""
    with pytest.raises(ParameterError, match=r"must have the methods outlook and banner. Got object. Put a feed into"):
        Deflector(classifier, at_least(0.0), playbook, incidents=object())


def test_the_prior_is_kept(deflector: Deflector, tmp_path: Path) -> None:
    """A learned prior is saved with a deflector; a default one is not written."""
    prior = IncidentPrior("incident", {"major": 1.5}, touched=0.25)
    learned = Deflector(deflector.scorer, deflector.thresholds, deflector.playbook, incident_prior=prior)
    learned.save(tmp_path / "learned")
    deflector.save(tmp_path / "default")
    assert Deflector.load(tmp_path / "learned").incident_prior == prior
    assert "incident_prior" not in (tmp_path / "default" / "manifest.json").read_text()


@pytest.mark.parametrize("context", ["incidents", "holdout"])
def test_error(classifier: TicketClassifier, playbook: Playbook, context: str) -> None:
    """An incidents object or a holdout that raises costs the suggestion, and the form goes on."""
    deflector = Deflector(classifier, at_least(0.0), playbook, **{context: Broken()})
    assert deflector.suggest(DNS, requester="somebody") == Suggestion("abstain", "error")


def test_an_error_tells_nothing(deflector: Deflector, capfd: pytest.CaptureFixture[str]) -> None:
    """An error inside leaves no word of the ticket on a stream, where a log would stand too."""
    Deflector(deflector.scorer, deflector.thresholds, deflector.playbook, incidents=Broken()).suggest(DNS)
    assert tuple(capfd.readouterr()) == ("", "")


def test_locale(deflector: Deflector) -> None:
    """The lead comes in the writer's language where the playbook has it, in the default text elsewhere."""
    leads = [deflector.suggest(DNS, locale=locale).lead for locale in ("de", "de-AT", "fr", None, "", "\0" * 99)]
    assert leads == ["Meistens fehlt ein DNS-Eintrag."] * 2 + ["Most of the time a DNS record is missing."] * 4


def test_the_subject_counts(deflector: Deflector) -> None:
    """A ticket with a subject is answered as the text in which both are joined."""
    assert deflector.suggest("it does not work", subject=DNS) == deflector.suggest(f"{DNS}\nit does not work")
    assert deflector.suggest("", subject=DNS) == deflector.suggest(DNS)


def test_evidence(deflector: Deflector) -> None:
    """Evidence is words and pairs of the ticket that speak for the category, the most telling first, five at most."""
    evidence = deflector.suggest("The DOMÄIN example domain: is CNAME not found? my domain, my domain").evidence
    words = ["the", "domain", "example", "is", "cname", "not", "found", "my"]
    weights = [item.weight for item in evidence]
    assert 0 < len(evidence) <= 5
    assert {word for item in evidence for word in item.text.split()} <= set(words)
    assert weights == sorted(weights, reverse=True)
    assert min(weights) >= 0


def test_evidence_names_what_decided(deflector: Deflector) -> None:
    """The word that only one category has stands first."""
    assert deflector.suggest("please look at our CNAME").evidence[0].text == "cname"


def test_the_weight_of_evidence(deflector: Deflector) -> None:
    """A weight is how much more a word says for the category than for all on average; words against it are left out."""
    text = "CNAME of the domain, thank you"
    names, contributions = deflector.scorer.contributions(text)
    dns = CATEGORIES.index("dns")
    weights = {name: float(row[dns] - row.mean()) for name, row in zip(names, contributions, strict=True)}
    found = {item.text: item.weight for item in deflector.suggest(text).evidence}
    assert found == pytest.approx({name: weight for name, weight in weights.items() if weight > 0}, abs=1e-4)
    assert "thank" in weights.keys() - found


def test_abstentions_have_no_evidence(deflector: Deflector) -> None:
    """What is not shown is not explained."""
    assert deflector.suggest(EMAIL).evidence == ()


TEXTS = st.one_of(
    st.text(),
    st.text(st.characters()),  # With lone surrogates.
    st.text(st.sampled_from("domain CNAME H12 card\0\ud800é域😀"), max_size=200),
)


@settings(max_examples=300)
@given(text=TEXTS, subject=TEXTS, requester=st.none() | TEXTS, locale=st.none() | TEXTS)
@example(text="\ud83d", subject="\udc00", requester="\ud83d", locale="\ud83d")
@example(text="\0" * 1_000, subject="\0", requester="\0", locale="\0")
def test_any_text(deflector: Deflector, text: str, subject: str, requester: str | None, locale: str | None) -> None:
    """No text, subject, requester or locale makes it raise or fail; the probability lies in [0, 1]."""
    suggestion = deflector.suggest(text, subject=subject, requester=requester, locale=locale)
    assert suggestion.reason != "error"
    assert 0 <= suggestion.probability <= 1
    assert suggestion.category in CATEGORIES


@pytest.mark.parametrize(
    "unit", ["x", "domain ", "\0", "é", "域", "\ud800", "a.", "ﷺ", "\u0301"], ids=lambda unit: ascii(unit).strip("'")
)
def test_five_megabytes(deflector: Deflector, unit: str) -> None:
    """A ticket of 5 MB, of whatever it is made, is answered."""
    suggestion = deflector.suggest(unit * (5_000_000 // len(unit)))
    assert suggestion.reason != "error"
    assert 0 <= suggestion.probability <= 1


def test_no_text_at_all(deflector: Deflector) -> None:
    """Even what is no text is an abstention."""
    assert deflector.suggest(None).reason == "error"  # type: ignore[arg-type]  # A form may do so all the same.


def test_many(deflector: Deflector) -> None:
    """Many tickets are answered as each alone, in order, but without evidence."""
    texts = [DNS, TIMEOUT, BILLING, EMAIL, OTHER, "", "域名 zzz", "\ud800", "a\0b", "x" * 50_000] * 40
    assert deflector.suggest_many(texts) == [replace(deflector.suggest(text), evidence=()) for text in texts]


@settings(max_examples=50)
@given(texts=st.lists(TEXTS, max_size=5))
def test_any_many(deflector: Deflector, texts: list[str]) -> None:
    """So it is for any texts."""
    assert deflector.suggest_many(texts) == [replace(deflector.suggest(text), evidence=()) for text in texts]


def test_none_of_many(deflector: Deflector) -> None:
    """No tickets have no answers."""
    assert deflector.suggest_many([]) == []


@pytest.mark.parametrize(
    "categories", [CATEGORIES[::-1], CATEGORIES[:-1], (*CATEGORIES[:-1], "slow")], ids=["order", "fewer", "other"]
)
def test_thresholds_for_other_categories(deflector: Deflector, categories: tuple[str, ...]) -> None:
    """Thresholds that were fitted for other categories are refused; the error names both."""
    with pytest.raises(ParameterError, match=f"billing, dns, email, other, timeout.* Got {', '.join(categories)}"):
        Deflector(deflector.scorer, at_least(0.5, categories), deflector.playbook)


def test_a_scorer_is_enough(classifier: TicketClassifier, playbook: Playbook, deflector: Deflector) -> None:
    """A deflector answers the same from the classifier and from its scorer alone."""
    assert Deflector(classifier.scorer_, at_least(0.0), playbook).suggest(DNS) == deflector.suggest(DNS)


def test_saved_and_loaded(deflector: Deflector, tmp_path: Path) -> None:
    """A deflector answers the same after saving and loading, and then tells its version."""
    deflector.save(tmp_path / "bundle")
    loaded = Deflector.load(tmp_path / "bundle")
    texts = [DNS, TIMEOUT, BILLING, EMAIL, OTHER, ""]
    expected = [replace(deflector.suggest(text), model_version=loaded.model_version) for text in texts]
    assert [loaded.suggest(text) for text in texts] == expected
    assert (len(loaded.model_version), loaded.fingerprint) == (12, deflector.fingerprint)


def test_metrics_are_kept(deflector: Deflector, tmp_path: Path) -> None:
    """Metrics are saved with a deflector, and saved again with one that was loaded."""
    deflector.save(tmp_path / "first", metrics={"accuracy": 0.75})
    Deflector.load(tmp_path / "first").save(tmp_path / "second")
    assert Deflector.load(tmp_path / "second").metrics == {"accuracy": 0.75}


def test_context_is_given_when_loading(deflector: Deflector, tmp_path: Path) -> None:
    """Incidents and holdout are no part of a bundle, and are given when it is loaded."""
    deflector.save(tmp_path / "bundle")
    loaded = Deflector.load(tmp_path / "bundle", incidents=Incident(), holdout=ByName())
    suggestion = loaded.suggest(TIMEOUT, requester="control")
    assert (suggestion.banner, suggestion.arm, suggestion.reason) == (SLOW, "control", "control")


PREFILL = (
    PLAYBOOK.replace('diagnosis = "dns"', 'diagnosis = "dns"\nparameters = ["domain", "plan"]')
    + """
[[entities]]
label = "plan"
pattern = [{ LOWER = "plan" }, { TEXT = { REGEX = '^(?P<value>[A-Z]\\w+)$' } }]
"""
)
PREFILLED = f"{DNS} It is www.example.com, plan Gold."


def test_prefill(classifier: TicketClassifier, tmp_path: Path) -> None:
    """What the tool asks for is found in the text, with the playbook's own patterns, also after saving and loading."""
    deflector = Deflector(classifier, at_least(0.0), parse_playbook(PREFILL))
    deflector.save(tmp_path / "bundle")
    for each in (deflector, Deflector.load(tmp_path / "bundle")):
        filled = each.prefill(each.suggest(PREFILLED), PREFILLED)
        assert filled == {"domain": "www.example.com", "plan": "Gold"}


def test_nothing_to_prefill(deflector: Deflector) -> None:
    """Nothing is filled in where no tool is suggested, where it asks for nothing, and where the text has nothing."""
    assert deflector.prefill(deflector.suggest(TIMEOUT), PREFILLED) == {}
    assert deflector.prefill(deflector.suggest(DNS), PREFILLED) == {}
    asking = Suggestion("suggest", "confident", tool=Tool("DNS check", diagnosis="dns", parameters=("domain",)))
    assert deflector.prefill(asking, DNS) == {}


def test_own_pages_are_not_prefilled(deflector: Deflector) -> None:
    """The host of the playbook's articles is not the broken domain."""
    asking = Suggestion("suggest", "confident", tool=Tool("DNS check", diagnosis="dns", parameters=("domain",)))
    assert deflector.prefill(asking, "example.com/domains does not help with shop.example.com") == {
        "domain": "shop.example.com"
    }


def test_a_prefilled_deflector_can_be_sent(classifier: TicketClassifier) -> None:
    """A deflector survives pickling after it has filled a form, and fills forms again."""
    deflector = Deflector(classifier, at_least(0.0), parse_playbook(PREFILL))
    filled = deflector.prefill(deflector.suggest(PREFILLED), PREFILLED)
    sent = pickle.loads(pickle.dumps(deflector))  # noqa: S301 - the test wrote it itself.
    assert sent.prefill(sent.suggest(PREFILLED), PREFILLED) == filled
