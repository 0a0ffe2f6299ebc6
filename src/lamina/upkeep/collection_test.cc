#include "lamina/upkeep/collection.h"

#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include "lamina/catalog/pins.h"
#include "lamina/upkeep/upkeep_lock.h"
#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

using catalog::Database;
using test::UnitStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CollectOptions AtOnce() {
  CollectOptions options;
  options.keep_snapshots = options.grace = Micros{0};
  return options;
}

TEST(Collect, RemovesWhatNothingNeeds) {
  UnitStore store;
  store.Put(1);
  store.Put(2);
  store.Drop(1);
  CollectOptions dry = AtOnce();
  dry.dry_run = true;
  const auto foretold = CollectGarbage(*store, dry);
  ASSERT_THAT(foretold, IsOk());
  const std::int64_t lake = store.FilesBelow("lake"), chunks = store.FilesBelow("chunks");
  const auto report = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->removed_files, foretold->removed_files);
  EXPECT_EQ(report->removed_chunks, foretold->removed_chunks);
  EXPECT_EQ(report->freed_bytes, foretold->freed_bytes);
  EXPECT_EQ(report->removed_files, lake - store.FilesBelow("lake"));
  EXPECT_EQ(report->removed_chunks, 2);  // its own; the shared ones stay
  EXPECT_EQ(store.FilesBelow("chunks"), chunks - 1);
  EXPECT_GT(report->freed_bytes, 70'000);
  EXPECT_THAT(store.Units(), ElementsAre(2));
  store.ExpectWhole();
  const auto again = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->removed_files + again->removed_chunks, 0);
}

TEST(Collect, TheGraceAndPoliciesHold) {
  UnitStore store;
  store.Put(1);
  store.Drop(1);
  const auto young = CollectGarbage(*store);  // 7d and 1h
  ASSERT_THAT(young, IsOk());
  EXPECT_EQ(young->removed_files + young->removed_chunks + young->expired_snapshots, 0);
  CollectOptions options = AtOnce();
  options.grace = Micros{3'600'000'000};
  const auto graced = CollectGarbage(*store, options);
  ASSERT_THAT(graced, IsOk());
  EXPECT_EQ(graced->removed_files + graced->removed_chunks, 0);
  EXPECT_GE(graced->waiting, 3);
  const auto late = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(late, IsOk());
  EXPECT_GT(late->removed_files, 0);
  EXPECT_EQ(late->removed_chunks, 4);  // the shared ones, too: nobody shares them any more
}

TEST(Collect, WhatPinsHoldIsCountedAndKept) {
  UnitStore store;
  const std::int64_t held = store.Put(1);
  store.Drop(1);
  ASSERT_THAT(catalog::PinSnapshot(store.catalog(), "mine", held), IsOk());
  const auto report = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->removed_files, 0);
  EXPECT_EQ(report->kept_pinned, 1);
  EXPECT_THAT(store.Units(held), ElementsAre(1));
  ASSERT_THAT(catalog::Unpin(store.catalog(), "mine"), IsOk());
  const auto free = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(free, IsOk());
  EXPECT_EQ(free->removed_files, 1);
}

TEST(Collect, OrphansGoAndStrangersStay) {
  UnitStore store;
  store.Put(1);
  const std::string folder = store.root() + "/lake/model/rows/";
  const std::string orphan = folder + RandomUuid4().ToString() + ".parquet";
  for (const std::string& path : {orphan, folder + "letter.parquet"}) {
    std::ofstream(path) << "dear";
  }
  usleep(20'000);
  const auto report = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->removed_orphans, 1);
  EXPECT_NE(access(orphan.c_str(), F_OK), 0);
  EXPECT_EQ(access((folder + "letter.parquet").c_str(), F_OK), 0);
  store.ExpectWhole();
}

TEST(Collect, LooseObjectsGoAtTheSecondLook) {
  UnitStore store;
  store.Put(1);
  {
    auto objects = *Database::Open(store.root() + "/objects.sqlite", catalog::OpenMode::kReadWrite);
    ASSERT_THAT(objects->Execute("INSERT INTO object(kind, sha256, stored) VALUES(2, "
                                 "zeroblob(32), x'01')"),
                IsOk());
  }
  const auto first = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->removed_chunks, 0);
  const auto second = CollectGarbage(*store, AtOnce());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->removed_chunks, 1);
  store.ExpectWhole();
}

TEST(Collect, RefusesWhenAFolderCannotBeRead) {
  if (geteuid() == 0) {
    // Root reads every folder: a list of condemned files that names what is not ours stands in.
    UnitStore store;
    store.Put(1);
    store.Drop(1);
    ASSERT_THAT(store.catalog().Transact([](Database& database) {
      return database.Execute(
          "INSERT INTO ducklake_files_scheduled_for_deletion VALUES(99, "
          "'../lamina.toml', 1, '2020-01-01 00:00:00+00')");
    }),
                IsOk());
    const std::int64_t files = store.FilesBelow("lake");
    EXPECT_THAT(CollectGarbage(*store, AtOnce()),
                IsError(ErrorCode::kUnsupported, HasSubstr("lamina.toml")));
    EXPECT_EQ(store.FilesBelow("lake"), files);
    return;
  }
  UnitStore store;
  store.Put(1);
  store.Drop(1);
  const std::string folder = store.root() + "/lake/model";
  const std::int64_t files = store.FilesBelow("lake");
  chmod(folder.c_str(), 0);
  EXPECT_THAT(CollectGarbage(*store, AtOnce()), IsError(ErrorCode::kIo));
  chmod(folder.c_str(), 0755);
  EXPECT_EQ(store.FilesBelow("lake"), files);
}

