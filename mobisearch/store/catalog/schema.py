"""The tables, and what marks a database as ours."""

from __future__ import annotations

from sqlalchemy import (
    BLOB,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

APPLICATION_ID = 0x4D4F4249
"""``MOBI``, in the header of every catalog."""

FORMAT_VERSION = 7
"""SQLite's ``user_version``. Older ones are migrated, newer ones refused untouched."""

PAGE_SIZE = 16384
"""Bytes. At the default of 4096 a row of 1280 floats would waste almost half of its pages."""

metadata = MetaData()
"""Those about labels are in ``label_tables``."""

# sqlite_autoincrement: ids are never reused

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

model = Table(
    "model",
    metadata,
    Column("model_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("probe", BLOB, nullable=False),
)

root = Table(
    "root",
    metadata,
    Column("root_id", Integer, primary_key=True),
    Column("path", BLOB, nullable=False, unique=True),
    Column("scanned_at", Text),
    Column("scan", Text),  # since format 2: settings of the scan, JSON
)

content = Table(
    "content",
    metadata,
    Column("content_id", Integer, primary_key=True),
    Column("sha256", BLOB, CheckConstraint("length(sha256) = 32"), nullable=False, unique=True),
    Column("format", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("taken_at", Text),
    Column("camera", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("truncated", Integer, nullable=False, server_default="0"),  # since format 2
    sqlite_autoincrement=True,
)

file = Table(
    "file",
    metadata,
    Column("file_id", Integer, primary_key=True),
    Column("path", BLOB, nullable=False, unique=True),
    Column("root_id", ForeignKey("root.root_id")),
    Column("size_bytes", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("ctime_ns", Integer, nullable=False),
    Column("inode", Text, nullable=False),
    Column("racy", Integer, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('ok', 'error', 'missing')"), nullable=False),
    Column("content_id", ForeignKey("content.content_id")),
    Column("error_code", Text),
    Column("error_reason", Text),
    CheckConstraint("(state = 'error') = (error_code IS NOT NULL)"),
    CheckConstraint("state != 'ok' OR content_id IS NOT NULL"),
    sqlite_autoincrement=True,
)
Index("file_by_content", file.c.content_id, file.c.state)
Index("file_by_state", file.c.state)

vector = Table(
    "vector",
    metadata,
    Column("vector_id", Integer, primary_key=True),
    Column("content_id", ForeignKey("content.content_id"), nullable=False),
    Column("model_id", ForeignKey("model.model_id"), nullable=False),
    Column("vec", BLOB, nullable=False),
    UniqueConstraint("content_id", "model_id"),
    sqlite_autoincrement=True,
)
"""Of the model in use only. Never updated: adding a segment must not rewrite rows of five
kilobytes."""

beside_vector = Table(  # since format 6
    "beside_vector",
    metadata,
    Column("beside_id", Integer, primary_key=True),
    Column("model_id", ForeignKey("model.model_id"), nullable=False),
    Column(
        "content_id",
        ForeignKey("content.content_id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("vec", BLOB, nullable=False),
    Column("norm", Float),
    UniqueConstraint("model_id", "content_id"),
)
Index("beside_vector_by_content", beside_vector.c.content_id)
"""Of the models beside the one in use; no segment and no structure is made of them. ``norm`` is
what the table of that name says of the others."""

segment = Table(
    "segment",
    metadata,
    Column("segment_id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("first_id", Integer, nullable=False),
    Column("last_id", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
)
"""Segments cover ascending ranges of vector ids without overlap; newer ids are in none yet."""

tombstone = Table(
    "tombstone",
    metadata,
    Column("vector_id", Integer, primary_key=True),
)
"""Vectors that are still inside a segment file but not in the catalog any more."""

structure = Table(  # since format 3
    "structure",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("first_id", Integer, nullable=False),
    Column("last_id", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("n_trained", Integer, nullable=False),
    Column("probes", Integer, nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("recall_target", Float, nullable=False),
    Column("recall", Float, nullable=False),
    Column("queries", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("built_at", Text, nullable=False),
)
"""At most one row: the file for approximate search. Every vector that was in the catalog between
first and last when the file was written is in it; newer ids are not."""

look = Table(  # since format 4
    "look",
    metadata,
    Column(
        "content_id",
        ForeignKey("content.content_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("model_id", ForeignKey("model.model_id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("vec", BLOB, nullable=False),
    Column("pixels_sha256", BLOB),
)
"""What copies are found by, made when they are first looked for, and made again from the photos if
it is lost. ``version`` is that of the way it is made; ``pixels_sha256`` is of the upright pixels at
full size, for contents that had to be compared so closely."""

thumbnail = Table(  # since format 4
    "thumbnail",
    metadata,
    Column(
        "content_id",
        ForeignKey("content.content_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("version", Integer, nullable=False),
    Column("jpeg", BLOB, nullable=False),
)
"""The whole picture, small: what candidates are compared by. Apart from ``look``, so that reading
all embeddings does not go over all thumbnails."""

relation = Table(  # since format 4
    "relation",
    metadata,
    Column(
        "first_id",
        ForeignKey("content.content_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column(
        "second_id",
        ForeignKey("content.content_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("version", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("facts", Text, nullable=False),
    CheckConstraint("first_id < second_id"),
)
Index("relation_by_second", relation.c.second_id)
"""What comparing two contents found, unrelated ones included, so that it is done once."""

decision = Table(  # since format 4
    "decision",
    metadata,
    Column("decision_id", Integer, primary_key=True),
    Column("kind", Text, CheckConstraint("kind IN ('different', 'keep')"), nullable=False),
    Column("decided_at", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What the user said of some images: that they are not copies, or that all of them stay."""

decision_member = Table(  # since format 4
    "decision_member",
    metadata,
    Column(
        "decision_id",
        ForeignKey("decision.decision_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("sha256", BLOB, CheckConstraint("length(sha256) = 32"), primary_key=True),
    Column("n_files", Integer),  # since format 7
)
"""By content, so that it holds wherever a file goes, and outlives ``content``. ``n_files`` is how
many files it had when it was decided, or NULL where nobody counted."""

action = Table(  # since format 4
    "action",
    metadata,
    Column("action_id", Integer, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("kind", Text, CheckConstraint("kind IN ('trash', 'link')"), nullable=False),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('begun', 'done', 'failed', 'undoing', 'undone')"),
        nullable=False,
    ),
    Column("path", BLOB, nullable=False),
    Column("sha256", BLOB, CheckConstraint("length(sha256) = 32"), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("mode", Integer, nullable=False),
    Column("keeper", BLOB, nullable=False),
    Column("keeper_sha256", BLOB, nullable=False),
    Column("destination", BLOB),
    Column("restored", BLOB),
    Column("reason", Text),
    Column("changed_at", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("action_by_plan", action.c.plan)
"""The journal of everything that was done to files: written before each step, and after it. A step
that is taken again, after it was undone or had failed, has a row for each time."""
