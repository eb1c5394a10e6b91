"""Raw samples: nothing finer than they are apart, and no rise missed or made up."""

from __future__ import annotations

from fixtures.prometheus.series import Absence, Series, Step, absence, interval, prompt, steps


def series(*samples: tuple[float, float]) -> Series:
    return Series(labels={}, times=[t for t, _ in samples], values=[v for _, v in samples])


def test_the_interval_is_measured_from_the_samples_and_gaps_do_not_count() -> None:
    assert interval([series((0, 1), (1, 1), (2, 1), (30, 1), (31, 1))]) == 1


def test_the_slowest_series_sets_the_interval() -> None:
    quick, slow = series((0, 1), (1, 1), (2, 1)), series((0, 1), (15, 1), (30, 1))
    assert interval([quick, slow]) == 15


def test_two_samples_are_too_few_for_an_interval() -> None:
    assert interval([series((0, 1), (1, 1))]) is None


def test_a_rise_is_dated_with_the_sample_that_shows_it_and_the_one_before() -> None:
    assert steps(series((0, 5), (1, 5), (2, 8)), begin=0.5) == [Step(2, 1, 3)]


def test_a_counter_that_starts_again_counts_from_zero() -> None:
    assert [step.by for step in steps(series((0, 100), (1, 2), (2, 3)), begin=0)] == [2, 1]


def test_a_series_that_appears_after_the_beginning_was_zero_before() -> None:
    assert steps(series((5, 4), (6, 4)), begin=1) == [Step(5, None, 4)]


def test_what_a_series_held_at_the_beginning_is_no_rise() -> None:
    assert steps(series((0, 400), (2, 400)), begin=1) == []


def test_an_absence_lasts_from_the_first_bad_sample_to_the_first_of_the_last_good_stretch() -> None:
    times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert absence(times, [True, True, False, True, False, True, True], begin=1.5) == Absence(2, 5)


def test_what_is_still_missing_is_not_back() -> None:
    assert absence([0.0, 1.0, 2.0], [True, False, False], begin=0) == Absence(1, None)


def test_what_was_missing_before_the_beginning_is_another_story() -> None:
    assert absence([0.0, 1.0, 2.0], [False, True, True], begin=0.5) is None


def scraped(every: float, job: str, instance: str) -> Series:
    times = [n * every for n in range(5)]
    return Series(labels={"job": job, "instance": instance}, times=times, values=[1.0] * 5)


def test_an_instance_is_judged_by_what_is_scraped_of_it_most_often() -> None:
    health, figures = scraped(1, "apiserver-health", "master-1"), scraped(5, "apiserver", "master-1")
    other = scraped(5, "shop", "worker-1")
    assert prompt([figures, health, other]) == [health, other]


def test_a_new_instance_counts_before_its_rate_is_known() -> None:
    new = Series(labels={"job": "apiserver", "instance": "master-1"}, times=[19], values=[1])
    assert prompt([new]) == [new]
