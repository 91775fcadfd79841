"""The contract suite: what the store relies on, one test per sentence.

Every method of every backend is measured against `matches` and `arrange`, which
define what a selection means, and against the words of `experiment_store.backend`.
A backend conforms or it does not: there are no flags, and nothing is skipped.
"""

from __future__ import annotations

from experiment_store.testing.cascading import Cascading
from experiment_store.testing.comparing import Comparing
from experiment_store.testing.deleting import Deleting
from experiment_store.testing.entering import Entering
from experiment_store.testing.inserting import Inserting
from experiment_store.testing.labelling import Labelling
from experiment_store.testing.owning import Owning
from experiment_store.testing.paging import Paging
from experiment_store.testing.racing import Racing
from experiment_store.testing.reading import Reading
from experiment_store.testing.selecting import Selecting
from experiment_store.testing.typed import Typed
from experiment_store.testing.updating import Updating
from experiment_store.testing.writing import Writing


class BackendContract(
    Reading,
    Selecting,
    Labelling,
    Typed,
    Comparing,
    Entering,
    Paging,
    Inserting,
    Updating,
    Cascading,
    Deleting,
    Owning,
    Writing,
    Racing,
):
    """Subclass this in a test module, and provide a fixture *backend*: new, and empty.

    The suite sets the backend up and closes it. It takes the number of examples
    from the active Hypothesis profile.
    """
