"""What is laid over and around pictures: captions, marks, stickers, frames. Drawn, none copied."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

WORDS = (
    "morning",
    "harbour",
    "seven",
    "lantern",
    "paper",
    "quiet",
    "river",
    "market",
    "orange",
    "window",
    "travel",
    "summer",
    "garden",
    "copper",
    "second",
    "winter",
    "letter",
    "island",
    "yellow",
    "corner",
    "bridge",
    "silver",
    "forest",
    "meadow",
    "evening",
    "ticket",
)

COLOURS = ("white", "black", "#c01f2e", "#1f6fc0", "#f2c230", "#2b8a4b", "#e8e2d4", "#303438")

Drawn = tuple[Image.Image, float]
"""A picture, and which share of the photo's area can still be seen in it."""


def make_sentence(generator: random.Random, n_words: int = 5) -> str:
    """Return some words."""
    return " ".join(generator.choice(WORDS) for _ in range(n_words))


def draw_caption(photo: Image.Image, generator: random.Random, share: float) -> Drawn:
    """Return the photo with a bar of text over its lower or upper part."""
    changed = photo.copy()
    height = max(1, round(photo.height * share))
    top = generator.choice((0, photo.height - height))
    _write_bar(changed, (0, top, photo.width, top + height), generator)
    return changed, 1 - share


def add_caption(photo: Image.Image, generator: random.Random, share: float) -> Drawn:
    """Return the photo with a bar of text above or below it, outside the picture."""
    height = max(1, round(photo.height * share))
    is_above = generator.random() < 0.5
    changed = Image.new("RGB", (photo.width, photo.height + height))
    changed.paste(photo, (0, height if is_above else 0))
    top = 0 if is_above else photo.height
    _write_bar(changed, (0, top, photo.width, top + height), generator)
    return changed, 1.0


