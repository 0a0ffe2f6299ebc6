#include "lamina/catalog/pins.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <unistd.h>

#include "lamina/base/json.h"
#include "lamina/base/uuid.h"
#include "lamina/catalog/session_internal.h"

namespace lamina::catalog {
namespace {

constexpr std::size_t kNameBytesMax = 200;
constexpr std::string_view kLeasePrefix = "lease/";

Micros NowOf(Catalog& catalog) { return Micros{catalog.env().Now().value / 1000}; }

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status CheckName(std::string_view name) {
  const auto fail = [&](const char* why) -> Status {
    return InvalidArgument("pin '" + std::string(name.substr(0, kNameBytesMax)) + "' " + why);
  };
  if (name.empty()) return fail("has no name");
  if (name.size() > kNameBytesMax) return fail("has a name of more than 200 bytes");
  if (!ValidUtf8(name)) return fail("has a name that is not UTF-8");
  if (std::any_of(name.begin(), name.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return fail("has a control character in its name");
  if (name.starts_with(kLeasePrefix)) return fail("is named like a lease");
  if (ParseNumber(name) || ParseTime(name).ok())
    return fail("would be taken for a snapshot or a time; name it otherwise");
  return Ok();
}

Result<std::optional<Pin>> FindPin(Database& database, std::string_view name) {
  LAMINA_ASSIGN(Statement find,
                database.Prepare("SELECT name, snapshot_id, created_at, expires_at, holder FROM "
                                 "pin WHERE name = ?1"));
  LAMINA_ASSIGN(const bool found, find.Bind(1, name).Step());
  if (!found) return std::optional<Pin>();
  Pin pin;
  pin.name = find.Text(0);
  pin.snapshot = find.Int(1);
  pin.created_at = Micros{find.Int(2)};
  if (!find.IsNull(3)) pin.expires_at = Micros{find.Int(3)};
  pin.holder = find.Text(4);
  return std::optional<Pin>(std::move(pin));
}

Status Put(Database& database, Pin& pin, std::optional<std::int64_t> snapshot) {
  LakeReader reader(database);
  if (snapshot) {
    LAMINA_TRY(reader.CheckSnapshot(*snapshot));
    pin.snapshot = *snapshot;
  } else {
    LAMINA_ASSIGN(pin.snapshot, reader.LatestSnapshot());
  }
  LAMINA_ASSIGN(const auto taken, FindPin(database, pin.name));
  if (taken) {
    return AlreadyExists("'" + pin.name + "' pins snapshot " + std::to_string(taken->snapshot) +
                         " already; `lamina unpin` it first");
  }
  LAMINA_ASSIGN(Statement insert,
                database.Prepare("INSERT INTO pin(name, snapshot_id, created_at, expires_at, "
                                 "holder) VALUES(?1, ?2, ?3, ?4, ?5)"));
  insert.Bind(1, pin.name).Bind(2, pin.snapshot).Bind(3, pin.created_at.value);
  insert.Bind(4, pin.expires_at ? std::optional(pin.expires_at->value) : std::nullopt);
  return insert.Bind(5, pin.holder).Run();
}

Pin NewPin(Catalog& catalog, std::string name) {
  Pin pin;
  pin.name = std::move(name);
  pin.created_at = NowOf(catalog);
  pin.holder = internal::HostName() + ":" + std::to_string(getpid());
  return pin;
}

}  // namespace

Result<Pin> PinSnapshot(Catalog& catalog, std::string_view name,
                        std::optional<std::int64_t> snapshot) {
  LAMINA_TRY(CheckName(name));
  Pin pin = NewPin(catalog, std::string(name));
  LAMINA_TRY(catalog.Transact([&](Database& database) { return Put(database, pin, snapshot); }));
  return pin;
}

Status Unpin(Catalog& catalog, std::string_view name) {
  return catalog.Transact([&](Database& database) -> Status {
    LAMINA_ASSIGN(const auto pin, FindPin(database, name));
    if (!pin) return NotFound("no pin '" + std::string(name) + "'; `lamina snapshots` lists them");
    LAMINA_ASSIGN(Statement remove, database.Prepare("DELETE FROM pin WHERE name = ?1"));
    return remove.Bind(1, name).Run();
  });
}

Result<std::vector<Pin>> ReadPins(Database& database, Micros now) {
  LAMINA_ASSIGN(Statement read, database.Prepare("SELECT name FROM pin WHERE expires_at IS NULL OR "
                                                 "expires_at > ?1 ORDER BY name"));
  read.Bind(1, now.value);
  std::vector<Pin> pins;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return pins;
    LAMINA_ASSIGN(auto pin, FindPin(database, read.Text(0)));
    if (pin) pins.push_back(*std::move(pin));
  }
}

Result<std::vector<Pin>> ListPins(Catalog& catalog) {
  std::vector<Pin> pins;
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(pins, ReadPins(database, NowOf(catalog)));
    return Ok();
  }));
  return pins;
}

Result<std::int64_t> ResolveSnapshot(Catalog& catalog, std::string_view text) {
  std::int64_t snapshot = 0;
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    LakeReader reader(database);
    if (const auto number = ParseNumber(text)) {
      snapshot = *number;
      return reader.CheckSnapshot(snapshot);
    }
    LAMINA_ASSIGN(const auto pin, FindPin(database, text));
    if (pin) {
      snapshot = pin->snapshot;
      return reader.CheckSnapshot(snapshot);
    }
    const Result<Micros> time = ParseTime(text);
    if (!time.ok()) {
      return InvalidArgument("'" + std::string(text) +
                             "' is neither the number of a snapshot, nor a pin, nor a time such as "
                             "2025-01-31T16:00:00");
    }
    LAMINA_ASSIGN(snapshot, reader.SnapshotAt(*time));
    return Ok();
  }));
  return snapshot;
}

Result<Lease> Lease::Take(Catalog& catalog, std::optional<std::int64_t> snapshot, Micros duration) {
  Pin pin = NewPin(catalog, std::string(kLeasePrefix) + RandomUuid4().ToString());
  pin.expires_at = Micros{pin.created_at.value + duration.value};
  LAMINA_TRY(catalog.Transact([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement over, database.Prepare("DELETE FROM pin WHERE expires_at <= ?1"));
    LAMINA_TRY(over.Bind(1, pin.created_at.value).Run());
    return Put(database, pin, snapshot);
  }));
  return Lease(catalog, std::move(pin));
}

Lease::Lease(Lease&& other) noexcept
    : catalog_(std::exchange(other.catalog_, nullptr)), pin_(std::move(other.pin_)) {}

Lease::~Lease() {
  if (catalog_ == nullptr) return;
  static_cast<void>(Unpin(*catalog_, pin_.name));
}

Status Lease::Renew(Micros duration) {
  const Micros end{NowOf(*catalog_).value + duration.value};
  return catalog_->Transact([&](Database& database) -> Status {
    LAMINA_ASSIGN(const auto pin, FindPin(database, pin_.name));
    if (!pin) {
      return NotFound("the lease on snapshot " + std::to_string(pin_.snapshot) +
                      " ended before it was renewed; start the read again");
    }
    LAMINA_ASSIGN(Statement renew,
                  database.Prepare("UPDATE pin SET expires_at = ?2 WHERE name = ?1"));
    return renew.Bind(1, pin_.name).Bind(2, end.value).Run();
  });
}

}  // namespace lamina::catalog
