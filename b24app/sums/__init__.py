"""Sums of stored facts: what every measure counts, in SQL, and the records behind a sum."""

from b24app.sums.read import conditions, parameters, read, read_all, read_facts

__all__ = ["conditions", "parameters", "read", "read_all", "read_facts"]
