"""Pipelines of the real classes with random weights of a few thousand numbers, saved as an operator's would be."""

from pathlib import Path

import diffusers
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from headshotly.studio import weights

TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['role'] }} {{ m['content'] }}<|im_end|>{% endfor %}"
SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip


def tokenizer():
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(list(SPECIAL))
    made = transformers.Qwen2Tokenizer(
        tokenizer_object=inner, eos_token=SPECIAL[2], pad_token=SPECIAL[0], unk_token=SPECIAL[0],
        additional_special_tokens=list(SPECIAL[1:]),
    )  # fmt: skip
    made.chat_template = TEMPLATE
    return made


def klein():
    torch.manual_seed(0)
    words = tokenizer()
    encoder = transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(
            hidden_size=16, intermediate_size=16, num_hidden_layers=28, num_attention_heads=2, num_key_value_heads=2,
            head_dim=8, vocab_size=len(words), max_position_embeddings=1024,
        )
    )  # fmt: skip
    painter = diffusers.Flux2Transformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=48, timestep_guidance_channels=16, axes_dims_rope=(4, 4, 4, 4), guidance_embeds=False,
    )  # fmt: skip
    eye = diffusers.AutoencoderKLFlux2(
        sample_size=32, in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",), block_out_channels=(4,), layers_per_block=1, latent_channels=4,
        norm_num_groups=1, use_quant_conv=False, use_post_quant_conv=False,
    )  # fmt: skip
    return diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=eye, text_encoder=encoder, tokenizer=words,
        transformer=painter, is_distilled=True,
    )  # fmt: skip


def qwen():
    torch.manual_seed(0)
    words = tokenizer()
    size = 16
    encoder = transformers.Qwen2_5_VLForConditionalGeneration(
        transformers.Qwen2_5_VLConfig(
            text_config={
                "hidden_size": size, "intermediate_size": size, "num_hidden_layers": 2, "num_attention_heads": 2,
                "num_key_value_heads": 2, "vocab_size": len(words),
                "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
                "rope_theta": 1000000.0,
            },
            vision_config={
                "depth": 2, "hidden_size": size, "intermediate_size": size, "num_heads": 2, "out_hidden_size": size,
                "fullatt_block_indexes": [1],
            },
            hidden_size=size, vocab_size=len(words),
            image_token_id=words.convert_tokens_to_ids("<|image_pad|>"),
            video_token_id=words.convert_tokens_to_ids("<|video_pad|>"),
            vision_start_token_id=words.convert_tokens_to_ids("<|vision_start|>"),
            vision_end_token_id=words.convert_tokens_to_ids("<|vision_end|>"),
        )
    )  # fmt: skip
    processor = transformers.Qwen2VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(), tokenizer=words,
        video_processor=transformers.Qwen2VLVideoProcessor(), chat_template=TEMPLATE,
    )  # fmt: skip
    painter = diffusers.QwenImageTransformer2DModel(
        patch_size=2, in_channels=16, out_channels=4, num_layers=2, attention_head_dim=16, num_attention_heads=3,
        joint_attention_dim=size, guidance_embeds=False, axes_dims_rope=(8, 4, 4),
    )  # fmt: skip
    eye = diffusers.AutoencoderKLQwenImage(
        base_dim=24, z_dim=4, dim_mult=[1, 2, 4], num_res_blocks=1, temperal_downsample=[False, True],
        latents_mean=[0.0] * 4, latents_std=[1.0] * 4,
    )  # fmt: skip
    return diffusers.QwenImageEditPlusPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=eye, text_encoder=encoder, tokenizer=words,
        processor=processor, transformer=painter,
    )  # fmt: skip


def saved(pipeline, folder: Path, *, model: str) -> Path:
    """Save a pipeline with the manifest an operator writes."""
    pipeline.save_pretrained(folder, safe_serialization=True)
    weights.describe(folder, model=model, licence="Apache-2.0", steps=2)
    return folder
