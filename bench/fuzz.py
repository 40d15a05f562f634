"""Strange input: to every reader of bytes in process, to a tower over the wire, and by its OpenAPI document.

What must be zero: ends that are neither a result nor a stated refusal, answers of 5xx, acknowledged input that is
nowhere afterwards. Seeded, so that a finding comes again; each is printed with its input.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import msgspec
import psutil
from hypothesis import strategies as st

from bench.decode import MEGABYTES, damaged
from bench.figure import Figure
from bench.fuzz_api import ask
from bench.fuzz_targets import Target, targets
from bench.fuzz_values import changed
from bench.fuzz_wire import send

NAME = "fuzz"
SEED = 20260301
SIZE = 1_000_000
_SHOWN = 1500
_SHARES = {"decoder": 0.25, "mapping": 0.3, "foreign": 0.1, "verifier": 0.1, "events": 0.15, "otlp": 0.1}


# Makes a megabyte out of a sample it knows, or None where that cannot be done.
Maker = Callable[[random.Random], bytes | None]
_FILLINGS: dict[str, Callable[[], Any]] = {
    "a long text": lambda: "ab1 " * (SIZE // 4),
    "digits": lambda: "1" * SIZE,
    "many keys": lambda: {f"k{n}": n for n in range(SIZE // 12)},
    "a long list": lambda: [0] * (SIZE // 2),
}


class Tally(NamedTuple):
    """Inputs tried, what was wrong with them, the longest of one in seconds with its name, growth of memory in MiB."""

    tried: int
    wrong: list[str]
    slowest_s: float
    slowest: str
    grown_mib: float


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Damage, invent and blow up input for every reader; send damaged requests to a tower; ask one by its document."""
    sent = send(folder / "wire", 1_000 if quick else 6_000, SEED)
    asked = ask(folder / "api", 10 if quick else 60, SEED)
    every = list(targets())
    hurt = mutated(every, 20_000 if quick else 200_000)
    made = invented(every, 1_000 if quick else 5_000)
    blown = megabytes(every, 0.1 if quick else 0.4)
    wrong = len(hurt.wrong) + len(made.wrong) + len(blown.wrong)
    tried = hurt.tried + made.tried + blown.tried
    return [
        Figure(
            NAME, "neither result nor refusal", f"{wrong} of {tried:,}", wrong, at_most=0,
            note=f"{len(every)} samples; {made.tried:,} by hypothesis",
        ),
        Figure(NAME, "inputs", f"{tried + sent.sent:,}", tried + sent.sent, at_least=20_000 if quick else 100_000),
        Figure(NAME, "slowest damaged input", f"{hurt.slowest_s * 1000:.0f} ms, {hurt.slowest}"),
        Figure(
            NAME, "slowest megabyte", blown.slowest, blown.slowest_s, at_most=2, unit=" s", note=f"of {blown.tried:,}"
        ),
        Figure(NAME, "memory kept after damage", f"{hurt.grown_mib:.0f} MiB", hurt.grown_mib, at_most=64, unit=" MiB"),
        Figure(
            NAME, "memory kept after a megabyte", f"{blown.grown_mib:.0f} MiB", blown.grown_mib, at_most=128,
            unit=" MiB",
        ),
        Figure(
            NAME, "wrong answers over the wire", f"{len(sent.wrong)} of {sent.sent:,}", len(sent.wrong), at_most=0,
            note=f"{sent.taken:,} taken, {sent.refused:,} refused, {sent.overload} overload; {sent.forged} forged",
        ),
        Figure(NAME, "acknowledged and lost", f"{sent.lost} of {sent.kept:,}", sent.lost, at_most=0),
        Figure(NAME, "refused by the store", str(sent.store_refused), sent.store_refused, at_most=0),
        Figure(NAME, "tracebacks in the log", str(sent.tracebacks), sent.tracebacks, at_most=0),
        Figure(
            NAME, "answers unlike the OpenAPI document", f"{len(asked.wrong)} of {asked.requests:,}", len(asked.wrong),
            at_most=0, note=f"{asked.operations} operations, schemathesis",
        ),
    ]  # fmt: skip


def mutated(every: Sequence[Target], count: int, seed: int = SEED) -> Tally:
    """Try so many samples after accidents to their bytes or, where they are JSON, to their values."""
    chance = random.Random(seed)
    wrong: list[str] = []
    tried, slowest, settled = 0, (0.0, ""), 0.0
    for number, target in enumerate(_plan(every, count)):
        by_value = target.json and chance.random() < 0.6
        body = changed(target.sample, chance) if by_value else damaged(target.sample, chance)
        took = _try(target, body, chance, wrong)
        slowest = max(slowest, (took, f"{target.family} {target.name}"))
        tried += 1
        if number == count // 4:
            settled = _resident_mib()
    return Tally(tried, wrong, *slowest, _resident_mib() - settled)


def invented(every: Sequence[Target], count: int, seed: int = SEED) -> Tally:
    """Try so many inputs that hypothesis makes up: any bytes, any text, any JSON."""
    wrong: list[str] = []
    tried = 0
    chance = random.Random(seed)
    firsts = {(t.family, t.name.split()[0]): t for t in reversed(every)}
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    nested = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
    bodies = st.binary() | st.text(st.characters(codec="utf-8")).map(str.encode) | nested.map(_json)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.sampled_from(list(firsts.values())), bodies)
    def attempt(target: Target, body: bytes) -> None:
        nonlocal tried
        tried += 1
        _try(target, body, chance, wrong)

    attempt()
    return Tally(tried, wrong, 0.0, "", 0.0)


