#include "harness.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>
#include <unordered_set>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace lamina::crash {
namespace {

namespace fs = std::filesystem;

bool Has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

std::string Text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text.append("\n    ").append(line);
  return text;
}

template <class Outcome>
std::string Told(const Outcome& outcome) {
  return std::string(outcome.error().message());
}

std::vector<std::string> FilesOf(const Image& image) {
  std::vector<std::string> files;
  for (const auto& [path, bytes] : image.entries) {
    if (bytes) files.push_back(path);
  }
  return files;
}

}  // namespace

Harness::Harness(const NamedLayer& layer, const std::string& folder, std::uint64_t seed)
    : named_(layer), seed_(seed) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  fs::create_directories(folder, ignored);
  folder_ = fs::canonical(folder).string();
}

void Harness::StartOver() const {
  const Status written = WriteImage(base_, folder_);
  if (!written.ok()) std::fprintf(stderr, "%s\n", Told(written).c_str());
}

Status Harness::Learn() {
  {
    const auto layer = Make();
    LAMINA_TRY_WITH(layer->Prepare(), "preparing");
    layer->Close();
  }
  base_ = ReadImage(folder_);
  {  // once to know what is to be seen, once to record nothing but the work
    const auto layer = Make();
    LAMINA_TRY_WITH(layer->Open(false), "opening");
    LAMINA_ASSIGN(Lines before, layer->Describe());
    expected_.push_back(std::move(before));
    for (int i = 0; i < layer->steps(); ++i) {
      LAMINA_TRY_WITH(layer->Step(i), "step " + std::to_string(i));
      LAMINA_ASSIGN(Lines after, layer->Describe());
      expected_.push_back(std::move(after));
    }
    layer->Close();
  }
  StartOver();
  const auto layer = Make();
  StartRecording(folder_, FilesOf(base_));
  Status done = layer->Open(false);
  for (int i = 0; i < layer->steps() && done.ok(); ++i) {
    done = layer->Step(i);
    Acknowledge();
  }
  layer->Close();
  log_ = StopRecording();
  return done;
}

void Harness::PrintLog(std::size_t begin, std::size_t end) const {
  for (std::size_t i = begin; i < std::min(end, log_.size()); ++i) {
    const Change& change = log_[i];
    std::printf("%6zu %s %s %s @%lld +%zu\n", i, std::string(KindName(change.kind)).c_str(),
                change.path.c_str(), change.to.c_str(), static_cast<long long>(change.offset),
                change.bytes.size());
  }
}

std::size_t Harness::StepsDone(std::size_t at) const {
  return static_cast<std::size_t>(
      std::count_if(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(at),
                    [](const Change& c) { return c.kind == Change::Kind::kAcknowledge; }));
}

Image Harness::ImageAt(const CrashPoint& point, const DiskModel& disk) const {
  Random random(seed_ * 1'000'003 + point.at * 101 + static_cast<std::uint64_t>(point.draw));
  return disk.After(point.loss, random);
}

/// Done steps are whole; the next one is absent, whole, or in parts where it may be.
Status Harness::CheckSeen(const Lines& seen, std::size_t done) const {
  const Lines& before = expected_[done];
  if (seen == before) return Ok();
  if (done + 1 < expected_.size()) {
    const Lines& after = expected_[done + 1];
    if (seen == after) return Ok();
    const auto layer = Make();
    if (layer->in_parts(static_cast<int>(done))) {
      const bool known = std::all_of(seen.begin(), seen.end(), [&](const std::string& line) {
        return line.starts_with("snapshot ") || Has(before, line) || Has(after, line);
      });
      const bool kept = std::all_of(before.begin(), before.end(), [&](const std::string& line) {
        return !Has(after, line) || Has(seen, line);
      });
      if (known && kept) return Ok();
    }
  }
  return Corruption("after " + std::to_string(done) + " acknowledged steps there is" + Text(seen) +
                    "\n  where there was" + Text(before));
}

/// The work that was cut short can be done again, and nothing is left over.
Status Harness::GoOn(Layer& layer, std::size_t done) {
  LAMINA_TRY_WITH(layer.CheckLeftovers(), "after recovery");
  if (done + 1 >= expected_.size()) return Ok();
  LAMINA_TRY_WITH(layer.Step(static_cast<int>(done)), "doing the step again");
  LAMINA_ASSIGN(const Lines seen, layer.Describe());
  if (seen == expected_[done + 1]) return Ok();
  return Corruption("step " + std::to_string(done) + " done again gives" + Text(seen) +
                    "\n  instead of" + Text(expected_[done + 1]));
}

