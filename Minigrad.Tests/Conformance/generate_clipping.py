#!/usr/bin/env python3
"""Writes the conformance cases of clipping that PyTorch does not have: every stage under every kind of threshold, step by step.

Needs Python alone. The formulas are those of the papers and libraries named beside them, written over plain lists of Python's
floats (float64), in the plainest way: a history is a list that is sorted when it is asked. Gradients are numbers that float32
holds exactly. The output is the same on every run.
"""
import gzip
import json
import math
import pathlib
import random
import struct

TARGET = pathlib.Path(__file__).parent / "cases" / "clip_steps.json.gz"
INF = math.inf
NAN = math.nan
SHAPES = [(3, 4), (5,), (2, 3, 2), (1,)]
CASES = []


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def number(x):
    if isinstance(x, list):
        return [number(y) for y in x]
    if not isinstance(x, float):
        return x
    return "nan" if math.isnan(x) else float(f"{x:.9g}") if math.isfinite(x) else "inf" if x > 0 else "-inf"


def tensor(shape, data):
    return {"shape": list(shape), "data": number(data)}


def norm(values, order=2.0):
    """Without overflow: divided by the largest magnitude."""
    largest = max((abs(x) for x in values), default=0.0)
    if largest in (0.0, INF) or math.isnan(sum(values)) or order == INF:
        return math.nan if any(math.isnan(x) for x in values) else largest
    return largest * math.fsum((abs(x) / largest) ** order for x in values) ** (1 / order)


# Thresholds. Each is asked for a threshold and then told the norm, if it is positive and finite.

class Fixed:
    def __init__(self, threshold):
        self.threshold = threshold

    def ask(self, n, total):
        return self.threshold

    def tell(self, n, total):
        pass


class Percentile:
    """AutoClip, arXiv:2007.14469: numpy.percentile of the norms so far with this one, of a window here."""

    def __init__(self, percentile, window, warmup=0):
        self.share, self.window, self.warmup, self.past = percentile / 100, window, warmup, []

    def ask(self, n, total):
        if len(self.past[-(self.window - 1):]) < self.warmup:
            return INF
        last = sorted((self.past + [n])[-self.window:])
        rank = self.share * (len(last) - 1)
        low, high = last[math.floor(rank)], last[math.ceil(rank)]
        return low + (rank - math.floor(rank)) * (high - low)

    def tell(self, n, total):
        self.past.append(n)


class ZScore:
    """ZClip, arXiv:2504.02507, with the three targets of its authors' code, which ends with a maximum."""

    def __init__(self, limit, decay, warmup, target="reciprocal", maximum=INF, eps=1e-6):
        self.limit, self.decay, self.warmup, self.target, self.maximum, self.eps = limit, decay, warmup, target, maximum, eps
        self.first, self.mean, self.variance = [], None, None

    def own(self, n):
        """What the rule clips to, or None where it does not."""
        deviation = math.sqrt(self.variance)
        z = (n - self.mean) / (deviation + self.eps)
        if z <= self.limit:
            return None
        return {"mean": self.mean, "limit": self.mean + self.limit * deviation}.get(
            self.target, self.mean + self.limit * deviation / (z / self.limit))

    def ask(self, n, total):
        """Where the rule does not clip, the threshold is where clipping would begin."""
        if self.mean is None:
            return self.maximum
        deviation = math.sqrt(self.variance)
        own = self.own(n)
        if own is None:
            own = self.mean + self.limit * (deviation + self.eps)
        return min(own, self.maximum)

    def tell(self, n, total):
        if self.mean is None:
            self.first.append(n)
            if len(self.first) == self.warmup:
                self.mean = math.fsum(self.first) / self.warmup
                self.variance = math.fsum((x - self.mean) ** 2 for x in self.first) / self.warmup
            return
        own = self.own(n)
        clipped = n if own is None else own
        self.mean = self.decay * self.mean + (1 - self.decay) * clipped
        self.variance = self.decay * self.variance + (1 - self.decay) * (clipped - self.mean) ** 2


class MovingAverage:
    """AdaGC, arXiv:2502.11034: relative to the running mean; in the warm-up clipped by the total norm, and the smallest kept."""

    def __init__(self, relative, absolute, decay, warmup):
        self.relative, self.absolute, self.decay, self.warmup = relative, absolute, decay, warmup
        self.mean, self.count = None, 0

    def ask(self, n, total):
        if self.count < self.warmup:
            return INF if total <= self.absolute else n * self.absolute / total
        return self.relative * self.mean

    def tell(self, n, total):
        clipped = min(n, self.ask(n, total))
        if self.count < self.warmup:
            self.mean = clipped if self.mean is None else min(self.mean, clipped)
        else:
            self.mean = self.decay * self.mean + (1 - self.decay) * clipped
        self.count += 1


