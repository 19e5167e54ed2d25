"""Reads an event file with TensorBoard 2.20.0 and writes what it holds as JSON.

    python -m venv venv && venv/bin/pip install tensorboard==2.20.0
    venv/bin/python test/cli/record_events.py FILE > test/cli/events.json

test/cli/tensorboard.test.ts writes FILE again, and compares its bytes with the hash in the JSON.
"""

import hashlib
import json
import sys

from tensorboard import version
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

path = sys.argv[1]
events = EventAccumulator(path, size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
events.Reload()
tags = events.Tags()


def histogram(value):
    return {
        "min": value.min,
        "max": value.max,
        "count": value.num,
        "sum": value.sum,
        "sumOfSquares": value.sum_squares,
        "limits": list(value.bucket_limit),
        "counts": list(value.bucket),
    }


def texts(tag):
    plugin = events.SummaryMetadata(tag).plugin_data.plugin_name
    return [
        {"step": event.step, "plugin": plugin, "values": [text.decode() for text in event.tensor_proto.string_val]}
        for event in events.Tensors(tag)
    ]


def number(value):
    """JSON has no NaN."""
    return value if value == value else "NaN"


with open(path, "rb") as file:
    sha256 = hashlib.sha256(file.read()).hexdigest()

json.dump(
    {
        "tensorboard": version.VERSION,
        "sha256": sha256,
        "firstTime": events.FirstEventTimestamp(),
        "scalars": {
            tag: [[event.step, event.wall_time, number(event.value)] for event in events.Scalars(tag)]
            for tag in sorted(tags["scalars"])
        },
        "histograms": {
            tag: [{"step": event.step, **histogram(event.histogram_value)} for event in events.Histograms(tag)]
            for tag in sorted(tags["histograms"])
        },
        "texts": {tag: texts(tag) for tag in sorted(tags["tensors"])},
    },
    sys.stdout,
    indent=1,
)
print()
