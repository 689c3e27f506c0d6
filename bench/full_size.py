"""The two generative pipelines in the size their makers publish, with random weights: for measuring, not for looking.

Speed and memory depend on the shapes alone. The words pass a tokenizer of single letters, which makes the text about
four times as long as the makers' would; beside the pictures' own tokens (4096 a picture) it hardly counts.
"""

from typing import Any

import diffusers
import tiny
import torch
import transformers


def klein() -> Any:
    """Return FLUX.2 klein 4B: a transformer of 4 thousand million numbers and Qwen3-4B in front of it."""
    words = tiny.tokenizer()
    encoder = transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(
            hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, num_attention_heads=32,
            num_key_value_heads=8, head_dim=128, vocab_size=151936, max_position_embeddings=40960,
            tie_word_embeddings=True,
        )
    )  # fmt: skip
    painter = diffusers.Flux2Transformer2DModel(
        in_channels=128, num_layers=5, num_single_layers=20, attention_head_dim=128, num_attention_heads=24,
        joint_attention_dim=3 * 2560, guidance_embeds=False,
    )  # fmt: skip
    return diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=diffusers.AutoencoderKLFlux2(),
        text_encoder=encoder, tokenizer=words, transformer=painter, is_distilled=True,
    )  # fmt: skip


def qwen() -> Any:
    """Return Qwen-Image-Edit: a transformer of 20 thousand million numbers and Qwen2.5-VL-7B in front of it."""
    words = tiny.tokenizer()
    special = {name: words.convert_tokens_to_ids(f"<|{name}|>") for name in
               ("image_pad", "video_pad", "vision_start", "vision_end")}  # fmt: skip
    encoder = transformers.Qwen2_5_VLForConditionalGeneration(
        transformers.Qwen2_5_VLConfig(
            text_config={
                "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
                "num_key_value_heads": 4, "vocab_size": 152064, "rope_theta": 1000000.0,
                "rope_scaling": {"mrope_section": [16, 24, 24], "rope_type": "default", "type": "default"},
            },
            vision_config={
                "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 3584,
                "fullatt_block_indexes": [7, 15, 23, 31],
            },
            image_token_id=special["image_pad"], video_token_id=special["video_pad"],
            vision_start_token_id=special["vision_start"], vision_end_token_id=special["vision_end"],
        )
    )  # fmt: skip
    processor = transformers.Qwen2VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(), tokenizer=words, chat_template=tiny.TEMPLATE,
        video_processor=transformers.Qwen2VLVideoProcessor(),
    )  # fmt: skip
    return diffusers.QwenImageEditPlusPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=diffusers.AutoencoderKLQwenImage(),
        text_encoder=encoder, tokenizer=words, processor=processor,
        transformer=diffusers.QwenImageTransformer2DModel(zero_cond_t=True),
    )  # fmt: skip


def made(which: str, *, small: bool, device: str) -> Any:
    """Return a pipeline made where it will run, so that no second copy of it is ever needed.

    Args:
        which: ``klein`` or ``qwen``.
        small: with a few thousand numbers, to try the measuring itself.
        device: ``cpu`` or ``cuda``.
    """
    if small:
        pipeline = (tiny.klein if which == "klein" else tiny.qwen)()
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(device)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            pipeline = klein() if which == "klein" else qwen()
    finally:
        torch.set_default_dtype(before)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def billions(pipeline: Any) -> float:
    """Return how many thousand million numbers the painting part has."""
    return sum(each.numel() for each in pipeline.transformer.parameters()) / 1e9
