"""The configuration says everything, and every mistake in it is one readable line."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from affectgpt_rl.config import RunConfig, dump_config, load_config, parse_config
from affectgpt_rl.config.sections import Section
from affectgpt_rl.config.yaml import parse_yaml, read_yaml, write_yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ovmer_bench import OvmerError
from synthetic_run import FIXED, MINI

CONFIGS = Path(__file__).parents[2] / "baselines" / "configs"
LARGE = CONFIGS / "affectgpt_qwen2.5_7b.yaml"
VISION = CONFIGS / "vision.yaml"
SHIPPED = [MINI, LARGE, VISION, CONFIGS / "text.yaml"]
ACCELERATE = sorted((CONFIGS / "accelerate").glob("*.yaml"))


def refused(*overrides: str, file: Path = MINI) -> str:
    with pytest.raises(OvmerError) as caught:
        load_config(file, [*(FIXED if file == MINI else ()), *overrides])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def paths(value: object, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Of every key of nested mappings."""
    if not isinstance(value, dict):
        return []
    here = [(*prefix, key) for key in value]
    return here + [p for key in value for p in paths(value[key], (*prefix, key))]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda p: p.stem)
def test_what_ships_loads_and_is_written_back_equal(file: Path, tmp_path: Path) -> None:
    config = load_config(file)
    again = tmp_path / "again.yaml"
    again.write_text(dump_config(config), "utf-8")
    assert load_config(again) == config
    assert dump_config(load_config(again)) == dump_config(config)
    assert set(paths(read_yaml(again))) == set(paths(read_yaml(file)))


def test_no_setting_has_a_default() -> None:
    def sections(model: type[Section]) -> list[type[Section]]:
        inner = [s for s in Section.__subclasses__() if s.__name__ in str(model.model_fields)]
        return [model, *(deep for s in inner if s is not model for deep in sections(s))]

    found = set(sections(RunConfig))
    assert len(found) == 18
    for section in found:
        for name, field in section.model_fields.items():
            assert field.is_required(), f"{section.__name__}.{name}"


@pytest.mark.parametrize(
    "path", [p for p in paths(read_yaml(MINI)) if p[0] != "rewards"], ids=".".join
)
def test_a_key_left_out_or_misspelt_is_named(path: tuple[str, ...]) -> None:
    raw: dict[str, Any] = read_yaml(MINI)
    *outer, last = path
    inner = raw
    for key in outer:
        inner = inner[key]
    value = inner.pop(last)
    with pytest.raises(OvmerError) as missing:
        parse_config(copy.deepcopy(raw))
    assert missing.value.field == ".".join(path)
    assert "missing" in str(missing.value)
    inner[f"{last}z"] = value
    with pytest.raises(OvmerError) as unknown:
        parse_config(raw)
    assert unknown.value.field == f"{'.'.join(path)}z"
    assert f"Did you mean {last!r}?" in str(unknown.value)


