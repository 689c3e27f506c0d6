"""What a painted headshot costs on a GPU: our painter against plain ``diffusers``, with random weights of full size.

``PYTHONPATH=.:painter/tests build/painter/bin/python -m bench.painting [--device cpu --small]``: the painter's own
environment, for its torch. Ours verifies the folder, loads it in a process of its own and is spoken to through pipes;
the rival is ``from_pretrained`` and a loop, in a process too. They paint in turns; the tables show medians.
"""

import argparse
import importlib.util
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SEEDS = (1, 2, 3, 4)
_PLAIN = """
import sys, time
import diffusers, torch
from PIL import Image
folder, device, precision, steps, width, height, side, batch = sys.argv[1:]
pipeline = diffusers.Flux2KleinPipeline.from_pretrained(folder, dtype=getattr(torch, precision)).to(device)
pipeline.set_progress_bar_config(disable=True)
selfies = [Image.new("RGB", (int(side), int(side)), (200, 150, 120))] * 3
how = dict(image=selfies, prompt=sys.stdin.readline().strip(), width=int(width), height=int(height),
           num_inference_steps=int(steps))
print("ready", flush=True)
for line in sys.stdin:
    seeds = [torch.Generator("cpu").manual_seed(int(seed)) for seed in line.split()]
    if batch == "together":
        pipeline(**how, generator=seeds, num_images_per_prompt=len(seeds))
    else:
        for seed in seeds:
            pipeline(**how, generator=seed).images[0]
    print("done", flush=True)
"""


