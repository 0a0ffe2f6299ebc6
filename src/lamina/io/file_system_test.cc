#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include "lamina/io/file_system_internal.h"

namespace lamina::io::internal {
namespace {

TEST(FileSystem, KindOfMagic) {
  const struct {
    std::uint32_t magic;
    std::string_view name;
    bool network;
  } cases[] = {{0xef53, "ext4", false},        {0x01021994, "tmpfs", false},
               {0x9123683e, "btrfs", false},   {0x58465342, "xfs", false},
               {0x794c7630, "overlay", false}, {0x6969, "nfs", true},
               {0xff534d42, "cifs", true},     {0xfe534d42, "smb2", true},
               {0x01021997, "9p", true},       {0x12345678, "unknown (0x12345678)", false}};
  for (const auto& c : cases) {
    EXPECT_EQ(KindOfMagic(c.magic).name, c.name);
    EXPECT_EQ(KindOfMagic(c.magic).network, c.network) << c.name;
  }
}

TEST(FileSystem, KindOfName) {
  EXPECT_TRUE(KindOfName("fuse.sshfs").network);
  EXPECT_TRUE(KindOfName("fuse.s3fs").network);
  EXPECT_FALSE(KindOfName("fuse.ntfs-3g").network);
  EXPECT_FALSE(KindOfName("virtiofs").network);
  EXPECT_EQ(KindOfName("fuse.sshfs").name, "fuse.sshfs");
}

TEST(FileSystem, MountedType) {
  constexpr std::string_view kMounts =
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "23 22 0:50 / /mnt/a rw - fuse.sshfs host:/x rw,user_id=0\n"
      "24 22 0:5 / /dash\\040-\\040x rw master:2 propagate_from:1 - tmpfs none rw\n"
      "broken\n"
      "25 22 0:7 / /y rw\n"
      "26 22 0:51 / /mnt/b rw - fuse.rclone x: rw";
  EXPECT_EQ(MountedType(kMounts, makedev(8, 1)), "ext4");
  EXPECT_EQ(MountedType(kMounts, makedev(0, 50)), "fuse.sshfs");
  EXPECT_EQ(MountedType(kMounts, makedev(0, 5)), "tmpfs");
  EXPECT_EQ(MountedType(kMounts, makedev(0, 51)), "fuse.rclone");
  EXPECT_EQ(MountedType(kMounts, makedev(0, 7)), "fuse");
  EXPECT_EQ(MountedType(kMounts, makedev(0, 99)), "fuse");
  EXPECT_EQ(MountedType("", makedev(8, 1)), "fuse");
}

}  // namespace
}  // namespace lamina::io::internal
