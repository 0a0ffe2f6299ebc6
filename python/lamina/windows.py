"""Walk-forward windows: spans to train and to test on, moving through time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._time import to_microseconds
from .datasets import utc
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .store import Store
    from .table import Table


@dataclass(frozen=True)
class Window:
    """One step: train on `[train_start, train_end)`, test on `[test_start, test_end)`; UTC."""

    index: int
    train_start: dt.datetime
    train_end: dt.datetime
    test_start: dt.datetime
    test_end: dt.datetime

    def load(
        self, store: Store, dataset: str, columns: Any = None, **choice: Any
    ) -> tuple[Table, Table]:
        """The rows of both spans; only files that overlap a span are read. `choice`: as of
        `Datasets.load`."""
        load = store.datasets.load
        return (
            load(dataset, self.train_start, self.train_end, columns=columns, **choice),
            load(dataset, self.test_start, self.test_end, columns=columns, **choice),
        )


def walk_forward(
    start: Any,
    end: Any,
    *,
    train: str | dt.timedelta,
    test: str | dt.timedelta,
    step: str | dt.timedelta | None = None,
    embargo: str | dt.timedelta | None = None,
    purge: str | dt.timedelta | None = None,
    expanding: bool = False,
) -> Iterator[Window]:
    """Windows whose tests end at `end` at the latest.

    `train`, `test`: lengths (`"90d"`, a timedelta). `step`: how far each window moves, by default
    `test`, so that tests follow each other without a gap. `embargo`: left out between training and
    test. `purge`: left out at the end of training beside it, the reach of labels that look ahead
    (López de Prado, Advances in Financial Machine Learning, 7.4). `expanding`: training always
    begins at `start` and grows. Raises InvalidArgument for spans that are not positive."""
    spans = {
        "train": to_microseconds(train),
        "test": to_microseconds(test),
        "step": to_microseconds(test if step is None else step),
        "embargo": 0 if embargo is None else to_microseconds(embargo),
        "purge": 0 if purge is None else to_microseconds(purge),
    }
    for name, span in spans.items():
        if span < 0 or (span == 0 and name in ("train", "test", "step")):
            raise InvalidArgument(f"{name} must be a positive span")
    if spans["purge"] >= spans["train"]:
        raise InvalidArgument("purge leaves nothing to train on")
    return _windows(utc(start), utc(end), spans, expanding)


def _windows(
    start: dt.datetime, end: dt.datetime, spans: dict[str, int], expanding: bool
) -> Iterator[Window]:
    index = 0
    while True:
        moved = dt.timedelta(microseconds=spans["step"] * index)
        split = start + moved + dt.timedelta(microseconds=spans["train"])
        test_start = split + dt.timedelta(microseconds=spans["embargo"])
        test_end = test_start + dt.timedelta(microseconds=spans["test"])
        if test_end > end:
            return
        yield Window(
            index,
            start if expanding else start + moved,
            split - dt.timedelta(microseconds=spans["purge"]),
            test_start,
            test_end,
        )
        index += 1
