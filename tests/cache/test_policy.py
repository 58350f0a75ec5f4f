import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cache_hardship import NOW, VERSION, entry_of

from metron_async.cache import (
    DEFAULT_FRESHNESS,
    Failure,
    Fetch,
    Kind,
    Options,
    Policy,
    Revalidate,
    Serve,
    Unavailable,
)
from metron_async.cache.policy import age_of
from metron_async.errors import ConfigurationError

POLICY = Policy()
DAY = 86_400.0
CHANGED = "Fri, 20 Nov 2026 20:19:11 GMT"
LATER = "Fri, 20 Nov 2026 20:25:09 GMT"


def conditional(**fields):
    return entry_of(1, last_modified=CHANGED, date=LATER, **fields)


@pytest.mark.parametrize(("kind", "seconds"), DEFAULT_FRESHNESS.items())
def test_each_kind_is_fresh_for_its_own_time(kind, seconds):
    entry = entry_of(1, kind=kind)
    if seconds:
        assert POLICY.decide(entry, NOW + seconds - 1) == Serve(entry, seconds - 1)
    assert isinstance(POLICY.decide(entry, NOW + seconds), Fetch)


def test_a_stale_detail_is_asked_for_with_its_own_last_modified():
    entry = conditional()
    assert POLICY.decide(entry, NOW + DAY) == Revalidate(entry, CHANGED)


def test_being_vouched_for_makes_fresh_again_but_not_beyond_max_age():
    entry = conditional(checked_at=NOW + 6.9 * DAY)
    assert POLICY.decide(entry, NOW + 6.99 * DAY) == Serve(entry, pytest.approx(0.09 * DAY))
    assert POLICY.decide(entry, NOW + 7 * DAY) == Fetch(entry)  # and without a condition


def test_even_an_endless_fresh_for_ends_at_max_age():
    options = Options(fresh_for=math.inf)
    entry = conditional()
    assert isinstance(POLICY.decide(entry, NOW + 6.9 * DAY, options), Serve)
    assert POLICY.decide(entry, NOW + 7 * DAY, options) == Fetch(entry)


@pytest.mark.parametrize(
    "fields",
    [
        {"last_modified": None},
        {"last_modified": "yesterday"},
        {"last_modified": f"{CHANGED}\r\nHost: elsewhere.example"},  # read as a date all the same
        {"kind": Kind.LIST},
        {"resource": "collection"},
        {"date": CHANGED},  # fetched in the second of the change: a second change would be hidden
        {"modified": "2026-11-20T15:19:12.291021-05:00"},  # body and header disagree
        {"status": 404},
    ],
)
def test_no_condition_where_a_304_could_mislead(fields):
    entry = entry_of(1, **({"last_modified": CHANGED, "date": LATER} | fields))
    assert POLICY.decide(entry, NOW + DAY) == Fetch(entry)


@pytest.mark.parametrize("date", [None, LATER])
def test_a_condition_where_body_and_header_agree(date):
    modified = "2026-11-20T15:19:11.291021-05:00"
    entry = entry_of(1, last_modified=CHANGED, date=date, modified=modified)
    assert POLICY.decide(entry, NOW + DAY) == Revalidate(entry, CHANGED)


def test_private_lists_and_stale_issue_lists_revalidate_too():
    entry = conditional(kind=Kind.ISSUE_LIST)
    assert POLICY.decide(entry, NOW + 3600) == Revalidate(entry, CHANGED)
    entry = conditional(kind=Kind.PRIVATE, resource="pull_list")
    assert POLICY.decide(entry, NOW) == Revalidate(entry, CHANGED)


def test_stamps_from_the_future_are_not_trusted():
    assert POLICY.decide(entry_of(1), NOW - 1) == Serve(entry_of(1), 0.0)  # a nudge is
    ahead = conditional(stored_at=NOW + 60, checked_at=NOW + 60)
    assert POLICY.decide(ahead, NOW) == Fetch(ahead)
    assert not POLICY.may_serve_stale(ahead, NOW, Failure.SERVER)
    vouched = conditional(stored_at=NOW - 10, checked_at=NOW + 60)
    assert POLICY.decide(vouched, NOW) == Serve(vouched, 10.0)
    assert age_of(math.nan, NOW) is None


def test_entries_of_another_version_are_a_miss():
    entry = entry_of(1, version="0.0.0")
    assert POLICY.decide(entry, NOW) == Fetch()
    assert POLICY.decide(entry, NOW, Options(offline=True)) == Unavailable()
    assert not POLICY.may_serve_stale(entry, NOW, Failure.SERVER)


def test_nothing_there():
    assert POLICY.decide(None, NOW) == Fetch()
    assert POLICY.decide(None, NOW, Options(offline=True)) == Unavailable()


def test_tombstones_last_a_short_time():
    entry = entry_of(1, status=404)
    assert POLICY.decide(entry, NOW + 299) == Serve(entry, 299)
    assert POLICY.decide(entry, NOW + 300) == Fetch(entry)
    assert POLICY.decide(entry, NOW + 300, Options(fresh_for=1e9)) == Fetch(entry)
    assert POLICY.decide(entry, NOW + 10, Options(fresh_for=10)) == Fetch(entry)
    assert POLICY.decide(entry, NOW + 300, Options(offline=True)) == Unavailable()
    assert POLICY.decide(entry, NOW + 9, Options(offline=True)) == Serve(entry, 9)
    assert not POLICY.may_serve_stale(entry, NOW, Failure.SERVER)


