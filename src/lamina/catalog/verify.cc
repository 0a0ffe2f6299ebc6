#include "lamina/catalog/verify.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/hash.h"
#include "lamina/catalog/catalog_internal.h"
#include "lamina/catalog/head_internal.h"
#include "lamina/catalog/lake_files.h"
#include "lamina/catalog/price_recipes.h"
#include "lamina/catalog/statistics_check.h"
#include "lamina/table/parquet_file.h"

namespace lamina::catalog {
namespace {

constexpr std::string_view kParquetMagic = "PAR1";
constexpr std::int64_t kParquetTailBytes = 8;  // footer length, magic
constexpr std::int64_t kFooterBytesMax = std::int64_t{1} << 30;

const char* KindOf(const NamedLakeFile& file) { return file.deletes ? "delete-file" : "lake-file"; }

class Verifier {
 public:
  Verifier(Catalog& catalog, bool deep, const CancelToken* cancel, const WorkProgressCall& progress)
      : catalog_(catalog), deep_(deep), cancel_(cancel), progress_call_(progress) {}

  Result<VerifyReport> Run() {
    CheckDatabases();
    CheckHead();
    std::vector<NamedLakeFile> files;
    std::vector<std::pair<ChunkId, std::int64_t>> chunks;
    const Status listed = catalog_.Read([&](Database& database) -> Status {
      LAMINA_TRY(ListFiles(database, files));
      LAMINA_TRY(ListChunks(database, chunks));
      LAMINA_ASSIGN(const auto untrue, TableStatisticsProblems(database));
      for (const std::string& problem : untrue) Add("statistics", "catalog.sqlite", problem);
      return ListLooseReferences(database);
    });
    if (!listed.ok()) Add("catalog", "catalog.sqlite", listed.error());

    progress_.files_total = static_cast<std::int64_t>(files.size() + chunks.size());
    progress_.bytes_total = report_.checked_bytes;
    const auto cancelled = [&] { return cancel_ != nullptr && cancel_->cancelled(); };
    const std::size_t workers = deep_ ? 0 : 1;
    LAMINA_TRY(ParallelFor(files.size(), workers, [&](std::size_t i, std::size_t) -> Status {
      if (cancelled()) return Cancelled("verify was cancelled");
      CheckFile(files[i]);
      Done(files[i].size_bytes);
      return Ok();
    }));
    LAMINA_TRY(ParallelFor(chunks.size(), workers, [&](std::size_t i, std::size_t) -> Status {
      if (cancelled()) return Cancelled("verify was cancelled");
      const Status checked = catalog_.CheckChunk(chunks[i].first, deep_);
      if (!checked.ok()) Add("chunk", chunks[i].first.ToString(), checked.error());
      Done(chunks[i].second);
      return Ok();
    }));
    std::sort(report_.problems.begin(), report_.problems.end(),
              [](const VerifyProblem& a, const VerifyProblem& b) {
                return std::tie(a.kind, a.path, a.detail) < std::tie(b.kind, b.path, b.detail);
              });
    return std::move(report_);
  }

 private:
  void Done(std::int64_t bytes) {
    if (!progress_call_) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    ++progress_.files_done;
    progress_.bytes_done += bytes;
    progress_call_(progress_);
  }
  void Add(std::string_view kind, std::string_view path, std::string_view detail) {
    const std::lock_guard<std::mutex> lock(mutex_);
    report_.problems.push_back({std::string(kind), std::string(path), std::string(detail)});
  }
  void Add(std::string_view kind, std::string_view path, const Error& error) {
    Add(kind, path, error.message());
  }

  Status CheckPages(Database& database, std::string_view kind, std::string_view path) {
    LAMINA_ASSIGN(Statement check,
                  database.Prepare(deep_ ? "PRAGMA integrity_check" : "PRAGMA quick_check"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, check.Step());
      if (!row) return Ok();
      if (check.Text(0) != "ok") Add(kind, path, check.Text(0));
    }
  }

  void CheckDatabases() {
    const Status catalog = catalog_.Read(
        [&](Database& database) { return CheckPages(database, "catalog", "catalog.sqlite"); });
    if (!catalog.ok()) Add("catalog", "catalog.sqlite", catalog.error());
    // The objects file may be large: its structure is walked only when everything is read anyway.
    const Status objects = catalog_.ReadObjects([&](Database& database) -> Status {
      return deep_ ? CheckPages(database, "objects", "objects.sqlite") : Ok();
    });
    if (!objects.ok()) Add("objects", "objects.sqlite", objects.error());
  }

  void CheckHead() {
    const Result<std::string> bytes =
        catalog_.env().ReadFile(io::JoinPath(catalog_.root(), "head"), 4096);
    if (!bytes.ok()) {
      if (bytes.error().code() != ErrorCode::kNotFound) Add("head", "head", bytes.error());
      return;
    }
    // A head is replaced without a sync: a power cut may leave nothing of it, or zeros.
    if (bytes->find_first_not_of('\0') == std::string::npos) return;
    const Result<std::int64_t> head = internal::DecodeHead(*bytes);
    if (!head.ok()) Add("head", "head", head.error());
  }

  Status ListFiles(Database& database, std::vector<NamedLakeFile>& files) {
    LAMINA_ASSIGN(files, AllLakeFiles(database));
    report_.checked_files += static_cast<std::int64_t>(files.size());
    for (const NamedLakeFile& file : files) report_.checked_bytes += file.size_bytes;
    return Ok();
  }

