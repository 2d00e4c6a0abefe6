"""Decides which of the entities fills a parameter, because a wrong name in a form is worse than none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from deflect.entities.extractor import Entity, Extractor

#: Other names of a parameter.
_LABELS = {
    "host": "domain",
    "hostname": "domain",
    "app_name": "app",
    "error_code": "code",
    "file": "path",
    "status_code": "status",
}
#: What is longer is nothing that a form asks for.
MAX_VALUE_CHARACTERS = 253


def fill(parameters: Sequence[str], text: str, extractor: Extractor) -> dict[str, str]:
    """Return the parameters whose value is certain: the surest, then the most frequent, then the first."""
    labels = {parameter: _LABELS.get(parameter, parameter) for parameter in parameters}
    entities = extractor.extract(text, dict.fromkeys(labels.values()))
    found = {parameter: _best([e for e in entities if e.label == label]) for parameter, label in labels.items()}
    return {parameter: value for parameter, value in found.items() if value is not None}


def _best(entities: Sequence[Entity]) -> str | None:
    fitting = [
        entity for entity in entities if len(entity.value) <= MAX_VALUE_CHARACTERS and entity.value.isprintable()
    ]
    sure = [entity for entity in fitting if entity.is_sure]
    is_uncertain = not sure and len({_site(entity) for entity in fitting}) > 1
    if not fitting or (fitting[0].label == "domain" and is_uncertain):
        return None  # Several hosts, and nothing says which.
    n_mentions = Counter(entity.value.casefold() for entity in fitting)
    ranked = sorted(sure or fitting, key=lambda entity: (-n_mentions[entity.value.casefold()], entity.start))
    return ranked[0].value


def _site(entity: Entity) -> str:
    return entity.value.casefold().removeprefix("www.")
