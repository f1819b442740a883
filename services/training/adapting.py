"""A causal language model with low-rank adapters: what is trained, how it learns, how it is put together."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, PreTrainedModel

from services.training.bases.catalogue import WEIGHTS
from services.training.recipe import Hyperparameters, LoraTargets

# By the names that the Llama family gives its linear layers.
_LAYERS = {
    LoraTargets.attention: ["q_proj", "k_proj", "v_proj", "o_proj"],
    LoraTargets.linear: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
}
_TINY = 1e-9
# Where peft looks for an adapter's weights, below the folder of its own that we give it.
ADAPTER, ADAPTER_WEIGHTS = "adapter", "adapter_model.safetensors"
_NAME = "default"


class Adapted(nn.Module):
    """A frozen base with trainable adapters; its state is that of the adapters alone."""

    def __init__(self, base: PreTrainedModel, settings: Hyperparameters) -> None:
        super().__init__()
        assert settings.lora_rank is not None
        assert settings.lora_alpha is not None
        assert settings.lora_targets is not None
        self.config = base.config
        adapters = LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.lora_rank,
            lora_alpha=settings.lora_alpha,
            target_modules=_LAYERS[settings.lora_targets],
        )
        with catch_warnings():
            # peft asks transformers by a name that is going to change.
            simplefilter("ignore", FutureWarning)
            self.model: PeftModel = get_peft_model(base, adapters)

    def forward(
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        weights: Tensor,
        attention_mask: Tensor | None = None,  # noqa: ARG002  (for Trainer, which counts tokens by it)
    ) -> dict[str, Tensor]:
        """The loss: of each row the mean over what is learned, by weight, and the mean of the rows.

        All are (rows, tokens). Rows count alike, so a step may read its rows in one pass or in several.
        """
        losses, learned = self.losses(input_ids, position_ids, weights)
        of_row = (weights[:, 1:] > 0).nonzero()[:, 0]
        shares = learned / weights[:, 1:].sum(1).clamp(min=_TINY)[of_row]
        return {"loss": (losses * shares).sum() / len(weights)}

    def losses(self, input_ids: Tensor, position_ids: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """(learned): the negative log-likelihood, in nats, and the weight of each token with a weight.

        Only where something is learned are the logits of the whole vocabulary computed.
        """
        hidden = self._decoder()(
            input_ids=input_ids, position_ids=position_ids, use_cache=False
        ).last_hidden_state
        # What stands at a position is told by the one before it; none has weight where a conversation begins.
        learned = weights[:, 1:] > 0
        logits = self._head()(hidden[:, :-1][learned]).float()
        return cross_entropy(logits, input_ids[:, 1:][learned], reduction="none"), weights[:, 1:][learned]

    def without_adapters(self) -> AbstractContextManager[Any]:
        """Let the base answer alone."""
        return self.model.disable_adapter()

    @property
    def base(self) -> PreTrainedModel:
        """The base model, with the adapters within."""
        inner: Any = self.model.get_base_model()
        assert isinstance(inner, PreTrainedModel)
        return inner

    def state_dict(self, *_: Any, **__: Any) -> dict[str, Tensor]:  # type: ignore[override]
        """The adapters' weights by name."""
        return {name: value for name, value in super().state_dict().items() if _is_adapter(name)}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Set the adapters' weights; the base keeps its own."""
        found = super().load_state_dict(state, strict=False, assign=assign)
        found.missing_keys[:] = [name for name in found.missing_keys if _is_adapter(name)]
        if strict and (found.missing_keys or found.unexpected_keys):
            raise RuntimeError(f"not these adapters: {found.missing_keys[:3]} {found.unexpected_keys[:3]}")
        return found

    def save(self, base_model: str, folder: Path) -> None:
        """Write the adapters as peft has them into `adapter`, and beside it the base with them merged in.

        `base_model` is the id that the adapter's config names. The merged weights are in bfloat16.
        """
        adapter = folder / ADAPTER
        adapter.mkdir(exist_ok=True)
        # By itself it would ask a hub for the base that the config names.
        weights = get_peft_model_state_dict(self.model, save_embedding_layers=False)
        save_file(
            {name: tensor.cpu().contiguous() for name, tensor in weights.items()}, adapter / ADAPTER_WEIGHTS
        )
        config = self.model.peft_config[_NAME]
        config.base_model_name_or_path, config.inference_mode = base_model, True
        config.save_pretrained(str(adapter))
        save_file(self.merged(), folder / WEIGHTS, metadata={"format": "pt"})

    @torch.no_grad()
    def merged(self) -> dict[str, Tensor]:
        """The weights of the base with the adapters added, by the base's own names; tied ones stand once."""
        modules: list[tuple[str, Any]] = list(self.base.named_modules())
        added = {
            f"{name}.base_layer.weight": module.get_delta_weight(_NAME)
            for name, module in modules
            if hasattr(module, "get_delta_weight")
        }
        table: Any = self.base.get_input_embeddings()
        tied = table.weight.data_ptr()
        return {
            name.replace(".base_layer.", "."): (
                tensor.float() + added[name].float() if name in added else tensor
            ).to("cpu", torch.bfloat16)
            for name, tensor in self.base.state_dict().items()
            if not _is_adapter(name) and (tensor.data_ptr() != tied or "embed" in name)
        }

    def _decoder(self) -> nn.Module:
        base: Any = self.base
        decoder: nn.Module = base.get_decoder()
        return decoder

    def _head(self) -> nn.Module:
        base: Any = self.base
        head: nn.Module = base.get_output_embeddings()
        return head


def causal(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The causal language model of a base model or artefact, frozen."""
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=dtype
    )
    return model.requires_grad_(False)


def _is_adapter(name: str) -> bool:
    return ".lora_" in name