class StreamingQuantile:
    """Andrew et al., arXiv:1905.03871: C = C exp(-rate (b - quantile)), b the share of norms that are not clipped."""

    def __init__(self, quantile, initial, rate, minimum=1e-9, maximum=1e9):
        self.quantile, self.value, self.rate, self.minimum, self.maximum = quantile, initial, rate, minimum, maximum

    def ask(self, n, total):
        return self.value

    def tell(self, n, total):
        unclipped = 1.0 if n <= self.value else 0.0
        self.value = min(max(self.value * math.exp(-self.rate * (unclipped - self.quantile)), self.minimum), self.maximum)


class MedianDeviation:
    """The median of the norms before, and k normalized median absolute deviations (Hampel 1974)."""

    def __init__(self, deviations, window, warmup):
        self.deviations, self.window, self.warmup, self.past = deviations, window, warmup, []

    @staticmethod
    def median(values):
        s = sorted(values)
        return (s[(len(s) - 1) // 2] + s[len(s) // 2]) / 2

    def ask(self, n, total):
        last = self.past[-self.window:]
        if len(last) < self.warmup:
            return INF
        middle = self.median(last)
        return middle + self.deviations * self.median([abs(x - middle) for x in last]) / 0.6744897501960817

    def tell(self, n, total):
        self.past.append(n)


RULES = {
    "percentile": (Percentile, [{"percentile": 10.0, "window": 1000}, {"percentile": 50.0, "window": 4}, {"percentile": 75.0, "window": 5, "warmup": 2}]),
    "z_score": (ZScore, [{"limit": 2.5, "decay": 0.97, "warmup": 4}, {"limit": 0.5, "decay": 0.8, "warmup": 2, "target": "mean"},
                         {"limit": 0.5, "decay": 0.8, "warmup": 2, "target": "limit", "maximum": 2.0},
                         {"limit": 0.25, "decay": 0.9, "warmup": 1, "target": "reciprocal", "maximum": 4.0, "eps": 0.01}]),
    "moving_average": (MovingAverage, [{"relative": 1.05, "absolute": 1.0, "decay": 0.98, "warmup": 3}, {"relative": 0.8, "absolute": INF, "decay": 0.5, "warmup": 1}]),
    "streaming_quantile": (StreamingQuantile, [{"quantile": 0.5, "initial": 1.0, "rate": 0.2}, {"quantile": 0.75, "initial": 0.5, "rate": 1.0, "minimum": 0.4, "maximum": 1.5}]),
    "median_deviation": (MedianDeviation, [{"deviations": 3.0, "window": 1000, "warmup": 3}, {"deviations": 0.5, "window": 4, "warmup": 1}]),
    "fixed": (Fixed, [{"threshold": 0.3}, {"threshold": 2.0}]),
    "schedule": (None, [{"initial": 2.0, "factor": 0.7}]),
}


# Stages. Each gives the clipped gradients, and (largest measure, smallest threshold, smallest factor, whether it acted).

def units_of(shape, columns):
    """The places of each unit's elements; a vector is one unit."""
    size = math.prod(shape)
    if len(shape) < 2:
        return [list(range(size))]
    if columns:
        return [list(range(u, size, shape[-1])) for u in range(shape[-1])]
    length = size // shape[0]
    return [list(range(u * length, (u + 1) * length)) for u in range(shape[0])]


class Series:
    """The thresholds of what is compared, each with a history of its own, and what is reported of a step."""

    def __init__(self, make):
        self.make, self.known = make, {}

    def begin(self):
        self.noted, self.measures, self.thresholds, self.factors = [], [0.0], [INF], [1.0]

    def threshold(self, key, measure, total):
        rule = self.known.setdefault(key, self.make())
        threshold = rule.ask(measure, total)
        self.noted.append((rule, measure, total))
        self.measures.append(measure)
        self.thresholds.append(threshold)
        return threshold

    def factor(self, measure, threshold):
        """c / max(n, c)."""
        factor = 1.0 if measure <= threshold else threshold / measure
        self.factors.append(factor)
        return factor

    def end(self):
        for rule, measure, total in self.noted:
            if 0 < measure < INF:
                rule.tell(measure, total)


def clip(stage, attrs, series, params, shapes, grads):
    order = attrs.get("norm_type", 2.0)
    everything = [x for g in grads for x in g]
    total = norm(everything, order)
    series.begin()
    acted = False
    result = [list(g) for g in grads]
    if stage == "global_norm":
        factor = series.factor(total, series.threshold("all", total, total))
        result = [[x * factor for x in g] for g in grads]
        acted = factor != 1
    elif stage in ("per_parameter_norm", "block_rms", "average_norm"):
        for i, g in enumerate(grads):
            # optax clip_by_block_rms: u / max(1, RMS(u) / c). TensorFlow 1 clip_by_average_norm: t c min(size / |t|, 1 / c).
            measure = norm(g, order) / {"per_parameter_norm": 1, "block_rms": math.sqrt(len(g)), "average_norm": len(g)}[stage]
            # What is no norm is not compared with the norm of all.
            factor = series.factor(measure, series.threshold(i, measure, total if stage == "per_parameter_norm" else measure))
            result[i] = [x * factor for x in g]
            acted = acted or factor != 1
    elif stage == "value":
        largest = norm(everything, INF)
        bound = series.threshold("all", largest, largest)
        result = [[min(max(x, -bound), bound) for x in g] for g in grads]
        acted = largest > bound
    elif stage == "value_range":
        largest = norm(everything, INF)
        scale = series.threshold("all", largest, largest)
        low, high = (-INF, INF) if scale == INF else (attrs["low"] * scale, attrs["high"] * scale)
        result = [[min(max(x, low), high) for x in g] for g in grads]
        acted = any(x < low or x > high for x in everything)
    else:  # Adaptive clipping, arXiv:2102.06171.
        for i, g in enumerate(grads):
            for u, places in enumerate(units_of(shapes[i], stage == "adaptive_columns")):
                weight = max(norm([params[i][p] for p in places]), attrs.get("eps", 1e-3))
                ratio = norm([g[p] for p in places]) / weight
                factor = series.factor(ratio, series.threshold((i, u), ratio, ratio))
                acted = acted or factor != 1
                for p in places:
                    result[i][p] = g[p] * factor
    series.end()
    return result, (max(series.measures), min(series.thresholds), min(series.factors), acted)


def draw(generator, shape, scale):
    """In steps of 1/1024: short to write, and as good as any."""
    return [single(scale * round(generator.gauss(0, 1) * 1024) / 1024) for _ in range(math.prod(shape))]


def steps(stage, attrs, rule, settings, scales):
    """Steps whose gradients are of changing size, and now and then 0 or missing a parameter's share."""
    generator = random.Random(1000 + len(CASES))
    params = [draw(generator, shape, 1.0) for shape in SHAPES]
    kind = RULES[rule][0]
    series = Series((lambda: kind(**settings)) if kind else (lambda: Fixed(None)))
    recorded = []
    for step, scale in enumerate(scales):
        if rule == "schedule":
            value = settings["initial"] * settings["factor"] ** step
            series = Series(lambda: Fixed(value))
        grads = [draw(generator, shape, scale) for shape in SHAPES]
        clipped, (measure, threshold, factor, acted) = clip(stage, attrs, series, params, SHAPES, grads)
        # A value stage under a number or a schedule compares no norm, and its report has none of its own.
        has_report = not (stage in ("value", "value_range") and rule in ("fixed", "schedule"))
        recorded.append({
            "grads": [tensor(s, g) for s, g in zip(SHAPES, grads)],
            "expected_grads": [tensor(s, g) for s, g in zip(SHAPES, clipped)],
            "expected_report": [number(x) for x in (measure, threshold, factor)] + [acted] if has_report else None,
        })
    CASES.append({
        "id": f"{stage}-{rule}-{len(CASES)}", "kind": "clip_steps", "clip": stage, "attrs": {k: number(v) for k, v in attrs.items()},
        "threshold": rule, "settings": {k: number(v) for k, v in settings.items()},
        "params": [tensor(s, p) for s, p in zip(SHAPES, params)], "steps": recorded,
    })


def edges():
    """The edge cases in which libraries differ, each with what Minigrad documents: what it does, or why it refuses."""
    zero, tiny = [0.0, 0.0], single(1e-25)
    huge = single(1e20)
    refused = {0.0: "Libraries disagree on what 0 means", -1.0: "reverses every gradient"}

    def one(stage, g, c, policy="throw", expected=None, error=None):
        CASES.append({
            "id": f"edge-{stage}-{len(CASES)}", "kind": "clip_edge", "clip": stage, "attrs": {}, "bound": number(c), "policy": policy,
            "params": [tensor((2,), [1.0, 0.0])], "grads": [tensor((2,), g)],
            "expected_grads": None if expected is None else [tensor((2,), expected)], "expected_error": error,
        })

    # Of [3, 4] the norm is 5, its root mean square 5/sqrt 2, its average 5/2; of the weights [1, 0] the norm is 1.
    divisor = {"global_norm": 1.0, "per_parameter_norm": 1.0, "adaptive": 1.0, "adaptive_columns": 1.0, "block_rms": math.sqrt(2), "average_norm": 2.0}
    for stage in [*divisor, "value"]:
        one(stage, zero, 1.0, expected=zero)
        for g in (zero, [3.0, 4.0]):
            for c, reason in refused.items():
                one(stage, g, c, error=reason)
        one(stage, [3.0, 4.0], NAN, error="NaN")
        one(stage, [3.0, 4.0], INF, expected=[3.0, 4.0])
        if stage == "value":
            one(stage, [3.0, 4.0], 5.0, expected=[3.0, 4.0])
            one(stage, [3.0, 4.0], 4.0, expected=[3.0, 4.0])
            one(stage, [huge, 1.0], 1.0, expected=[1.0, 1.0])
            one(stage, [tiny, tiny], single(1e-30), expected=[single(1e-30)] * 2)
            one(stage, [INF, 1.0], 1.0, "propagate", expected=[1.0, 1.0])
            one(stage, [-INF, 1.0], 1.0, "propagate", expected=[-1.0, 1.0])
            one(stage, [NAN, 1.0], 1.0, "propagate", expected=[NAN, 1.0])
            one(stage, [NAN, 100.0], 5.0, "propagate", expected=[NAN, 5.0])
            one(stage, [-100.0, NAN], 5.0, "propagate", expected=[-5.0, NAN])
        else:
            d = divisor[stage]
            one(stage, [3.0, 4.0], 5.0 / d, expected=[3.0, 4.0])
            one(stage, [huge, 1.0], 1.0, expected=[d, d / huge])
            one(stage, [tiny, tiny], 1e-30, expected=[1e-30 * d / math.sqrt(2)] * 2)
            one(stage, [INF, 1.0], 1.0, "propagate", expected=[NAN, 0.0])
            one(stage, [NAN, 1.0], 1.0, "propagate", expected=[NAN, NAN])
        for bad in (INF, NAN):
            one(stage, [bad, 1.0], 1.0, error="is not finite: 'p0' has ")
            one(stage, [bad, 1.0], 1.0, "skip", expected=[bad, 1.0])
            one(stage, [bad, 1.0], 2.0, "zero", expected=[0.0, 1.0])


def main():
    grow = [1.0, 0.5, 2.0, 0.25, 8.0, 1.0, 0.0, 1.5, 0.03125, 4.0]
    stages = [("global_norm", {}), ("global_norm", {"norm_type": 1.0}), ("global_norm", {"norm_type": INF}), ("global_norm", {"norm_type": 3.0}),
              ("per_parameter_norm", {}), ("per_parameter_norm", {"norm_type": 1.0}), ("block_rms", {}), ("average_norm", {}),
              ("adaptive", {}), ("adaptive_columns", {}), ("adaptive", {"eps": 2.0}), ("value", {})]
    for stage, attrs in stages:
        for rule, (_, all_settings) in RULES.items():
            for settings in all_settings:
                steps(stage, attrs, rule, settings, grow)
    for low, high in ((-0.5, 0.25), (-INF, 0.5), (0.0, 1.0), (-1.0, 0.0), (-2.0, INF)):
        steps("value_range", {"low": low, "high": high}, "fixed", {"threshold": 1.0}, grow[:3])
        for rule, (_, all_settings) in RULES.items():
            for settings in all_settings:
                steps("value_range", {"low": low, "high": high}, rule, settings, grow)
    for stage, attrs in stages:
        steps(stage, attrs, "fixed", {"threshold": 1e-3}, [1e-30, 1e30, 1e10])
    edges()
    text = json.dumps({"source": "formulas of papers and libraries", "cases": CASES}, separators=(",", ":"), allow_nan=False)
    TARGET.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{TARGET.name}: {len(CASES)} cases, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
