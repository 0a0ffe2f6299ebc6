#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/catalog_test_model.h"
#include "lamina/catalog/session_internal.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::Contents;
using test::FindRows;
using test::MakeStore;
using test::OpenStore;
using test::PutUnit;
using test::Strays;
using test::TempFolder;
using testing::ElementsAre;
using testing::IsEmpty;

io::Env& Env() { return io::PosixEnv(); }

/// A writer that commits units from `first` on and tells the pipe each that was acknowledged.
pid_t SpawnWriter(const std::string& root, std::int64_t first, int pipe_end) {
  return test::Spawn([&root, first, pipe_end] {
    const auto catalog = Catalog::Open(Env(), root);
    if (!catalog.ok()) return 1;
    const Result<LakeTable> table = FindRows(**catalog);
    if (!table.ok()) return 2;
    for (std::int64_t unit = first;; ++unit) {
      if (!PutUnit(**catalog, *table, unit).ok()) return 3;
      if (write(pipe_end, &unit, sizeof(unit)) != sizeof(unit)) return 4;
    }
  });
}

TEST(Recovery, KilledWritersLoseNothingThatWasAcknowledged) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  std::mt19937 random(20240817);
  std::set<std::int64_t> acknowledged;
  std::int64_t next = 1, died_inside = 0;
  for (int round = 0; round < 30; ++round) {
    SCOPED_TRACE(round);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const bool two = round % 3 == 2;
    std::vector<pid_t> writers = {SpawnWriter(folder.path(), next, ends[1])};
    if (two) writers.push_back(SpawnWriter(folder.path(), next + 10'000, ends[1]));
    close(ends[1]);
    usleep(std::uniform_int_distribution<useconds_t>(1'000, 90'000)(random));
    for (const pid_t writer : writers) kill(writer, SIGKILL);
    for (const pid_t writer : writers) EXPECT_EQ(test::Wait(writer), -SIGKILL);
    std::int64_t unit = 0;
    std::set<std::int64_t> now;
    while (read(ends[0], &unit, sizeof(unit)) == sizeof(unit)) now.insert(unit);
    close(ends[0]);
    acknowledged.insert(now.begin(), now.end());

    // Whole before anything is recovered, and the unacknowledged at most one for each writer.
    const auto check = [&] {
      const std::set<std::int64_t> there = Contents(*OpenStore(folder.path(), true));
      EXPECT_TRUE(
          std::includes(there.begin(), there.end(), acknowledged.begin(), acknowledged.end()));
      EXPECT_LE(there.size(), acknowledged.size() + writers.size());
      return there;
    };
    const std::set<std::int64_t> before = check();
    died_inside += !Strays(*OpenStore(folder.path(), true)).empty();
    test::Recover(folder.path());
    EXPECT_EQ(check(), before) << "recovery changed what is there";
    EXPECT_THAT(Strays(*OpenStore(folder.path(), true)), IsEmpty());
    acknowledged = before;
    next += 100;
    if (HasFailure()) return;
  }
  EXPECT_GT(acknowledged.size(), 10U);
  EXPECT_GT(died_inside, 3) << "the kills hit nothing";
}

TEST(Session, ATouchReachesTheLog) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto database = Database::Open(folder.File("catalog.sqlite"), OpenMode::kReadWrite);
  ASSERT_THAT(database, IsOk());
  const auto session = internal::WriterSession::Start(Env(), folder.path(), **database);
  ASSERT_THAT(session, IsOk());
  const auto log = [&] { return std::filesystem::file_size(folder.File("catalog.sqlite-wal")); };
  const std::uintmax_t before = log();
  ASSERT_THAT((*session)->Touch(), IsOk());
  EXPECT_GT(log(), before) << "nothing was written over";
}

TEST(Recovery, AReaderNeverRecovers) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const std::string dead = folder.File("staging/" + RandomUuid4().ToString());
  std::filesystem::create_directory(dead);
  std::ofstream(dead + "/x.parquet") << "x";
  {
    EXPECT_THAT(Contents(*OpenStore(folder.path(), true)), IsEmpty());
  }
  {
    EXPECT_THAT(Contents(*OpenStore(folder.path(), false)), IsEmpty());
  }
  EXPECT_TRUE(std::filesystem::exists(dead + "/x.parquet")) << "before the first write";
  test::Recover(folder.path());
  EXPECT_FALSE(std::filesystem::exists(dead));
}

