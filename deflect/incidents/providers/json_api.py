"""Finds what belongs to a resource in an answer that follows JSON:API: Better Stack's, Cachet 3's and Zendesk's."""

from __future__ import annotations

from deflect.incidents.providers.fields import Fields, objects


class JsonApi:
    """An answer with ``data`` and ``included``, as jsonapi.org describes it."""

    def __init__(self, document: object) -> None:
        root = Fields(document)
        data = root.values.get("data")
        self.data = objects(data) if isinstance(data, list) else [root.fields("data")]
        self.included = root.list("included")
        self._by_key = {_key(resource): resource for resource in self.included}

    def of_type(self, *types: str) -> list[Fields]:
        """Return the resources of some types, wherever they stand."""
        return [resource for resource in (*self.data, *self.included) if resource.title("type") in types]

    def related(self, resource: Fields, *names: str) -> list[Fields]:
        """Return the included resources of a relationship, which goes by any of some names."""
        found = []
        for name in names:
            data = resource.fields("relationships").fields(name).values.get("data")
            references = objects(data) if isinstance(data, list) else [Fields(data)]
            found += [self._by_key[_key(reference)] for reference in references if _key(reference) in self._by_key]
        return found


def _key(resource: Fields) -> tuple[str, str]:
    return resource.title("type"), resource.title("id")
