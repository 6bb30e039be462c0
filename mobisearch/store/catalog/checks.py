"""What must hold in a sound catalog, as SQL, and how each breach is mended.

A mend never invents: it lets go of what makes no sense, and marks the files concerned so that they
are read again. SQLite's own structure is checked first; what follows is about the meaning of rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from mobisearch.store.catalog.upkeep import MODEL_OF_VECTORS

_IS_ODD_FILE = """
    typeof(path) != 'blob' OR typeof(size_bytes) != 'integer' OR typeof(mtime_ns) != 'integer'
    OR typeof(ctime_ns) != 'integer' OR typeof(racy) != 'integer' OR typeof(inode) != 'text'
    OR typeof(content_id) NOT IN ('integer', 'null') OR typeof(root_id) NOT IN ('integer', 'null')
    OR state NOT IN ('ok', 'error', 'missing') OR (state = 'error') != (error_code IS NOT NULL)
    OR (state = 'ok' AND content_id IS NULL)
    OR typeof(error_code) NOT IN ('text', 'null') OR typeof(error_reason) NOT IN ('text', 'null')
"""
_IS_ODD_CONTENT = """
    typeof(sha256) != 'blob' OR length(sha256) != 32 OR typeof(format) != 'text'
    OR typeof(width) != 'integer' OR typeof(height) != 'integer' OR width < 1 OR height < 1
    OR typeof(taken_at) NOT IN ('text', 'null') OR typeof(camera) NOT IN ('text', 'null')
    OR typeof(latitude) NOT IN ('real', 'null') OR typeof(longitude) NOT IN ('real', 'null')
    OR typeof(truncated) != 'integer'
"""
_IS_ODD_VECTOR = """
    typeof(vec) != 'blob' OR vector_id < 1
    OR length(vec) != 4 * (SELECT dim FROM model WHERE model.model_id = vector.model_id)
    OR model_id NOT IN (SELECT model_id FROM model)
    OR content_id NOT IN (SELECT content_id FROM content)
"""
_IS_NO_MODEL_IN_USE = f"""
    key = 'active_model' AND (typeof(value) != 'text' OR value = '' OR value GLOB '*[^0-9]*'
    OR CAST(value AS INTEGER) NOT IN (SELECT model_id FROM model)
    OR CAST(value AS INTEGER) != ({MODEL_OF_VECTORS}))
    OR key = 'uuid' AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'active_model')
"""
_IS_NOT_IN_USE = """
    model_id != (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'active_model')
"""
_IS_ODD_BESIDE = """
    typeof(vec) != 'blob' OR typeof(norm) NOT IN ('real', 'null') OR NOT ifnull(norm, 1) > 0
    OR length(vec) != 4 * (SELECT dim FROM model WHERE model.model_id = beside_vector.model_id)
    OR model_id NOT IN (SELECT model_id FROM model)
    OR content_id NOT IN (SELECT content_id FROM content)
    OR model_id = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'active_model')
"""
_IS_ODD_SEGMENT = """
    typeof(name) != 'text' OR typeof(sha256) != 'text' OR typeof(size_bytes) != 'integer'
    OR typeof(first_id) != 'integer' OR typeof(last_id) != 'integer' OR typeof(n) != 'integer'
    OR n < 1 OR first_id < 1 OR last_id < first_id OR EXISTS (
        SELECT 1 FROM segment other WHERE other.segment_id != segment.segment_id
            AND other.first_id <= segment.last_id AND other.last_id >= segment.first_id)
"""
_IS_NOT_WHAT_IT_HOLDS = """
    n != (SELECT count(*) FROM vector WHERE vector_id BETWEEN first_id AND last_id)
        + (SELECT count(*) FROM tombstone WHERE vector_id BETWEEN first_id AND last_id)
"""
_IS_ODD_STRUCTURE = """
    typeof(name) != 'text' OR typeof(kind) != 'text' OR typeof(sha256) != 'text'
    OR typeof(built_at) != 'text' OR typeof(size_bytes) != 'integer' OR size_bytes < 1
    OR typeof(dim) != 'integer' OR dim < 1 OR typeof(n) != 'integer' OR n < 1
    OR typeof(n_trained) != 'integer' OR n_trained < 1 OR typeof(first_id) != 'integer'
    OR typeof(last_id) != 'integer' OR first_id < 1 OR last_id < first_id
    OR typeof(probes) != 'integer' OR probes < 1 OR typeof(candidates) != 'integer'
    OR candidates < 1 OR typeof(queries) != 'integer' OR queries < 1
    OR typeof(recall) != 'real' OR typeof(recall_target) != 'real'
    OR (SELECT count(*) FROM structure) > 1
