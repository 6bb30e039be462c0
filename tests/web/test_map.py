"""The map of the collection."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobisearch import ImageIndex
from mobisearch.mapping.files import ImageMap, map_path, read_map, write_map
from mobisearch.mapping.layout import lay_out, reduce_rows
from mobisearch.mapping.making import draw_map
from tests.web.conftest import N_PHOTOS, Page, make_page, open_index


def _clusters(n_each: int, n_clusters: int = 4, dim: int = 32) -> np.ndarray:
    generator = np.random.default_rng(0)
    middles = generator.normal(0, 1, (n_clusters, dim))
    rows = np.repeat(middles, n_each, axis=0) + generator.normal(0, 0.1, (n_each * n_clusters, dim))
    unit: np.ndarray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 9])
def test_a_few_images_have_places_too(n: int) -> None:
    places = lay_out(_clusters(3)[:n])
    assert places.shape == (n, 2)
    assert ((places >= 0) & (places <= 1)).all()


def test_images_alike_lie_beside_one_another() -> None:
    places = lay_out(_clusters(25))
    home = np.arange(100) // 25
    for number in range(100):
        apart = np.linalg.norm(places - places[number], axis=1)
        nearest = np.argsort(apart)[1:11]
        assert (home[nearest] == home[number]).mean() >= 0.9


def test_the_same_rows_have_the_same_places() -> None:
    rows = _clusters(20)
    assert np.array_equal(lay_out(rows), lay_out(rows))


def test_images_beyond_the_sample_lie_beside_those_they_are_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mobisearch.mapping.layout.SAMPLE", 60)
    rows = _clusters(50)
    places = lay_out(reduce_rows(rows)(rows))
    home = np.arange(200) // 50
    middles = np.stack([places[home == k].mean(axis=0) for k in range(4)])
    apart = np.linalg.norm(places[:, None] - middles, axis=2)
    assert (apart.argmin(axis=1) == home).mean() >= 0.95


def test_a_map_is_read_as_it_was_written_and_not_if_it_is_damaged(served: ImageIndex) -> None:
    made = draw_map(served, lambda _step, _share: None)
    assert made.ids.tolist() == list(range(1, N_PHOTOS + 3))
    path = map_path(served.uuid)
    assert write_map(path, made)
    found = read_map(served.uuid, model=made.model)
    assert found is not None
    assert np.array_equal(found.ids, made.ids)
    assert np.array_equal(found.places, made.places)
    assert read_map(served.uuid, model="another") is None
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert read_map(served.uuid, model=made.model) is None
    path.unlink()


def test_images_with_one_content_lie_at_one_place(served: ImageIndex) -> None:
    made = draw_map(served, lambda _step, _share: None)
    by_content: dict[str, list[int]] = {}
    for number in made.ids.tolist():
        by_content.setdefault(served.image(number).sha256, []).append(number)
    (twins,) = [ids for ids in by_content.values() if len(ids) > 1]
    first, second = (made.places[np.searchsorted(made.ids, number)] for number in twins)
    assert np.array_equal(first, second)


def _wait(page: Page) -> dict[str, Any]:
    pause = threading.Event()
    for _ in range(600):
        state: dict[str, Any] = page.program.get("/api/map").json()
        if state["state"] != "computing":
            return state
        pause.wait(0.1)
    raise AssertionError("the map was not made in a minute")


def test_the_page_gets_the_map_when_it_is_made(
    own_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(index: ImageIndex, **_: object) -> ImageMap:
        return draw_map(index, lambda _step, _share: None)

    monkeypatch.setattr("mobisearch.web.maps.make_map", here)  # no other process knows the fake
    with open_index(own_library) as index:
        page = make_page(index)
        assert page.program.get("/api/map").json()["state"] == "none"
        assert page.program.get("/api/map/points").status_code == 404
        assert page.program.post("/api/map").status_code == 202
        assert _wait(page)["images"] == N_PHOTOS + 2
        points = page.program.get("/api/map/points").json()
        assert len(points["ids"]) == len(points["x"]) == len(points["y"]) == N_PHOTOS + 2
        index.remove([own_library / "photos" / "odd"])
        assert page.program.get("/api/map").json()["is_stale"]


def test_a_map_that_cannot_be_made_is_a_sentence(own_library: Path) -> None:
    with open_index(own_library) as index:  # of a model that another process does not have
        page = make_page(index)
        page.program.post("/api/map")
        state = _wait(page)
        assert state["state"] == "failed"
        assert "random_projection" in state["error"] or "model" in state["error"]
