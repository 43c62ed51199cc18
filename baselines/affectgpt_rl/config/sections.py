"""The settings of a run, group by group; what each means stands with it."""

from __future__ import annotations

from typing import Annotated, Literal

from ovmer_bench import OvmerError
from pydantic import BaseModel, ConfigDict, Field

from ..rewards.completions import Mode

Modality = Literal["frames", "audio", "subtitle"]
Part = Literal[
    "frame_encoder",
    "audio_encoder",
    "frame_branch",
    "audio_branch",
    "fusion",
    "language_model",
    "lm_head",
]
Scheduler = Literal["constant", "constant_with_warmup", "linear", "cosine"]

Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Text = Annotated[str, Field(min_length=1)]
# A YAML list is no tuple, which strict checking of types would ask for.
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
Parts = Annotated[tuple[Part, ...], Field(strict=False)]
Modalities = Annotated[tuple[Modality, ...], Field(strict=False, min_length=1)]


class Section(BaseModel):
    """A group of settings: fixed once made, no key too many, no value converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Lora(Section):
    """Low-rank adapters instead of full training of the language model.

    Attributes:
        rank, alpha, dropout: as of peft's ``LoraConfig``; the update is scaled by alpha / rank.
        targets: names of the linear layers that get an adapter.
    """

    rank: Count
    alpha: Positive
    dropout: BelowOne
    targets: Annotated[Texts, Field(min_length=1)]


class Policy(Section):
    """What is trained.

    Attributes:
        kind: ``affectgpt``: encoders, fusion and language model of this package; ``text``: a
            causal language model; ``vision``: a vision-language model that TRL trains natively;
            ``omni``: Qwen2.5-Omni, which sees and hears.
        build: ``mini``: new and tiny, for the embedded corpus; ``parts``: AffectGPT from three
            pretrained parts; ``path``: a model as ``save_pretrained`` wrote it.
        path: folder or hub name, for ``build: path``.
        frame_encoder, audio_encoder, language_model: likewise, for ``build: parts``.
        fusion: pre-fusion of a new AffectGPT.
        freeze: parts of AffectGPT that are not trained by the cold start and GRPO.
        dtype: of the weights.
        lora: adapters; ``null``: every part that is not frozen is trained.
    """

    kind: Literal["affectgpt", "text", "vision", "omni"]
    build: Literal["mini", "parts", "path"]
    path: Text | None
    frame_encoder: Text | None
    audio_encoder: Text | None
    language_model: Text | None
    fusion: Literal["qformer", "attention"] | None
    freeze: Parts
    dtype: Literal["float32", "bfloat16"]
    lora: Lora | None


class Source(Section):
    """Clips ``start`` to ``start + clips`` of a split of a corpus.

    Attributes:
        corpus: name of a corpus (``ovmer data list``), or a JSONL file of samples.
        split: of the corpus; of a file, what its clips are called.
        start: first clip.
        clips: how many; ``null``: all that follow.
        seed: of a generated corpus: the clips themselves; of others: their order, before
            ``start`` and ``clips`` cut.
    """

    corpus: Text
    split: Text
    start: Natural
    clips: Count | None
    seed: Annotated[int, Field(ge=0, lt=2**32)]


class Data(Section):
    """Where clips come from and what of them the policy may see.

    Attributes:
        cold_start: descriptions and gold for supervised training.
        rl: gold for GRPO.
        held_out: watched while training, never trained on, never a test split.
        modalities: what the policy sees of a clip.
        features: folder that keeps what frozen encoders make of clips, for all runs that
            share the encoders; ``null``: it is made anew by each.
        on_missing: before training, all media are read once: those that cannot be end the run
            (``fail``), or their clips are left out (``skip``).
        given_up: test splits, by corpus name, on which this run trains all the same, and on
            which its policy may therefore never be scored.
    """

    cold_start: Source
    rl: Source
    held_out: Source
    modalities: Modalities
    features: Text | None
    on_missing: Literal["fail", "skip"]
    given_up: Texts


class Prompt(Section):
    """What the policy is asked.

    Attributes:
        mode: ``answer``: ``<answer>a, b</answer>``; ``think``: a thought before it.
        thought: what the cold start teaches to think, in mode ``think``: the clip's
            ``description``, or its ``clues``.
        instruction: the request, after media and subtitle.
        language: of subtitle and description.
        clues: whether the clues of the corpus, text about what is heard and seen, are shown.
        images: frames that a policy of kind ``vision`` or ``omni`` is shown.
    """

    mode: Mode
    thought: Literal["description", "clues"]
    instruction: Text
    language: Literal["en", "zh"]
    clues: bool
    images: Count


class WarmUp(Section):
    """Training of new encoders on their own, before the cold start.

    Attributes:
        steps, batch_size, learning_rate, weight_decay: of AdamW; a batch is in clips.
    """

    steps: Count
    batch_size: Count
    learning_rate: Positive
    weight_decay: NotNegative


class Sft(Section):
    """Cold start: supervised training until the held-out loss stops falling.

    Attributes:
        epochs: at most so many passes over the clips.
        batch_size: clips of one step, all processes together.
        learning_rate: at its peak.
        weight_decay: of AdamW.
        warmup_ratio: share of the steps in which the learning rate rises.
        lr_scheduler: what it does afterwards.
        max_grad_norm: gradients are scaled down to this norm.
        patience: evaluations without a lower held-out loss after which training stops.
        gradient_accumulation: parts into which the clips of a step are cut.
        gradient_checkpointing: less memory, more time.
        eval_every: steps between looks at the held-out loss, each with a checkpoint.
        subtitle_dropout, media_dropout: share of the training clips whose subtitle, or whose
            media, are hidden, so that the policy learns to use the other.
    """

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    weight_decay: NotNegative
    warmup_ratio: BelowOne
    lr_scheduler: Scheduler
    max_grad_norm: Positive
    gradient_accumulation: Count
    gradient_checkpointing: bool
    patience: Count
    eval_every: Count
    subtitle_dropout: BelowOne
    media_dropout: BelowOne


class Grpo(Section):
    """Group relative policy optimisation. Names are TRL's where TRL has one.

    A step is one update of the weights. Completions are sampled every ``num_iterations`` steps:
    ``prompts_per_step`` clips, ``num_generations`` answers to each, and the advantage of an
    answer is its reward less the mean of its group.

    Attributes:
        steps: updates of the whole run.
        prompts_per_step: clips of one step, all processes together.
        num_generations: G, answers in a group.
        num_iterations: mu, updates made from the same completions.
        gradient_accumulation: parts into which the rows of a step are cut.
        beta: weight of the KL divergence to the policy of the cold start; 0: no reference.
        epsilon, epsilon_high: the ratio to the old policy is clipped to [1 - epsilon,
            1 + epsilon_high]; ``null``: the same as ``epsilon``. ``cispo`` clips the weight at
            ``epsilon_high``.
        loss_type: how token losses are averaged: ``grpo`` over each answer, ``dapo`` and
            ``cispo`` over all tokens of the step, ``bnpo`` over those of one part of it (so it
            depends on ``gradient_accumulation``), ``dr_grpo`` by a constant.
        scale_rewards: advantages are divided by the standard deviation of the ``group``, of the
            ``batch``, or not (``none``).
        temperature, top_p, top_k: of sampling; 1 and 0 (no limit) leave the policy as it is.
        max_completion_length: tokens of an answer.
        mask_truncated_completions: answers cut off there do not enter the loss; they do stay
            in the mean of their group.
        learning_rate, lr_scheduler, warmup_steps, weight_decay, max_grad_norm: of AdamW.
        bf16: mixed precision; on CPU it parts sampling from training.
        gradient_checkpointing: less memory, more time.
        use_vllm, vllm_mode: sampling by vLLM, for ``text`` and ``vision``.
        save_every: steps between checkpoints, a multiple of ``num_iterations``: between
            samplings the completions at hand would be lost.
        save_total_limit: checkpoints that are kept.
        log_completions_every: steps between tables of completions.
    """

    steps: Count
    prompts_per_step: Count
    num_generations: Annotated[int, Field(ge=2)]
    num_iterations: Count
    gradient_accumulation: Count
    beta: NotNegative
    epsilon: Annotated[float, Field(gt=0, lt=1)]
    epsilon_high: Positive | None
    loss_type: Literal["grpo", "bnpo", "dr_grpo", "dapo", "cispo"]
    scale_rewards: Literal["group", "batch", "none"]
    temperature: Positive
    top_p: Annotated[float, Field(gt=0, le=1)]
    top_k: Natural
    max_completion_length: Count
    mask_truncated_completions: bool
    learning_rate: Positive
    lr_scheduler: Scheduler
    warmup_steps: Natural
    weight_decay: NotNegative
    max_grad_norm: Positive
    bf16: bool
    gradient_checkpointing: bool
    use_vllm: bool
    vllm_mode: Literal["colocate", "server"] | None
    save_every: Count
    save_total_limit: Annotated[int, Field(ge=2)]
    log_completions_every: Count

    @property
    def rows_per_step(self) -> int:
        """Completions of one step, all processes together."""
        return self.prompts_per_step * self.num_generations

    def rows_per_device(self, world_size: int) -> int:
        """``per_device_train_batch_size`` for so many processes.

        Raises:
            OvmerError: the rows of a step cannot be cut so.
        """
        parts = world_size * self.gradient_accumulation
        if self.rows_per_step % parts:
            raise OvmerError(
                f"{self.prompts_per_step} prompts x {self.num_generations} generations are"
                f" {self.rows_per_step} rows, which cannot be cut into {self.gradient_accumulation}"
                f" equal parts for each of {world_size} processes",
                field="grpo.prompts_per_step",
                accepted=f"prompts_per_step x num_generations a multiple of {parts}",
            )
        return self.rows_per_step // parts


class NoSignal(Section):
    """Stop when groups no longer differ in reward: nothing can be learned from them.

    Attributes:
        patience: steps in a row.
        share: of the groups without any difference that counts as too many.
    """

    patience: Count
    share: Annotated[float, Field(gt=0, le=1)]


class FormatCollapse(Section):
    """Stop when completions no longer follow the template.

    Attributes:
        patience: steps in a row.
        minimum: share of the completions that must follow it.
        grace: first steps that are not looked at.
    """

    patience: Count
    minimum: Annotated[float, Field(gt=0, le=1)]
    grace: Natural


class Verbosity(Section):
    """Stop when answers become lists of everything.

    Attributes:
        patience: steps in a row.
        maximum: mean labels of a clip.
    """

    patience: Count
    maximum: Positive


class NotFinite(Section):
    """Stop when loss, gradient, KL or entropy is no finite number.

    Attributes:
        patience: steps in a row.
    """

    patience: Count


class MediaUse(Section):
    """Do not begin GRPO with a policy that does not look at the media.

    Attributes:
        minimum_gap: held-out loss of the cold start with the media of another clip, less that
            with each clip's own, in nats a token.
    """

    minimum_gap: Positive


class Guards(Section):
    """When a run is stopped because it learns nothing; ``null`` switches a guard off."""

    no_signal: NoSignal | None
    format: FormatCollapse | None
    verbosity: Verbosity | None
    not_finite: NotFinite | None
    media: MediaUse | None


class Evaluation(Section):
    """Greedy answers, scored by the ruler.

    Attributes:
        every_steps: of GRPO, between looks at the held-out clips.
        batch_size: clips answered at once.
        max_new_tokens: of an answer.
        task: corpus on which the cold start and the final policy are scored; ``null``: none.
        draws: bootstrap draws of the intervals.
        samples: clips whose answers before and after stand in the report.
    """

    every_steps: Count
    batch_size: Count
    max_new_tokens: Count
    task: Text | None
    draws: Natural
    samples: Natural


class Logging(Section):
    """What is written while training.

    Attributes:
        every_steps: between two lines of ``metrics.jsonl``.
        tensorboard: whether the same numbers go to TensorBoard.
    """

    every_steps: Count
    tensorboard: bool


class JudgeSettings(Section):
    """Who compares texts for the reward ``perception``.

    Attributes:
        kind: ``gold``: the ruler; ``local``: a model in a folder; ``server``: a model behind the
            OpenAI protocol, its key in the environment variable ``OVMER_JUDGE_KEY``.
        path: the folder, for ``local``.
        url, model: for ``server``.
    """

    kind: Literal["gold", "local", "server"]
    path: Text | None
    url: Text | None
    model: Text | None
