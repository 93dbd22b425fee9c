"""The page of the campaigns says what ran, where, and what fell short."""

from tests.reliability import Campaign, line

CAMPAIGN = Campaign("Cuts", ["test_cut"], "cuts", 100, "cuts", "0 lost, {seen} seen")


def run(name: str, cuts: int) -> dict[str, object]:
    return {
        "test": name,
        "date": "2026-11-24",
        "seconds": 1.0,
        "figures": {"cuts": cuts, "seen": 3},
    }


def test_a_campaign_is_summed_up_over_its_tests_at_one_commit() -> None:
    kept = [
        ("aaaa", run("test_cut[0]", 60)),
        ("bbbb", run("test_cut[0]", 50)),
        ("bbbb", run("test_cut[1]", 70)),
        ("bbbb", run("test_other", 1000)),
    ]
    assert (
        line(CAMPAIGN, kept) == "| Cuts | 100 cuts | 120 | 0 lost, 3 seen | bbbb | 2026-11-24 |\n"
    )


def test_what_fell_short_is_said() -> None:
    assert "short of the goal" in line(CAMPAIGN, [("aaaa", run("test_cut[0]", 60))])


def test_what_did_not_run_is_said() -> None:
    assert "| not run |" in line(CAMPAIGN, [])


def test_a_row_stays_until_there_is_one_of_as_much() -> None:
    """The page outlives the folder of figures that it was made from."""
    full, short = ("aaaa", run("test_cut[0]", 120)), ("bbbb", run("test_cut[0]", 60))
    newer = ("cccc", run("test_cut[0]", 100))
    written = [line(CAMPAIGN, [full])]
    assert line(CAMPAIGN, [], written) == written[0]
    assert line(CAMPAIGN, [short], written) == written[0]
    assert line(CAMPAIGN, [newer], written) == line(CAMPAIGN, [newer])
    assert line(CAMPAIGN, [short], [line(CAMPAIGN, [])]) == line(CAMPAIGN, [short])
