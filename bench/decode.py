"""Decoders under fire: damaged messages of every format, hostile megabytes, and how fast sound ones are read."""

from __future__ import annotations

import random
import resource
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bench.figure import Figure
from collector.decoders import Undecodable, decode

NAME = "decode"
_SEED = 20260301

_ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260301*0930*^*00501*000000091*0*P*>~"
_GS = "GS*SH*A*B*20260301*0930*91*X*005010~"
_SHIP = (
    "ST*856*0001~BSN*00*000009*20260301*0801~HL*1**S~TD5*B*2*UPSN*M~REF*BM*BOL-1~DTM*011*20260301~"
    "N1*SF*PLANT*92*009~N3*1 STREET~N4*TOWN*CA*90210~"
    + "".join(
        f"HL*{2 * n}*1*O~PRF*PO-{n}*20260201~HL*{2 * n + 1}*{2 * n}*P~MAN*GM*0000071567000215{n:04}~SN1**12*EA~"
        for n in range(1, 9)
    )
    + "CTT*17~SE*51*0001~"
)
_PAID = "ST*820*7~BPR*I*300*C*ACH~TRN*1*T-1~ENT*1~RMR*IV*I-1**100~REF*PO*P-1~ADX*-5*59~RMR*IV*I-2**200~SE*9*7~"
_X12 = f"{_ISA}{_GS}{_SHIP}{_PAID}GE*2*91~IEA*1*000000091~"
_EDIFACT = (
    "UNA:+.? 'UNB+UNOC:4+SENDER:14+RECEIVER:ZZ+260301:0930+REF1'UNH+1+DESADV:D:96A:UN'BGM+351+D-1+9'"
    "DTM+11:20260301:102'RFF+ON:PO-1'NAD+BY+8711576000012::9'CPS+1'PAC+2'PCI+33E'GIN+BJ+307156700021523600'"
    + "".join(f"LIN+{n}++502043637{n:04}:EN'QTY+12:{n}'RFF+ON:PO-{n}'FTX+AAI+++5 ?+ {n}?: so?''" for n in range(1, 13))
    + "UNT+58+1'UNZ+1+REF1'"
)
_CSV = {
    "format": "csv",
    "delimiter": ";",
    "type": 1,
    "records": [
        {"type": "O", "role": "context", "columns": ["type", "order"]},
        {"type": "L", "under": "O", "columns": ["type", "line", "amount"]},
        {"type": "T", "role": "trailer", "columns": ["type", "rows", "total"]},
    ],
    "key": ["order", "line"],
    "totals": [{"field": "rows", "of": "L"}, {"field": "total", "of": "L", "sum": "amount", "decimal": ","}],
}
_FIXED = {
    "format": "fixed",
    "width": 12,
    "type": {"start": 1, "length": 1},
    "records": [
        {"type": "D", "fields": [{"field": "order", "start": 2, "length": 6}]},
        {"type": "T", "role": "trailer", "fields": [{"field": "rows", "start": 2, "length": 5}]},
    ],
    "totals": [{"field": "rows", "of": "D"}],
}  # fmt: skip
_BOD = (
    '<?xml version="1.0"?><Sync xmlns="urn:a" id="7"><DataArea><Order><ID agency="1">SO-1</ID>'
    + "".join(f"<Line><No>{n}</No><Qty unit='EA'>{n}</Qty></Line>" for n in range(9))
    + "</Order></DataArea></Sync>"
)
_JSON = msgspec.json.encode(
    {"id": 820982911946154508, "total": "540.10", "rate": 1.5, "lines": [{"n": n, "sku": f"A-{n}"} for n in range(9)]}
)
SAMPLES: tuple[tuple[Mapping[str, Any], bytes], ...] = (
    ({"format": "json"}, _JSON),
    ({"format": "xml", "lists": ["Line"]}, _BOD.encode()),
    ({"format": "x12"}, _X12.encode()),
    ({"format": "x12", "unit": "interchange", "loops": {"K1": ["K2"]}}, _X12.encode()),
    ({"format": "edifact"}, _EDIFACT.encode()),
    (_CSV, b"O;SO-1\nL;1;10,50\nL;2;1.000,00\nO;SO-2\nL;1;-0,50\nT;3;1010,00\n"),
    ({"format": "csv", "columns": ["a"]}, b'a,b\n1,"x\n2"\n3,4\n'),
    (_FIXED, b"DSO-1    100\nDSO-2    200\nT00002\n"),
    ({**_FIXED, "encoding": "cp037"}, "DSO-1    100DSO-2    200T00002      ".encode("cp037")),
)
_SPICE = (
    b"*", b"~", b"+", b"'", b"?", b":", b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b'"', b"{", b"[",
    b"<!DOCTYPE a>", b"ISA*", b"UNA:+.? '", b"UNB+", b"ST*850*1~", b"HL*1*9*O~", b"&lt;",
    b"\xed\xa0\x80", b"1e999", b";",
)  # fmt: skip
_HEAD = f"{_ISA}{_GS}".encode()
_UNB = b"UNB+UNOC:3+A+B+1+1'UNH+1+IFTSTA'"
_CROWDED = b"<b " + b" ".join(b"a%d='1'" % n for n in range(256)) + b"/>"
MEGABYTES: tuple[tuple[str, Mapping[str, Any], bytes], ...] = (
    ("x12 parties", {"format": "x12"}, _HEAD + b"ST*214*7~" + b"N1*A~" * 190_000 + b"SE*1*7~"),
    ("x12 wide tree", {"format": "x12"}, _HEAD + b"ST*856*7~HL*1**S~" + b"HL*2*1*O~" * 105_000 + b"SE*1*7~"),
    ("x12 loops", {"format": "x12"}, _HEAD + b"ST*214*7~LX*1~" + b"REF*A~AT7*1~" * 80_000 + b"SE*1*7~"),
    ("x12 openings", {"format": "x12"}, _HEAD + b"ST*850*7~" * 105_000),
    ("edifact parties", {"format": "edifact"}, _UNB + b"NAD+A'" * 160_000 + b"UNT+1+1'"),
    ("edifact components", {"format": "edifact"}, _UNB + b"FTX+" + b":" * 990_000 + b"'UNT+1+1'"),
    ("edifact released", {"format": "edifact"}, _UNB + b"FTX+" + b"?+" * 490_000 + b"'UNT+1+1'"),
    ("xml wide", {"format": "xml"}, b"<a>" + b"<b/>" * 245_000 + b"</a>"),
    ("xml attributes", {"format": "xml"}, b"<a>" + _CROWDED * 450 + b"</a>"),
    ("xml text", {"format": "xml"}, b"<a>" + b"x&amp;" * 165_000 + b"</a>"),
    ("json deep", {"format": "json"}, b"[" * 1_000_000),
    ("json wide", {"format": "json"}, b'{"a":[' + b"{}," * 330_000 + b"{}]}"),
    ("json digits", {"format": "json"}, b'{"a":' + b"1" * 1_000_000 + b"}"),
    ("csv short rows", {"format": "csv"}, b"a\n" * 500_000),
    ("csv open quote", {"format": "csv"}, b'a\n"' + b"x\n" * 499_000),
    ("fixed short rows", {**_FIXED, "width": 0}, b"D\n" * 500_000),
)
_SOUND: tuple[tuple[str, Mapping[str, Any], bytes], ...] = (
    ("x12 856", {"format": "x12"}, f"{_ISA}{_GS}{_SHIP}GE*1*91~IEA*1*000000091~\n".encode()),
    ("edifact DESADV", {"format": "edifact"}, _EDIFACT.encode()),
)


