"""Cover hashes: equal to ImageHash, from every kind of image, and a clear word without it."""

from __future__ import annotations

import io
import sys

import imagehash
import pytest
from PIL import Image, ImageDraw

from metron_async import ConfigurationError, UsageError
from metron_async.matching.covers import cover_hash
from metron_async.matching.hashes import hamming
from metron_async.matching.query import IssueQuery


def cover(size=(400, 600), mode="RGB"):
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((size[0] // 8, size[1] // 8, size[0] // 2, size[1] // 2), fill="red")
    draw.rectangle((size[0] // 3, size[1] // 2, size[0] - 9, size[1] - 9), fill="navy")
    return image.convert(mode)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_it_is_imagehashs_phash(tmp_path):
    expected = str(imagehash.phash(cover()))
    data = encoded(cover())
    path = tmp_path / "cover.png"
    path.write_bytes(data)
    assert cover_hash(cover()) == expected
    assert cover_hash(data) == expected
    assert cover_hash(path) == expected
    assert cover_hash(str(path)) == expected
    assert cover_hash(io.BytesIO(data)) == expected
    assert IssueQuery(cover_hash=expected).cover_hash == expected


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_mode_of_image_has_a_hash(mode):
    assert len(cover_hash(cover(mode=mode))) == 16


def test_a_scan_is_near_its_cover():
    scan = encoded(cover().resize((200, 300)), "JPEG", quality=40)
    assert hamming(cover_hash(scan), cover_hash(cover())) <= 10


@pytest.mark.parametrize(
    "broken", [b"", b"no image", encoded(cover())[:200], encoded(cover(), "JPEG")[:300]]
)
def test_what_is_not_an_image_is_refused(broken):
    with pytest.raises(UsageError, match="Invalid cover"):
        cover_hash(broken)


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Invalid cover"):
        cover_hash(tmp_path / "none.png")


@pytest.mark.parametrize("module", ["imagehash", "PIL"])
def test_the_extra_is_named_when_it_is_missing(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'metron-async\[covers\]'"):
        cover_hash(b"")
