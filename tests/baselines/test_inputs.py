"""What a policy is given: answers are learned and prompts are not, and hidden media stay hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from affectgpt_rl.config.sections import Prompt, Source
from affectgpt_rl.data.clips import TrainingClip, load_clips
from affectgpt_rl.data.inputs import IGNORED, Shown, TextInputs, joined
from affectgpt_rl.data.prompting import Prompter, with_one_start
from affectgpt_rl.policy.loading import LoadedPolicy
from affectgpt_rl.policy.mini import END, mini_tokenizer, text_config
from affectgpt_rl.training.evaluation import answers, media_gap
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench import OvmerError
from tiny_policy import fresh, tiny
from transformers import Qwen2ForCausalLM

pytestmark = pytest.mark.train

PROMPT = Prompt(
    mode="answer",
    thought="description",
    instruction="What is felt?",
    language="en",
    clues=False,
    images=2,
)
EVERYTHING = ("frames", "audio", "subtitle")
row = st.lists(st.integers(2, 9), max_size=5)


def clips(count: int = 3, *modalities: Any) -> list[TrainingClip]:
    source = Source(corpus="ovmer_mini", split="sft", start=0, clips=count, seed=0)
    return load_clips(source, modalities or EVERYTHING)


def heard_alone(clip: TrainingClip) -> TrainingClip:
    return replace(clip, modalities=frozenset({"audio", "subtitle"}))


def loaded() -> LoadedPolicy:
    return LoadedPolicy(fresh(), tiny().processor)


@given(st.lists(st.tuples(row, row.filter(bool)), min_size=1, max_size=4))
def test_rows_end_together_and_only_answers_are_learned(rows: list[Any]) -> None:
    prompts, said = [list(part) for part in zip(*rows, strict=True)]
    made = joined(prompts, said, pad=0)
    for number, (prompt, answer) in enumerate(rows):
        length = len(prompt) + len(answer)
        assert made["input_ids"][number].tolist()[-length:] == [*prompt, *answer]
        assert made["attention_mask"][number].sum() == length
        assert made["attention_mask"][number, -length:].all()
        labels = made["labels"][number].tolist()
        assert labels[-len(answer) :] == answer
        assert set(labels[: -len(answer)]) <= {IGNORED}
    assert "labels" not in joined([[1]], None, pad=0)


def test_answers_end_and_are_written_as_they_are_generated() -> None:
    policy = loaded()
    inputs = TextInputs(policy, PROMPT, clips(), keep=False)
    made = inputs.batch(clips(), answers=True)
    for number, clip in enumerate(clips()):
        labels = made["labels"][number]
        said = policy.tokenizer.decode(labels[labels != IGNORED])
        assert said == f"<answer>{', '.join(clip.sample.labels or ())}</answer>{END}"


def test_what_grpo_asks_is_what_the_cold_start_was_taught() -> None:
    policy, asked = loaded(), clips()
    inputs = TextInputs(policy, PROMPT, asked, keep=False)
    batch = inputs.batch(asked, answers=False)
    assert inputs.bank is not None
    for number, clip in enumerate(asked):
        made = inputs.row(clip)
        ids = policy.tokenizer(made["prompt"])["input_ids"]
        assert batch["input_ids"][number, -len(ids) :].tolist() == ids
        assert made["media_id"] == clip.id and made["gold"] == list(clip.sample.labels or ())
    bank = inputs.bank.inputs([clip.id for clip in asked])
    assert all(torch.equal(value, batch[name]) for name, value in bank.items())


@pytest.mark.parametrize("hidden", ["media", "subtitle"])
def test_what_is_hidden_makes_no_difference(hidden: str) -> None:
    policy, (one, other, _) = loaded(), clips()
    inputs = TextInputs(policy, PROMPT, [one, other], keep=False)
    shown = [Shown(**{hidden: False})]
    part = {"media": {"media": other.media}, "subtitle": {"sample": other.sample}}[hidden]
    swapped = replace(one, **part)
    swapped_inputs = TextInputs(policy, PROMPT, [swapped], keep=False)
    first = inputs.batch([one], shown, answers=False)
    second = swapped_inputs.batch([swapped], shown, answers=False)
    with torch.no_grad():
        assert torch.equal(policy.model(**first).logits, policy.model(**second).logits)
        told = policy.model(**inputs.batch([one], answers=False)).logits
        other_told = policy.model(**swapped_inputs.batch([swapped], answers=False)).logits
    assert told.shape != other_told.shape or not torch.equal(told, other_told)


def test_media_of_another_clip_stand_in() -> None:
    policy, asked = loaded(), clips()
    inputs = TextInputs(policy, PROMPT, asked, keep=False)
    plain = inputs.batch(asked, answers=True)
    shifted = inputs.batch(asked, answers=True, media=[*asked[1:], asked[0]])
    assert torch.equal(plain["input_ids"], shifted["input_ids"])
    assert torch.equal(shifted["pixel_values"][shifted["clip_index"][0]], plain["pixel_values"][1])


def test_clips_trade_media_with_those_of_their_kind() -> None:
    policy, asked = loaded(), clips(5)
    asked[1], asked[4] = heard_alone(asked[1]), heard_alone(asked[4])
    inputs = TextInputs(policy, PROMPT, asked, keep=False)
    found = media_gap(policy.model, inputs, asked, batch_size=2)
    assert found is not None and found[0] != found[1]
    assert media_gap(policy.model, inputs, asked, batch_size=5) == pytest.approx(found, abs=1e-5)
    assert media_gap(policy.model, inputs, asked[:2], batch_size=2) is None, "no two alike"
    unseen = clips(3, "subtitle")
    assert media_gap(policy.model, inputs, unseen, batch_size=2) is None


def test_greedy_answers_do_not_depend_on_the_batch() -> None:
    policy, asked = loaded(), clips(4)
    asked[2] = heard_alone(asked[2])
    inputs = TextInputs(policy, PROMPT, asked, keep=False)
    many = answers(policy.model, inputs, asked, batch_size=4, max_new_tokens=6)
    assert many == answers(policy.model, inputs, asked, batch_size=1, max_new_tokens=6)
    assert not policy.model.training


def test_every_token_that_a_model_ends_with_ends_an_answer() -> None:
    tokenizer = mini_tokenizer()
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(text_config(tokenizer))
    with torch.no_grad():
        model.lm_head.weight[tokenizer.eos_token_id] = 0
    inputs = TextInputs(LoadedPolicy(model, tokenizer), PROMPT, clips(), keep=False)
    full = answers(model, inputs, clips(1), batch_size=1, max_new_tokens=6)[0]
    first = tokenizer(full)["input_ids"][0]
    assert full != tokenizer.decode(first)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, first]
    short = answers(model, inputs, clips(1), batch_size=1, max_new_tokens=6)[0]
    assert short == tokenizer.decode(first)


# Prompts


def prompter(**changed: Any) -> Prompter:
    return Prompter(PROMPT.model_copy(update=changed), mini_tokenizer())


def test_prompts_say_what_may_be_seen() -> None:
    (clip,) = clips(1)
    said, clues = clip.sample.subtitle["en"], clip.sample.clues
    assert prompter().ask(clip) == f"Said: {said}\nWhat is felt?\n"
    assert prompter().ask(clip, subtitle=False) == "What is felt?\n"
    silent = replace(clip, modalities=frozenset({"frames"}))
    assert prompter().ask(silent) == "What is felt?\n"
    told = prompter(clues=True).ask(clip)
    assert clues["audio"] in told and clues["visual"] in told
    media = Prompter(PROMPT, tiny().processor).ask(clip)
    assert media.startswith("<|frame|><|frame|>") and "<|audio|>" in media
    assert Prompter(PROMPT, tiny().processor).ask(clip, media=False) == prompter().ask(clip)


def test_thoughts_are_taught_from_what_there_is() -> None:
    (clip,) = clips(1)
    thought = prompter(mode="think").target(clip.sample)
    assert thought.startswith(f"<think>{clip.sample.description['en']}</think><answer>")
    clue = prompter(mode="think", thought="clues").target(clip.sample)
    assert clip.sample.clues["visual"] in clue and "\n" not in clue
    with pytest.raises(OvmerError, match=f"clip {clip.id} has no description"):
        prompter(mode="think").target(replace(clip.sample, description={}))


def test_a_text_begins_once() -> None:
    """Templates of some models write the token that tokenizers put there as well."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = mini_tokenizer()
    tokenizer.bos_token = END
    plain = f"{END}What is felt?"
    assert with_one_start(tokenizer, plain) == plain, "nothing is put there"
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, tokenizer.eos_token_id)]
    )
    assert with_one_start(tokenizer, plain) == "What is felt?"
    assert with_one_start(tokenizer, "What is felt?") == "What is felt?"
    tokenizer.chat_template = f"{END}{{{{ messages[0]['content'] }}}}"
    ids = tokenizer(Prompter(PROMPT, tokenizer).ask(clips(1)[0]))["input_ids"]
    assert ids.count(tokenizer.eos_token_id) == 1
