"""Do the night and the one written by hand, which it is measured against, do the same? On a very small region."""

from pathlib import Path

from benchmarks import n1, region


def test_N1_compares_what_is_comparable(tmp_path: Path) -> None:
    outcome = n1.run(1, tmp_path, schools=2)
    unchanged, changed = outcome.compared
    assert [run.moved for run in (*unchanged.ours, *unchanged.by_hand)] == [0, 0]
    assert all(run.moved > 0 for run in (*changed.ours, *changed.by_hand))
    assert all(run.seconds > 0 and run.megabytes > 1 for run in (*changed.ours, *changed.by_hand))
    again = region.kept(tmp_path, 2)
    assert region.last_night(again) > region.FIRST_NIGHT  # it was kept, not made anew
