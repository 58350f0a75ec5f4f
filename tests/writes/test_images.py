"""Images: whatever they come as, read before anything is sent, and sent as they are."""

import asyncio
import io
import threading
from pathlib import Path

import httpx
import pytest
from support.exchanges import PNG, body_of, client_of

from metron_async import AsyncMetron, UsageError
from metron_async import models as m
from metron_async._engine.bodies import prepare_body
from metron_async._engine.credentials import Credentials
from metron_async._engine.messages import Multipart, Request
from metron_async._engine.transport import Transport
from metron_async.models import MAX_BODY, FormFields, ImagePart
from metron_async.testing import FakeMetron, Fault

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


@pytest.fixture
def fake():
    return FakeMetron(issues=300, throttle=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "häuser.png").write_bytes(PNG)
    return tmp_path


async def sent(fake, image, **options):
    """Send *image*, and return the part that the server got: name, type, bytes."""
    async with client_of(fake, "editor", **options) as metron:
        await metron.arcs.create(m.ArcInput(name="x", image=image))
    request = fake.requests[-1]
    return body_of(request.headers["content-type"], request.body)["files"]["image"]


async def test_a_path_gives_its_name_without_its_folder(fake, folder):
    path = folder / "häuser.png"
    assert await sent(fake, path) == ("häuser.png", "image/png", PNG)
    assert await sent(fake, str(path)) == ("häuser.png", "image/png", PNG)
    assert str(folder).encode() not in fake.requests[-1].body


async def test_bytes_and_files_and_uploads(fake, folder):
    assert await sent(fake, PNG) == ("image.png", "image/png", PNG)
    assert await sent(fake, io.BytesIO(JPEG)) == ("image.jpg", "image/jpeg", JPEG)
    with (folder / "häuser.png").open("rb") as file:
        assert (await sent(fake, file))[2] == PNG
        assert not file.closed, "it belongs to the caller"
    upload = m.Upload(JPEG, name="cover.jpeg", content_type="image/jpeg")
    assert await sent(fake, upload) == ("cover.jpeg", "image/jpeg", JPEG)


async def test_a_file_is_read_from_where_it_stands(fake):
    file = io.BytesIO(b"junk" + PNG)
    file.seek(4)
    assert (await sent(fake, file))[2] == PNG


async def test_a_file_can_be_sent_again(fake):
    """The second attempt found the file at its end: "Invalid image: it is empty"."""
    file = io.BytesIO(b"junk" + PNG)
    file.seek(4)
    for _ in range(2):
        assert (await sent(fake, file))[2] == PNG
        assert file.tell() == 4


@pytest.mark.parametrize("seekable", [True, False])
async def test_a_file_at_its_end_is_named_as_such(fake, seekable):
    class Pipe(io.BytesIO):
        def seekable(self):
            return seekable

    file = Pipe(PNG)
    if seekable:
        file.seek(0, io.SEEK_END)
    else:
        assert (await sent(fake, file))[2] == PNG
    with pytest.raises(UsageError, match="read to its end"):
        await sent(fake, file)
    with pytest.raises(UsageError, match="it is empty"):
        await sent(fake, io.BytesIO())


async def test_a_file_that_gives_little_at_a_time_is_read_to_its_end(fake):
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

    assert (await sent(fake, Slow(PNG)))[2] == PNG


async def test_an_image_is_the_same_when_it_is_sent_again(fake):
    fake.faults.add(Fault.connect_error(), times=1)
    async with client_of(fake, "editor") as metron:
        await metron.arcs.create(m.ArcInput(name="x", image=io.BytesIO(PNG)))
    request = fake.requests[-1]
    assert request.status == 201
    assert body_of(request.headers["content-type"], request.body)["files"]["image"][2] == PNG


async def test_it_is_read_in_a_thread(fake):
    threads = []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            threads.append(threading.current_thread())
            return super().read(size)

    await sent(fake, Watched(PNG))
    assert threads
    assert threading.main_thread() not in threads


async def test_a_slow_file_does_not_hold_up_the_loop(fake):
    go = threading.Event()

    class Stuck(io.BytesIO):
        def read(self, size=-1):
            assert go.wait(10)
            return super().read(size)

    call = asyncio.ensure_future(sent(fake, Stuck(PNG)))
    await asyncio.sleep(0.01)  # comes back, so the loop runs
    assert not call.done()
    assert not fake.requests, "nothing is sent before all is read"
    go.set()
    assert (await call)[2] == PNG


class Broken(io.BytesIO):
    def read(self, size=-1):
        got = super().read(5)
        if not got:
            raise OSError(5, "Input/output error")
        return got


