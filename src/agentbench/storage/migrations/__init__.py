"""The schema's history, as alembic runs it: a revision is never changed once it was released."""
