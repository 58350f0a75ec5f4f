"""What the tests of writes share: recorded exchanges, a server that plays them, a body reader."""

import base64
import json
import re
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import parse_qsl

import httpx

from metron_async import AsyncMetron

EXCHANGES = {
    exchange["name"]: exchange
    for exchange in json.loads(
        (Path(__file__).parent.parent / "data" / "exchanges.json").read_text(encoding="utf-8")
    )
}
PNG = base64.b64decode(EXCHANGES["arc.create"]["request"]["files"]["image"])


def client_of(fake, account="reader", **options):
    """Return a client that talks to *fake* in process, without a cache unless one is given."""
    token = fake.accounts[account].tokens[0]
    options.setdefault("cache", None)
    return AsyncMetron(token=token, transport=fake.transport(), **options)


class Recorded(httpx.MockTransport):
    """Answers every request as was recorded, and keeps what it was asked."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.asked = []

    async def handle_async_request(self, request):
        await request.aread()
        self.asked.append(request)
        recorded = self.exchange["response"]
        body = recorded["body"]
        content = b"" if body is None else json.dumps(body).encode()
        return httpx.Response(recorded["status"], headers=recorded["headers"], content=content)


def body_of(content_type, content):
    """Return the body of a request as was recorded: JSON, or form and files."""
    kind = content_type.partition(";")[0]
    if not content:
        return {}
    if kind == "application/json":
        return {"json": json.loads(content)}
    if kind == "application/x-www-form-urlencoded":
        return {"form": _gathered(parse_qsl(content.decode(), keep_blank_values=True))}
    head = b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
    pairs, files = [], {}
    for part in BytesParser().parsebytes(head + content).get_payload():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is None:
            pairs.append((name, part.get_payload(decode=True).decode()))
        else:
            # The parser takes the header for ASCII; httpx sends the name as UTF-8, as browsers do.
            told = re.search(r'filename="(.*?)"', head_of(content, name))[1]
            files[name] = (told, part.get_content_type(), part.get_payload(decode=True))
    return {"form": _gathered(pairs), "files": files}


def head_of(content, name):
    """Return the line that says how the part *name* is called."""
    return re.search(rf'name="{name}"; .*', content.decode("utf-8", "replace"))[0]


def _gathered(pairs):
    form = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form
