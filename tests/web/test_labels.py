"""Labels on the page: shown, counted, and searched by."""

from __future__ import annotations

from pathlib import Path

from mobisearch.types import ImageFilter
from tests.unit.test_labels import CLASSIFIER
from tests.web.conftest import make_page, open_index


def test_labels_are_counted_shown_and_filter_listings_and_searches(own_library: Path) -> None:
    with open_index(own_library) as index:
        index.label(CLASSIFIER)
        page = make_page(index)
        counts = page.browser.get("/api/status").json()["labels"]
        label = max(counts, key=lambda name: counts[name])
        listed = page.browser.get("/api/images", params={"label": label, "limit": 100}).json()
        assert listed["total"] >= counts[label]
        ids = {image["id"] for image in listed["images"]}
        for image_id in ids:
            assert label in page.browser.get(f"/api/images/{image_id}").json()["labels"]
        found = page.program.post(
            "/api/search",
            json={"like": [{"image": 1}], "k": 100, "filters": {"label": label}},
        ).json()["matches"]
        assert {match["image"]["id"] for match in found} == ids - {1}
        both = index.search_row(index.embedding(1), 100, ImageFilter(label=label, format="PNG"))
        assert {m.image.id for m in both} == {
            m["image"]["id"] for m in found if m["image"]["format"] == "PNG"
        } | ({1} & ids)


def test_a_label_that_there_is_not_gets_a_sentence(own_library: Path) -> None:
    with open_index(own_library) as index:
        page = make_page(index)
        assert page.browser.get("/api/images", params={"label": "tabby"}).status_code == 422
        index.label(CLASSIFIER)
        answer = page.browser.get("/api/images", params={"label": "none such"})
        assert answer.status_code == 422
        assert answer.json()["error"]["reason"]
