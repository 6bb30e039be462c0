"""What the page says once another model came into use in the index that it serves."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mobisearch import Embedder, IndexModels
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from tests.web.conftest import make_page, open_index

OTHER = dataclasses.replace(FAKE_MODEL, name="other", architecture="another", dim=48)


@pytest.mark.parametrize("is_asked_before", [False, True])
def test_searches_get_a_sentence_and_listings_go_on(
    own_library: Path, is_asked_before: bool
) -> None:
    query = {"like": [{"image": 1}], "k": 3}
    with open_index(own_library) as index:
        page = make_page(index)
        if is_asked_before:  # the rows are in memory then
            assert page.program.post("/api/search", json=query).status_code == 200
        models = IndexModels(own_library / "index")
        models.add(Embedder(OTHER, runtime=FakeRuntime(OTHER)))
        models.use("other")
        answer = page.program.post("/api/search", json=query)
        assert answer.status_code == 503
        error = answer.json()["error"]
        assert error["code"] == "ModelChangedError"
        assert FAKE_MODEL.architecture in error["reason"]
        assert str(own_library) not in error["reason"]
        assert page.program.get("/api/images").json()["total"] == len(index)


def test_a_sentence_does_not_name_the_index(own_library: Path) -> None:
    with open_index(own_library) as index:
        answer = make_page(index).program.get("/api/images", params={"label": "tabby"})
    assert answer.json()["error"]["reason"].startswith("no image has labels yet")
