"""The package: every public name is there, whatever was imported before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import metron_async.matching as package


def test_every_public_name_is_there():
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__name__ if callable(getattr(package, name)) else True
        assert name in dir(package)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


def test_no_module_hides_a_public_name():
    code = (
        "import metron_async.matching.run, metron_async.matching as m, types;"
        "assert not [n for n in m.__all__ if isinstance(getattr(m, n), types.ModuleType)]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_needs_no_extra():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('PIL', 'imagehash', 'comicfn2dict')));"
        "import metron_async.matching as m; [getattr(m, n) for n in m.__all__]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
