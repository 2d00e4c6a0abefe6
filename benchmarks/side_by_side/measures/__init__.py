"""One module for each measure: ``measure(contender, *paths)`` runs in a process of its own and returns figures."""
