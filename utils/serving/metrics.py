"""What monitoring wants to know of the service, as Prometheus reads it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

GAPS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
LOSSES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)  # nats a character


class Metrics:
    """Counters, gauges and histograms of one service, in a registry of their own."""

    def __init__(self, worker, monitor=None) -> None:
        """Count from zero.

        Args:
            worker: :class:`utils.serving.worker.Worker`, asked for its streams whenever metrics are read.
            monitor: a monitor of drift with ``score`` and ``drifting``, or None.
        """
        self._registry = CollectorRegistry()
        common = {"registry": self._registry}
        self.answers = Counter("serving_answers", "Requests for text by the status of the answer", ["status"], **common)
        self.ended = Counter("serving_streams_ended", "Streams by why they ended", ["reason"], **common)
        self.characters = Counter("serving_characters", "Characters written", **common)
        self.masked = Counter("serving_characters_masked", "Characters that the output filter masked", **common)
        self.doubts = Counter("serving_doubts", "Streams that a person should look at", **common)
        self.not_kept = Counter("serving_states_not_kept", "States that could not be written to disk", **common)
        self.gaps = Histogram("serving_gap_seconds", "Time between two pieces of a text", buckets=GAPS, **common)
        self.first = Histogram(
            "serving_first_character_seconds", "Time from a request to its first character", buckets=GAPS, **common
        )
        self.loss = Histogram(
            "serving_text_loss", "Loss of the model on incoming text, nats a character", buckets=LOSSES, **common
        )
        streams = Gauge("serving_streams", "Streams in work", **common)
        streams.set_function(lambda: len(worker.batcher.streams))
        waiting = Gauge("serving_waiting", "Streams that wait for a slot", **common)
        waiting.set_function(lambda: len(worker.batcher.waiting))
        if monitor is not None:
            score = Gauge("serving_drift_score", "How far incoming text is from what is usual", **common)
            score.set_function(lambda: monitor.score)
            drifting = Gauge("serving_drifting", "1 while incoming text drifts", **common)
            drifting.set_function(lambda: float(monitor.drifting))

    def page(self) -> bytes:
        """All of them, in the text format of Prometheus."""
        return generate_latest(self._registry)
