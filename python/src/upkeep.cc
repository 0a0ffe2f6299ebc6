#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "interruptible.h"
#include "store.h"
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include "lamina/base/duration.h"
#include "lamina/catalog/pins.h"
#include "lamina/catalog/read_lease.h"
#include "lamina/upkeep/backup.h"
#include "lamina/upkeep/collection.h"
#include "lamina/upkeep/doctor.h"
#include "lamina/upkeep/history.h"
#include "lamina/upkeep/purge.h"
#include "lamina/upkeep/repair.h"
#include "lamina/upkeep/verify_store.h"

namespace lamina::python {
namespace {

std::optional<Micros> Span(const std::optional<std::int64_t>& micros) {
  if (!micros) return std::nullopt;
  return Micros{*micros};
}

nb::list Problems(const std::vector<upkeep::StoreProblem>& problems) {
  nb::list rows;
  for (const upkeep::StoreProblem& problem : problems) {
    rows.append(nb::make_tuple(Text(problem.kind), Text(problem.path), Text(problem.detail),
                               Text(problem.remedy)));
  }
  return rows;
}

nb::dict Verify(const OpenStore& self, bool deep) {
  const auto engine = self.Get();
  Interruptible work{nb::none()};
  const auto found = work.Run([&] { return upkeep::VerifyStore(*engine, deep, &work.cancel()); });
  nb::dict all;
  all["checked_files"] = found.checked_files;
  all["checked_chunks"] = found.checked_chunks;
  all["checked_bytes"] = found.checked_bytes;
  all["checked_backtests"] = found.checked_backtests;
  all["checked_runs"] = found.checked_runs;
  all["checked_documents"] = found.checked_documents;
  all["problems"] = Problems(found.problems);
  return all;
}

/// A snapshot that a reader holds. Thread-safe under the interpreter's lock.
class HeldSnapshot {
 public:
  HeldSnapshot(std::shared_ptr<store::Store> engine, std::int64_t snapshot)
      : engine_(new std::shared_ptr<store::Store>(std::move(engine))),
        lease_(catalog::ReadLease::Start((*engine_)->catalog(), snapshot)) {}
  HeldSnapshot(const HeldSnapshot&) = delete;
  HeldSnapshot& operator=(const HeldSnapshot&) = delete;
  ~HeldSnapshot() { Release(); }

  void Release() {
    auto lease = std::move(lease_);
    auto* engine = std::exchange(engine_, nullptr);
    if (engine == nullptr) return;
    nb::gil_scoped_release unlocked;
    lease.reset();
    if (process_ == getpid()) delete engine;  // the engine of a fork's parent is let alone
  }

