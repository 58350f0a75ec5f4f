"""Plans of faults: wrong arguments are errors at once."""

import pytest

from metron_async.testing import FakeMetron, Fault

WRONG = {
    "nothing": (lambda f: f.add(None), TypeError, r"Expected a fault .*, got NoneType"),
    "class": (lambda f: f.add(Fault), TypeError, "Expected a fault such as"),
    "forgotten call": (
        lambda f: f.add(Fault.drop_before),
        TypeError,
        r"Fault.drop_before was not called: pass Fault.drop_before\(\)",
    ),
    "forgotten call with arguments": (
        lambda f: f.add(Fault.status),
        TypeError,
        r"pass Fault.status\(\)",
    ),
    "other function": (lambda f: f.add(print), TypeError, "Expected a fault such as"),
    "negative times": (lambda f: f.add(Fault.status(500), times=-1), ValueError, "times: "),
    "part of a request": (lambda f: f.add(Fault.status(500), times=1.5), TypeError, "whole number"),
    "method": (lambda f: f.add(Fault.status(500), method=5), TypeError, "method: expected an HTTP"),
    "negative skip": (lambda f: f.add(Fault.status(500), skip=-1), ValueError, "skip: "),
    "relative path": (
        lambda f: f.add(Fault.status(500), path="issue/"),
        ValueError,
        "path: expected one that begins with '/', got 'issue/'",
    ),
    "path of another type": (lambda f: f.add(Fault.status(500), path=5), TypeError, "path: "),
    "status": (lambda f: f.add(Fault.status("500")), TypeError, "status: expected a number"),
    "status out of range": (lambda f: f.add(Fault.status(1000)), ValueError, "from 100 to 599"),
    "latency": (lambda f: f.add(Fault.latency(-1)), ValueError, "seconds: "),
    "share": (lambda f: f.add(Fault.cut_body(30)), ValueError, "share: .* from 0.0 to 1.0"),
    "called edit": (
        lambda f: f.add(Fault.during(None)),
        TypeError,
        "edit: expected a function, got NoneType",
    ),
    "changed body": (lambda f: f.add(Fault.json({"count": 1})), TypeError, "change: expected a f"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_plans_are_refused(name):
    faults = FakeMetron(issues=1).faults
    plan, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        plan(faults)
    assert not faults.planned


def test_every_public_attribute_of_the_class_is_a_constructor():
    public = [name for name in dir(Fault) if not name.startswith("_")]
    assert "status" in public
    assert not hasattr(Fault, "drop")
    assert all(callable(getattr(Fault, name)) for name in public)


def test_a_custom_fault():
    fault = Fault("slow", seconds=2)
    assert repr(fault) == "<Fault: slow>"
    assert FakeMetron(issues=1).faults.add(fault).fault is fault
