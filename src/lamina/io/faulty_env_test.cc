#include "lamina/io/faulty_env.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::io {
namespace {

using testing::HasSubstr;

class FaultyEnvTest : public testing::Test {
 protected:
  std::string P(std::string_view name) const { return folder_.File(name); }

  std::unique_ptr<WritableFile> Open(std::string_view name) {
    Result<std::unique_ptr<WritableFile>> file = env_.NewWritableFile(P(name));
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }
  /// A file whose bytes are synced; its name is not.
  void Write(std::string_view name, ByteView data) {
    const auto file = Open(name);
    EXPECT_THAT(file->Append(data), IsOk());
    EXPECT_THAT(file->Sync(), IsOk());
    EXPECT_THAT(file->Close(), IsOk());
  }
  void SyncFolder(std::string_view name = "") {
    EXPECT_THAT(env_.SyncDirectory(name.empty() ? folder_.path() : P(name)), IsOk());
  }
  /// The names and contents of a folder, as the real environment sees them.
  std::string Shown(std::string_view name = "") {
    std::string shown;
    const std::string path = name.empty() ? folder_.path() : P(name);
    const auto entries = *PosixEnv().ListDirectory(path);
    for (const DirectoryEntry& entry : entries) {
      shown += entry.name + "=";
      shown += entry.is_directory ? "/" : *PosixEnv().ReadFile(JoinPath(path, entry.name), 1 << 20);
      shown += ' ';
    }
    return shown;
  }

