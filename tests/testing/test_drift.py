"""The drift check: on the committed schema, on changed copies, and as a command."""

import contextlib
import copy
import functools
import http.server
import json
import subprocess
import sys
import threading

import pytest
from support import drift

OURS = json.loads(drift.OURS.read_bytes())


@pytest.fixture
def theirs():
    return copy.deepcopy(OURS)


def shown(theirs):
    return [str(difference) for difference in drift.differences(OURS, theirs)]


def test_the_committed_schema_does_not_differ_from_itself(theirs):
    assert shown(theirs) == []


def test_prose_and_order_are_no_differences(theirs):
    theirs["info"]["version"] = "2"
    theirs["components"]["schemas"]["Arc"]["properties"]["name"]["description"] = "The name."
    theirs["components"]["schemas"]["Arc"]["required"].reverse()
    theirs["paths"] = dict(reversed(theirs["paths"].items()))
    theirs["paths"]["/api/arc/"]["get"]["tags"] = ["arcs"]
    assert shown(theirs) == []


def edit_field(schema, name, change):
    change(schema["components"]["schemas"][name]["properties"])


CHANGES = {
    "new operation": (
        lambda s: s["paths"].update({"/api/award/": {"get": {"responses": {"200": {}}}}}),
        ["new operation: GET /api/award/", "new response: GET /api/award/ 200 no content"],
    ),
    "gone operation": (
        lambda s: s["paths"]["/api/variant/{id}/"].pop("put"),
        ["gone operation: PUT /api/variant/{id}/"],
    ),
    "new field": (
        lambda s: edit_field(
            s, "IssueRead", lambda p: p.update(desc_is_solicitation={"type": "boolean"})
        ),
        ["new field: IssueRead.desc_is_solicitation (boolean)"],
    ),
    "gone field": (
        lambda s: edit_field(s, "ArcList", lambda p: p.pop("modified")),
        ["gone field: ArcList.modified (string date-time, readOnly, required)"],
    ),
    "field of another type": (
        lambda s: edit_field(s, "IssueRead", lambda p: p["page"].update(type="string")),
        ["changed field: IssueRead.page (integer"],
    ),
    "field that became nullable": (
        lambda s: edit_field(s, "ArcList", lambda p: p["name"].update(nullable=True)),
        ["changed field: ArcList.name (string, maxLength 255, required -> string,"],
    ),
    "new filter": (
        lambda s: s["paths"]["/api/arc/"]["get"]["parameters"].append(
            {"in": "query", "name": "modified_lt", "schema": {"type": "string"}}
        ),
        ["new filter: GET /api/arc/ query modified_lt (string)"],
    ),
    "gone filter": (
        lambda s: s["paths"]["/api/role/"]["get"].update(
            parameters=[
                p for p in s["paths"]["/api/role/"]["get"]["parameters"] if p["name"] != "name"
            ]
        ),
        ["gone filter: GET /api/role/ query name (string)"],
    ),
    "new choice": (
        lambda s: s["components"]["schemas"]["BookFormatEnum"]["enum"].append("AUDIO"),
        ['new choice: BookFormatEnum = "AUDIO"'],
    ),
    "gone choice": (
        lambda s: s["components"]["schemas"]["StatusEnum"]["enum"].remove(3),
        ["gone choice: StatusEnum = 3"],
    ),
    "gone media type": (
        lambda s: s["paths"]["/api/series/"]["post"]["requestBody"]["content"].pop(
            "application/json"
        ),
        ["gone request: POST /api/series/ application/json (Series)"],
    ),
    "another response": (
        lambda s: s["paths"]["/api/arc/{id}/"]["get"]["responses"]["200"]["content"][
            "application/json"
        ]["schema"].update({"$ref": "#/components/schemas/ArcRead"}),
        ["changed response: GET /api/arc/{id}/ 200 application/json (Arc -> ArcRead)"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_change_is_named(theirs, name):
    change, expected = CHANGES[name]
    change(theirs)
    found = shown(theirs)
    for line in expected:
        assert any(one.startswith(line) for one in found), found


def test_a_change_and_its_reverse_are_new_and_gone(theirs):
    theirs["paths"]["/api/arc/"]["get"]["parameters"].append(
        {"in": "query", "name": "x", "schema": {"type": "string", "enum": ["a", "b"]}}
    )
    there = drift.differences(OURS, theirs)
    back = drift.differences(theirs, OURS)
    assert {(one.change, one.fact.name) for one in there} == {
        ("new", "GET /api/arc/ query x"),
        ("new", 'GET /api/arc/ query x = "a"'),
        ("new", 'GET /api/arc/ query x = "b"'),
    }
    assert [one._replace(change="new", ours="", theirs=one.ours) for one in back] == there


def test_types_of_later_openapi_versions_are_read():
    assert drift.type_of({"type": ["string", "null"]}) == "string or null"
    assert drift.type_of({"anyOf": [{"type": "integer"}, {"type": "null"}]}) == "integer or null"


def run(source):
    command = [sys.executable, drift.__file__, str(source)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextlib.contextmanager
def served(folder):
    """Serve a folder over HTTP, and give the URL."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_command_compares_files_and_urls(tmp_path, theirs):
    theirs["components"]["schemas"]["BookFormatEnum"]["enum"].append("AUDIO")
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(theirs))
    same = run(drift.OURS)
    assert (same.returncode, same.stdout) == (0, "no difference\n")
    with served(tmp_path) as url:
        for source in (changed, f"{url}/changed.json"):
            differing = run(source)
            assert differing.returncode == 1
            assert differing.stdout == 'new choice: BookFormatEnum = "AUDIO"\n1 differences\n'


@pytest.mark.parametrize("content", ["openapi: 3.0.3", "{}", None])
def test_the_command_says_what_it_cannot_read(tmp_path, content):
    source = tmp_path / "schema"
    if content is not None:
        source.write_text(content)
    failed = run(source)
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: cannot read a schema from ")
    assert "Traceback" not in failed.stderr