def text_file():
    return io.StringIO("text")


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("no/such/file.png", "No such file"),
        (Path("no/such/file.png"), "No such file"),
        (m.Upload("no/such/file.png"), "No such file"),
        (".", "directory|denied"),
        ("nul\0.png", "null"),
        (Broken(PNG), "Input/output"),
        (text_file(), "binary"),
        (b"", "empty"),
        (io.BytesIO(), "empty"),
        (b"certainly no image", "unknown type"),
        (m.Upload(PNG, content_type="text/html"), "unknown type"),
        (m.Upload(PNG, name='a"b.png'), "file name"),
        (m.Upload(PNG, name="a\r\nX-Evil: 1.png"), "file name"),
        (b"\x89PNG\r\n\x1a\n" + bytes(MAX_BODY), "20 MB"),
        (17, "image"),
    ],
)
async def test_what_cannot_be_sent_costs_nothing(fake, image, told):
    async with client_of(fake, "editor") as metron:
        for call in (
            metron.arcs.create(m.ArcInput(name="x", image=image)),
            metron.issues.update(1, m.IssueInput(image=image)),
            metron.variants.create(m.VariantInput(issue=1, image=image)),
        ):
            with pytest.raises(UsageError, match=told):
                await call
        assert metron.stats.requests == 0
    assert not fake.requests


async def test_a_closed_file(fake):
    file = io.BytesIO(PNG)
    file.close()
    with pytest.raises(UsageError, match="closed"):
        await sent(fake, file)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is none on this system")
async def test_an_endless_file_is_not_read_for_ever(fake):
    with pytest.raises(UsageError, match="20 MB"):
        await sent(fake, m.Upload("/dev/zero", content_type="image/png"))


async def test_fields_and_image_together_are_within_the_bound(fake):
    image = PNG + bytes(MAX_BODY - len(PNG) - 1000)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(UsageError, match="together"):
            await metron.arcs.create(m.ArcInput(name="x", desc="d" * 1000, image=image))
        with pytest.raises(UsageError, match=r"2\.5 MB"):
            await metron.issues.update(1, m.IssueInput(desc="ä" * (MAX_BODY // 2)))
        with pytest.raises(UsageError, match=r"2\.5 MB"):
            await metron.arcs.update(1, m.ArcInput(desc="ä" * (MAX_BODY // 6 + 1)))
    assert not fake.requests


async def test_the_size_that_is_checked_is_never_less_than_what_is_sent():
    async with httpx.AsyncClient() as http:
        credentials = Credentials(token="t")
        transport = Transport(
            None, http, api_root="http://x/api/", credentials=credentials, agent="a"
        )
        for fields in ((), (("name", "né"),), tuple(("alias", "ö" * n) for n in range(50))):
            for name in ("a.png", "ä" * 200 + ".png", "%22" * 80 + ".png"):
                body = Multipart(fields, ImagePart(name, "image/png", PNG))
                built = transport._build(Request("arc/", method="POST", body=body))
                assert len(await built.aread()) <= body.size


async def test_forms_repeat_the_names_of_lists(fake):
    async with client_of(fake, "editor") as metron:
        made = await metron.characters.create(
            m.CharacterInput(name="né & co=1", alias=["A", "B"], creators=[2, 1])
        )
        assert (made.name, made.alias) == ("né & co=1", ("A", "B"))
        with_image = await metron.characters.update(
            made.id, m.CharacterInput(alias=["C", "D"], image=PNG)
        )
    assert with_image.alias == ("C", "D")
    assert with_image.image is not None
    plain, multipart = (request.headers["content-type"] for request in fake.requests)
    assert plain == "application/x-www-form-urlencoded"
    assert multipart.startswith("multipart/form-data; boundary=")


async def test_a_form_without_an_image_needs_no_thread():
    body = await prepare_body(FormFields((("name", "x y"),)))
    assert body.content == b"name=x+y"
    assert body.size == 8


async def test_an_image_goes_over_a_real_socket(fake, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    big = PNG + bytes(300_000)
    async with (
        fake.serve() as url,
        AsyncMetron(token="editor-token", base_url=url, cache=None) as metron,
    ):
        made = await metron.arcs.create(m.ArcInput(name="x", image=m.Upload(big, name="b.png")))
        assert made.image.endswith("/b.png")
    request = fake.requests[-1]
    part = body_of(request.headers["content-type"], request.body)["files"]["image"]
    assert part == ("b.png", "image/png", big)
    assert "transfer-encoding" not in request.headers
