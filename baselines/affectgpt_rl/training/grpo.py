"""GRPO of a policy that sees and hears.

TRL carries text and images. Media of other kinds are carried by reference: rows name a clip
(``media_id``), and wherever the policy is called, its media are put beside the text. Five methods
of TRL's trainer are overridden for it, and their signatures are tested, since TRL may change them.

Rows are ``{"prompt": text, "media_id": id, "gold": labels, "clues": {...}}``; in the prompt every
placeholder already stands as often as the policy needs it (``processor.expand``), and the
processing class is the plain tokenizer. Policies of text alone, and of images that TRL knows, run
in the same class without a bank; images are loaded when their rows are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from datasets import Dataset
from ovmer_bench import OvmerError
from torch import Tensor
from transformers import PrinterCallback
from trl import GRPOTrainer

from ..data.media_bank import Bank
from ..rewards.completions import Mode
from .policy_pass import PolicyPass, placeholders_of
from .processes import check_world_size
from .resume import EpochSampler, check_boundaries, check_checkpoint, rhythm_of
from .rollouts import Sampled, completion_metrics, sampled_rows
from .sharding import prepare_fused_head, prepare_sharding

MOST_FIRST_KL = 0.01
"""A policy differs from its own copy by rounding alone; a wrong reference by 0.1 and more."""

OnCompletions = Callable[[int, list[Sampled]], None]


class AffectGPTGRPOTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's GRPO with media by reference, exact resumption, and logs of what is said.

    Args:
        model, reward_funcs, args, callbacks, peft_config, eval_dataset: as TRL's.
        train_dataset: rows, or a ``Dataset`` of them.
        processing_class: the tokenizer (a processor for policies of TRL's own vision path).
            Padding needs a token of its own.
        bank: media of the rows' clips; ``None``: the policy takes text, or images by TRL.
        images: gives, on TRL's own path, the images of a row by its ``media_id``.
        mode: the template whose format rate is logged.
        lexicon: id of the lexicon whose out-of-vocabulary rate is logged.
        on_completions: gets, on the main process, the updates made so far and all completions
            of each sampling.
        processes: how many processes should train together; ``None``: any number.

    Rewards with an attribute ``weight`` are weighted by it, unless ``args`` says otherwise.

    Raises:
        OvmerError: what would fail later, or in silence, if it began.
    """

    def __init__(
        self,
        model: Any,
        reward_funcs: Sequence[Callable[..., list[float]]],
        args: Any,
        train_dataset: Any,
        *,
        processing_class: Any,
        bank: Bank | None = None,
        images: Callable[[str], list[Any]] | None = None,
        mode: Mode = "answer",
        lexicon: str = "ovmer",
        on_completions: OnCompletions | None = None,
        processes: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_world_size(args.world_size, processes)
        if not isinstance(train_dataset, Dataset):
            train_dataset = Dataset.from_list([dict(row) for row in train_dataset])
        _check_tokenizer(processing_class)
        _check_rewards(reward_funcs)
        if bank is not None:
            _check_media(bank, train_dataset, args)
        if args.reward_weights is None:
            args.reward_weights = [float(getattr(one, "weight", 1.0)) for one in reward_funcs]
        silent = () if args.use_vllm else placeholders_of(model)
        if silent:  # TRL suppresses those of images alone
            args.generation_kwargs = {
                **(args.generation_kwargs or {}),
                "suppress_tokens": [*silent],
            }
        self.bank = bank
        self._images = images
        self._silent = bool(silent)
        self._mode = mode
        self._lexicon = lexicon
        self._on_completions = on_completions
        self._media_ids: list[Any] = []
        super().__init__(
            model=model,
            reward_funcs=list(reward_funcs),
            args=args,
            train_dataset=train_dataset,
            processing_class=processing_class,
            **kwargs,
        )
        self.remove_callback(PrinterCallback)  # raw dictionaries on the terminal
        prepare_sharding(self, bank)
        prepare_fused_head(self)

    def train(self, resume_from_checkpoint: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As TRL's, after making sure that it can be resumed exactly.

        Raises:
            OvmerError: saves fall between two samplings, or the checkpoint is not whole, or was
                saved by another number of processes.
        """
        check_boundaries(self.args, len(self.train_dataset))
        if isinstance(resume_from_checkpoint, str):
            check_checkpoint(resume_from_checkpoint, self.args.world_size)
        return super().train(resume_from_checkpoint, *args, **kwargs)

    def at_boundary(self) -> bool:
        """Whether a checkpoint saved now would be resumed exactly."""
        rhythm = rhythm_of(self.args, len(self.train_dataset))
        return rhythm.is_boundary(self.state.global_step)

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        rows = self.train_dataset if dataset is None else dataset
        return EpochSampler(
            data_source=rows,
            mini_repeat_count=self.num_generations,
            batch_size=self.args.generation_batch_size // self.num_generations,
            repeat_count=self.num_iterations * self.args.steps_per_generation,
            shuffle=self.shuffle_dataset,
            seed=self.args.seed,
            epoch=lambda: self.state.epoch or 0,
        )

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        self._media_ids = [row.get("media_id") for row in inputs]
        if self._images is not None:
            inputs = [{**row, "images": self._images(row["media_id"])} for row in inputs]
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        # TRL shuffles and slices lists together with its tensors.
        output["media_id"] = list(self._media_ids)
        if self._on_completions is not None and self.accelerator.is_main_process:
            count = len(inputs) * self.accelerator.num_processes
            split = "train" if self.model.training else "eval"
            step = self.state.global_step
            self._on_completions(step, sampled_rows(self._logs, count, step=step, split=split))
        return output

    def _generate_single_turn(
        self, prompt_ids: Any, images: Any, multimodal_fields: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if self.bank is not None:
            if len(prompt_ids) != len(self._media_ids):
                raise OvmerError(
                    f"{len(prompt_ids)} prompts, and media of {len(self._media_ids)}",
                    field="media_id",
                )
            multimodal_fields = {**multimodal_fields, **self._media(self._media_ids)}
        return super()._generate_single_turn(prompt_ids, images, multimodal_fields, *args, **kwargs)

    def _get_per_token_logps_and_entropies(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        if self._silent or self.bank is not None:
            model = PolicyPass(model, self._media if self.bank else None, self._media_ids)
        return super()._get_per_token_logps_and_entropies(model, *args, **kwargs)

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        self._media_ids = inputs["media_id"]
        loss = super()._compute_loss(model, inputs)
        if self.beta and self.state.global_step == 0 and self._step == 0:
            self._check_reference()
        return loss

    def _calculate_rewards(
        self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any
    ) -> Any:
        gold = [row.get("gold") for row in inputs]
        found = completion_metrics(completions, gold, mode=self._mode, lexicon=self._lexicon)
        for name, value in found.items():
            self._log_metric(name, value)
        self._log_completion_extra("media_id", [row.get("media_id") for row in inputs])
        self._log_completion_extra("gold", gold)
        return super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)

    def _media(self, ids: Sequence[str], device: Any = None) -> dict[str, Tensor]:
        if self.bank is None:
            return {}
        return self.bank.inputs(ids, self.accelerator.device if device is None else device)

    def _check_reference(self) -> None:
        """A reference that is not the policy pulls it somewhere else, and no error says so."""
        metrics = self._metrics["train" if self.model.training else "eval"]["kl"]
        first = metrics[-1] if metrics else 0.0
        if not first <= MOST_FIRST_KL:
            name = self.model.config._name_or_path
            raise OvmerError(
                f"policy and reference differ before the first update (KL {first:.3g}); the"
                f" reference was read from {name!r}",
                field="grpo.beta",
                hint="Save the policy and load it from there before GRPO, and switch dropout off.",
            )


def _check_tokenizer(processing_class: Any) -> None:
    """Padding that equals the end of text hides where an answer ended."""
    tokenizer = getattr(processing_class, "tokenizer", processing_class)
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise OvmerError(
            "padding and end of text are the same token",
            field="tokenizer",
            hint="Give the tokenizer a padding token of its own.",
        )


def _check_rewards(rewards: Sequence[Any]) -> None:
    names = [getattr(one, "__name__", type(one).__name__) for one in rewards]
    if not names:
        raise OvmerError("no reward is given", field="rewards")
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise OvmerError(f"two rewards are called {double!r}", field="rewards")


def _check_media(bank: Bank, rows: Dataset, args: Any) -> None:
    if args.use_vllm or args.use_transformers_continuous_batching:
        raise OvmerError(
            "media by reference need generation by transformers", field="grpo.use_vllm"
        )
    if "media_id" not in rows.column_names:
        raise OvmerError("the rows name no clips", field="media_id")
    unknown = next((one for one in rows["media_id"] if one not in bank.clips), None)
    if unknown is not None:
        raise OvmerError(f"no clip is called {unknown!r}", field="media_id")
    # Rows without media leave encoders and fusion without gradients.
    if args.ddp_find_unused_parameters is None:
        args.ddp_find_unused_parameters = True
