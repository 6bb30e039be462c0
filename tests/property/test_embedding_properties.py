"""What holds for any list of images: unit rows, in order, the same in any batch."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mobisearch import Embedder
from mobisearch.errors import ImageError
from mobisearch.imaging import ImageSource
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime

NORM_TOLERANCE = 1e-6
"""A row of 64 values that was divided by its norm and rounded to float32."""

RUNTIME = FakeRuntime()
BAD: tuple[ImageSource, ...] = (b"", b"no image", "/no/such/file.jpg", Image.new("RGB", (0, 0)))


def made(seed: int, width: int, height: int, kind: str) -> ImageSource:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if kind == "array":
        return pixels
    image = Image.fromarray(pixels)
    if kind == "image":
        return image
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


good_images = st.builds(
    made,
    st.integers(0, 2**32 - 1),
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from(["array", "image", "bytes"]),
)
any_images = st.lists(good_images | st.sampled_from(BAD), max_size=12)


def embedder(batch_size: int) -> Embedder:
    return Embedder(FAKE_MODEL, runtime=RUNTIME, batch_size=batch_size)


@settings(max_examples=60, deadline=None)
@given(st.lists(good_images, max_size=8), st.integers(1, 9))
def test_every_row_has_unit_length(images: list[ImageSource], batch_size: int) -> None:
    rows = embedder(batch_size).embed(images)
    assert rows.shape == (len(images), FAKE_MODEL.dim)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert (np.abs(np.linalg.norm(rows.astype(np.float64), axis=1) - 1) < NORM_TOLERANCE).all()


@settings(max_examples=60, deadline=None)
@given(any_images, st.integers(1, 9))
def test_a_batch_gives_what_each_image_gives_alone(
    images: list[ImageSource], batch_size: int
) -> None:
    rows, errors = embedder(batch_size).embed_each(images)
    alone = [embedder(1).embed_each([image]) for image in images]
    assert len(errors) == len(images)
    assert [type(error) for error in errors] == [type(each) for _, (each,) in alone]
    assert np.array_equal(
        rows, np.concatenate([np.empty((0, 64), np.float32), *(r for r, _ in alone)])
    )


@settings(max_examples=60, deadline=None)
@given(any_images, st.randoms(use_true_random=False), st.integers(1, 9))
def test_rows_follow_the_order_of_the_images(
    images: list[ImageSource], random: object, batch_size: int
) -> None:
    order = list(range(len(images)))
    random.shuffle(order)  # type: ignore[attr-defined]
    rows, errors = embedder(batch_size).embed_each(images)
    shuffled, shuffled_errors = embedder(batch_size).embed_each([images[i] for i in order])
    assert [type(error) for error in shuffled_errors] == [type(errors[i]) for i in order]
    row_of = dict(zip((i for i, e in enumerate(errors) if e is None), rows, strict=True))
    expected = [row_of[i] for i in order if i in row_of]
    assert np.array_equal(shuffled, np.array(expected, np.float32).reshape(-1, 64))


@settings(max_examples=60, deadline=None)
@given(any_images, st.integers(1, 9))
def test_bad_images_cost_only_themselves(images: list[ImageSource], batch_size: int) -> None:
    rows, errors = embedder(batch_size).embed_each(images)
    is_bad = [any(image is bad for bad in BAD) for image in images]
    assert [isinstance(error, ImageError) for error in errors] == is_bad
    good = [image for image, bad in zip(images, is_bad, strict=True) if not bad]
    assert np.array_equal(rows, embedder(batch_size).embed(good))