  TemporaryFolder folder_;
  FaultyEnv env_{PosixEnv()};
};

TEST_F(FaultyEnvTest, WithoutFaultItIsTheTarget) {
  Write("a", "one");
  EXPECT_THAT(env_.Rename(P("a"), P("b")), IsOk());
  EXPECT_EQ(*env_.ReadFile(P("b"), 10), "one");
  EXPECT_THAT(env_.RenameToNew(P("b"), P("b")), IsError(ErrorCode::kAlreadyExists));
  EXPECT_EQ(env_.Stat(P("b"))->size, 3);
  EXPECT_EQ(env_.ListDirectory(folder_.path())->size(), 1U);
  std::string bytes(2, '\0');
  EXPECT_THAT((*env_.OpenReadable(P("b")))->ReadAt(1, 2, bytes.data()), IsOk());
  EXPECT_EQ(bytes, "ne");
  EXPECT_THAT(env_.Unlink(P("b")), IsOk());
  EXPECT_THAT(env_.CreateDirectories(P("d/e")), IsOk());
  EXPECT_THAT(env_.RemoveDirectory(P("d/e")), IsOk());
  EXPECT_THAT(env_.TryLock(P("lock")), IsOk());
  EXPECT_EQ(Shown(), "d=/ lock= ");
}

TEST_F(FaultyEnvTest, FailsTheKthAndOnlyIt) {
  for (std::int64_t at = 1; at <= 4; ++at) {
    env_.SetFault({.at = at, .code = ErrorCode::kIo});
    std::vector<bool> went;
    const auto file = env_.NewWritableFile(P("x"));
    went.push_back(file.ok());
    if (file.ok()) {
      went.push_back((*file)->Append("abc").ok());
      went.push_back((*file)->Close().ok() || at == 2);  // fails after a failed append
    }
    went.push_back(env_.Unlink(P("x")).ok() || at == 1);
    EXPECT_EQ(std::count(went.begin(), went.end(), false), 1) << at;
    EXPECT_TRUE(env_.fired());
    env_.ClearFault();
    EXPECT_FALSE(env_.fired());
    (void)env_.Unlink(P("x"));
  }
}

TEST_F(FaultyEnvTest, TheErrorIsTheChosenOneAndNamesThePlace) {
  env_.SetFault({.at = 1, .code = ErrorCode::kResourceExhausted});
  EXPECT_THAT(env_.NewWritableFile(P("x")),
              IsError(ErrorCode::kResourceExhausted, HasSubstr("create " + P("x"))));
  EXPECT_EQ(Shown(), "");
}

TEST_F(FaultyEnvTest, AllAfter) {
  env_.SetFault({.at = 2, .and_all_after = true, .operations = OperationSet::All()});
  EXPECT_THAT(env_.CreateDirectories(P("d")), IsOk());
  EXPECT_THAT(env_.Stat(P("d")), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.Stat(P("d")), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.Unlink(P("d")), IsError(ErrorCode::kIo));
  env_.ClearFault();
  EXPECT_THAT(env_.Stat(P("d")), IsOk());
}

TEST_F(FaultyEnvTest, CountsOnlyTheChosenOperations) {
  Write("x", "abc");
  env_.SetFault({.at = 2, .operations = {Operation::kRename}});
  EXPECT_THAT(env_.Rename(P("x"), P("y")), IsOk());
  EXPECT_THAT(env_.Unlink(P("absent")), IsError(ErrorCode::kNotFound));
  EXPECT_EQ(env_.count(), 1);
  EXPECT_THAT(env_.Rename(P("y"), P("z")), IsError(ErrorCode::kIo));
  EXPECT_EQ(env_.count(), 2);
  EXPECT_EQ(Shown(), "y=abc ");

  EXPECT_FALSE(OperationSet::Changes().Has(Operation::kRead));
  EXPECT_TRUE(OperationSet::Changes().Has(Operation::kLock));
  EXPECT_FALSE(OperationSet::Looks().Has(Operation::kLock));
  EXPECT_TRUE(OperationSet::Looks().Has(Operation::kOpen));
  env_.SetFault({.at = 1, .code = ErrorCode::kCorruption, .operations = OperationSet::Looks()});
  EXPECT_THAT(env_.Rename(P("y"), P("x")), IsOk());
  EXPECT_THAT(env_.ReadFile(P("x"), 10), IsError(ErrorCode::kCorruption));
}

TEST_F(FaultyEnvTest, TornAndDoneEffects) {
  env_.SetFault({.at = 2, .effect = Fault::Effect::kTorn});
  {
    const auto file = Open("x");
    EXPECT_THAT(file->Append("abcdef"), IsError(ErrorCode::kIo));
    EXPECT_THAT(file->Append("g"), IsError(ErrorCode::kIo, HasSubstr("earlier failure")));
    EXPECT_THAT(file->Sync(), IsError(ErrorCode::kIo));
  }
  EXPECT_EQ(Shown(), "x=abc ");
  env_.SetFault({.at = 1, .effect = Fault::Effect::kDone});
  EXPECT_THAT(env_.Rename(P("x"), P("y")), IsError(ErrorCode::kIo));
  EXPECT_EQ(Shown(), "y=abc ");
  env_.SetFault({.at = 2, .effect = Fault::Effect::kDone});
  EXPECT_THAT(Open("z")->Append("whole"), IsError(ErrorCode::kIo));
  EXPECT_EQ(Shown(), "y=abc z=whole ");
}

TEST_F(FaultyEnvTest, Records) {
  Write("x", "abc");
  EXPECT_THAT(env_.Unlink(P("absent")), IsError(ErrorCode::kNotFound));
  std::string shown;
  for (const FaultyEnv::Record& record : env_.Records()) {
    shown += std::string(OperationName(record.operation)) + (record.ok ? "" : "!") + " ";
  }
  EXPECT_EQ(shown, "create append sync close unlink! ");
  EXPECT_EQ(env_.Records()[4].path, P("absent"));
  env_.ClearRecords();
  EXPECT_TRUE(env_.Records().empty());
}

TEST_F(FaultyEnvTest, UnsyncedBytesAreLost) {
  const auto file = Open("x");
  SyncFolder();
  EXPECT_THAT(file->Append("durable"), IsOk());
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_THAT(file->Append("lost"), IsOk());
  EXPECT_TRUE(env_.UnsyncedNames().empty());
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "x=durable ");
  EXPECT_THAT(file->Append("x"), IsError(ErrorCode::kIo, HasSubstr("power")));
  EXPECT_THAT(file->Sync(), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "x=durable ");
}

TEST_F(FaultyEnvTest, TornTails) {
  using namespace std::string_literals;
  const struct {
    FaultyEnv::Tail tail;
    std::string content;
  } cases[] = {{FaultyEnv::Tail::kLost, "ab"s},
               {FaultyEnv::Tail::kHalf, "abcd"s},
               {FaultyEnv::Tail::kZeros, "ab\0\0\0\0"s}};
  for (const auto& c : cases) {
    const auto file = Open("x");
    SyncFolder();
    EXPECT_THAT(file->Append("ab"), IsOk());
    EXPECT_THAT(file->Sync(), IsOk());
    EXPECT_THAT(file->Append("cdef"), IsOk());
    EXPECT_THAT(env_.LoseUnsynced(c.tail), IsOk());
    EXPECT_EQ(*PosixEnv().ReadFile(P("x"), 100), c.content);
  }
}

