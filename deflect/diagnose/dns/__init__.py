"""Looks at a host name's DNS as a platform needs it: gathers what servers say, then decides what is wrong."""
