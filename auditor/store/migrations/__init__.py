"""Alembic's home: one numbered file in `versions` per released schema."""