TEST_F(FaultyEnvTest, PlacedWritesAreLostUntilTheyAreSynced) {
  struct Case {
    FaultyEnv::Tail tail;
    std::string left;
  };
  for (const Case& c :
       {Case{FaultyEnv::Tail::kLost, "x=abZZef "}, Case{FaultyEnv::Tail::kHalf, "x=1bZZefg "},
        Case{FaultyEnv::Tail::kZeros, std::string("x=abZZef\0\0 ", 11)}}) {
    static_cast<void>(PosixEnv().Unlink(P("x")));
    Write("x", "abcdef");
    SyncFolder();
    const auto file = *env_.OpenPlaced(P("x"), Env::Place::kExisting);
    EXPECT_THAT(file->WriteAt(2, "ZZ"), IsOk());
    EXPECT_THAT(file->Sync(), IsOk());
    EXPECT_THAT(file->WriteAt(0, "1"), IsOk());
    EXPECT_THAT(file->WriteAt(5, "fgh"), IsOk());
    EXPECT_EQ(Shown(), "x=1bZZefgh ");
    EXPECT_THAT(env_.LoseUnsynced(c.tail), IsOk());
    EXPECT_EQ(Shown(), c.left);
    EXPECT_THAT(file->Sync(), IsError(ErrorCode::kIo));
  }
}

TEST_F(FaultyEnvTest, PlacedFilesFailAndAreTruncated) {
  const auto file = *env_.OpenPlaced(P("y"), Env::Place::kNew);
  EXPECT_THAT(env_.OpenPlaced(P("y"), Env::Place::kNew), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(file->WriteAt(0, "123456"), IsOk());
  EXPECT_THAT(file->Truncate(4), IsOk());
  env_.SetFault({.at = 1, .effect = Fault::Effect::kTorn, .operations = {Operation::kAppend}});
  EXPECT_THAT(file->WriteAt(0, "abcd"), IsError(ErrorCode::kIo));
  env_.ClearFault();
  EXPECT_EQ(Shown(), "y=ab34 ");
  EXPECT_THAT(file->WriteAt(0, "abcd"), IsError(ErrorCode::kIo)) << "of no more use";
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "") << "the name was never synced";
}

TEST_F(FaultyEnvTest, FailedSyncKeepsNothing) {
  const auto file = Open("x");
  SyncFolder();
  EXPECT_THAT(file->Append("abc"), IsOk());
  env_.SetFault({.at = 1, .operations = {Operation::kSync}});
  EXPECT_THAT(file->Sync(), IsError(ErrorCode::kIo));
  EXPECT_THAT(file->Sync(), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "x= ");
}

TEST_F(FaultyEnvTest, UnsyncedNamesAreUndone) {
  Write("kept", "1");
  Write("renamed", "2");
  Write("removed", "3");
  Write("replaced", "4");
  SyncFolder();
  Write("new", "5");
  EXPECT_THAT(env_.Rename(P("renamed"), P("other")), IsOk());
  EXPECT_THAT(env_.Unlink(P("removed")), IsOk());
  EXPECT_THAT(env_.Rename(P("new"), P("replaced")), IsOk());
  EXPECT_EQ(Shown(), "kept=1 other=2 replaced=5 ");
  EXPECT_EQ(env_.UnsyncedNames().size(), 4U);
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "kept=1 removed=3 renamed=2 replaced=4 ");
}

TEST_F(FaultyEnvTest, SyncedNamesStay) {
  Write("a", "1");
  Write("b", "2");
  EXPECT_THAT(env_.Rename(P("a"), P("c")), IsOk());
  EXPECT_THAT(env_.Unlink(P("b")), IsOk());
  SyncFolder();
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "c=1 ");
}

TEST_F(FaultyEnvTest, DurableNameOfUnsyncedBytesIsAnEmptyFile) {
  const auto file = Open("temporary");
  EXPECT_THAT(file->Append("abc"), IsOk());
  EXPECT_THAT(file->Close(), IsOk());
  EXPECT_THAT(env_.Rename(P("temporary"), P("final")), IsOk());
  SyncFolder();
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "final= ");
}

TEST_F(FaultyEnvTest, TruncationInPlaceLosesTheOldBytes) {
  Write("x", "old");
  SyncFolder();
  EXPECT_THAT(Open("x")->Append("new"), IsOk());
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "x= ");
}

TEST_F(FaultyEnvTest, RenameBelongsToTheFolderOfTheNewName) {
  ASSERT_THAT(env_.CreateDirectories(P("from")), IsOk());
  ASSERT_THAT(env_.CreateDirectories(P("to")), IsOk());
  for (const bool synced : {false, true}) {
    Write("from/x", "1");
    SyncFolder("from");
    EXPECT_THAT(env_.Rename(P("from/x"), P("to/x")), IsOk());
    if (synced) SyncFolder("to");
    EXPECT_THAT(env_.LoseUnsynced(), IsOk());
    EXPECT_EQ(Shown("from"), synced ? "" : "x=1 ");
    EXPECT_EQ(Shown("to"), synced ? "x=1 " : "");
  }
}

