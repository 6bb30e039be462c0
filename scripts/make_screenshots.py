"""Take the pictures of the page that the README shows, of the photos in tests/photos.

    python scripts/make_screenshots.py

It needs playwright and Chromium. The library is those photos in folders, each with the year that
tests/photos/README.md gives, as far as it gives one, and some altered copies. The results are
scripts/results/page_*.webp.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from environment import REPOSITORY
from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(REPOSITORY / "tests" / "browser"))  # for pagekit

from pagekit.collection import mobisearch
from pagekit.serving import TOKEN, start_server
from pagekit.watching import until

PHOTOS = REPOSITORY / "tests" / "photos"
RESULTS = REPOSITORY / "scripts" / "results"
FOLDERS = {
    "Plants": {"acanthus": 1928, "allium": 1928, "dahlia": None, "dandelion": 2018},
    "Mountains": {"alps": 1868, "canyon": 1871, "mountain": 2018, "trail": 2018, "sunset": 2018},
    "Animals": {"cat": None, "dogs": 2018},
    "Home": {"brushes": 2018, "coffee": None, "drum": 2018, "fig": 2018},
    "Places": {"boats": 1865, "pagoda": None, "plane": 1920, "rocket": None, "shack": 1937,
               "stream": 2018, "astronaut": None},
}  # fmt: skip


def make_library(folder: Path) -> None:
    """Put the photos into folders, and copies of some beside them."""
    for name, photos in FOLDERS.items():
        (folder / name).mkdir(parents=True)
        for stem, year in photos.items():
            exif = Image.Exif()
            if year is not None:
                exif.get_ifd(0x8769)[0x9003] = f"{year}:06:01 12:00:00"
            with Image.open(PHOTOS / f"{stem}.jpg") as photo:
                photo.save(folder / name / f"{stem}.jpg", quality=92, exif=exif)
    sent = folder / "Sent"
    sent.mkdir()
    shutil.copy(folder / "Animals" / "cat.jpg", sent / "cat (1).jpg")
    with Image.open(PHOTOS / "pagoda.jpg") as photo:
        photo.resize((photo.width // 2, photo.height // 2)).save(sent / "pagoda small.jpg")
    with Image.open(PHOTOS / "sunset.jpg") as photo:
        photo.crop((60, 40, photo.width - 80, photo.height - 30)).save(sent / "sunset cut.jpg")
    with Image.open(PHOTOS / "dogs.jpg") as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(sent / "dogs.webp", quality=60)


def keep(page: Page, name: str) -> None:
    """Write what is seen as a picture."""
    page.wait_for_timeout(900)  # until pictures have faded in
    target = RESULTS / f"page_{name}.webp"
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(target, quality=80, method=6)
    print(f"{target.relative_to(REPOSITORY)}: {target.stat().st_size:,} bytes")


def show_search(page: Page) -> None:
    page.get_by_role("link", name="mountain.jpg", exact=True).focus()
    page.keyboard.press("m")
    page.get_by_role("link", name="trail.jpg").focus()
    page.keyboard.press("a")
    until(page, "document.querySelectorAll('.card').length === 2")
    until(page, "[...document.querySelectorAll('.card img')].every((one) => one.naturalWidth)")
    page.wait_for_selector(".grid[aria-busy=false]")
    frame = page.locator(".part-ground").first.bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + frame["width"] * 0.06, frame["y"] + frame["height"] * 0.08)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] * 0.94, frame["y"] + frame["height"] * 0.55)
    page.mouse.up()
    until(page, "location.hash.includes('@')")
    page.reload()  # so that the network is loaded when the time is taken
    page.wait_for_selector(".tile-score")
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur()")
    keep(page, "search")


def show_copies(page: Page) -> None:
    page.keyboard.press("3")
    page.get_by_role("button", name="Look for copies").click()
    page.wait_for_selector(".group")
    page.wait_for_timeout(3000)  # until the page has heard that the search kept its results
    until(page, "document.querySelector('#live').hidden")
    page.get_by_label("Mark for the trash in all groups").select_option("smaller")
    page.locator(".group .member").first.focus()
    keep(page, "copies")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        library, index = Path(directory) / "Pictures", Path(directory) / "index"
        make_library(library)
        mobisearch("index", library, "--index", index)
        process, url = start_server(index, "--allow-trash")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for show, scheme in ((show_search, "light"), (show_copies, "dark")):
                page = browser.new_page(
                    viewport={"width": 1280, "height": 800}, color_scheme=scheme,
                    device_scale_factor=1.5,
                )  # fmt: skip
                page.goto(f"{url}/?token={TOKEN}")
                page.wait_for_selector(".tile img.is-here")
                show(page)
                page.close()
        finally:
            browser.close()
            process.terminate()
            process.communicate(timeout=30)


if __name__ == "__main__":
    main()
