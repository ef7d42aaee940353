"""What a run took and what it cost, from the moments its steps wrote down. Pure but for the present moment."""

from common.pace import Pace, timestamp

from .models import MeasureInput, MeasureOutput

# What is measured, and from which moment to which.
_SPANS = {
    "detection": ("failing_since", "detected_at"),
    "start": ("detected_at", "started_at"),
    "fence": ("started_at", "fenced_at"),
    "writer_change": ("asked_at", "writer_at"),
    "publish": ("writer_at", "published_at"),
    "replay": ("published_at", "replayed_at"),
    "unfence": ("published_at", "unfenced_at"),
    "proof": ("published_at", "proved_at"),
    "run": ("started_at", "proved_at"),
    "loss_to_proof": ("failing_since", "proved_at"),
}


def measure(given: MeasureInput, pace: Pace) -> MeasureOutput:
    """Spans of which both ends are known, and what the replay found."""
    moments = given.model_dump(exclude={"replay"})
    spans = {name: (moments[begin], moments[end]) for name, (begin, end) in _SPANS.items()}
    return MeasureOutput(
        seconds={name: round(pace.between(begin, end), 3) for name, (begin, end) in spans.items() if begin and end},
        payments=given.replay.model_dump(exclude={"done", "continuation"}) if given.replay else {},
        at=timestamp(pace.now()),
    )