TEST_F(FaultyEnvTest, StagedFileThatWasNeverSyncedInItsFolder) {
  ASSERT_THAT(env_.CreateDirectories(P("staging")), IsOk());
  ASSERT_THAT(env_.CreateDirectories(P("lake")), IsOk());
  Write("staging/x", "1");
  EXPECT_THAT(env_.Rename(P("staging/x"), P("lake/x")), IsOk());
  SyncFolder("lake");
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown("lake"), "x=1 ");
  EXPECT_EQ(Shown("staging"), "");
}

TEST_F(FaultyEnvTest, RemovedFolders) {
  ASSERT_THAT(env_.CreateDirectories(P("d")), IsOk());
  Write("d/x", "1");
  SyncFolder("d");
  EXPECT_THAT(env_.Unlink(P("d/x")), IsOk());
  EXPECT_THAT(env_.RemoveDirectory(P("d")), IsOk());
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "d=/ ");
  EXPECT_EQ(Shown("d"), "x=1 ");

  EXPECT_THAT(env_.Unlink(P("d/x")), IsOk());
  EXPECT_THAT(env_.RemoveDirectory(P("d")), IsOk());
  SyncFolder();
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "");
}

TEST_F(FaultyEnvTest, RenamedFolders) {
  ASSERT_THAT(env_.CreateDirectories(P("a")), IsOk());
  Write("a/x", "1");
  SyncFolder("a");
  const auto open = Open("a/y");
  EXPECT_THAT(open->Append("tail"), IsOk());
  SyncFolder("a");
  EXPECT_THAT(env_.Rename(P("a"), P("b")), IsOk());
  SyncFolder();
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "b=/ ");
  EXPECT_EQ(Shown("b"), "x=1 y= ");
  EXPECT_THAT(env_.Rename(P("b"), P("c")), IsOk());
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown("b"), "x=1 y= ");
}

TEST_F(FaultyEnvTest, PathsSpeltDifferentlyAreTheSameFile) {
  const auto file = Open("x");
  EXPECT_THAT(file->Append("abc"), IsOk());
  EXPECT_THAT(env_.Rename(P("./x"), P("sub/../y")), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(env_.CreateDirectories(P("sub")), IsOk());
  EXPECT_THAT(env_.Rename(P("./x"), P("sub/../y")), IsOk());
  EXPECT_THAT(env_.SyncDirectory(P("sub/..")), IsOk());
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "sub=/ y= ");
}

TEST_F(FaultyEnvTest, ForeignFilesAreDurable) {
  ASSERT_THAT(PosixEnv().WriteFileAtomically(P("x"), "foreign"), IsOk());
  EXPECT_THAT(env_.Rename(P("x"), P("y")), IsOk());
  EXPECT_THAT(env_.Unlink(P("y")), IsOk());
  EXPECT_THAT(env_.LoseUnsynced(), IsOk());
  EXPECT_EQ(Shown(), "x=foreign ");
}

TEST_F(FaultyEnvTest, Clock) {
  EXPECT_LE(std::abs(env_.Now().value - PosixEnv().Now().value), 10'000'000'000);
  env_.SetNow(Nanos{1000});
  EXPECT_EQ(env_.Now(), Nanos{1000});
  const Nanos before = env_.Monotonic();
  env_.AdvanceClock(3'600'000'000'000);
  EXPECT_EQ(env_.Now(), Nanos{3'600'000'001'000});
  EXPECT_GE(env_.Monotonic().value - before.value, 3'600'000'000'000);
  env_.SetNow(std::nullopt);
  EXPECT_GT(env_.Now(), Nanos{1'000'000'000'000'000'000});
}

TEST_F(FaultyEnvTest, SpaceAndFileSystem) {
  EXPECT_GT(*env_.FreeBytes(folder_.path()), 0);
  env_.SetFreeBytes(17);
  EXPECT_EQ(*env_.FreeBytes(folder_.path()), 17);
  EXPECT_FALSE(env_.FileSystemOf(folder_.path())->name.empty());
  env_.SetFileSystem(Env::FileSystemKind{"nfs", true});
  EXPECT_TRUE(env_.FileSystemOf(folder_.path())->network);
}

}  // namespace
}  // namespace lamina::io
