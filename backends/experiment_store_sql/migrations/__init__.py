"""From the schema of an older release to that of this one, a version at a time.

`versions` has a module for every version: what Alembic calls a revision. The
version of a store is a row of its own table `settings`, not Alembic's table,
which other tools keep in the same databases.
"""

from experiment_store_sql.migrations.ground import Ground
from experiment_store_sql.migrations.lease import Lease
from experiment_store_sql.migrations.migrator import VERSIONS, SqlMigrations
from experiment_store_sql.migrations.site import Site

__all__ = ["VERSIONS", "Ground", "Lease", "Site", "SqlMigrations"]