"""
_LACKS_EMBEDDINGS = """
    n < (SELECT count(*) FROM vector WHERE vector_id BETWEEN first_id AND last_id)
    OR EXISTS (SELECT 1 FROM vector WHERE vector_id < first_id)
"""
_HAS_NO_CONTENT = """
    content_id IS NOT NULL AND content_id NOT IN (SELECT content_id FROM content)
"""
_HAS_NO_EMBEDDING = """
    state IN ('ok', 'missing') AND racy = 0 AND content_id IS NOT NULL
    AND content_id NOT IN (SELECT content_id FROM vector)
    OR state = 'ok' AND content_id NOT IN (SELECT content_id FROM vector)
"""
_IS_ODD_TARGET = """
    key = 'recall_target' AND (typeof(value) != 'text' OR value = '' OR value GLOB '*[^0-9.e-]*'
    OR CAST(value AS REAL) <= 0 OR CAST(value AS REAL) > 1)
"""
_IS_ODD_DECISION = """
    kind NOT IN ('different', 'keep') OR typeof(decided_at) != 'text'
    OR (kind = 'different') + 1 > (SELECT count(*) FROM decision_member
        WHERE decision_member.decision_id = decision.decision_id)
"""
_IS_ODD_DECISION_MEMBER = """
    typeof(sha256) != 'blob' OR length(sha256) != 32
    OR decision_id NOT IN (SELECT decision_id FROM decision)
"""
_IS_ODD_COUNT = "n_files IS NOT NULL AND (typeof(n_files) != 'integer' OR n_files < 1)"
_IS_ODD_ACTION = """
    typeof("plan") != 'text' OR typeof(step) != 'integer' OR kind NOT IN ('trash', 'link')
    OR state NOT IN ('begun', 'done', 'failed', 'undoing', 'undone')
    OR typeof(path) != 'blob' OR typeof(keeper) != 'blob'
    OR typeof(sha256) != 'blob' OR length(sha256) != 32
    OR typeof(keeper_sha256) != 'blob' OR length(keeper_sha256) != 32
    OR typeof(size_bytes) != 'integer' OR typeof(mtime_ns) != 'integer'
    OR typeof(mode) != 'integer' OR typeof(destination) NOT IN ('blob', 'null')
    OR typeof(restored) NOT IN ('blob', 'null') OR typeof(reason) NOT IN ('text', 'null')
    OR typeof(changed_at) != 'text'
"""
_IS_ODD_LOOK = """
    typeof(vec) != 'blob' OR typeof(version) != 'integer'
    OR length(vec) != 2 * (SELECT dim FROM model WHERE model.model_id = look.model_id)
    OR model_id NOT IN (SELECT model_id FROM model)
    OR content_id NOT IN (SELECT content_id FROM content)
    OR typeof(pixels_sha256) NOT IN ('blob', 'null') OR length(pixels_sha256) != 32
"""
_IS_ODD_THUMBNAIL = """
    typeof(jpeg) != 'blob' OR hex(substr(jpeg, 1, 2)) != 'FFD8' OR typeof(version) != 'integer'
    OR content_id NOT IN (SELECT content_id FROM content)
"""
_HAS_NO_THUMBNAIL = """
    NOT EXISTS (SELECT 1 FROM thumbnail
        WHERE thumbnail.content_id = look.content_id AND thumbnail.version = look.version)
"""
_IS_ODD_RELATION = """
    first_id >= second_id OR typeof(version) != 'integer' OR typeof(verdict) != 'text'
    OR typeof(facts) != 'text' OR NOT json_valid(facts)
    OR first_id NOT IN (SELECT content_id FROM content)
    OR second_id NOT IN (SELECT content_id FROM content)
"""
_IS_ODD_NORM = """
    typeof(value) != 'real' OR NOT value > 0 OR value > 1e30
    OR vector_id NOT IN (SELECT vector_id FROM vector)
"""
_IS_ODD_CLASSIFIER = """
    typeof(name) != 'text' OR typeof(n_kept) != 'integer' OR n_kept < 1
    OR typeof(categories) != 'text' OR NOT json_valid(categories)
    OR json_type(categories) != 'array'
