#include <algorithm>
#include <array>
#include <cstdio>

#include <sys/sysmacros.h>

#include "lamina/io/file_system_internal.h"

namespace lamina::io::internal {
namespace {

struct Known {
  std::uint32_t magic;
  std::string_view name;
  bool network;
};

// Values of linux/magic.h and of the file systems' own sources.
constexpr std::array<Known, 31> kKnown = {{
    {0x0000ef53, "ext4", false},     {0x58465342, "xfs", false},
    {0x9123683e, "btrfs", false},    {0x2fc12fc1, "zfs", false},
    {0xf2f52010, "f2fs", false},     {0x01021994, "tmpfs", false},
    {0x858458f6, "ramfs", false},    {0x794c7630, "overlay", false},
    {0x0000f15f, "ecryptfs", false}, {0xca451a4e, "bcachefs", false},
    {0x52654973, "reiserfs", false}, {0x3153464a, "jfs", false},
    {0x73717368, "squashfs", false}, {0x00009660, "iso9660", false},
    {0x00004d44, "vfat", false},     {0x2011bab0, "exfat", false},
    {0x5346544e, "ntfs", false},     {0x7366746e, "ntfs3", false},
    {0x00006969, "nfs", true},       {0xff534d42, "cifs", true},
    {0xfe534d42, "smb2", true},      {0x0000517b, "smb", true},
    {0x0000564c, "ncp", true},       {0x5346414f, "afs", true},
    {0x6b414653, "kafs", true},      {0x73757245, "coda", true},
    {0x00c36400, "ceph", true},      {0x01021997, "9p", true},
    {0x0bd00bd0, "lustre", true},    {0x47504653, "gpfs", true},
    {0x7461636f, "ocfs2", true},
}};

/// Substrings of FUSE types whose files live elsewhere.
constexpr std::array<std::string_view, 13> kRemoteFuse = {
    "sshfs", "s3fs",      "gcsfuse",  "goofys",  "rclone",        "glusterfs", "ceph",
    "davfs", "curlftpfs", "blobfuse", "juicefs", "mountpoint-s3", "moosefs"};

/// The next word of `line`, cut off from it.
std::string_view NextWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

Env::FileSystemKind KindOfMagic(std::uint32_t magic) {
  for (const Known& known : kKnown) {
    if (known.magic == magic) return {std::string(known.name), known.network};
  }
  char name[32];
  std::snprintf(name, sizeof(name), "unknown (0x%x)", magic);
  return {name, false};
}

Env::FileSystemKind KindOfName(std::string_view name) {
  const bool remote =
      std::any_of(kRemoteFuse.begin(), kRemoteFuse.end(),
                  [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
  return {std::string(name), remote};
}

std::string MountedType(std::string_view mountinfo, dev_t device) {
  // proc(5): id parent major:minor root mount-point options [optional...] - type source options
  const std::string wanted = std::to_string(major(device)) + ":" + std::to_string(minor(device));
  while (!mountinfo.empty()) {
    const std::size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
    std::string_view line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    NextWord(line);
    NextWord(line);
    if (NextWord(line) != wanted) continue;
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    line.remove_prefix(dash + 3);
    return std::string(NextWord(line));
  }
  return "fuse";
}

}  // namespace lamina::io::internal
