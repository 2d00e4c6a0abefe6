"""Answers tickets: the face of the line, which a ticket form imports."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np

from deflect.errors import ParameterError
from deflect.line.bundle import Bundle, read_bundle, starter_bundle, write_bundle
from deflect.line.decision import N_NAMED, REASONS, Decisions, Rule, most_probable
from deflect.line.incident_first import incident_first, with_tool_of
from deflect.line.incident_prior import IncidentPrior
from deflect.line.playbook import Playbook
from deflect.line.scorer import Float64s, Scorer, Trained
from deflect.line.suggestion import Alternative, Evidence, Reason, Suggestion
from deflect.line.text import with_subject
from deflect.line.thresholds import Thresholds

if TYPE_CHECKING:
    from deflect.entities.extractor import Extractor
    from deflect.line.banner import Banner, Customer, Outlook
    from deflect.line.encoder import Encoder

_N_EVIDENCE = 5


@runtime_checkable
class Incidents(Protocol):
    """Tells what to say about a current incident, such as a ``StatusBoard``; must answer at once and never raise."""

    def outlook(self, customer: Customer) -> Outlook:
        """Return what is on for a customer."""

    def banner(
        self, text: str, *, category: str | None, customer: Customer, rarity: Callable[[Sequence[str]], Float64s]
    ) -> Banner | None:
        """Return what to say to the writer of a ticket of a probable category, None where nothing is to be said.

        ``rarity`` tells how rare each of some words is among tickets, from 0 to 1.
        """


class Arms(Protocol):
    """Tells in which arm of the experiment a requester is."""

    def arm(self, requester: str) -> str:
        """Return "treatment" or "control"."""


class _Ticket(NamedTuple):
    """A ticket as it is answered: its text, its probabilities on an ordinary day, its scope score, its language."""

    text: str
    usual: Float64s
    scope: float
    locale: str | None


class Deflector:
    """Suggest articles and tools for tickets while their writers type.

    When to use it: in a ticket form's back end, and to score archives. Answering uses no network, no disk, no log and
    no package but NumPy, save what an encoder uses; it never raises on any text.

    Parameters
    ----------
    classifier_or_scorer
        A fitted ``TicketClassifier``, or its ``scorer_``.
    thresholds
        From ``fit_thresholds``, for the same categories.
    playbook
        From ``load_playbook``.
    incidents
        Tells what to say about a current incident, such as a ``StatusBoard``; None (default) knows of none.
    holdout
        Tells in which arm a requester is; None (default) shows every suggestion. In the arm "control" a suggestion is
        computed and not to be shown: the decision is "abstain", the reason "control".
    incident_prior
        How much likelier the category of incidents is while one is on; None (default) takes ``IncidentPrior()``.

    Raises
    ------
    ParameterError
        The thresholds were fitted for other categories, or ``incidents`` cannot answer.

    Examples
    --------
    >>> deflector = Deflector.load()  # The starter bundle.
    >>> suggestion = deflector.suggest("Our custom domain still points to the old host, which CNAME do I set?")
    >>> suggestion.decision, suggestion.category, suggestion.tool.name
    ('suggest', 'dns', 'DNS check')

    """

    def __init__(
        self,
        classifier_or_scorer: Trained | Scorer,
        thresholds: Thresholds,
        playbook: Playbook,
        *,
        incidents: Incidents | None = None,
        holdout: Arms | None = None,
        incident_prior: IncidentPrior | None = None,
    ) -> None:
        if isinstance(classifier_or_scorer, Scorer):
            self.scorer, self.fingerprint = classifier_or_scorer, ""
        else:
            self.scorer, self.fingerprint = classifier_or_scorer.scorer_, classifier_or_scorer.fingerprint_
        self.thresholds = thresholds
        self.playbook = playbook
        self.incidents = incidents
        self.holdout = holdout
        self.incident_prior = incident_prior or IncidentPrior()
        self.model_version = ""
        self.metrics: Mapping[str, float] = {}
        if thresholds.categories != self.scorer.categories:
            msg = (
                f"The thresholds must be for the categories of the classifier, {', '.join(self.scorer.categories)}. "
                f"Got {', '.join(thresholds.categories)}. Call fit_thresholds with this classifier."
            )
            raise ParameterError(msg)
        if incidents is not None and not isinstance(incidents, Incidents):
            # Found out here, since suggest must not raise.
            kind = type(incidents).__name__
            msg = f"incidents must have the methods outlook and banner. Got {kind}. Put a feed into a StatusBoard."
            raise ParameterError(msg)
        self._rule = Rule(thresholds, playbook)
        self._extractor: Extractor | None = None

    def suggest(
        self,
        text: str,
        *,
        subject: str = "",
        requester: str | None = None,
        locale: str | None = None,
        customer_components: Sequence[str] = (),
        customer_regions: Sequence[str] = (),
    ) -> Suggestion:
        """Answer one ticket.

        Parameters
        ----------
        text
            What the writer has typed so far, any length.
        subject
            The subject line, if the form has one of its own.
        requester
            A stable key of the writer, used for the arm of the experiment only; None puts nobody into an arm.
        locale
            The writer's language, such as "de" or "de-AT"; None takes the playbook's default texts.
        customer_components, customer_regions
            What the writer uses of the platform and where, as the status page names them; empty where not known. They
            decide which incidents concern the writer, and nothing else.

        Returns
        -------
        What to show, or why to show nothing. It never raises on any str; an error inside is the reason "error".

        Examples
        --------
        >>> Deflector.load().suggest("thank you!").decision
        'abstain'

        """
        # The form must go on whatever fails in here, a playbook, an incident feed or this library's own bug.
        try:
            whole = with_subject(subject, text)
            scored = self.scorer.scored([whole])
            ticket = _Ticket(whole, self.scorer.calibrated(scored)[0], float(scored.scope[0]), locale)
            if self.incidents is None:
                suggestion = self._decided(ticket, ticket.usual)
            else:
                from deflect.line.banner import Customer

                customer = Customer(tuple(customer_components), tuple(customer_regions))
                suggestion = self._during(self.incidents, ticket, customer)
            return self._in_arm(suggestion, requester)
        except Exception:  # noqa: BLE001  # See above; the text must not reach a log, so neither does the error.
            return Suggestion("abstain", "error", model_version=self.model_version)

    def suggest_many(self, texts: Sequence[str]) -> list[Suggestion]:
        """Answer many tickets, as ``suggest`` answers each.

        When to use it: for archives; it is many times faster than one by one. Evidence is left out.

        Parameters
        ----------
        texts
            The tickets, (n_tickets,).

        Returns
        -------
        One suggestion a ticket, in order.

        """
        decisions = self.decide_many(texts)
        columns = decisions.order.tolist(), decisions.probabilities.tolist(), decisions.reasons.tolist()
        return [
            self._suggestion(order, probabilities, REASONS[reason])
            for order, probabilities, reason in zip(*columns, strict=True)
        ]

    def decide_many(self, texts: Sequence[str], *, n_threads: int | None = None) -> Decisions:
        """Decide about many tickets, as ``suggest`` decides about each, in columns instead of objects.

        When to use it: for archives of millions; ``score_file`` and ``score_batches`` call it.

        Parameters
        ----------
        texts
            The tickets, (n_tickets,).
        n_threads
            How many threads score; None (default) takes every core, up to eight.

        Returns
        -------
        The most probable categories of each ticket, their probabilities, and the reasons.

        """
        scored = self.scorer.scored(texts) if n_threads is None else self.scorer.scored(texts, n_threads=n_threads)
        order, probabilities = most_probable(self.scorer.calibrated(scored))
        reasons = self._rule.reasons(texts, order[:, 0], probabilities[:, 0], scored.scope)
        return Decisions(self.scorer.categories, order, probabilities, reasons, self.model_version)

    def prefill(self, suggestion: Suggestion, text: str) -> dict[str, str]:
        """Find in a ticket what the suggested tool asks for.

        When to use it: to fill in the tool's form, once there is a suggestion with a tool. It takes about a
        millisecond, but imports spaCy the first time, which takes seconds: call it once when the service starts.

        Parameters
        ----------
        suggestion
            From ``suggest``, for the same text.
        text
            What the writer has typed; of a long text the first 10,000 characters are read.

        Returns
        -------
        The values of the tool's parameters that are certain, as they stand in the text; empty where none is.

        Examples
        --------
        >>> deflector = Deflector.load()
        >>> text = "Our custom domain www.example.com still points to the old host, which CNAME do I set?"
        >>> deflector.prefill(deflector.suggest(text), text)
        {'domain': 'www.example.com'}

        """
        if suggestion.tool is None or not suggestion.tool.parameters:
            return {}
        from deflect.entities.extractor import Extractor
        from deflect.entities.filling import fill

        if self._extractor is None:
            self._extractor = Extractor(self.playbook.patterns)
        return fill(suggestion.tool.parameters, text, self._extractor)

    def save(self, directory: str | os.PathLike[str], *, metrics: Mapping[str, float] | None = None) -> None:
        """Write a bundle: a directory that ``load`` reads, without pickle, checked by its hashes.

        Parameters
        ----------
        directory
            Where to write; a bundle that is there is replaced as a whole, anything else is refused.
        metrics
            Figures to keep with the model, such as those of ``Report.metrics``; None keeps those it was loaded with.

        Raises
        ------
        BundleError
            There is something else than a bundle at this place.

        """
        figures = dict(self.metrics if metrics is None else metrics)
        bundle = Bundle(
            self.scorer, self.thresholds, self.playbook, self.fingerprint, figures, incident_prior=self.incident_prior
        )
        write_bundle(directory, bundle)

    @classmethod
    def load(
        cls,
        directory: str | os.PathLike[str] | None = None,
        *,
        encoder: Encoder | None = None,
        incidents: Incidents | None = None,
        holdout: Arms | None = None,
    ) -> Self:
        """Load a bundle.

        Parameters
        ----------
        directory
            A directory that ``save`` wrote; None (default) is the starter bundle.
        encoder
            The encoder that the model learned with, such as one of ``load_encoder``; None (default) for one without.
        incidents, holdout
            As for ``Deflector``.

        Returns
        -------
        The deflector. Its tables stay on disk and are mapped, so worker processes share them.

        Raises
        ------
        BundleError
            A file is missing, damaged or no part of a bundle; the message names it.
        BundleVersionError
            The bundle was written by a newer deflect.
        EncoderError
            The model needs an encoder, and got none or another one.

        """
        bundle = read_bundle(starter_bundle() if directory is None else directory)
        scorer = bundle.scorer.with_encoder(encoder)
        deflector = cls(scorer, bundle.thresholds, bundle.playbook, incidents=incidents, holdout=holdout)
        deflector.incident_prior = bundle.incident_prior
        deflector.fingerprint, deflector.metrics = bundle.fingerprint, bundle.metrics
        deflector.model_version = bundle.version
        return deflector

    def _during(self, incidents: Incidents, ticket: _Ticket, customer: Customer) -> Suggestion:
        """Answer a ticket with the status page in mind: the incident first, the tool second.

        While an incident is on, the category is the most probable one under the incident's prior. A category other than
        ``incident`` must reach its threshold with and without it, so an incident never opens what is closed otherwise.
        """
        outlook = incidents.outlook(customer)
        prior, categories = self.incident_prior, self.scorer.categories
        if outlook.is_clear:
            suggestion = self._decided(ticket, ticket.usual)
        else:
            now = prior.shifted(ticket.usual, categories, outlook)
            suggestion = self._decided(
                ticket, now, limit=np.where(np.array(categories) == prior.category, 1, ticket.usual)
            )
            if suggestion.category == prior.category:
                suggestion = with_tool_of(suggestion, self._decided(ticket, ticket.usual, explain=False))
        banner = incidents.banner(
            ticket.text, category=suggestion.category, customer=customer, rarity=self.scorer.rarity
        )
        return incident_first(suggestion, banner, prior.category)

    def _decided(
        self, ticket: _Ticket, probabilities: Float64s, *, explain: bool = True, limit: Float64s | None = None
    ) -> Suggestion:
        """Decide by the most probable category; what is compared with its threshold is at most its ``limit``."""
        order = np.argsort(-probabilities, kind="stable")[:N_NAMED].tolist()
        named = [float(probabilities[i]) for i in order]
        counted = named[0] if limit is None else min(named[0], float(limit[order[0]]))
        reason = self._rule.reason(ticket.text, order[0], counted, ticket.scope)
        evidence = self._evidence(ticket.text, order[0]) if explain and reason == "confident" else ()
        return self._suggestion(order, named, reason, ticket.locale, evidence)

    def _suggestion(
        self,
        order: Sequence[int],
        probabilities: Sequence[float],
        reason: Reason,
        locale: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> Suggestion:
        categories = [self.scorer.categories[i] for i in order]
        is_suggested = reason == "confident"
        entry = self.playbook.entries.get(categories[0])
        advice = entry.for_locale(locale) if entry is not None and is_suggested else None
        return Suggestion(
            decision="suggest" if is_suggested else "abstain",
            reason=reason,
            category=categories[0],
            probability=probabilities[0],
            alternatives=tuple(map(Alternative, categories[1:], probabilities[1:])),
            lead=advice.lead if advice else "",
            articles=advice.articles if advice else (),
            tool=advice.tool if advice else None,
            model_version=self.model_version,
            evidence=evidence,
        )

    def _evidence(self, text: str, category: int) -> tuple[Evidence, ...]:
        """Return the words that set this category apart from the mean of all, most telling first."""
        names, contributions = self.scorer.contributions(text)
        weights = contributions[:, category] - contributions.mean(axis=1)
        order = np.argsort(-weights, kind="stable")[:_N_EVIDENCE].tolist()
        return tuple(Evidence(names[i], round(float(weights[i]), 4)) for i in order if weights[i] > 0)

    def _in_arm(self, suggestion: Suggestion, requester: str | None) -> Suggestion:
        """Hold a suggestion back from the control arm; a banner is shown in both: an incident is no experiment."""
        arm = self.holdout.arm(requester) if self.holdout and requester is not None else None
        if arm is None:
            return suggestion
        if arm == "control" and suggestion.decision == "suggest":
            return replace(suggestion, decision="abstain", reason="control", arm=arm)
        return replace(suggestion, arm=arm)