def test_a_number_is_read_as_people_write_it() -> None:
    config = load_config(
        MINI, ["grpo.learning_rate=1e-5", "grpo.beta=0", "guards.verbosity.maximum=7"]
    )
    assert config.grpo.learning_rate == 1e-5
    assert config.grpo.beta == 0.0
    assert load_config(MINI, [*FIXED, "seed=010"]).seed == 10


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("grpo.beta=abc", 'is "abc" (accepted: a number)'),
        ("grpo.beta=true", "is true (accepted: a number)"),
        ("grpo.beta=.nan", "a finite number"),
        ("grpo.beta='0.1'", "a number"),
        ("grpo.beta=-0.1", "at least 0"),
        ("grpo.steps=1.5", "a whole number"),
        ("grpo.steps=true", "a whole number"),
        ("grpo.bf16=yes", 'is "yes" (accepted: true or false)'),
        ("grpo.bf16=1", "true or false"),
        ("grpo.num_generations=1", "at least 2"),
        ("grpo.save_total_limit=1", "at least 2"),
        ("grpo.top_p=0", "more than 0"),
        ("grpo.loss_type=dap", "Did you mean 'dapo'?"),
        ("policy.freeze=[frame_encodr]", "Did you mean 'frame_encoder'?"),
        ("policy.freeze=fusion", "a list"),
        ("policy.kind=video", "accepted: affectgpt, text, vision, omni"),
        ("data.on_missing=warn", "accepted: fail, skip"),
        ("sft=3", "a group of settings"),
        ("name=a b", "letters, digits"),
        ("output=''", "is empty"),
        ("warm_up.steps.x=1", "is 300, not a group of settings"),
        ("grpo.steps", "sets nothing"),
        ("=3", "sets nothing"),
        ("grpo.steps=[", "not YAML that is read here"),
        ("grpo.step=3", "Did you mean 'steps'?"),
        ("rewards.accuracy.length_penalty=P4", "accepted: P1, P2, P3"),
        ("rewards.accuracy.weight=.inf", "accepted: finite"),
        ("rewards={}", "no reward is asked for"),
        ("rewards.perception={weight: 1}", "there is none"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(override: str, said: str) -> None:
    message = refused(override)
    assert said in message
    assert message.startswith("--set")


@pytest.mark.parametrize(
    ("overrides", "field", "said"),
    [
        (["grpo.num_iterations=3"], "grpo.steps", "a multiple of 3"),
        (["grpo.num_iterations=4", "grpo.save_every=10"], "grpo.save_every", "a multiple of 4"),
        (["grpo.gradient_accumulation=5"], "grpo.prompts_per_step", "a multiple of 5"),
        (["grpo.prompts_per_step=801"], "grpo.prompts_per_step", "at most 800"),
        (["grpo.loss_type=cispo"], "grpo.epsilon_high", "cispo"),
        (["grpo.lr_scheduler=constant"], "grpo.warmup_steps", "ignores it"),
        (["sft.lr_scheduler=constant"], "sft.warmup_ratio", "ignores it"),
        (["grpo.use_vllm=true"], "grpo.use_vllm", "does not know AffectGPT"),
        (["grpo.vllm_mode=server"], "grpo.vllm_mode", "use_vllm is false"),
        (["prompt.mode=think"], "rewards.format.mode", "prompt.mode is think"),
        (["rewards.dual={weight: 1}"], "rewards.dual", "there is none"),
        (["rewards.accuracy.weight=0", "rewards.format.weight=0"], "rewards", "weight 0"),
        (["policy.build=path"], "policy.path", "needs it"),
        (["policy.kind=vision"], "policy.build", "accepted: path"),
        (["policy.kind=omni"], "policy.build", "accepted: path"),
        (["policy.path=x"], "policy.path", "accepted: null"),
        (["policy.fusion=null"], "policy.fusion", "qformer, attention"),
        (
            ["policy.kind=text", "policy.fusion=null", "warm_up=null"],
            "data.modalities",
            "cannot see",
        ),
        (["policy.freeze=[frame_encoder]", "warm_up=null"], "policy.freeze", "random"),
        (["data.modalities=[frames, frames]"], "data.modalities", "twice"),
        (["data.modalities=[]"], "data.modalities", "empty"),
        (["data.modalities=[frames]"], "sft.subtitle_dropout", "leave nothing"),
        (["data.modalities=[subtitle]"], "sft.subtitle_dropout", "leave nothing"),
        (["judge={kind: local, path: null, url: null, model: null}"], "judge.path", "needed"),
        (["judge={kind: gold, path: x, url: null, model: null}"], "judge.path", "not used"),
    ],
)
def test_settings_that_cannot_be_together(overrides: list[str], field: str, said: str) -> None:
    message = refused(*overrides)
    assert f"field {field!r}" in message
    assert said in message


@pytest.mark.parametrize(
    ("overrides", "field", "said"),
    [
        (["data.rl.split=test"], "data.rl.split", "the test split of ovmer_mini"),
        (["data.held_out.split=test"], "data.held_out.split", "the test split"),
        (["data.rl.split=sfd"], "data.rl.split", "no split 'sfd'"),
        (["data.rl.corpus=ovmer_scenes", "data.rl.split=test"], "data.rl.corpus", "a test split"),
        (["data.rl.corpus=own.jsonl", "data.rl.split=test"], "data.rl.split", "cannot be scored"),
        (["data.rl.corpus=ovmer_mni"], "data.rl.corpus", "Did you mean 'ovmer_mini'?"),
        (["data.rl.corpus=meld", "data.rl.split=test"], "data.rl.corpus", "no open labels"),
        (["data.rl.clips=null"], "data.rl.clips", "no end"),
        (["data.held_out.start=799"], "data.held_out", "clips 799 to 799 of ovmer_mini/rl"),
        (["data.held_out={corpus: mini, split: sft, start: 5, clips: 9, seed: 0}"], "data.held_out",
         "overlaps data.cold_start: clips 5 to 13"),
        (["evaluation.task=human_ov"], "evaluation.task", "a training split"),
    ],
)  # fmt: skip
def test_training_on_what_is_scored_or_watched(overrides: list[str], field: str, said: str) -> None:
    message = refused(*overrides)
    assert f"field {field!r}" in message
    assert said in message


def test_what_a_policy_hears_depends_on_its_kind() -> None:
    every = "data.modalities=[frames, audio, subtitle]"
    assert "cannot see" in refused(every, file=VISION)
    assert load_config(VISION, [every, "policy.kind=omni"]).policy.kind == "omni"
    vllm = ("grpo.use_vllm=true", "grpo.vllm_mode=colocate")
    assert load_config(VISION, vllm).grpo.use_vllm
    assert "gives vLLM no sound" in refused(*vllm, "policy.kind=omni", file=VISION)


def test_ranges_that_only_touch_do_not_overlap() -> None:
    assert load_config(MINI, [*FIXED, "data.held_out.start=800"]).data.held_out.start == 800
    assert load_config(MINI, [*FIXED, "data.held_out.start=0", "data.held_out.seed=1"])


def test_a_test_split_is_trained_on_only_where_it_is_given_up_for_scoring() -> None:
    rl = "data.rl={corpus: mer2025-ov, split: test, start: 0, clips: null, seed: 0}"
    assert "data.given_up: [mer_fg]" in refused(rl, file=LARGE)
    given_up = load_config(LARGE, [rl, "data.given_up=[mer_fg]"])
    assert given_up.data.given_up == ("mer_fg",)
    message = refused(rl, "data.given_up=[mer_fg]", "evaluation.task=mer_fg", file=LARGE)
    assert "field 'evaluation.task'" in message
    watched = rl.replace("data.rl", "data.held_out")
    assert "given up or not" in refused(watched, "data.given_up=[mer_fg]", file=LARGE)


def test_clips_of_an_imported_corpus_are_watched_in_the_order_in_which_they_are_trained() -> None:
    assert "in the order of seed 0" in refused("data.held_out.seed=1", file=LARGE)
    assert "beyond the 31327 clips" in refused("data.held_out.clips=201", file=LARGE)


def test_overrides_reach_whole_groups_and_new_rewards() -> None:
    config = load_config(
        MINI,
        [*FIXED, "guards.format=null", "rewards.plain={kind: accuracy, weight: 0}", "warm_up=null"],
    )
    assert config.guards.format is None
    assert config.warm_up is None
    assert list(config.rewards) == ["accuracy", "format", "plain"]


def test_the_file_is_named_unless_the_command_line_said_it(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(re.sub(r"\bbeta: \S+", "beta: low", MINI.read_text("utf-8")), "utf-8")
    assert refused(file=bad).startswith(f"{bad}, field 'grpo.beta': is \"low\"")
    assert load_config(bad, ["grpo.beta=0.1"]).grpo.beta == 0.1
    assert refused("grpo.steps=0", "grpo.beta=0").startswith("--set grpo.steps=0, field")


def test_rows_are_dealt_to_processes() -> None:
    cut = ["grpo.prompts_per_step=32", "grpo.num_generations=8", "grpo.gradient_accumulation=4"]
    grpo = load_config(LARGE, cut).grpo
    assert grpo.rows_per_step == 256
    assert grpo.rows_per_device(8) == 8
    with pytest.raises(OvmerError, match="a multiple of 12"):
        grpo.rows_per_device(3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: not YAML that is read here: key 'a' stands twice"),
        ("a: {b: 1, b: 1}", "key 'b' stands twice"),
        ("a: !!python/object/apply:os.system [ls]", "tags such as"),
        ("a: !!int '3'", "tags such as"),
        ("a: &x 1\nb: *x", "anchors and aliases"),
        ("<<: {a: 1}\n<<: {b: 2}", "stands twice"),
        ("1: a", "key 1 is no text"),
        ("a: [" * 20 + "]" * 20, "nested deeper"),
        ("a: [1", "not YAML"),
        ("a: 1\n--- \nb: 2", "single document"),
        ("a: \x07", "not YAML"),
    ],
)
def test_yaml_that_is_refused(text: str, said: str) -> None:
    with pytest.raises(OvmerError) as caught:
        parse_yaml(text)
    assert said in str(caught.value)


def test_scalars_are_read_by_yaml_1_2() -> None:
    text = "[1e-5, 1.5E+3, 010, 1:30, no, on, 2024-01-01, 1_000, 0x10, ~, .5, -.inf, 'true', =]"
    read = [1e-5, 1500.0, 10, "1:30", "no", "on", "2024-01-01", "1_000", "0x10", None, 0.5]
    assert parse_yaml(text) == [*read, float("-inf"), "true", "="]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
@example({"\x85": "\u2028 a\x85\n b"})
@example("\ufeff")
def test_what_is_written_is_read_back(value: object) -> None:
    assert parse_yaml(write_yaml(value)) == value


@given(st.text(max_size=30))
def test_no_override_ends_in_anything_but_one_line(text: str) -> None:
    try:
        load_config(MINI, [*FIXED, text, f"grpo.beta={text}"])
    except OvmerError as error:
        assert "\n" not in str(error)


def test_a_file_without_settings(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing\n", "utf-8")
    assert "holds no settings" in refused(file=empty)
    assert "no such file" in refused(file=tmp_path / "none.yaml")


@pytest.mark.train
@pytest.mark.parametrize("file", ACCELERATE, ids=lambda p: p.stem)
def test_launch_configurations_are_read_by_accelerate(file: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(file))
    assert config.num_processes == 8
    assert config.mixed_precision == "bf16"
    kinds = {"ddp": "MULTI_GPU", "fsdp": "FSDP", "zero3": "DEEPSPEED"}
    assert config.distributed_type.value == kinds[file.stem]
    assert bool(config.fsdp_config) == (file.stem == "fsdp")
    assert config.deepspeed_config.get("zero_stage") == (3 if file.stem == "zero3" else None)


@pytest.mark.train
@pytest.mark.parametrize("file", ACCELERATE, ids=lambda p: p.stem)
def test_the_launcher_takes_every_key(file: Path) -> None:
    """Keys of a plugin are options of ``accelerate launch``; one that is none is ignored there."""
    from accelerate.commands.launch import launch_command_parser

    options = {action.dest for action in launch_command_parser()._actions}
    raw = read_yaml(file)
    assert len(ACCELERATE) == 3
    for section in ("fsdp_config", "deepspeed_config"):
        assert set(raw.get(section, {})) <= options


@pytest.mark.train
def test_layers_that_are_wrapped_are_those_of_the_large_policy() -> None:
    from affectgpt_rl.policy import AffectGPTForConditionalGeneration
    from affectgpt_rl.policy.presets import qwen25_7b, reduced

    policy = AffectGPTForConditionalGeneration(reduced(qwen25_7b(), vocabulary=64))
    there = {type(module).__name__ for module in policy.modules()}
    fsdp = read_yaml(CONFIGS / "accelerate" / "fsdp.yaml")["fsdp_config"]
    assert set(fsdp["fsdp_transformer_layer_cls_to_wrap"].split(",")) <= there


@pytest.mark.train
def test_names_of_parts_are_those_of_the_policy() -> None:
    from typing import get_args

    from affectgpt_rl.config.sections import Part, Policy
    from affectgpt_rl.policy.configuration import FREEZABLE, FUSIONS

    assert get_args(Part) == FREEZABLE
    assert "qformer" in FUSIONS and all(f in str(Policy.model_fields["fusion"]) for f in FUSIONS)
