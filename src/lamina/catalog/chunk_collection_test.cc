#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::catalog {
namespace {

constexpr ChunkKind kKind = ChunkKind::kOhlcv;

class ChunkCollectionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(Catalog::Create(io::PosixEnv(), folder_.path(), RandomUuid4()), IsOk());
    Open();
  }
  void Open() {
    catalog_.reset();
    auto opened = Catalog::Open(env_, folder_.path());
    ASSERT_THAT(opened, IsOk());
    catalog_ = *std::move(opened);
  }
  ChunkId Put(const std::string& content) {
    auto commit = catalog_->BeginCommit("put");
    EXPECT_THAT(commit, IsOk());
    auto id = (*commit)->PutChunk(kKind, content);
    EXPECT_THAT(id, IsOk());
    EXPECT_THAT((*commit)->Finish({}), IsOk());
    return *id;
  }
  static Status Fine(Database&) { return Ok(); }

  io::TemporaryFolder folder_;
  io::FaultyEnv env_{io::PosixEnv()};
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(ChunkCollectionTest, RowsAndBytesGo) {
  const ChunkId small = Put("small");
  const ChunkId large = Put(std::string(100000, 'x'));
  const ChunkId kept = Put("kept");
  auto gone = catalog_->CollectChunks(kKind, {small.sha256, large.sha256}, Fine);
  ASSERT_THAT(gone, IsOk());
  EXPECT_EQ(gone->size(), 2U);
  EXPECT_THAT(catalog_->ReadChunk(small), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(catalog_->ReadChunk(large), IsError(ErrorCode::kNotFound));
  EXPECT_FALSE(env_.Exists(folder_.File(ChunkPath(large))));
  EXPECT_THAT(catalog_->ReadChunk(kept), IsOk());
  EXPECT_EQ(Put("small"), small);
  EXPECT_THAT(catalog_->ReadChunk(small), IsOk());
}

TEST_F(ChunkCollectionTest, CheckStopsIt) {
  const ChunkId id = Put("one");
  EXPECT_THAT(catalog_->CollectChunks(kKind, {id.sha256},
                                      [](Database&) -> Status { return Conflict("no"); }),
              IsError(ErrorCode::kConflict));
  EXPECT_THAT(catalog_->ReadChunk(id), IsOk());
}

TEST_F(ChunkCollectionTest, AReferencedChunkStays) {
  const ChunkId id = Put("one");
  auto commit = catalog_->BeginCommit("name it");
  ASSERT_THAT(commit, IsOk());
  ASSERT_THAT((*commit)->Finish([&](Database& database, LakeWriter& writer) -> Status {
    LAMINA_ASSIGN(auto insert, database.Prepare("INSERT INTO chunk_ref(backtest_id, kind, sha256, "
                                                "begin_snapshot) VALUES(1, 1, ?1, ?2)"));
    return insert.BindBlob(1, id.sha256.View()).Bind(2, writer.snapshot_id()).Run();
  }),
              IsOk());
  auto gone = catalog_->CollectChunks(kKind, {id.sha256}, Fine);
  ASSERT_THAT(gone, IsOk());
  EXPECT_TRUE(gone->empty());
  EXPECT_THAT(catalog_->ReadChunk(id), IsOk());
}

// A writer that found the chunk before it was collected does not end with nothing.
TEST_F(ChunkCollectionTest, AWriterThatReusesItStartsOver) {
  const std::string content(100000, 'y');
  const ChunkId id = Put(content);
  auto writer = catalog_->BeginCommit("reuse");
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->PutChunk(kKind, content), IsOk());
  ASSERT_THAT(catalog_->CollectChunks(kKind, {id.sha256}, Fine), IsOk());
  EXPECT_THAT((*writer)->Finish({}), IsError(ErrorCode::kConflict));
  EXPECT_EQ(Put(content), id);
  EXPECT_EQ(*catalog_->ReadChunk(id), content);
}

// Cut short anywhere: the chunk is whole or gone, and the next collection ends it.
TEST_F(ChunkCollectionTest, CutShort) {
  const std::string content(100000, 'z');
  for (std::int64_t at = 1;; ++at) {
    const ChunkId id = Put(content);
    env_.SetFault({.at = at, .and_all_after = true});
    const bool finished = catalog_->CollectChunks(kKind, {id.sha256}, Fine).ok();
    const bool fired = env_.fired();
    env_.ClearFault();
    Open();
    const auto read = catalog_->ReadChunk(id);
    if (finished) {
      EXPECT_THAT(read, IsError(ErrorCode::kNotFound)) << at;
    }
    if (read.ok()) {
      EXPECT_EQ(*read, content) << at;
    }
    ASSERT_THAT(catalog_->CollectChunks(kKind, {id.sha256}, Fine), IsOk()) << at;
    EXPECT_THAT(catalog_->ReadChunk(id), IsError(ErrorCode::kNotFound)) << at;
    EXPECT_FALSE(env_.Exists(folder_.File(ChunkPath(id)))) << at;
    if (!fired) break;
    ASSERT_LT(at, 60);
  }
}

}  // namespace
}  // namespace lamina::catalog