TEST(Collect, OneAtATime) {
  UnitStore store;
  const auto lock = LockUpkeep(store.catalog());
  ASSERT_THAT(lock, IsOk());
  EXPECT_THAT(CollectGarbage(*store), IsError(ErrorCode::kConflict));
}

/// Random work against a map of what each snapshot should hold.
TEST(Collect, Model) {
  UnitStore store;
  std::mt19937 random(20240607);
  std::map<std::int64_t, std::set<std::int64_t>> held;  // by snapshot
  std::set<std::int64_t> live;
  std::int64_t next = 1;
  held[*store.catalog().LatestSnapshot()] = live;
  for (int step = 0; step < 90; ++step) {
    const unsigned what = random() % 10;
    if (what < 4) {
      live.insert(next);
      held[store.Put(next++)] = live;
    } else if (what < 6 && !live.empty()) {
      const std::int64_t unit = *std::next(live.begin(), static_cast<long>(random() % live.size()));
      live.erase(unit);
      held[store.Drop(unit)] = live;
    } else if (what == 6) {
      const auto kept = store.Snapshots();
      ASSERT_THAT(catalog::PinSnapshot(store.catalog(), "p" + std::to_string(step),
                                       kept[random() % kept.size()]),
                  IsOk());
    } else if (what == 7) {
      const auto pins = *catalog::ListPins(store.catalog());
      if (!pins.empty()) {
        ASSERT_THAT(catalog::Unpin(store.catalog(), pins[random() % pins.size()].name), IsOk());
      }
    } else if (what == 8) {
      ASSERT_THAT(store.catalog().Compact({}), IsOk());
      held[*store.catalog().LatestSnapshot()] = live;
    } else {
      CollectOptions options = AtOnce();
      if (random() % 2 == 0) options.grace = Micros{3'600'000'000};
      ASSERT_THAT(CollectGarbage(*store, options), IsOk());
      for (const std::int64_t snapshot : store.Snapshots()) {
        const auto expected = --held.upper_bound(snapshot);
        ASSERT_EQ(store.Units(snapshot), expected->second) << "step " << step;
      }
    }
  }
  const auto left = catalog::ListPins(store.catalog());
  for (const auto& pin : *left) {
    ASSERT_THAT(catalog::Unpin(store.catalog(), pin.name), IsOk());
  }
  ASSERT_THAT(CollectGarbage(*store, AtOnce()), IsOk());
  EXPECT_EQ(store.Units(), live);
  EXPECT_LE(store.Snapshots().size(), 2U);  // taking prices away is a commit
  store.ExpectWhole();
}

/// A writer that puts, drops and puts again what it dropped, in a Catalog of its own.
TEST(Collect, BesideAWriter) {
  UnitStore store;
  std::atomic<bool> stop{false};
  std::set<std::int64_t> live;
  std::thread writer([&] {
    auto catalog = *catalog::Catalog::Open(io::PosixEnv(), store.root());
    std::mt19937 random(7);
    const auto retry = [](const auto& work) {
      for (int attempt = 0; attempt < 50; ++attempt) {
        const auto done = work();
        if (done.ok()) return true;
        if (done.error().code() != ErrorCode::kConflict) {
          ADD_FAILURE() << done.error().message();
          return false;
        }
      }
      ADD_FAILURE() << "still in conflict";
      return false;
    };
    for (int step = 0; step < 120; ++step) {
      const std::int64_t unit = 1 + static_cast<std::int64_t>(random() % 4);
      const bool drop = live.contains(unit);
      const bool done = retry([&] {
        return drop ? UnitStore::Drop(*catalog, store.table(), unit)
                    : catalog::test::PutUnit(*catalog, store.table(), unit);
      });
      if (!done) break;
      drop ? static_cast<void>(live.erase(unit)) : static_cast<void>(live.insert(unit));
    }
    stop = true;
  });
  int collections = 0;
  while (!stop) {
    EXPECT_THAT(CollectGarbage(*store, AtOnce()), IsOk());
    ++collections;
  }
  writer.join();
  EXPECT_GT(collections, 1);
  EXPECT_EQ(store.Units(), live);
  ASSERT_THAT(CollectGarbage(*store, AtOnce()), IsOk());
  ASSERT_THAT(CollectGarbage(*store, AtOnce()), IsOk());
  EXPECT_EQ(store.Units(), live);
  store.ExpectWhole();
}

}  // namespace
}  // namespace lamina::upkeep
