"""What imports, exports, validations and prunes of backtests did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import _html, errors

_NOTES_SHOWN = 20


@dataclass(frozen=True)
class ImportFailure:
    """A file that was not imported, and why."""

    path: str
    code: str
    message: str

    def error(self) -> errors.LaminaError:
        """As the exception that a single import would have raised."""
        return errors.class_of(self.code)(f"{self.path}: {self.message}")


@dataclass(frozen=True)
class MergeReport:
    """What a merge did, in runs; `unchanged`: all was there before."""

    unchanged: bool
    runs_added: int
    runs_replaced: int
    runs_unchanged: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    imported: int
    unchanged: int
    replaced: int
    failed: tuple[ImportFailure, ...]
    warnings: tuple[tuple[str, str], ...]
    runs_new: int
    runs_shared: int
    bytes_in: int
    bytes_stored: int
    seconds: float

    def _repr_html_(self) -> str:
        names = ("imported", "unchanged", "replaced", "runs_new", "runs_shared", "bytes_in")
        pairs = [(name, getattr(self, name)) for name in (*names, "bytes_stored", "seconds")]
        report = _html.facts("Import", pairs)
        notes = [(one.path, one.code, one.message) for one in self.failed]
        notes += [(path, "warning", message) for path, message in self.warnings]
        if not notes:
            return report
        more = len(notes) - _NOTES_SHOWN
        return report + _html.table(["path", "what", "message"], notes[:_NOTES_SHOWN], more)


@dataclass(frozen=True)
class ExportReport:
    """A bundle that was written."""

    path: str
    bytes: int
    sha256: str
    document_sha256: str
    identical_to_original: bool
    level: int
    format_version: int
    warnings: list[str]
    """What could not be written as the document has it."""


@dataclass(frozen=True)
class ExportManyReport:
    """What an export of many did: the files, in the order asked for, and the handles that failed
    (`path` of a failure is the handle)."""

    exported: tuple[ExportReport, ...]
    failed: tuple[ImportFailure, ...]
    bytes: int


@dataclass(frozen=True)
class ValidateReport:
    """What a validation did; disagreements over the backtests that were asked for."""

    validated: int
    up_to_date: int
    with_disagreements: int
    disagreements: int


@dataclass(frozen=True)
class PruneReport:
    """What a prune kept and removed, or would."""

    kept: tuple[str, ...]
    pruned: tuple[str, ...]
    dry_run: bool


def import_report(done: dict[str, Any], keep_going: bool) -> ImportReport:
    """The engine's report; with `keep_going` off, its failure raises."""
    failed = tuple(ImportFailure(*failure) for failure in done.pop("failed"))
    if failed and not keep_going:
        raise failed[0].error()
    return ImportReport(failed=failed, warnings=tuple(done.pop("warnings")), **done)
