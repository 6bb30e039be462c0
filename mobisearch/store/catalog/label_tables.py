"""The tables about labels, beside those of ``schema``."""

from __future__ import annotations

from sqlalchemy import BLOB, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text

from mobisearch.store.catalog.schema import metadata

norm = Table(  # since format 5
    "norm",
    metadata,
    Column(
        "vector_id",
        ForeignKey("vector.vector_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("value", Float, nullable=False),
)
"""How long an embedding was before it became a unit vector: what a classifier needs besides. It is
apart from ``vector``, whose rows are never updated. Embeddings of before format 5 have none, until
their images are labelled and therefore read again."""

classifier = Table(  # since format 5
    "classifier",
    metadata,
    Column("classifier_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sha256", BLOB, CheckConstraint("length(sha256) = 32"), nullable=False),
    Column("categories", Text, nullable=False),
    Column("n_kept", Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""What images were labelled with: its categories, JSON, by whose places ``label`` names them, and
how many of the most probable ones are kept of each image."""

label = Table(  # since format 5
    "label",
    metadata,
    Column(
        "content_id",
        ForeignKey("content.content_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column(
        "classifier_id",
        ForeignKey("classifier.classifier_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("place", Integer, primary_key=True),
    Column("category", Integer, nullable=False),
    Column("probability", Float, nullable=False),
    sqlite_with_rowid=False,  # it is its own index
)
Index("label_by_category", label.c.classifier_id, label.c.category, label.c.probability)
"""The most probable categories of a content, place 1 being the best; made again from the embeddings
if they are lost."""
