"""A module for each version of the schema: `revision`, `down_revision`, `upgrade(ground)`.

``atomic = False`` lets a step be several transactions, for rewriting many rows.
Every step can be run again after it died half-way. None is ever changed once released.
"""
