#include "lamina/upkeep/verify_store.h"

#include <string_view>
#include <utility>

#include "lamina/backtests/verify.h"
#include "lamina/catalog/verify.h"
#include "lamina/ticks/verify_ticks.h"

namespace lamina::upkeep {
namespace {

struct Remedy {
  std::string_view kind, text;
  bool repairable;
};

constexpr Remedy kRemedies[] = {
    {"head", "`lamina repair` writes it again from the catalog", true},
    {"index", "`lamina repair` makes the rank table again from the stored documents", true},
    {"statistics", "`lamina repair` takes the statistics from the file again", true},
    {"lake-file",
     "restore it from a backup; `lamina repair` moves a damaged file to quarantine/, and "
     "`lamina delete` and a new import of the backtests it holds replace it",
     true},
    {"delete-file", "restore it from a backup: without it deleted rows would come back", false},
    {"chunk",
     "import a bundle that has it again, which stores it anew, or restore it from a backup; "
     "`lamina repair` moves a damaged file to quarantine/",
     true},
    {"objects", "`lamina repair` makes its index again; else restore a backup", true},
    {"catalog", "restore a backup: the catalog is what everything else is known by", false},
    {"tick-statistics", "`lamina repair` counts them anew from the archive's files", true},
    {"tick-archive", "restore a backup: the rows of the archive's files do not fit them", false},
    {"tick-log",
     "ticks in the damaged place are lost unless a backup has them; the rest of the log is read "
     "and archived",
     false},
    {"document", "restore a backup, or delete the backtest and import it again", false},
};

StoreProblem WithRemedy(std::string kind, std::string path, std::string detail) {
  StoreProblem problem{std::move(kind), std::move(path), std::move(detail),
                       "delete the backtest and import it again, or restore a backup", false};
  for (const Remedy& remedy : kRemedies) {
    if (remedy.kind != problem.kind) continue;
    problem.remedy = remedy.text;
    problem.repairable = remedy.repairable;
  }
  return problem;
}

}  // namespace

Result<StoreVerification> VerifyStore(store::Store& store, bool deep, const CancelToken* cancel,
                                      const catalog::WorkProgressCall& progress) {
  StoreVerification all;
  LAMINA_ASSIGN(auto files, catalog::VerifyCatalog(store.catalog(), deep, cancel, progress));
  all.checked_files = files.checked_files;
  all.checked_chunks = files.checked_chunks;
  all.checked_bytes = files.checked_bytes;
  for (auto& problem : files.problems) {
    all.problems.push_back(
        WithRemedy(std::move(problem.kind), std::move(problem.path), std::move(problem.detail)));
  }
  LAMINA_ASSIGN(auto rows, backtests::VerifyBacktests(store.backtests(), deep, cancel));
  all.checked_backtests = rows.checked_backtests;
  all.checked_runs = rows.checked_runs;
  all.checked_documents = rows.checked_documents;
  for (auto& problem : rows.problems) {
    all.problems.push_back(
        WithRemedy(std::move(problem.kind), std::move(problem.path), std::move(problem.detail)));
  }
  LAMINA_ASSIGN(auto ticks, ticks::VerifyTicks(store.catalog(), deep, cancel));
  for (auto& problem : ticks) {
    all.problems.push_back(
        WithRemedy(std::move(problem.kind), std::move(problem.path), std::move(problem.detail)));
  }
  return all;
}

}  // namespace lamina::upkeep