def _write_bar(
    picture: Image.Image, box: tuple[int, int, int, int], generator: random.Random
) -> None:
    draw = ImageDraw.Draw(picture)
    ground, ink = generator.choice((("black", "white"), ("white", "black"), ("#303438", "#f2c230")))
    draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=ground)
    height = box[3] - box[1]
    font = ImageFont.load_default(max(6, min(height * 0.4, picture.width / 14)))
    draw.text(
        (box[0] + picture.width // 20, box[1] + height * 0.25),
        make_sentence(generator),
        fill=ink,
        font=font,
    )


def add_border(photo: Image.Image, generator: random.Random, share: float) -> Drawn:
    """Return the photo inside a border whose width is this share of the shorter side."""
    width = max(1, round(min(photo.size) * share))
    return ImageOps.expand(photo, width, generator.choice(COLOURS)), 1.0


def add_bars(photo: Image.Image, generator: random.Random, share: float) -> Drawn:
    """Return the photo with bars above and below, or at both sides: black, white or blurred."""
    across = generator.random() < 0.5
    bar = max(1, round((photo.width if across else photo.height) * share / 2))
    size = (photo.width + 2 * bar * across, photo.height + 2 * bar * (not across))
    if generator.random() < 0.3:
        ground = ImageOps.fit(photo, size).filter(ImageFilter.GaussianBlur(max(size) / 30))
    else:
        ground = Image.new("RGB", size, generator.choice(("black", "black", "white")))
    ground.paste(photo, (bar * across, bar * (not across)))
    return ground, 1.0


def draw_watermark(photo: Image.Image, generator: random.Random, opacity: float) -> Drawn:
    """Return the photo under half-transparent text, in one place or, if strong, all over."""
    mask = Image.new("L", photo.size, 0)
    draw = ImageDraw.Draw(mask)
    size = max(7, min(photo.size) / 8)
    font, text = ImageFont.load_default(size), make_sentence(generator, 2)
    if opacity > 0.5:
        for row in range(int(photo.height / (2.2 * size)) + 1):
            for column in range(int(photo.width / (6 * size)) + 1):
                draw.text((column * 6 * size, row * 2.2 * size), text[:12], fill=255, font=font)
    else:
        place = (photo.width * generator.uniform(0, 0.4), photo.height * generator.uniform(0, 0.8))
        draw.text(place, text, fill=255, font=font)
    ink = Image.new("RGB", photo.size, "white" if generator.random() < 0.7 else "black")
    return Image.composite(ink, photo, mask.point(lambda value: value * opacity)), 0.95


def draw_logo(photo: Image.Image, generator: random.Random, share: float) -> Drawn:
    """Return the photo with a mark in a corner; ``share`` of the shorter side."""
    changed, side = photo.copy(), max(3, round(min(photo.size) * share))
    x = generator.choice((side // 8, photo.width - side - side // 8))
    y = generator.choice((side // 8, photo.height - side - side // 8))
    draw_mark(changed, (x, y), side, generator)
    return changed, 1 - side * side / (photo.width * photo.height)


def draw_mark(
    picture: Image.Image, place: tuple[int, int], side: int, generator: random.Random
) -> None:
    """Draw a sign of discs, bars and a letter into a picture."""
    x, y = place
    draw = ImageDraw.Draw(picture)
    first, second, third = generator.sample(COLOURS, 3)
    draw.rounded_rectangle((x, y, x + side, y + side), side / 6, fill=first)
    draw.ellipse((x + side * 0.15, y + side * 0.15, x + side * 0.85, y + side * 0.85), fill=second)
    draw.rectangle((x + side * 0.1, y + side * 0.6, x + side * 0.9, y + side * 0.72), fill=third)
    letter = generator.choice("ABKMRS")
    draw.text((x + side * 0.35, y), letter, fill=third, font=ImageFont.load_default(side * 0.55))


def draw_faces(photo: Image.Image, generator: random.Random, share: float) -> Drawn:
    """Return the photo with one to three round yellow faces; ``share`` is each one's diameter."""
    changed = photo.copy()
    draw = ImageDraw.Draw(changed)
    side = max(4, min(photo.size) * share)
    count = generator.choice((1, 2, 3))
    for _ in range(count):
        x = generator.uniform(0, photo.width - side)
        y = generator.uniform(0, photo.height - side)
        draw.ellipse((x, y, x + side, y + side), fill="#ffcc33", outline="#aa7700")
        for eye in (0.3, 0.6):
            box = (x + side * eye, y + side * 0.25, x + side * (eye + 0.1), y + side * 0.42)
            draw.ellipse(box, fill="#503000")
        mouth = (x + side * 0.25, y + side * 0.4, x + side * 0.75, y + side * 0.8)
        draw.arc(mouth, 20, 160, fill="#503000", width=max(1, int(side / 14)))
    return changed, 1 - count * 0.785 * side * side / (photo.width * photo.height)


def take_screenshot(photo: Image.Image, generator: random.Random, share: float) -> Drawn:
    """Return a screen of an application that shows the photo on this share of its area."""
    area = photo.width * photo.height / share
    ratio = generator.choice((16 / 10, 4 / 3, 9 / 16))
    width, height = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
    width, height = max(width, round(photo.width * 1.04)), max(height, round(photo.height * 1.12))
    ground, ink, bar = generator.choice(
        (("#f4f4f6", "#222222", "#dcdce2"), ("#1e1e22", "#d8d8d8", "#2c2c33"))
    )
    screen = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(screen)
    top = max(3, round(height * 0.05))
    draw.rectangle((0, 0, width, top), fill=bar)
    font = ImageFont.load_default(max(6, top * 0.6))
    draw.text((top, top * 0.1), make_sentence(generator, 3), fill=ink, font=font)
    for place in range(3):
        x = width - top * (place + 1)
        draw.ellipse((x + top * 0.3, top * 0.3, x + top * 0.7, top * 0.7), fill=ink)
    x = (width - photo.width) // 2
    y = min(height - photo.height, top + round((height - top - photo.height) * 0.4))
    screen.paste(photo, (x, y))
    line = y + photo.height + top * 0.3
    while line + top < height:
        draw.text((width * 0.06, line), make_sentence(generator, 6), fill=ink, font=font)
        line += top * 1.1
    return screen, 1.0


def vignette(photo: Image.Image, strength: float) -> Image.Image:
    """Return the photo darkened towards its corners."""
    mask = Image.radial_gradient("L").resize(photo.size)  # 0 in the middle
    mask = mask.point(lambda value: min(255, max(0, value - 60) * strength * 1.3))
    return Image.composite(ImageEnhance.Brightness(photo).enhance(0.05), photo, mask)