  /// A chunk whose row has ended is being collected: its bytes may have gone.
  Status ListChunks(Database& database, std::vector<std::pair<ChunkId, std::int64_t>>& chunks) {
    LAMINA_ASSIGN(Statement read,
                  database.Prepare("SELECT kind, sha256, stored_bytes FROM chunk WHERE "
                                   "end_snapshot IS NULL"));
    LAMINA_ASSIGN(const auto recipes, ListPriceRecipes(database));
    for (const PriceRecipe& recipe : recipes) {
      chunks.emplace_back(ChunkId{ChunkKind::kOhlcv, recipe.sha256}, recipe.content_bytes);
    }
    for (;;) {
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) return Ok();
      ++report_.checked_chunks;
      report_.checked_bytes += read.Int(2);
      const std::optional<ChunkKind> kind = ChunkKindFromNumber(read.Int(0));
      const Result<Sha256Digest> digest = Sha256Digest::FromBytes(read.Blob(1));
      if (kind && digest.ok()) {
        chunks.emplace_back(ChunkId{*kind, *digest}, read.Int(2));
      } else {
        Add("catalog", "catalog.sqlite",
            "table chunk: no chunk has kind " + std::to_string(read.Int(0)) + " and id " +
                ToHex(read.Blob(1)));
      }
    }
  }

  /// Price files that only deleted backtests name may have been collected.
  Status ListLooseReferences(Database& database) {
    LAMINA_ASSIGN(Statement read,
                  database.Prepare("SELECT r.backtest_id, r.kind, r.sha256 FROM chunk_ref r "
                                   "LEFT JOIN chunk c ON c.kind = r.kind AND c.sha256 = r.sha256 "
                                   "WHERE c.kind IS NULL AND (r.end_snapshot IS NULL OR "
                                   "r.kind <> ?1)"));
    read.Bind(1, static_cast<std::int64_t>(ChunkKind::kOhlcv));
    for (;;) {
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) return Ok();
      Add("chunk-ref", "catalog.sqlite",
          "backtest " + std::to_string(read.Int(0)) + " needs chunk " +
              std::string(ChunkKindName(static_cast<ChunkKind>(read.Int(1)))) + "/" +
              ToHex(read.Blob(2)) + ", which the catalog does not have");
    }
  }

  void CheckFile(const NamedLakeFile& file) {
    const std::string shown = "lake/" + file.path;
    const Status outside = CheckOutside(file);
    if (!outside.ok()) return Add(KindOf(file), shown, outside.error());
    if (!deep_) return;
    // The checksums of pages leave out their headers and the page index; this one covers every
    // byte.
    const Status bytes =
        internal::CheckFileChecksum(catalog_.env(), catalog_.LakePath(file.path), file.file_crc32c);
    if (!bytes.ok()) return Add(KindOf(file), shown, bytes.error());
    table::ReadOptions read;
    read.footer_crc32c = static_cast<std::uint32_t>(*file.footer_crc32c);
    const auto rows = table::ReadParquet(catalog_.env(), catalog_.LakePath(file.path), read);
    if (!rows.ok()) return Add(KindOf(file), shown, rows.error());
    if ((*rows)->num_rows() != file.rows) {
      Add(KindOf(file), shown,
          "holds " + std::to_string((*rows)->num_rows()) + " rows instead of " +
              std::to_string(file.rows));
    }
    if (!file.deletes) CheckStatistics(file, shown, **rows);
  }

  void CheckStatistics(const NamedLakeFile& file, const std::string& shown,
                       const arrow::Table& rows) {
    std::vector<StoredStatistics> stored;
    const Status read = catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(stored, ReadStatistics(database, file.file_id));
      return Ok();
    });
    if (!read.ok()) return Add("statistics", shown, read.error());
    const auto problems = StatisticsProblems(stored, rows);
    if (!problems.ok()) return Add("statistics", shown, problems.error());
    for (const std::string& problem : *problems) Add("statistics", shown, problem);
  }

  /// Size and footer.
  Status CheckOutside(const NamedLakeFile& file) {
    LAMINA_ASSIGN(const auto opened, catalog_.env().OpenReadable(catalog_.LakePath(file.path)));
    if (opened->size() != file.size_bytes) {
      return Corruption("has " + std::to_string(opened->size()) + " bytes instead of " +
                        std::to_string(file.size_bytes));
    }
    if (!file.footer_crc32c) return Corruption("the catalog has no checksum of its footer");
    if (file.footer_size < 0 || file.footer_size > kFooterBytesMax ||
        file.footer_size + kParquetTailBytes > file.size_bytes) {
      return Corruption("the catalog claims a footer of " + std::to_string(file.footer_size) +
                        " bytes");
    }
    std::string tail(static_cast<std::size_t>(file.footer_size + kParquetTailBytes), '\0');
    LAMINA_TRY(opened->ReadAt(file.size_bytes - file.footer_size - kParquetTailBytes, tail.size(),
                              tail.data()));
    const ByteView footer(tail.data(), static_cast<std::size_t>(file.footer_size));
    if (!tail.ends_with(kParquetMagic) ||
        LoadLittleEndian<std::uint32_t>(tail.data() + footer.size()) != footer.size()) {
      return Corruption("does not end in a Parquet footer");
    }
    if (Crc32c(footer) != static_cast<std::uint32_t>(*file.footer_crc32c)) {
      return Corruption("the footer does not match its checksum");
    }
    return Ok();
  }

  Catalog& catalog_;
  const bool deep_;
  const CancelToken* const cancel_;
  const WorkProgressCall& progress_call_;
  WorkProgress progress_;
  std::mutex mutex_;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> VerifyCatalog(Catalog& catalog, bool deep, const CancelToken* cancel,
                                   const WorkProgressCall& progress) {
  return Verifier(catalog, deep, cancel, progress).Run();
}

}  // namespace lamina::catalog