TEST(Recovery, UnlinksOnlyWhatAWholeIntentNamesAndNoRowDoes) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  {
    const auto catalog = OpenStore(folder.path());
    ASSERT_THAT(PutUnit(*catalog, *FindRows(*catalog), 1), IsOk());
  }
  std::string committed_file;
  for (const std::string& path : folder.List()) {
    if (path.starts_with("lake/")) committed_file = path.substr(5);
  }
  const ChunkId committed{ChunkKind::kSeries, Sha256(test::LargeContent(1))};
  const ChunkId orphan{ChunkKind::kSeries, Sha256(test::LargeContent(77))};
  const auto touch = [&](const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(folder.File(path)).parent_path());
    std::ofstream(folder.File(path)) << "x";
  };
  for (const std::string& path :
       {std::string("lake/model/rows/a.parquet"), std::string("lake/model/rows/b.parquet"),
        std::string("lake/model/rows/c.parquet"), ChunkPath(orphan), std::string("precious")}) {
    touch(path);
  }
  internal::Intent intent;
  intent.lake_paths = {"model/rows/a.parquet", committed_file, "model/rows/never-renamed.parquet"};
  intent.chunk_paths = {ChunkPath(orphan), ChunkPath(committed), "precious"};
  const auto put_session = [&](const std::string& name, const std::string& bytes) {
    const std::string session = "staging/" + RandomUuid4().ToString();
    touch(session + "/lock");
    std::ofstream(folder.File(session + "/" + name)) << bytes;
    return folder.File(session);
  };
  std::vector<std::string> sessions = {put_session("1.intent", *EncodeIntent(intent))};
  intent.lake_paths = {"model/rows/b.parquet"};
  const std::string whole = *EncodeIntent(intent);
  sessions.push_back(put_session("2.intent", whole.substr(0, whole.size() - 1)));
  touch("staging/not-a-session/c");
  const std::string live = put_session("3.intent", whole);
  const auto lock = Env().TryLock(live + "/lock");
  ASSERT_THAT(lock, IsOk());

  test::Recover(folder.path());
  for (const std::string& session : sessions) EXPECT_FALSE(std::filesystem::exists(session));
  EXPECT_TRUE(std::filesystem::exists(live)) << "its process lives";
  EXPECT_FALSE(std::filesystem::exists(folder.File("lake/model/rows/a.parquet")));
  EXPECT_FALSE(std::filesystem::exists(folder.File(ChunkPath(orphan))));
  for (const std::string& path :
       {std::string("lake/model/rows/b.parquet"), std::string("lake/model/rows/c.parquet"),
        "lake/" + committed_file, ChunkPath(committed), std::string("precious"),
        std::string("staging/not-a-session/c")}) {
    EXPECT_TRUE(std::filesystem::exists(folder.File(path))) << path;
  }
  EXPECT_THAT(Contents(*OpenStore(folder.path(), true)), ElementsAre(1));
}

TEST(Session, EndsAndNumbersItself) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto database = *Database::Open(folder.File("catalog.sqlite"), OpenMode::kReadWrite);
  std::int64_t before = 0;
  {
    const auto session = *internal::WriterSession::Start(Env(), folder.path(), *database);
    before = session->writer();
    EXPECT_TRUE(std::filesystem::exists(session->folder() + "/lock"));
    EXPECT_THAT(session->Touch(), IsOk());
    EXPECT_EQ(test::InChild([&] {
                // The child cannot keep the session alive, nor end it.
                return session->inherited() ? 0 : 1;
              }),
              ChildExit(0));
    EXPECT_THAT(Env().TryLock(session->folder() + "/lock"), IsError(ErrorCode::kConflict));
  }
  EXPECT_THAT(*OpenStore(folder.path(), true)->OpenSessions(), IsEmpty());
  const auto session = *internal::WriterSession::Start(Env(), folder.path(), *database);
  EXPECT_EQ(session->writer(), before + 1);
}

TEST(Session, AChildThatOutlivesItsParentDoesNotKeepTheLock) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t parent = test::Spawn([&]() -> int {
    const auto catalog = Catalog::Open(Env(), folder.path());
    const auto commit = (*catalog)->BeginCommit("x");
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      const pid_t self = getpid();
      alarm(60);
      if (write(ends[1], &self, sizeof(self)) == sizeof(self)) pause();
      _exit(3);
    }
    _exit(commit.ok() ? 0 : 2);  // without ending the session
  });
  EXPECT_EQ(test::Wait(parent), ChildExit(0));
  pid_t grandchild = 0;
  ASSERT_EQ(read(ends[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
  const auto sessions = *OpenStore(folder.path(), true)->OpenSessions();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_FALSE(sessions[0].alive);
  test::Recover(folder.path());
  EXPECT_THAT(Strays(*OpenStore(folder.path(), true)), IsEmpty());
  kill(grandchild, SIGKILL);
}

}  // namespace
}  // namespace lamina::catalog