"""
_IS_ODD_LABEL = """
    typeof(probability) != 'real' OR NOT probability BETWEEN 0 AND 1
    OR typeof(category) != 'integer' OR typeof(place) != 'integer' OR place < 1
    OR content_id NOT IN (SELECT content_id FROM content)
    OR classifier_id NOT IN (SELECT classifier_id FROM classifier)
    OR NOT category BETWEEN 0 AND (SELECT json_array_length(categories) - 1 FROM classifier
        WHERE classifier.classifier_id = label.classifier_id)
"""
_IS_ODD_GENERATION = """
    key = 'generation' AND (value = '' OR value GLOB '*[^0-9]*' OR typeof(value) != 'text')
"""


@dataclass(frozen=True, slots=True)
class Check:
    """Rows that must not be there.

    Attributes:
        what: what they are, for a message after their number.
        table, condition: where to find them, in SQL.
        mends: statements that put it right.
    """

    what: str
    table: str
    condition: str
    mends: tuple[str, ...]

    def count(self, connection: Connection) -> int:
        """Count the rows that must not be there."""
        statement = f"SELECT count(*) FROM {self.table} WHERE {self.condition}"
        return int(connection.exec_driver_sql(statement).scalar_one())


_DROP_ODD_VECTORS = (
    f"INSERT OR IGNORE INTO tombstone SELECT vector_id FROM vector WHERE {_IS_ODD_VECTOR}",
    f"DELETE FROM vector WHERE {_IS_ODD_VECTOR}",
)
_CHOOSE_MODEL = f"""
    INSERT INTO meta (key, value) SELECT 'active_model', CAST(coalesce(
        ({MODEL_OF_VECTORS}), min(model_id)) AS TEXT) FROM model HAVING count(*)