Status Harness::CheckState(std::size_t done, bool thorough) {
  const auto layer = Make();
  Lines first;
  {
    LAMINA_TRY_WITH(layer->Open(true), "opening to read");
    LAMINA_ASSIGN(first, layer->Describe());
    LAMINA_TRY_WITH(CheckSeen(first, done), "read before recovery");
    if (thorough) LAMINA_TRY_WITH(layer->Verify(), "before recovery");
    layer->Close();
  }
  {
    LAMINA_TRY_WITH(layer->Open(false), "opening");
    LAMINA_ASSIGN(const Lines second, layer->Describe());
    if (second != first) return Corruption("the second open shows" + Text(second));
    const bool whole =
        done + 1 < expected_.size() && second != expected_[done] && second == expected_[done + 1];
    LAMINA_TRY(GoOn(*layer, whole ? done + 1 : done));
    layer->Close();
  }
  LAMINA_TRY_WITH(layer->Open(true), "opening once more");
  LAMINA_TRY_WITH(layer->Verify(), "in the end");
  layer->Close();
  return Ok();
}

Status Harness::CheckRecovery(const Image& image, std::size_t done, std::uint64_t draw) {
  LAMINA_TRY(WriteImage(image, folder_));
  const auto layer = Make();
  StartRecording(folder_, FilesOf(image));
  Status recovered = layer->Open(false);
  if (recovered.ok()) recovered = layer->CheckLeftovers();
  layer->Close();
  const std::vector<Change> log = StopRecording();
  LAMINA_TRY_WITH(std::move(recovered), "recovering");
  if (log.empty()) return Ok();
  Random random(seed_ * 7'919 + draw);
  const std::size_t at = std::uniform_int_distribution<std::size_t>(1, log.size())(random);
  const Loss loss =
      kLosses[std::uniform_int_distribution<std::size_t>(0, std::size(kLosses) - 1)(random)];
  DiskModel disk(image, folder_);
  for (std::size_t i = 0; i < at; ++i) disk.Apply(log[i]);
  LAMINA_TRY(WriteImage(disk.After(loss, random), folder_));
  LAMINA_TRY_WITH(CheckState(done, true), "after a recovery that was cut short by change " +
                                              std::to_string(at) + " and " +
                                              std::string(LossName(loss)));
  return Ok();
}

Status Harness::RunCrash(const CrashPoint& point) {
  DiskModel disk(base_, folder_);
  for (std::size_t i = 0; i < point.at; ++i) disk.Apply(log_[i]);
  const Image image = ImageAt(point, disk);
  LAMINA_TRY(WriteImage(image, folder_));
  LAMINA_TRY(CheckState(StepsDone(point.at), true));
  return CheckRecovery(image, StepsDone(point.at), image.Hash());
}

Tally Harness::RunCrashes(std::int64_t states) {
  Tally tally;
  tally.points = std::ssize(log_) + 1;
  // A random draw is worth as much as a sure one: as many of them as the budget has.
  const std::int64_t sure = tally.points * 4;
  const int draws = static_cast<int>(std::max<std::int64_t>(1, (states - sure) / tally.points + 1));
  const double share =
      std::min(1.0, static_cast<double>(states) / static_cast<double>(sure + draws * tally.points));
  DiskModel disk(base_, folder_);
  std::unordered_set<std::uint64_t> seen;
  Random choice(seed_);
  for (std::size_t at = 0; at <= log_.size(); ++at) {
    if (at > 0) disk.Apply(log_[at - 1]);
    const std::size_t done = StepsDone(at);
    for (const Loss loss : kLosses) {
      if (loss != Loss::kNothing && !disk.unsynced()) continue;
      for (int draw = 0; draw < (loss == Loss::kSome ? draws : 1); ++draw) {
        if (std::uniform_real_distribution<double>(0, 1)(choice) >= share) continue;
        const CrashPoint point{at, loss, draw};
        const Image image = ImageAt(point, disk);
        if (!seen.insert(image.Hash() * 31 + done).second) continue;
        ++tally.checked;
        Status checked = WriteImage(image, folder_);
        if (checked.ok()) checked = CheckState(done, tally.checked % 4 == 0);
        if (checked.ok() && tally.checked % 8 == 0) {
          ++tally.checked;
          checked = CheckRecovery(image, done, image.Hash());
        }
        if (checked.ok()) continue;
        tally.failures.push_back(std::string(named_.name) + ": " + Told(checked) +
                                 "\n  repeat: lamina_crash --layer " + std::string(named_.name) +
                                 " --seed " + std::to_string(seed_) + " --at " +
                                 std::to_string(at) + " --loss " + std::string(LossName(loss)) +
                                 " --draw " + std::to_string(draw));
        if (tally.failures.size() >= 20) return tally;
      }
    }
  }
  return tally;
}

// ---- faults

struct Harness::FaultKind {
  std::string_view name;
  CallFault fault;  ///< without `at`
};

const std::vector<Harness::FaultKind>& Harness::FaultKinds() {
  using enum FileCall;
  constexpr FileCalls kChanges = {kOpenToWrite, kWrite,  kSync,      kTruncate,
                                  kRename,      kUnlink, kMakeFolder};
  constexpr FileCalls kPlaced = {kOpenToWrite, kRename, kUnlink, kMakeFolder};
  static const std::vector<FaultKind> kinds = {
      {"EIO", {0, EIO, false, false, kChanges}},
      {"EIO reading", {0, EIO, false, false, {kOpen, kRead}}},
      {"EIO from then on", {0, EIO, false, true, kChanges}},
      {"ENOSPC", {0, ENOSPC, false, false, {kOpenToWrite, kWrite, kSync, kMakeFolder, kRename}}},
      {"ENOSPC from then on",
       {0, ENOSPC, false, true, {kOpenToWrite, kWrite, kSync, kMakeFolder, kRename}}},
      {"EINTR", {0, EINTR, false, false, {kOpen, kOpenToWrite, kRead, kWrite, kSync, kTruncate}}},
      {"short write", {0, 0, true, false, {kWrite}}},
      {"EACCES", {0, EACCES, false, false, kPlaced}},
      {"EROFS from then on", {0, EROFS, false, true, kChanges}},
      {"EMFILE", {0, EMFILE, false, false, {kOpen, kOpenToWrite}}},
      {"EMFILE from then on", {0, EMFILE, false, true, {kOpen, kOpenToWrite}}},
  };
  return kinds;
}

Result<std::int64_t> Harness::CountCalls(const FaultKind& kind) {
  StartOver();
  const auto layer = Make();
  StartRecording(folder_, FilesOf(base_));
  Status done = layer->Open(false);
  CallFault none = kind.fault;
  none.at = INT64_MAX;
  SetFault(none);
  for (int i = 0; i < layer->steps() && done.ok(); ++i) done = layer->Step(i);
  const std::int64_t calls = CallCount();
  layer->Close();
  static_cast<void>(StopRecording());
  LAMINA_TRY(std::move(done));
  return calls;
}

Status Harness::FaultySteps(Layer& layer, bool reading, bool& refused) {
  for (int i = 0; i < layer.steps(); ++i) {
    const auto done = static_cast<std::size_t>(i);
    const Status stepped = layer.Step(i);
    const bool fired = FaultFired();
    ClearFault();
    if (!stepped.ok()) {
      if (!fired) return stepped.error().Clone().With("step " + std::to_string(i));
      refused = true;
      const ErrorCode code = stepped.error().code();
      // To SQLite bytes that the disk cannot read are damage, and so they are to its user.
      const bool unreadable = code == ErrorCode::kCorruption && reading;
      if (code == ErrorCode::kInternal || (code == ErrorCode::kCorruption && !unreadable) ||
          stepped.error().message().empty()) {
        return Internal("the failure is told as: " + Told(stepped));
      }
      LAMINA_ASSIGN(const Lines seen, layer.Describe());
      LAMINA_TRY_WITH(CheckSeen(seen, done), "after: " + Told(stepped));
      LAMINA_TRY_WITH(layer.Step(i), "again, after: " + Told(stepped));
    }
    LAMINA_ASSIGN(const Lines seen, layer.Describe());
    if (seen != expected_[done + 1]) {
      return Corruption("after step " + std::to_string(i) + " there is" + Text(seen));
    }
    // The fault goes on counting through the steps that follow.
    if (!fired) ResumeFault();
  }
  return Ok();
}

Status Harness::RunFault(const FaultKind& kind, std::int64_t at, bool& refused) {
  StartOver();
  const auto layer = Make();
  StartRecording(folder_, FilesOf(base_));
  Status done = layer->Open(false);
  if (done.ok()) {
    CallFault fault = kind.fault;
    fault.at = at;
    SetFault(fault);
    done = FaultySteps(*layer, kind.fault.calls.Has(FileCall::kRead), refused);
  }
  ClearFault();
  const std::string place = FaultPlace();
  if (done.ok()) done = layer->Verify();
  layer->Close();
  static_cast<void>(StopRecording());
  if (done.ok()) done = layer->Open(false);
  if (done.ok()) {
    Result<Lines> seen = layer->Describe();
    if (!seen.ok()) {
      done = std::move(seen).error();
    } else if (*seen != expected_.back()) {
      done = Corruption("opened again there is" + Text(*seen));
    }
  }
  if (done.ok()) done = layer->CheckLeftovers();
  if (done.ok()) done = layer->Verify();
  layer->Close();
  if (done.ok()) return Ok();
  return std::move(done).error().With(std::string(kind.name) + " in " + place);
}

Tally Harness::RunFaults(std::int64_t faults) {
  Tally tally;
  std::vector<std::pair<const FaultKind*, std::int64_t>> all;
  for (const FaultKind& kind : FaultKinds()) {
    const Result<std::int64_t> calls = CountCalls(kind);
    if (!calls.ok()) {
      tally.failures.push_back(std::string(named_.name) + ": " + Told(calls));
      return tally;
    }
    for (std::int64_t at = 1; at <= *calls; ++at) all.emplace_back(&kind, at);
  }
  tally.points = std::ssize(all);
  Random choice(seed_);
  const double share =
      static_cast<double>(faults) / static_cast<double>(std::max<std::size_t>(all.size(), 1));
  for (const auto& [kind, at] : all) {
    if (std::uniform_real_distribution<double>(0, 1)(choice) >= share) continue;
    ++tally.checked;
    bool refused = false;
    const Status done = RunFault(*kind, at, refused);
    if (refused) ++tally.refused;
    if (done.ok()) continue;
    tally.failures.push_back(std::string(named_.name) + ": " + std::string(kind->name) + " at " +
                             std::to_string(at) + ": " + Told(done));
    if (tally.failures.size() >= 20) return tally;
  }
  return tally;
}

// ---- damage

/// What was read from the damaged store is what is read from the whole one, or an error that names
/// the place; what reading does not find, verification finds.
Status Harness::CheckFlip(const std::string& path, bool& found) {
  const auto layer = Make();
  const auto told = [&](const Error& error) -> Status {
    found = true;
    const ErrorCode code = error.code();
    const bool settings = path.ends_with(".toml");  // edited by people: their mistakes are told too
    if (code == ErrorCode::kCorruption || (settings && code == ErrorCode::kInvalidArgument) ||
        (settings && code == ErrorCode::kUnsupported)) {
      const std::string name = fs::path(path).stem().string();
      if (error.message().find(name) != std::string::npos) return Ok();
      return Internal("the error does not name the file: " + std::string(error.message()));
    }
    return Internal("damage is told as: " + std::string(error.message()));
  };
  if (const Status opened = layer->Open(true); !opened.ok()) return told(opened.error());
  const Result<Lines> seen = layer->Describe();
  if (!seen.ok()) return told(seen.error());
  if (*seen != expected_.front()) return Corruption("a wrong answer:" + Text(*seen));
  found = !layer->Verify().ok();
  const bool hint = path.ends_with("/head") || path.ends_with(".toml") || path.ends_with(".lock");
  if (!found && !hint) return Corruption("not found by reading nor by verification");
  return Ok();
}

Tally Harness::RunFlips(std::int64_t flips) {
  Tally tally;
  {
    const auto layer = Make();
    Status prepared = layer->Prepare();
    if (prepared.ok()) prepared = layer->Open(true);
    const Result<Lines> seen = prepared.ok() ? layer->Describe() : Lines();
    if (!prepared.ok() || !seen.ok()) {
      tally.failures.push_back(prepared.ok() ? Told(seen) : Told(prepared));
      return tally;
    }
    expected_ = {*seen};
  }
  base_ = ReadImage(folder_);
  for (const auto& [path, bytes] : base_.entries) {
    if (bytes) tally.points += std::ssize(*bytes);
  }
  Random random(seed_);
  const double share = static_cast<double>(flips) / static_cast<double>(tally.points);
  for (const auto& [path, bytes] : base_.entries) {
    for (std::size_t at = 0; bytes && at < bytes->size(); ++at) {
      if (std::uniform_real_distribution<double>(0, 1)(random) >= share) continue;
      ++tally.checked;
      const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
      const char whole = (*bytes)[at];
      const char damaged = static_cast<char>(whole ^ (1 << (random() % 8)));
      bool written = pwrite(file, &damaged, 1, static_cast<off_t>(at)) == 1;
      bool found = false;
      const Status checked = CheckFlip(path, found);
      written = pwrite(file, &whole, 1, static_cast<off_t>(at)) == 1 && written;
      close(file);
      if (found) ++tally.refused;
      if (checked.ok() && written) continue;
      tally.failures.push_back(path + " byte " + std::to_string(at) + ": " +
                               (written ? Told(checked) : "cannot be written"));
      if (tally.failures.size() >= 20) return tally;
    }
  }
  return tally;
}

}  // namespace lamina::crash
