"""Small GRPO runs: clips with every subset of media, a tiny policy, rewards that need no skill."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from affectgpt_rl.data.media_bank import MediaBank
from affectgpt_rl.training.grpo import AffectGPTGRPOTrainer
from affectgpt_rl.training.grpo_settings import grpo_config
from tiny_policy import ROWS, Policy, clip, fresh, tiny

FROZEN = ("audio_encoder", "frame_encoder")
WORDS = ("happy", "sad", "angry", "surprised")


@dataclass(frozen=True)
class FixedClip:
    """A clip whose media are at hand."""

    pictures: Any = None
    sound: Any = None

    def frames(self) -> Any:
        return self.pictures

    def audio(self) -> Any:
        return self.sound


SHAPES = {
    "both": FixedClip(*clip(0)),
    "frames": FixedClip(clip(1)[0][:3], None),
    "sound": FixedClip(None, clip(2)[1][:5001]),
    "text": FixedClip(None, None),
    "hardly": FixedClip(clip(3)[0][:1], clip(3)[1][:7]),
    "more": FixedClip(clip(4)[0][:5], clip(4)[1][:6000]),
}
"""Every subset of media, no two of a length."""

SETTINGS: dict[str, Any] = {
    "num_generations": 4,
    "beta": 0.0,
    "epsilon": 0.2,
    "epsilon_high": None,
    "loss_type": "grpo",
    "scale_rewards": "group",
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "num_iterations": 1,
    "steps_per_generation": 1,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "max_completion_length": 4,
    "mask_truncated_completions": False,
    "learning_rate": 1e-3,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "max_steps": 2,
    "seed": 0,
    "bf16": False,
    "gradient_checkpointing": False,
    "disable_dropout": True,
    "use_vllm": False,
    "vllm_mode": None,
    "save_steps": 0,
    "save_total_limit": None,
}


def even_tokens(completion_ids: Any, **_: Any) -> list[float]:
    """The share of tokens with an even number: something that anybody can learn."""
    return [sum(token % 2 == 0 for token in ids) / max(1, len(ids)) for ids in completion_ids]


def rows_of(policy: Policy, clips: Any = SHAPES) -> list[dict[str, Any]]:
    """Rows for clips, in the manner of the trainer."""
    rows = []
    for number, (name, one) in enumerate(clips.items()):
        prefix = policy.processor.media_prefix(one.frames() is not None, one.audio() is not None)
        text = f"{prefix}{ROWS[number % len(ROWS)][0]}"
        rows.append(
            {
                "prompt": policy.processor.expand(text),
                "media_id": name,
                "gold": [WORDS[number % len(WORDS)]],
                "clues": {"audio": "", "visual": ""},
            }
        )
    return rows


def make_trainer(
    folder: Path,
    model: Any = None,
    *,
    rewards: Any = (even_tokens,),
    rows: Any = None,
    cache: bool = True,
    bank: Any = ...,
    kind: type[AffectGPTGRPOTrainer] = AffectGPTGRPOTrainer,
    freeze: tuple[str, ...] = FROZEN,
    trainer: dict[str, Any] | None = None,
    **settings: Any,
) -> AffectGPTGRPOTrainer:
    """A trainer of a tiny policy on the clips of :data:`SHAPES`."""
    torch.set_num_threads(1)
    policy = tiny(freeze=freeze)
    model = fresh(freeze=freeze) if model is None else model
    if bank is ...:
        bank = MediaBank(SHAPES, policy.processor, model, cache=cache)
    return kind(
        model,
        list(rewards),
        grpo_config({**SETTINGS, **settings}, output_dir=folder),
        rows_of(policy) if rows is None else rows,
        processing_class=policy.processor.tokenizer,
        bank=bank,
        **(trainer or {}),
    )


ALIKE = {f"clip{number}": FixedClip(*clip(number)) for number in range(4)}
"""Clips that can be taken for one another: all of one shape."""


def alike_rows() -> list[dict[str, Any]]:
    """Rows that differ in nothing but their clip, each with a word of its own as gold."""
    rows = rows_of(tiny(freeze=FROZEN), ALIKE)
    return [{**row, "prompt": rows[0]["prompt"]} for row in rows]


@lru_cache(maxsize=1)
def schooled() -> dict[str, Any]:
    """Weights of a policy that says one of four words, the right one half of the time."""
    torch.set_num_threads(1)
    policy, model = tiny(freeze=FROZEN), fresh(freeze=FROZEN).train()
    tokenizer, end = policy.processor.tokenizer, policy.processor.tokenizer.eos_token_id
    rows = [(row, word) for row in alike_rows() for word in WORDS]
    prompt = torch.tensor(tokenizer(rows[0][0]["prompt"])["input_ids"])
    answers = [torch.tensor([*tokenizer(answer(word))["input_ids"], end]) for _, word in rows]
    said = torch.nn.utils.rnn.pad_sequence(answers, batch_first=True, padding_value=-100)
    ids = torch.cat([prompt.expand(len(rows), -1), said.clamp(min=0)], 1)
    media = MediaBank(ALIKE, policy.processor, model, cache=True).inputs(
        [row["media_id"] for row, _ in rows]
    )
    wished = torch.tensor([0.55 if row["gold"] == [word] else 0.15 for row, word in rows])
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=5e-3)
    for _ in range(200):
        logits = model(input_ids=ids, **media).logits[:, len(prompt) - 1 : -1]
        chosen = logits.log_softmax(-1).gather(-1, said.clamp(min=0)[..., None])[..., 0]
        loss = -((chosen * (said >= 0)).sum(1) * wished).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.state_dict()


def answer(word: str) -> str:
    """A whole output that says one word."""
    return f"<answer>{word}</answer>"