 private:
  std::shared_ptr<store::Store>* engine_;
  std::unique_ptr<catalog::ReadLease> lease_;
  const pid_t process_ = getpid();
};

std::int64_t Resolve(const OpenStore& self, const std::string& text) {
  const auto engine = self.Get();
  return Unlocked([&] { return catalog::ResolveSnapshot(engine->catalog(), text); });
}

std::int64_t Pin(const OpenStore& self, const std::string& name,
                 std::optional<std::int64_t> snapshot) {
  const auto engine = self.Get();
  return Unlocked([&] { return catalog::PinSnapshot(engine->catalog(), name, snapshot); }).snapshot;
}

void Unpin(const OpenStore& self, const std::string& name) {
  const auto engine = self.Get();
  Unlocked([&] { return catalog::Unpin(engine->catalog(), name); });
}

nb::list Pins(const OpenStore& self) {
  const auto engine = self.Get();
  const auto pins = Unlocked([&] { return catalog::ListPins(engine->catalog()); });
  nb::list rows;
  for (const catalog::Pin& pin : pins) {
    nb::dict row;
    row["name"] = Text(pin.name);
    row["snapshot"] = pin.snapshot;
    row["created_us"] = pin.created_at.value;
    row["expires_us"] = pin.expires_at ? nb::cast(pin.expires_at->value) : nb::none();
    row["holder"] = Text(pin.holder);
    rows.append(row);
  }
  return rows;
}

nb::dict Expire(const OpenStore& self, std::optional<std::int64_t> older_than_us, bool dry_run) {
  const auto engine = self.Get();
  upkeep::ExpireOptions options;
  options.older_than = Span(older_than_us).value_or(engine->config().keep_snapshots);
  options.dry_run = dry_run;
  const auto report = Unlocked([&] { return upkeep::ExpireSnapshots(engine->catalog(), options); });
  nb::dict all;
  nb::list expired, pins;
  for (const auto& snapshot : report.expired) expired.append(snapshot.snapshot_id);
  for (const auto& pin : report.pins) pins.append(Text(pin.name));
  all["expired"] = expired;
  all["kept_by_pins"] = pins;
  all["kept"] = report.kept;
  all["condemned_files"] = report.condemned_files;
  all["condemned_chunks"] = report.condemned_chunks;
  all["removed_rows"] = report.removed_rows;
  all["dry_run"] = report.dry_run;
  return all;
}

nb::dict Collect(const OpenStore& self, std::optional<std::int64_t> grace_us, bool dry_run) {
  const auto engine = self.Get();
  Interruptible work{nb::none()};
  upkeep::CollectOptions options;
  options.grace = Span(grace_us);
  options.dry_run = dry_run;
  options.cancel = &work.cancel();
  const auto report = work.Run([&] { return upkeep::CollectGarbage(*engine, options); });
  nb::dict all;
  all["removed_chunks"] = report.removed_chunks;
  all["removed_files"] = report.removed_files;
  all["freed_bytes"] = report.freed_bytes;
  all["kept_pinned"] = report.kept_pinned;
  all["removed_orphans"] = report.removed_orphans;
  all["waiting"] = report.waiting;
  all["expired_snapshots"] = report.expired_snapshots;
  all["dry_run"] = report.dry_run;
  return all;
}

nb::list Compact(const OpenStore& self, const std::vector<std::string>& tables) {
  const auto engine = self.Get();
  Interruptible work{nb::none()};
  catalog::CompactionRequest request;
  request.tables = tables;
  request.cancel = &work.cancel();
  const auto done = work.Run([&] { return engine->catalog().Compact(request); });
  nb::list rows;
  for (const catalog::TableCompaction& table : done) {
    nb::dict row;
    row["table"] = Text(table.table);
    row["files_before"] = table.files_before;
    row["files_after"] = table.files_after;
    row["rows"] = table.rows;
    row["bytes_before"] = table.bytes_before;
    row["bytes_after"] = table.bytes_after;
    rows.append(row);
  }
  return rows;
}

nb::dict Purge(const OpenStore& self, const std::vector<std::string>& handles) {
  const auto engine = self.Get();
  Interruptible work{nb::none()};
  const auto report =
      work.Run([&] { return upkeep::PurgeBacktests(*engine, handles, &work.cancel()); });
  nb::dict all;
  nb::list purged;
  for (const std::string& handle : report.purged) purged.append(Text(handle));
  all["purged"] = purged;
  all["expired_snapshots"] = report.expired_snapshots;
  all["removed_files"] = report.removed_files;
  all["removed_chunks"] = report.removed_chunks;
  all["freed_bytes"] = report.freed_bytes;
  return all;
}

nb::dict Backup(const OpenStore& self, const nb::object& destination) {
  const auto engine = self.Get();
  const std::string path = Path(destination);
  Interruptible work{nb::none()};
  const auto report = work.Run([&] { return upkeep::BackupStore(*engine, path, &work.cancel()); });
  nb::dict all;
  all["files"] = report.files;
  all["bytes"] = report.bytes;
  all["snapshot"] = report.snapshot;
  all["copied_files"] = report.copied_files;
  all["copied_bytes"] = report.copied_bytes;
  return all;
}

nb::dict Restore(const nb::object& source, const nb::object& root) {
  const std::string from = Path(source), to = Path(root);
  Interruptible work{nb::none()};
  const auto report =
      work.Run([&] { return upkeep::RestoreStore(io::PosixEnv(), from, to, &work.cancel()); });
  nb::dict all;
  all["files"] = report.files;
  all["bytes"] = report.bytes;
  all["snapshot"] = report.snapshot;
  all["store_id"] = report.store_id.ToString();
  return all;
}

nb::dict Repair(const OpenStore& self, bool dry_run, const nb::object& backup) {
  const auto engine = self.Get();
  Interruptible work{nb::none()};
  upkeep::RepairOptions options;
  options.dry_run = dry_run;
  if (!backup.is_none()) options.backup = Path(backup);
  options.cancel = &work.cancel();
  const auto report = work.Run([&] { return upkeep::RepairStore(*engine, options); });
  nb::dict all;
  nb::list actions;
  for (const upkeep::RepairAction& action : report.actions) {
    nb::dict row;
    row["path"] = Text(action.path);
    row["action"] = Text(action.action);
    row["detail"] = Text(action.detail);
    actions.append(row);
  }
  all["actions"] = actions;
  all["problems"] = Problems(report.problems);
  all["dry_run"] = report.dry_run;
  return all;
}

nb::list Doctor(const nb::object& root) {
  const std::string path = Path(root);
  const auto findings = Unlocked([&] { return upkeep::Examine(io::PosixEnv(), path); });
  nb::list rows;
  for (const upkeep::Finding& finding : findings) {
    nb::dict row;
    row["check"] = Text(finding.check);
    row["state"] = Text(upkeep::HealthName(finding.health));
    row["value"] = Text(finding.value);
    row["advice"] = Text(finding.advice);
    rows.append(row);
  }
  return rows;
}

/// Microseconds of "7d", "1h30m".
std::int64_t Duration(const std::string& text) { return OrRaise(ParseDuration(text)).value; }

}  // namespace

void BindUpkeep(nb::module_& module, nb::class_<OpenStore>& store) {
  nb::class_<HeldSnapshot>(module, "HeldSnapshot", "A lease on a snapshot.")
      .def("release", &HeldSnapshot::Release);
  store
      .def("verify", &Verify, nb::arg("deep"),
           nb::sig("def verify(self, deep: bool) -> dict[str, object]"))
      .def("resolve_snapshot", &Resolve, nb::arg("text"))
      .def(
          "hold_snapshot",
          [](const OpenStore& self, std::int64_t snapshot) {
            return new HeldSnapshot(self.Get(), snapshot);
          },
          nb::arg("snapshot"), nb::rv_policy::take_ownership)
      .def("pin", &Pin, nb::arg("name"), nb::arg("snapshot").none())
      .def("unpin", &Unpin, nb::arg("name"))
      .def("pins", &Pins, nb::sig("def pins(self) -> list[dict[str, object]]"))
      .def("expire", &Expire, nb::arg("older_than_us").none(), nb::arg("dry_run"),
           nb::sig("def expire(self, older_than_us: int | None, dry_run: bool) -> dict[str, "
                   "object]"))
      .def("collect", &Collect, nb::arg("grace_us").none(), nb::arg("dry_run"),
           nb::sig("def collect(self, grace_us: int | None, dry_run: bool) -> dict[str, object]"))
      .def("compact", &Compact, nb::arg("tables"),
           nb::sig("def compact(self, tables: list[str]) -> list[dict[str, object]]"))
      .def("purge", &Purge, nb::arg("handles"),
           nb::sig("def purge(self, handles: list[str]) -> dict[str, object]"))
      .def("backup", &Backup, nb::arg("destination"),
           nb::sig("def backup(self, destination: object) -> dict[str, object]"))
      .def("repair", &Repair, nb::arg("dry_run"), nb::arg("backup").none(),
           nb::sig("def repair(self, dry_run: bool, backup: object | None) -> dict[str, object]"));
  module.def("restore", &Restore, nb::arg("source"), nb::arg("root"),
             nb::sig("def restore(source: object, root: object) -> dict[str, object]"));
  module.def("doctor", &Doctor, nb::arg("root"),
             nb::sig("def doctor(root: object) -> list[dict[str, object]]"));
  module.def("duration_us", &Duration, nb::arg("text"));
}

}  // namespace lamina::python
