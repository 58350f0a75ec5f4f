"""What README and documentation claim is what was measured, word for word."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "RESULTS.md"
BLOCK = re.compile(r"<!-- benchmarks -->\n(.*)<!-- end of benchmarks -->", re.DOTALL)


@pytest.mark.skipif(not RESULTS.exists(), reason="the benchmarks are not part of a distribution")
@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_every_claim_is_in_the_results(page: str) -> None:
    found = BLOCK.search((ROOT / page).read_text(encoding="utf-8"))
    assert found
    lines = [line for line in found[1].splitlines() if line.startswith(("- ", "| "))]
    assert len(lines) >= 3
    measured = RESULTS.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line not in measured] == []
