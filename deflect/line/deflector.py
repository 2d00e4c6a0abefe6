"""Answers tickets: the face of the line, which a ticket form imports."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from deflect.errors import ParameterError
from deflect.line.bundle import Bundle, read_bundle, starter_bundle, write_bundle
from deflect.line.playbook import Entry, Playbook
from deflect.line.scorer import Float64s, Scorer
from deflect.line.suggestion import Alternative, Decision, Evidence, Reason, Suggestion
from deflect.line.thresholds import Thresholds

if TYPE_CHECKING:
    from deflect.entities.extractor import Extractor

_N_ALTERNATIVES = 2
_N_EVIDENCE = 5


class Trained(Protocol):
    """What a classifier must have to be put into a Deflector; a fitted TicketClassifier has it."""

    scorer_: Scorer
    fingerprint_: str


class Incidents(Protocol):
    """Tells what to say about a current incident; must answer at once and never raise."""

    def banner(self, text: str) -> str | None:
        """Return what to say to the writer of a ticket, None where nothing is on."""


class Arms(Protocol):
    """Tells in which arm of the experiment a requester is."""

    def arm(self, requester: str) -> str:
        """Return "treatment" or "control"."""


class Deflector:
    """Suggest articles and tools for tickets while their writers type.

    When to use it: in a ticket form's back end, and to score archives. Answering uses no network, no disk, no log and
    no package but NumPy; it never raises on any text.

    Parameters
    ----------
    classifier_or_scorer
        A fitted ``TicketClassifier``, or its ``scorer_``.
    thresholds
        From ``fit_thresholds``, for the same categories.
    playbook
        From ``load_playbook``.
    incidents
        Tells what to say about a current incident; None (default) knows of none.
    holdout
        Tells in which arm a requester is; None (default) shows every suggestion. In the arm "control" a suggestion is
        computed and not to be shown: the decision is "abstain", the reason "control".

    Raises
    ------
    ParameterError
        The thresholds were fitted for other categories.

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
    ) -> None:
        if isinstance(classifier_or_scorer, Scorer):
            self.scorer, self.fingerprint = classifier_or_scorer, ""
        else:
            self.scorer, self.fingerprint = classifier_or_scorer.scorer_, classifier_or_scorer.fingerprint_
        self.thresholds = thresholds
        self.playbook = playbook
        self.incidents = incidents
        self.holdout = holdout
        self.model_version = ""
        self.metrics: Mapping[str, float] = {}
        if thresholds.categories != self.scorer.categories:
            msg = (
                f"The thresholds must be for the categories of the classifier, {', '.join(self.scorer.categories)}. "
                f"Got {', '.join(thresholds.categories)}. Call fit_thresholds with this classifier."
            )
            raise ParameterError(msg)
        self._least = np.array(thresholds.least)
        self._extractor: Extractor | None = None

    def suggest(
        self, text: str, *, subject: str = "", requester: str | None = None, locale: str | None = None
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
            whole = joined(subject, text)
            suggestion = self._decided(whole, self.scorer.probabilities([whole])[0], locale)
            return self._in_context(suggestion, whole, requester)
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
        probabilities = self.scorer.probabilities(texts)
        return [self._decided(text, row, None, explain=False) for text, row in zip(texts, probabilities, strict=True)]

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
        write_bundle(directory, Bundle(self.scorer, self.thresholds, self.playbook, self.fingerprint, figures))

    @classmethod
    def load(
        cls,
        directory: str | os.PathLike[str] | None = None,
        *,
        incidents: Incidents | None = None,
        holdout: Arms | None = None,
    ) -> Self:
        """Load a bundle.

        Parameters
        ----------
        directory
            A directory that ``save`` wrote; None (default) is the starter bundle.
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

        """
        bundle = read_bundle(starter_bundle() if directory is None else directory)
        deflector = cls(bundle.scorer, bundle.thresholds, bundle.playbook, incidents=incidents, holdout=holdout)
        deflector.fingerprint, deflector.metrics = bundle.fingerprint, bundle.metrics
        deflector.model_version = bundle.version
        return deflector

    def _decided(self, text: str, probabilities: Float64s, locale: str | None, *, explain: bool = True) -> Suggestion:
        order = np.argsort(-probabilities, kind="stable")[: _N_ALTERNATIVES + 1].tolist()
        best = order[0]
        categories = self.scorer.categories
        category, probability = categories[best], float(probabilities[best])
        entry = self.playbook.entries.get(category)
        decision, reason = self._decision(text, category, entry, is_accepted=probability >= self._least[best])
        advice = entry.for_locale(locale) if entry is not None and decision == "suggest" else None
        return Suggestion(
            decision=decision,
            reason=reason,
            category=category,
            probability=probability,
            alternatives=tuple(Alternative(categories[i], float(probabilities[i])) for i in order[1:]),
            lead=advice.lead if advice else "",
            articles=advice.articles if advice else (),
            tool=advice.tool if advice else None,
            model_version=self.model_version,
            evidence=self._evidence(text, best) if explain and decision == "suggest" else (),
        )

    def _decision(self, text: str, category: str, entry: Entry | None, *, is_accepted: bool) -> tuple[Decision, Reason]:
        if not any(character.isalnum() for character in text):
            return "abstain", "too_short"
        if category == self.playbook.out_of_scope:
            return "abstain", "out_of_scope"
        if entry is None:
            return "abstain", "no_playbook_entry"
        if entry.mode == "never":
            return "abstain", "category_off"
        if entry.mode == "always" or is_accepted:
            return "suggest", "confident"
        return "abstain", "below_threshold"

    def _evidence(self, text: str, category: int) -> tuple[Evidence, ...]:
        """Return the words that set this category apart from the mean of all, most telling first."""
        names, contributions = self.scorer.contributions(text)
        weights = contributions[:, category] - contributions.mean(axis=1)
        order = np.argsort(-weights, kind="stable")[:_N_EVIDENCE].tolist()
        return tuple(Evidence(names[i], round(float(weights[i]), 4)) for i in order if weights[i] > 0)

    def _in_context(self, suggestion: Suggestion, text: str, requester: str | None) -> Suggestion:
        """Add what depends on the moment and on the writer: the incident's banner and the arm."""
        banner = self.incidents.banner(text) if self.incidents else None
        arm = self.holdout.arm(requester) if self.holdout and requester is not None else None
        if banner is None and arm is None:
            return suggestion
        is_held = arm == "control" and suggestion.decision == "suggest"
        return replace(
            suggestion,
            decision="abstain" if is_held else suggestion.decision,
            reason="control" if is_held else suggestion.reason,
            banner=banner,
            arm=arm,
        )


def joined(subject: str, body: str) -> str:
    """Return the text of a ticket that has a subject and a body: a line each, as ``read_tickets`` joins columns."""
    return f"{subject}\n{body}" if subject and body else subject or body
