"""The checks of a store in SQL: its version, its tables and indexes, its labels, its plans."""

from experiment_store_sql.examining.examination import (
    VERSION,
    Reader,
    examination,
    place_problem,
)
from experiment_store_sql.examining.subject import Catalogue, FoundIndex, FoundTable, Subject

__all__ = [
    "VERSION",
    "Catalogue",
    "FoundIndex",
    "FoundTable",
    "Reader",
    "Subject",
    "examination",
    "place_problem",
]
