"""Search for credentials in whatever a program leaves behind."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import pickle
import traceback
from urllib.parse import quote

TOKEN = "tok-7f3K9q_ZrW2xNb8vYd4mPc1"
USERNAME = "anna.lindqvist"
PASSWORD = "Pa55 wörd/=+&Sehr-Geheim"


def disguises(*secrets):
    """Return all forms in which one of *secrets* could show, as bytes."""
    found = set()
    for secret in secrets:
        raw = secret.encode()
        for plain in (raw, secret.encode("latin-1")):
            found |= {plain, plain.lower(), plain.upper(), plain[::-1], plain.hex().encode()}
            found |= {repr(plain)[2:-1].encode(), quote(plain).encode()}
            found |= {base64.b64encode(plain).rstrip(b"=")}
            found |= {base64.urlsafe_b64encode(plain).rstrip(b"=")}
            for name in ("md5", "sha1", "sha256", "sha512"):
                digest = hashlib.new(name, plain)
                found |= {digest.digest(), digest.hexdigest().encode()}
        found |= {json.dumps(secret)[1:-1].encode(), ascii(secret)[1:-1].encode()}
        found |= {secret.encode("utf-16-le")}
    return found


BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
FORMS = disguises(TOKEN, PASSWORD, BASIC, f"{USERNAME}:{PASSWORD}", f"Bearer {TOKEN}")


def found_in(data):
    """Return the form in which a credential is in *data* (text or bytes), or ``None``."""
    raw = data if isinstance(data, bytes) else str(data).encode("utf-8", "backslashreplace")
    return next((form for form in FORMS if form in raw), None)


def assert_clean(data, where):
    """Assert that no credential is in *data*."""
    form = found_in(data)
    assert form is None, f"{form!r} was found in {where}"


class Recorder(logging.Handler):
    """Keeps every log record of every logger, formatted and taken apart."""

    def __init__(self):
        super().__init__(level=0)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))
        self.lines.append(repr({k: v for k, v in vars(record).items() if k != "exc_info"}))


def texts_of(error):
    """Return all that can be read from *error*, its causes and contexts included."""
    texts = ["".join(traceback.format_exception(error))]
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        texts += [str(error), repr(error), repr(error.args), repr(vars(error))]
        if type(error).__module__.startswith("metron_async"):
            texts.append(repr(pickle.dumps(error)))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "/metron_async/" in frame.f_code.co_filename and "testing" not in str(
                frame.f_code.co_filename
            ):
                texts.append(repr(frame.f_locals))
        error = error.__cause__ or error.__context__
    return texts
