"""Entities: the host, code, app or path that a ticket names, to fill a tool's form. spaCy is imported on first use."""
