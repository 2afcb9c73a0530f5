"""What is said about a training, from figures alone; and the log that holds both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from training import precision
from training.advice import whole_precision
from training.budget import Budget
from training.recipe import load_recipe, make_recipe, recipe_names
from training.watch import verdict
from training.watch.history import History
from training.watch.verdict import SIGNS, Figures, Verdict, news, of_dataset, overfitting

HEALTHY = {
    "discriminator": 0.55, "generator": 1.1, "penalty": 0.1, "diversity": 0.9,
    "real_logit": 0.6, "val_logit": 0.5, "fake_logit": -0.6, "skipped_steps": 0.0,
}  # fmt: skip
QUICK = load_recipe("quick").settled(3000)


def standing(history: Sequence[Figures]) -> dict[str, Verdict]:
    return verdict.standing(history, QUICK)


def records(count: int, start: int = 0, of: int = 40, **changed: float) -> list[dict[str, float]]:
    """Records of 3 kimg each, healthy but for what is changed."""
    return [
        {"kimg": 3.0 * (i + 1), "spent": (i + 1) / of, **HEALTHY, **changed}
        for i in range(start, start + count)
    ]


def test_a_healthy_training_is_left_in_peace() -> None:
    assert standing([]) == {}
    assert standing(records(40)) == {}
    assert standing([{"kimg": 3.0 * i, "seconds": 1.0} for i in range(40)]) == {}


@pytest.mark.parametrize(
    ("kind", "changed", "words"),
    [
        ("memorising", {"val_logit": -0.4}, "more augmentation"),
        ("collapse", {"diversity": 0.3}, "70%|67%"),
        ("alike", {"diversity": 0.05}, "not learning"),
        ("flat", {"real_logit": 0.01, "val_logit": 0.0, "fake_logit": 0.0}, "little is learnt"),
        ("beaten", {"discriminator": 0.01}, "wins every time"),
        ("beaten", {"generator": 40.0}, "wins every time"),
    ],
)
def test_each_sign_is_said_once_and_again_when_it_ends(
    kind: str, changed: dict[str, float], words: str
) -> None:
    history = records(8) + records(8, 8, **changed) + records(8, 16)
    said: list[Verdict] = []
    before: dict[str, Verdict] = {}
    for end in range(len(history) + 1):
        now = standing(history[:end])
        said += news(before, now)
        before = now
    about = [each for each in said if each.kind == kind]
    assert [each.over for each in about] == [False, True]
    assert any(word in about[0].sentence for word in words.split("|"))
    assert before == {}


def test_one_bad_record_says_nothing() -> None:
    history = records(8) + records(1, 8, diversity=0.1, discriminator=0.001, val_logit=-2)
    assert standing(history + records(4, 9)) == standing(history) == {}


def test_a_sign_between_its_thresholds_stays_as_it_was() -> None:
    between = {"val_logit": -0.12}  # r_v = 0.6
    assert standing(records(12, **between)) == {}
    history = records(6, val_logit=-0.4) + records(6, 6, **between)
    assert set(standing(history)) == {"memorising"}


def test_flat_without_logits() -> None:
    without = [
        {k: v for k, v in r.items() if not k.endswith("_logit")}
        for r in records(12, discriminator=0.693, generator=0.694, penalty=0.001)
    ]
    assert set(standing(without)) == {"flat"}
    assert standing([{**r, "penalty": 0.1} for r in without]) == {}


def test_no_gain_for_a_quarter_of_the_budget() -> None:
    falling = [{**r, "fd": 100.0 - 2 * i} for i, r in enumerate(records(20))]
    assert standing(falling) == {}
    stuck = falling + [{**r, "fd": 62.0} for r in records(10, 20)]
    assert "stalled" not in standing(stuck)
    stuck += [{**r, "fd": 62.0} for r in records(2, 30)]
    assert "quarter of the budget" in standing(stuck)["stalled"].sentence
    better = [*stuck, {**records(1, 32)[0], "fd": 50.0}]
    assert [each.over for each in news(standing(stuck), standing(better))] == [True]


def test_skipped_steps_are_said_until_there_are_no_more() -> None:
    history = records(3) + records(3, 3, skipped_steps=2.0)
    assert standing(history)["skipping"].sentence.startswith("2 steps were skipped")
    assert standing(history + records(12, 6, skipped_steps=2.0)) == {}


@pytest.mark.parametrize("name", [name for name in recipe_names() if name != "upscale"])
def test_what_is_advised_is_a_change_the_right_way(name: str) -> None:
    recipe = load_recipe(name).settled(120)
    ways = {"lower": -1, "less": -1, "higher": 1, "more": 1}
    for sign in SIGNS:
        for remedy in sign.remedies:
            found = re.fullmatch(r"(?:a )?(\w+) .*--set (\w+)=(.+)\)", remedy(recipe))
            if found:
                way, key, value = found.groups()
                assert ways[way] * (float(value) - getattr(recipe, key)) > 0
                make_recipe(recipe.model_dump(), [f"{key}={value}"])


def test_what_is_so_already_is_not_advised() -> None:
    memorising = records(12, val_logit=-0.4)
    for changed in ({"augment": 0.9}, {"adapt": True}):
        said = verdict.standing(memorising, QUICK.model_copy(update=changed))["memorising"]
        assert said.sentence.endswith("). Try more images")
    flat = records(12, real_logit=0.01, val_logit=0.0, fake_logit=0.0)
    bare = QUICK.model_copy(update={"augment": 0.0, "gamma": 0.0})
    assert verdict.standing(flat, bare)["flat"].sentence.endswith("little is learnt")


@pytest.mark.parametrize(
    ("wish", "fast", "advised"),
    [("auto", False, False), ("auto", True, True), ("bf16", False, True), ("float32", True, False)],
)
def test_whole_precision_is_advised_where_it_is_not_so_already(
    wish: str, fast: bool, advised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "bfloat16_is_fast", lambda: fast)
    said = whole_precision(make_recipe({"precision": wish}))
    assert said == ("whole precision (--set precision=float32)" if advised else "")


def test_no_gain_is_measured_by_the_budget_given_now(tmp_path: Path) -> None:
    history = History(tmp_path, 0)
    for i in range(1, 11):  # a tenth of 1,000 kimg, gaining all the time
        history.add({"kimg": 10.0 * i, "seconds": i, "spent": i / 100, "fd": 50.0 - i})
    again = History(tmp_path, 100.0, Budget(kimg=200))
    again.add({"kimg": 110.0, "seconds": 11, "spent": 0.55, "fd": 40.0})
    assert standing(again.records) == {}
    again.add({"kimg": 160.0, "seconds": 16, "spent": 0.8, "fd": 40.0})
    assert set(standing(again.records)) == {"stalled"}


def test_before_any_gap_there_is_no_overfitting() -> None:
    assert overfitting({"real_logit": 0.0, "val_logit": 0.0, "fake_logit": 0.0}) is None
    assert overfitting({"real_logit": 1.0}) is None
    assert overfitting({"real_logit": 1.0, "val_logit": 0.0, "fake_logit": -1.0}) == 0.5


def test_few_images_and_uneven_labels() -> None:
    assert of_dataset(500, {"hair": {"red": 20, "brown": 200}, "eyes": {}}) == []
    few, uneven = of_dataset(120, {"hair": {"red": 5, "brown": 115, "green": 0}})
    assert few.sentence.startswith("few images (120): expect near copies")
    assert few.sentence.endswith("More images help more than a longer training")
    assert uneven.kind == "uneven hair"
    assert all(word in uneven.sentence for word in ("'red'", "115", "5"))


def test_the_log_is_read_back_and_goes_on(tmp_path: Path) -> None:
    history = History(tmp_path, 0)
    for record in records(4):
        history.add(record)
    history.say(12.0, Verdict("few", "few images"))
    history.add({"kimg": 15.0, "generator": float("nan")})
    with history.path.open("a") as file:
        file.write('[1]\n{"kimg": "x"}\n{"kimg": 99, "gen')  # not ours, and half a line
    again = History(tmp_path, 15.0)
    assert again.records == history.records
    assert "generator" not in again.records[-1]  # null: unknown
    assert [line["kind"] for line in again.said] == ["few"]


def test_a_training_that_went_back_forgets_what_it_left(tmp_path: Path) -> None:
    history = History(tmp_path, 0)
    for record in records(6):
        history.add(record)
    history.say(18.0, Verdict("collapse", "collapse suspected"))
    back: dict[str, Any] = {**records(1, 2)[0], "diversity": 0.8}
    older = History(tmp_path, 9.0)
    assert ([r["kimg"] for r in older.records], older.said) == ([3, 6, 9], [])
    older.add(back)  # at 9 kimg
    assert [r["kimg"] for r in older.records] == [3, 6, 9]
    assert older.records[-1]["diversity"] == 0.8
    assert History(tmp_path, 9.0).records == older.records
