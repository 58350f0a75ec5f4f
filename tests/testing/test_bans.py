import pytest

from metron_async.testing.bans import RULES, Firewall, denied_agent


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.event)
def test_the_threshold_bans_and_one_less_does_not(rule):
    firewall = Firewall()
    step = rule.period / (rule.threshold + 1)
    for turn in range(rule.threshold - 1):
        assert firewall.count("a", rule.event, turn * step) is None
    assert firewall.banned("a", rule.period) is None
    now = (rule.threshold - 1) * step
    ban = firewall.count("a", rule.event, now)
    assert ban is not None
    assert firewall.banned("a", now + rule.ban - 1) == ban
    assert firewall.banned("b", now) is None
    assert firewall.banned("a", now + rule.ban) is None
    assert firewall.bans == [ban]


def test_events_that_are_far_apart_do_not_add_up():
    firewall = Firewall()
    for turn in range(10):
        assert firewall.count("a", "401", turn * 151.0) is None


def test_other_statuses_and_addresses_that_are_banned_are_not_counted():
    firewall = Firewall()
    assert firewall.count("a", "200", 0.0) is None
    for _ in range(6):
        firewall.count("a", "401", 0.0)
    assert len(firewall.bans) == 1


def test_forgiving_lifts_bans_and_forgets_counts():
    firewall = Firewall()
    for client in "ab":
        for _ in range(3):
            firewall.count(client, "401", 0.0)
    firewall.count("c", "401", 0.0)
    firewall.forgive("a")
    assert firewall.banned("a", 1.0) is None
    assert firewall.banned("b", 1.0) is not None
    firewall.forgive()
    assert firewall.banned("b", 1.0) is None
    assert firewall.count("c", "401", 1.0) is None


def test_denied_agents():
    assert denied_agent("LinkupBot/2.0 (+https://example.org)")
    assert not denied_agent("metron-async/0.1")