def timed(act: Callable[[], object]) -> float:
    """Return the seconds that something took."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def device_gigabytes() -> float:
    """Return what all processes hold of the GPU's memory; 0 without one."""
    if shutil.which("nvidia-smi") is None:
        return 0.0
    said = subprocess.run(
        ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return float(said.split()[0]) * 1.048576e6 / 1e9


@contextmanager
def highest() -> Iterator[list[float]]:
    """Note the most of the GPU's memory that was held meanwhile, beyond what was held before."""
    before, seen, over = device_gigabytes(), [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            seen[0] = max(seen[0], device_gigabytes() - before)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def plain(command: list[str], prompt: str) -> tuple[subprocess.Popen[str], Callable[[tuple[int, ...]], None]]:
    """Start the rival; return its process and what has it paint."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(line: str, answer: str) -> None:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == answer

    say(prompt, "ready")
    return process, lambda seeds: say(" ".join(map(str, seeds)), "done")


def klein(place: Path, *, device: str, small: bool, rounds: int) -> None:
    """Measure the light model: saved, verified, loaded and asked as in production."""
    import numpy as np
    import torch

    from bench import full_size
    from headshotly.studio import prompting, weights
    from headshotly.studio.painter import Order, Painter

    precision = "float32" if small else "bfloat16"
    pipeline = full_size.made("klein", small=small, device=device)
    print(f"\nklein: {full_size.billions(pipeline):.2f} thousand million numbers in its transformer")
    pipeline.save_pretrained(place, safe_serialization=True)
    del pipeline
    if device == "cuda":
        torch.cuda.empty_cache()
    describing = timed(lambda: weights.describe(place, model="Random", licence="none"))
    gigabytes = sum(each.stat().st_size for each in place.rglob("*") if each.is_file()) / 1e9
    steps = weights.PIPELINES["Flux2KleinPipeline"]
    width, height, side = (64, 80, 72) if small else (816, 1024, 1024)
    order = Order(prompting.ALL[0], prompting.NEGATIVE, (width, height), SEEDS)
    selfies = [np.full((side, side, 3), (200, 150, 120), np.uint8)] * 3
    rows: dict[str, tuple[float, list[float], list[float]]] = {}

    ours = Painter([sys.executable, "-m", "headshotly.studio.painting"], place, device=device, precision=precision)
    acts: dict[str, Callable[[], object]] = {}
    with highest() as most:
        first = timed(lambda: ours.paint(order, selfies))
    rows["our painter, one after the other"] = (first, most, [])
    acts["our painter, one after the other"] = lambda: ours.paint(order, selfies)
    processes = []
    for name, batch in (
        ("plain diffusers, one after the other", "each"),
        ("plain diffusers, four together", "together"),
    ):
        command = [sys.executable, "-c", _PLAIN, str(place), device, precision, str(steps), str(width), str(height),
                   str(side), batch]  # fmt: skip
        with highest() as most:
            begin = time.perf_counter()
            process, paint = plain(command, order.prompt)
            paint(SEEDS)
            first = time.perf_counter() - begin
        processes.append(process)
        rows[name] = (first, most, [])
        acts[name] = lambda paint=paint: paint(SEEDS)
    for _ in range(rounds):
        for name, act in acts.items():
            rows[name][2].append(timed(act))
    ours.close()
    for process in processes:
        process.stdin.close()
        process.wait(timeout=60)
    base = statistics.median(rows["plain diffusers, one after the other"][2])
    print(f"\n{len(SEEDS)} candidates of {width} x {height} after {len(selfies)} photos, {steps} steps, {precision}; "
          f"{gigabytes:.1f} GB of weights, {describing:.1f} s to describe and look through")  # fmt: skip
    print("| | images a minute | of plain | to the first four, s | GB of the GPU |\n|---|---:|---:|---:|---:|")
    for name, (first, most, took) in rows.items():
        middle = statistics.median(took)
        print(f"| {name} | {60 * len(SEEDS) / middle:.1f} | {base / middle:.2f} | {first:.1f} | {most[0]:.1f} |")


def qwen(*, device: str, small: bool, rounds: int) -> None:
    """Measure the strong model: made in the GPU's memory, since its 57 GB are more than a small disk holds."""
    import torch
    from PIL import Image

    from bench import full_size
    from headshotly.studio import painting, prompting, weights

    pipeline = full_size.made("qwen", small=small, device=device)
    print(f"\nqwen: {full_size.billions(pipeline):.2f} thousand million numbers in its transformer")
    width, height, side = (64, 80, 72) if small else (816, 1024, 1024)
    steps, few = weights.PIPELINES["QwenImageEditPlusPipeline"], 4
    selfies = [Image.new("RGB", (side, side), (200, 150, 120))] * 3
    order: dict[str, Any] = {
        "prompt": prompting.ALL[0], "negative": prompting.NEGATIVE, "width": width, "height": height, "seeds": [1],
    }  # fmt: skip

    def by_hand(count: int) -> object:
        return pipeline(
            image=selfies, prompt=order["prompt"], negative_prompt=order["negative"], true_cfg_scale=4.0, width=width,
            height=height, num_inference_steps=count, generator=torch.Generator("cpu").manual_seed(1),
        ).images[0]  # fmt: skip

    painting.paint(pipeline, order, selfies, 1)  # the first call plans its kernels
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(timed(lambda: painting.paint(pipeline, order, selfies, few)))
        theirs.append(timed(lambda: by_hand(few)))
    whole = timed(lambda: painting.paint(pipeline, order, selfies, steps))
    held = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0.0
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"one of {width} x {height} after {len(selfies)} photos, {steps} steps: {whole:.1f} s, "
          f"{60 / whole:.2f} images a minute, {held:.1f} GB; ours is {ratio:.2f} of plain diffusers "
          f"({few} steps, {rounds} rounds in turns)")  # fmt: skip


def main() -> None:
    """Run both."""
    if importlib.util.find_spec("torch") is None:
        print("bench.painting needs the painter's environment (make painter): there is no torch here.")
        return
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    asked.add_argument("--small", action="store_true", help="a few thousand numbers: tries the measuring itself")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--only", choices=("klein", "qwen"))
    chosen = asked.parse_args()
    if chosen.only != "qwen":
        with tempfile.TemporaryDirectory() as place:
            klein(Path(place) / "klein", device=chosen.device, small=chosen.small, rounds=chosen.rounds)
    if chosen.only != "klein":
        qwen(device=chosen.device, small=chosen.small, rounds=chosen.rounds)


if __name__ == "__main__":
    main()