def measure(_folder: Path, *, quick: bool) -> list[Figure]:
    """Damage samples, then feed hostile megabytes, then time sound X12 and EDIFACT."""
    count = 20_000 if quick else 120_000
    tried, crashed, slowest_s = fuzz(count)
    worst_s, worst = max((_seconds(spec, body), name) for name, spec, body in MEGABYTES)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return [
        Figure(NAME, "damaged messages that crash", f"{crashed} of {tried:,}", crashed, at_most=0),
        Figure(NAME, "slowest damaged message", f"{slowest_s * 1000:.1f} ms"),
        Figure(NAME, "worst hostile megabyte", worst, worst_s, at_most=2, unit=" s", note=f"{peak} MiB at the peak"),
        *(Figure(NAME, f"{name}, sound", _rate(spec, body)) for name, spec, body in _SOUND),
    ]


def fuzz(count: int, seed: int = _SEED) -> tuple[int, int, float]:
    """Return how many damaged messages were tried, how many ended in anything but units or a refusal, and the longest
    time of one in seconds.
    """
    chance = random.Random(seed)
    crashed, slowest = 0, 0.0
    for number in range(count):
        spec, sample = SAMPLES[number % len(SAMPLES)]
        body = damaged(sample, chance)
        began = time.perf_counter()
        try:
            deque(decode(spec, body), maxlen=0)
        except Undecodable:
            pass
        except Exception as error:  # noqa: BLE001  # the very thing that is looked for
            crashed += 1
            print(f"{spec['format']}: {error!r} from {body[:2000]!r}")
        slowest = max(slowest, time.perf_counter() - began)
    return count, crashed, slowest


def damaged(sample: bytes, chance: random.Random) -> bytes:
    """Return a sample after one to eight accidents."""
    body = bytearray(sample)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(6):
            case 0:
                body[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del body[at : at + chance.randrange(30)]
            case 2:
                body[at:at] = body[max(0, at - chance.randrange(80)) : at]
            case 3:
                body[at:at] = chance.choice(_SPICE)
            case 4:
                del body[at:]
            case _:
                body[at:at] = sample
        body = body or bytearray(b" ")
    return bytes(body)


def _seconds(spec: Mapping[str, Any], body: bytes) -> float:
    """Return the processor time of the quicker of two runs."""
    least = float("inf")
    for _ in range(2):
        began = time.process_time()
        with suppress(Undecodable):
            deque(decode(spec, body), maxlen=0)
        least = min(least, time.process_time() - began)
    return least


def _rate(spec: Mapping[str, Any], body: bytes) -> str:
    many = body * (1_000_000 // len(body))
    seconds = _seconds(spec, many)
    return f"{len(many) / seconds / 1e6:.1f} MB/s, {1_000_000 // len(body) / seconds:,.0f} messages/s"