def test_refresh_fetches_anew_without_a_condition():
    entry = conditional()
    assert POLICY.decide(entry, NOW, Options(refresh=True)) == Fetch(entry)
    assert not POLICY.may_serve_stale(entry, NOW, Failure.SERVER, Options(refresh=True))


def test_fresh_for_zero_revalidates():
    assert POLICY.decide(conditional(), NOW, Options(fresh_for=0)) == Revalidate(
        conditional(), CHANGED
    )


def test_offline_serves_whatever_is_there():
    offline = Options(offline=True, refresh=True)
    entry = entry_of(1)
    assert POLICY.decide(entry, NOW + 1, offline) == Serve(entry, 1)
    assert POLICY.decide(entry, NOW + 2 * DAY, offline) == Serve(entry, 2 * DAY, stale=True)
    assert POLICY.decide(entry, NOW + 99 * DAY, offline) == Serve(entry, math.inf, stale=True)


@pytest.mark.parametrize("failure", Failure)
def test_stale_only_stands_in_for_failures(failure):
    entry = entry_of(1)
    wanted = failure is not Failure.REFUSED
    assert POLICY.may_serve_stale(entry, NOW + 20 * DAY, failure) is wanted
    assert not POLICY.may_serve_stale(entry, NOW + 30 * DAY, failure)
    assert not POLICY.may_serve_stale(entry, NOW, failure, Options(stale_if_error=False))
    assert not POLICY.may_serve_stale(None, NOW, failure)


@pytest.mark.parametrize(
    "status", [200, 201, 204, 206, 301, 304, 400, 401, 403, 404, 429, 500, 503]
)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("decoded", [True, False])
def test_only_understood_answers_and_public_404s_are_kept(status, kind, decoded):
    public = kind is not Kind.PRIVATE
    wanted = public and ((status == 200 and decoded) or status == 404)
    assert POLICY.storable(kind=kind, status=status, decoded=decoded) is wanted


def test_private_and_empty_are_kept_on_request():
    assert not POLICY.storable(kind=Kind.LIST, status=200, decoded=True, empty=True)
    keen = Policy(keep_private=True, keep_empty_lists=True)
    assert keen.storable(kind=Kind.LIST, status=200, decoded=True, empty=True)
    assert keen.storable(kind=Kind.PRIVATE, status=200, decoded=True)
    assert not keen.storable(kind=Kind.PRIVATE, status=404, decoded=True)
    assert not Policy(not_found_for=0).storable(kind=Kind.DETAIL, status=404, decoded=False)
    private = entry_of(1, kind=Kind.PRIVATE)
    assert keen.keeps(private)
    assert not POLICY.keeps(private)
    assert not POLICY.keeps(entry_of(1, status=500))


def test_the_most_precise_freshness_wins():
    policy = Policy(freshness={Kind.LIST: 5, "issue": 7, ("issue", Kind.LIST): 9})
    assert policy.fresh_for("arc", Kind.LIST) == 5
    assert policy.fresh_for("issue", Kind.DETAIL) == 7
    assert policy.fresh_for("issue", Kind.LIST) == 9
    assert policy.fresh_for("arc", Kind.DETAIL) == DEFAULT_FRESHNESS[Kind.DETAIL]


@pytest.mark.parametrize("options", [{"max_age": -1}, {"freshness": {"issue": math.nan}}])
def test_times_that_are_none_are_refused(options):
    with pytest.raises(ConfigurationError, match="seconds"):
        Policy(**options)


stamps = st.floats(NOW - 40 * DAY, NOW + 40 * DAY) | st.sampled_from(
    [math.inf, -math.inf, math.nan]
)
entries = st.builds(
    entry_of,
    st.integers(1, 9),
    kind=st.sampled_from(Kind),
    resource=st.sampled_from(["issue", "collection"]),
    status=st.sampled_from([200, 404]),
    stored_at=stamps,
    checked_at=stamps,
    last_modified=st.sampled_from([None, CHANGED, "?"]),
    version=st.sampled_from([VERSION, "old"]),
)
options = st.builds(
    Options,
    fresh_for=st.none() | st.floats(0, 1e9),
    refresh=st.booleans(),
    offline=st.booleans(),
)


@given(entries, options)
def test_what_is_served_as_fresh_is_young_and_trusted(entry, option):
    decision = POLICY.decide(entry, NOW, option)
    match decision:
        case Serve(served, age, stale):
            assert served is entry
            assert served.version == VERSION
            assert not option.refresh or option.offline
            if not stale:
                limit = option.fresh_for
                if limit is None:
                    limit = DEFAULT_FRESHNESS[entry.kind]
                assert 0 <= age < limit
                assert -2 <= NOW - entry.stored_at < POLICY.max_age
            else:
                assert option.offline
        case Revalidate(_, condition):
            assert condition == entry.last_modified == CHANGED
            assert entry.resource != "collection"
            assert entry.status == 200
            assert -2 <= NOW - entry.stored_at < POLICY.max_age
        case Fetch(fallback):
            assert fallback is entry or entry.version != VERSION
        case Unavailable():
            assert option.offline
    if option.offline:
        assert isinstance(decision, Serve | Unavailable)


@given(entries, options, st.floats(0, 10 * DAY))
def test_an_entry_never_becomes_fresh_by_waiting(entry, option, seconds):
    def rank(now):
        decision = POLICY.decide(entry, now, option)
        return isinstance(decision, Serve) and not decision.stale

    if entry.stored_at <= NOW and not entry.checked_at > NOW:
        assert rank(NOW) or not rank(NOW + seconds)