"""
CHECKS = (
    Check("roots have no proper path", "root", "typeof(path) != 'blob'",
          ("DELETE FROM root WHERE typeof(path) != 'blob'",)),
    Check("files have rows that make no sense", "file", _IS_ODD_FILE,
          (f"DELETE FROM file WHERE {_IS_ODD_FILE}",)),
    Check("contents have rows that make no sense", "content", _IS_ODD_CONTENT,
          (f"DELETE FROM content WHERE {_IS_ODD_CONTENT}",)),
    Check("embeddings have the wrong size, or belong to nothing", "vector", _IS_ODD_VECTOR,
          _DROP_ODD_VECTORS),
    Check("models in use are none", "meta", _IS_NO_MODEL_IN_USE,
          ("DELETE FROM meta WHERE key = 'active_model'", _CHOOSE_MODEL)),
    Check("embeddings are of a model that is not in use", "vector", _IS_NOT_IN_USE,
          (f"INSERT OR IGNORE INTO tombstone SELECT vector_id FROM vector WHERE {_IS_NOT_IN_USE}",
           f"DELETE FROM vector WHERE {_IS_NOT_IN_USE}")),
    Check("embeddings beside make no sense, or belong to nothing", "beside_vector",
          _IS_ODD_BESIDE, (f"DELETE FROM beside_vector WHERE {_IS_ODD_BESIDE}",)),
    Check("files have a content that is not there", "file", _HAS_NO_CONTENT,
          ("UPDATE file SET content_id = NULL, racy = 1,"
           " state = CASE state WHEN 'ok' THEN 'missing' ELSE state END"
           f" WHERE {_HAS_NO_CONTENT}",)),
    Check("images have no embedding", "file", _HAS_NO_EMBEDDING,
          ("UPDATE file SET racy = 1, state = 'missing'"
           " WHERE state IN ('ok', 'missing') AND content_id IS NOT NULL"
           " AND content_id NOT IN (SELECT content_id FROM vector)",)),
    Check("files belong to a root that is not there", "file",
          "root_id IS NOT NULL AND root_id NOT IN (SELECT root_id FROM root)",
          ("UPDATE file SET root_id = NULL WHERE root_id NOT IN (SELECT root_id FROM root)",)),
    Check("embeddings are there but marked as gone", "tombstone",
          "vector_id IN (SELECT vector_id FROM vector)",
          ("DELETE FROM tombstone WHERE vector_id IN (SELECT vector_id FROM vector)",)),
    Check("segments overlap or make no sense", "segment", _IS_ODD_SEGMENT,
          ("DELETE FROM segment", "DELETE FROM tombstone")),
    Check("segments hold other embeddings than the catalog", "segment", _IS_NOT_WHAT_IT_HOLDS,
          ("DELETE FROM segment", "DELETE FROM tombstone")),
    Check("structures make no sense", "structure", _IS_ODD_STRUCTURE, ("DELETE FROM structure",)),
    Check("structures lack embeddings of the catalog", "structure", _LACKS_EMBEDDINGS,
          ("DELETE FROM structure",)),
    Check("recall targets are none", "meta", _IS_ODD_TARGET,
          ("DELETE FROM meta WHERE key = 'recall_target'",)),
    Check("members of decisions make no sense, or belong to none", "decision_member",
          _IS_ODD_DECISION_MEMBER,
          (f"DELETE FROM decision_member WHERE {_IS_ODD_DECISION_MEMBER}",)),
    Check("decisions make no sense, or are about nothing", "decision", _IS_ODD_DECISION,
          (f"DELETE FROM decision_member WHERE decision_id IN"
           f" (SELECT decision_id FROM decision WHERE {_IS_ODD_DECISION})",
           f"DELETE FROM decision WHERE {_IS_ODD_DECISION}",
           f"DELETE FROM decision_member WHERE {_IS_ODD_DECISION_MEMBER}")),
    Check("numbers of files of decisions make no sense", "decision_member", _IS_ODD_COUNT,
          (f"UPDATE decision_member SET n_files = NULL WHERE {_IS_ODD_COUNT}",)),
    Check("steps in the journal make no sense", "action", _IS_ODD_ACTION,
          (f"DELETE FROM action WHERE {_IS_ODD_ACTION}",)),
    Check("looks have the wrong size, or belong to nothing", "look", _IS_ODD_LOOK,
          (f"DELETE FROM look WHERE {_IS_ODD_LOOK}",)),
    Check("thumbnails make no sense, or belong to nothing", "thumbnail", _IS_ODD_THUMBNAIL,
          (f"DELETE FROM thumbnail WHERE {_IS_ODD_THUMBNAIL}",)),
    Check("looks have no thumbnail of their version", "look", _HAS_NO_THUMBNAIL,
          (f"DELETE FROM look WHERE {_HAS_NO_THUMBNAIL}",)),
    Check("relations make no sense, or are of nothing", "relation", _IS_ODD_RELATION,
          (f"DELETE FROM relation WHERE {_IS_ODD_RELATION}",)),
    Check("norms make no sense, or belong to nothing", "norm", _IS_ODD_NORM,
          (f"DELETE FROM norm WHERE {_IS_ODD_NORM}",)),
    Check("classifiers make no sense", "classifier", _IS_ODD_CLASSIFIER,
          ("DELETE FROM label", "DELETE FROM classifier")),
    Check("labels make no sense, or belong to nothing", "label", _IS_ODD_LABEL,
          ("DELETE FROM label",)),
    Check("generation is no number", "meta", _IS_ODD_GENERATION,
          ("UPDATE meta SET value = CAST(strftime('%s') AS TEXT) WHERE key = 'generation'",)),
)  # fmt: skip
"""In the order in which they are mended: what a mend leaves behind is found by a later check."""


def find_breaches(connection: Connection) -> list[str]:
    """Return a line for each check that fails, with the number of rows."""
    structure = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars()
    lines = [str(line) for line in structure if line != "ok"]
    counted = [(check.count(connection), check.what) for check in CHECKS]
    return [f"catalog: {line}" for line in (*lines, *(f"{n} {w}" for n, w in counted if n))]


def mend_breaches(
    connection: Connection, bad_vectors: Iterable[int], bad_beside: Iterable[int] = ()
) -> list[str]:
    """Put right what can be, and return a line for each thing that was done.

    Args:
        bad_vectors: ids of embeddings that are of the right size, but no unit vectors.
        bad_beside: ids of such rows of models beside the one in use.
    """
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    connection.exec_driver_sql("REINDEX")
    mended: list[str] = []
    ids = [(vector_id,) for vector_id in bad_vectors]
    if ids:
        connection.exec_driver_sql("INSERT OR IGNORE INTO tombstone VALUES (?)", ids)
        connection.exec_driver_sql("DELETE FROM vector WHERE vector_id = ?", ids)
        mended.append(f"{len(ids)} embeddings were no unit vectors")
    beside = [(beside_id,) for beside_id in bad_beside]
    if beside:
        connection.exec_driver_sql("DELETE FROM beside_vector WHERE beside_id = ?", beside)
        mended.append(f"{len(beside)} embeddings beside were no unit vectors")
    for check in CHECKS:
        n_rows = check.count(connection)
        if n_rows:
            mended.append(f"{n_rows} {check.what}")
            for statement in check.mends:
                connection.exec_driver_sql(statement)
    return mended
