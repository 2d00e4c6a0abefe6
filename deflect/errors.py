"""Every error that deflect raises on purpose.

DeflectError
├── ParameterError            an argument is outside what it may be (also a ValueError)
├── TrainingDataError         the labelled tickets cannot be learned from (also a ValueError)
├── TicketFileError           a ticket file cannot be read at all
├── ScoringError              a scoring run could not come to its end; what is done is kept
├── PlaybookError             a playbook has faults; it lists all of them
├── DiagnosisError            a diagnosis could not look at its subject at all
├── IncidentFeedError         a status page cannot be read
│   └── NoStatusPageError     what answered is no status page
├── BundleError               a bundle is incomplete, damaged or not a bundle
│   └── BundleVersionError    a bundle was written by a newer deflect
├── WordVectorError           the files of word vectors are incomplete or damaged
├── EncoderError              an encoder is missing, another one than a model needs, or answers no vectors
└── OptionalDependencyError   a feature needs a package that is not installed (also an ImportError)
"""

from __future__ import annotations

from collections.abc import Sequence


class DeflectError(Exception):
    """Root of the error tree: catch it to catch everything that deflect raises on purpose."""


class ParameterError(DeflectError, ValueError):
    """An argument is outside what it may be."""


class TrainingDataError(DeflectError, ValueError):
    """The labelled tickets cannot be learned from."""


class TicketFileError(DeflectError):
    """A ticket file cannot be read at all; single bad rows are reported, not raised."""


class ScoringError(DeflectError):
    """A scoring run could not come to its end; unless it says otherwise, what is done is kept for the next run."""


class PlaybookError(DeflectError):
    """A playbook has faults; ``faults`` has one sentence for each of them."""

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n  ".join([f"{name} has {count}:", *faults]))


class DiagnosisError(DeflectError):
    """A diagnosis could not look at its subject at all; what it finds wrong is a Finding, not an error."""


class IncidentFeedError(DeflectError):
    """A status page cannot be read; raised where the caller asks for it, never by a running feed."""


class NoStatusPageError(IncidentFeedError):
    """What answered is no status page that deflect knows; raised at start-up."""


class BundleError(DeflectError):
    """A bundle is incomplete, damaged or not a bundle."""


class BundleVersionError(BundleError):
    """A bundle was written by a newer deflect."""


class WordVectorError(DeflectError):
    """The files of word vectors are incomplete or damaged."""


class EncoderError(DeflectError):
    """An encoder is missing, another one than a model needs, or answers no vectors."""


class OptionalDependencyError(DeflectError, ImportError):
    """A feature needs a package that is not installed; the text is the command that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{package} is needed here and is not installed. Run: pip install 'ticket-deflect[{extra}]'")
