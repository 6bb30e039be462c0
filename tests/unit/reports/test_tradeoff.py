"""The plot of quality against time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch.errors import ReportError
from mobisearch.reports import TradeOff, check_tradeoff_path, write_tradeoff
from mobisearch.reports.tradeoff import choose_log_ticks, choose_ticks, draw_tradeoff

POINTS = [
    TradeOff("small", "openvino f32", ms_alone=4.0, ms_in_batch=1.5, quality=0.95),
    TradeOff("large", "openvino f32", ms_alone=30.0, ms_in_batch=12.0, quality=0.98),
    TradeOff("large", "torch f32", ms_alone=60.0, ms_in_batch=20.0, quality=0.981),
]


def test_a_plot_is_written_and_an_earlier_one_replaced(tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    write_tradeoff(path, POINTS[:1])
    first = path.read_bytes()
    write_tradeoff(path, POINTS)
    assert path.read_bytes() != first
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (1280, 720))
    assert [entry.name for entry in tmp_path.iterdir()] == ["plot.png"]


def test_somebodys_picture_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(path)
    before = path.read_bytes()
    for use in (check_tradeoff_path, lambda given: write_tradeoff(given, POINTS)):
        with pytest.raises(ReportError, match="left alone"):
            use(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["plot.jpg", "plot", "plot.PDF"])
def test_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReportError, match=r"must end in one of: \.png"):
        write_tradeoff(tmp_path / name, POINTS)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be written"):
        write_tradeoff(tmp_path / "nowhere" / "plot.png", POINTS)


def test_nothing_is_no_plot(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        write_tradeoff(tmp_path / "plot.png", [])


def colours(points: list[TradeOff]) -> set[tuple[int, ...]]:
    pixels = np.asarray(draw_tradeoff(points))[84:620, 100:900].reshape(-1, 3)
    return set(map(tuple, pixels.tolist()))


def test_each_model_has_a_colour_and_one_point_is_a_plot_too() -> None:
    blue, red = (11, 87, 208), (197, 34, 31)
    assert {blue, red} <= colours(POINTS)
    assert blue in colours(POINTS[:1])
    assert red not in colours(POINTS[:1])


def test_what_is_recommended_has_a_ring() -> None:
    ringed = TradeOff("small", "openvino f32", 4.0, 1.5, 0.95, is_recommended=True)
    assert draw_tradeoff([ringed]).tobytes() != draw_tradeoff(POINTS[:1]).tobytes()


def test_a_better_and_slower_point_is_further_up_and_to_the_right() -> None:
    def place(points: list[TradeOff], colour: tuple[int, ...]) -> tuple[float, float]:
        pixels = np.asarray(draw_tradeoff(points))[84:620, 100:900]
        y, x = np.nonzero((pixels == colour).all(axis=-1))
        return float(x.mean()), float(y.mean())

    small, large = place(POINTS[:2], (11, 87, 208)), place(POINTS[:2], (197, 34, 31))
    assert large[0] > small[0]
    assert large[1] < small[1]


def test_long_names_stay_within_the_picture() -> None:
    long = TradeOff("m" * 200, "way " * 50, ms_alone=1.0, ms_in_batch=1.0, quality=0.5)
    edge = np.asarray(draw_tradeoff([long]))[:, -4:]
    assert (edge == 255).all()


@pytest.mark.parametrize(
    "values", [[0.5], [0.0, 1.0], [0.98, 0.9801], [0.1, 0.2, 0.95], [1.0, 1.0]]
)
def test_ticks_are_even_and_enclose_the_values(values: list[float]) -> None:
    ticks = choose_ticks(values)
    assert 2 <= len(ticks) <= 12
    assert ticks[0] <= min(values)
    assert ticks[-1] >= max(values) - 1e-9
    assert np.allclose(np.diff(ticks), ticks[1] - ticks[0])


@pytest.mark.parametrize(("low", "high"), [(0.3, 700.0), (1.5, 12.0), (0.9, 2.1)])
def test_ticks_of_times_lie_between_them(low: float, high: float) -> None:
    ticks = choose_log_ticks(low, high)
    assert ticks
    assert low <= ticks[0] <= ticks[-1] <= high