def megabytes(every: Sequence[Target], share: float = 1, seed: int = SEED) -> Tally:
    """Try inputs of a megabyte: samples blown up in several ways, the decoders' hostile ones; a share of them all.

    A message of many documents is read one after the other, and others come between; it is as slow as its slowest.
    """
    chance = random.Random(seed)
    wrong: list[str] = []
    tried, slowest, grown = 0, (0.0, ""), 0.0
    choice = random.Random(seed + 1)
    for target, how, make in _megabytes(every):
        if choice.random() >= share:
            continue
        body = make(random.Random(f"{seed} {target.family} {target.name} {how}"))
        if body is None:
            continue
        before = _resident_mib()
        took = _step(target, body, chance, wrong)
        if took > 1:  # a second look, since others use the machine
            took = min(took, _step(target, body, chance, wrong))
        slowest = max(slowest, (took, f"{target.family} {target.name}, {how}"))
        grown = max(grown, _resident_mib() - before)
        tried += 1
    return Tally(tried, wrong, *slowest, grown)


def _plan(every: Sequence[Target], count: int) -> Iterator[Target]:
    """Yield so many targets, each family by its share, its samples in turn."""
    families = {name: own for name in _SHARES if (own := [t for t in every if t.family == name])}
    whole = sum(_SHARES[name] for name in families)
    for name, own in families.items():
        for number in range(math.ceil(count * _SHARES[name] / whole)):
            yield own[number % len(own)]


def _try(target: Target, body: bytes, chance: random.Random, wrong: list[str]) -> float:
    """Return the processor seconds of one input; note what is wrong with its end."""
    began = time.process_time()
    try:
        told = target.run(body, chance)
    except Exception as error:  # noqa: BLE001  # the very thing that is looked for
        told = repr(error)
    took = time.process_time() - began
    if told:
        wrong.append(f"{target.family} {target.name}: {told[:300]}")
        print(f"{wrong[-1]} from {body[:_SHOWN]!r}")
    return took


def _step(target: Target, body: bytes, chance: random.Random, wrong: list[str]) -> float:
    """Return the processor seconds of one input, of its longest document where it is a list of them."""
    took = _try(target, body, chance, wrong)
    return target.step() if target.step is not None else took


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _megabytes(every: Sequence[Target]) -> Iterator[tuple[Target, str, Maker]]:
    """Yield what can be blown up and how; the megabyte itself is made only where it is wanted."""
    seen: set[tuple[str, str]] = set()
    for target in every:
        if (target.family, target.name) in seen or target.family == "foreign":
            continue
        seen.add((target.family, target.name))
        yield target, "a piece repeated", partial(_piece_repeated, target.sample)
        if target.json:
            yield target, "many documents", partial(_many_documents, target.sample)
            for how, filling in _FILLINGS.items():
                yield target, how, partial(_with_filling, target.sample, filling)
            for how, at_most in (("a list repeated", 1), ("lists repeated", 3)):
                yield target, how, partial(_lists_repeated, target.sample, at_most)
    firsts = {t.name.split()[0]: t for t in reversed(every) if t.family in ("mapping", "events", "otlp")}
    for target in firsts.values():
        for how, _, body in MEGABYTES:
            yield target, how, partial(_as_it_is, body)


def _as_it_is(body: bytes, _: random.Random) -> bytes:
    return body


def _piece_repeated(sample: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(sample))
    piece = sample[at : at + chance.randint(1, 200)]
    return sample[:at] + piece * (SIZE // len(piece)) + sample[at:]


def _many_documents(sample: bytes, _: random.Random) -> bytes:
    return b"[" + b",".join([sample] * (SIZE // len(sample) + 1)) + b"]"


def _with_filling(sample: bytes, filling: Callable[[], Any], chance: random.Random) -> bytes:
    return _filled(msgspec.json.decode(sample), filling(), chance)


def _lists_repeated(sample: bytes, at_most: int, chance: random.Random) -> bytes | None:
    """Return the sample with so many of its lists grown to a megabyte together; None where it has no list."""
    document = msgspec.json.decode(sample)
    lists = [at for at in _holders(document) if isinstance(at, list) and at]
    grown = chance.sample(lists, min(at_most, len(lists)))
    for at in grown:
        copies = SIZE // len(grown) // len(_json(at))
        at += [_numbered(item, copy) for copy in range(1, copies) for item in [*at]]
    return _json(document) if grown else None


def _filled(document: Any, filling: Any, chance: random.Random) -> bytes:
    holder = chance.choice([at for at in _holders(document) if at] or [[None]])
    holder[chance.choice([*holder]) if isinstance(holder, dict) else chance.randrange(len(holder))] = filling
    return _json(document)


def _numbered(value: Any, number: int) -> Any:
    """Return a copy in which whatever looks like a number or an id is another one."""
    if isinstance(value, dict):
        return {name: _numbered(item, number) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value + number
    return f"{value}{number}" if isinstance(value, str) and value.isalnum() and not value.isalpha() else value


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _holders(item)


def _resident_mib() -> float:
    return float(psutil.Process().memory_info().rss) / (1 << 20)
