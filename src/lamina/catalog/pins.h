#pragma once

/// \file lamina/catalog/pins.h
/// Pins: names for snapshots that expiry spares; leases: pins with an end, for long reads. And the
/// spelling of a snapshot by number, pin or time. Functions over a Catalog; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/catalog/catalog.h"

namespace lamina::catalog {

struct Pin {
  std::string name;
  std::int64_t snapshot = 0;
  Micros created_at;
  std::optional<Micros> expires_at;  ///< of a lease; at that instant it holds no more
  std::string holder;                ///< "host:pid"
};

/// Name a snapshot, the latest unless given. RETURNS the pin; kInvalidArgument for a name that is
/// empty, longer than 200 bytes, a number or not plain text; kAlreadyExists; kNotFound (snapshot).
Result<Pin> PinSnapshot(Catalog& catalog, std::string_view name,
                        std::optional<std::int64_t> snapshot = {});
/// RETURNS kNotFound.
Status Unpin(Catalog& catalog, std::string_view name);
/// By name; leases that are over are left out.
Result<std::vector<Pin>> ListPins(Catalog& catalog);
/// The same inside a transaction.
Result<std::vector<Pin>> ReadPins(Database& database, Micros now);

/// The snapshot that `text` means: its number, the name of a pin, or an instant as ISO-8601 text
/// (the snapshot that was the latest then). RETURNS kNotFound (expired ones too),
/// kInvalidArgument.
Result<std::int64_t> ResolveSnapshot(Catalog& catalog, std::string_view text);

/// A pin without a name of its own that ends by itself when its holder dies. Thread-compatible.
class Lease {
 public:
  /// On `snapshot`, the latest unless given. RETURNS kNotFound, kUnsupported (read-only catalog).
  static Result<Lease> Take(Catalog& catalog, std::optional<std::int64_t> snapshot = {},
                            Micros duration = Micros{600'000'000});
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&&) = delete;
  /// Gives it back; a failure leaves it to its end.
  ~Lease();

  std::int64_t snapshot() const { return pin_.snapshot; }
  /// Hold it for `duration` from now on. RETURNS kNotFound when it had ended and is gone: what was
  /// read since may be incomplete.
  Status Renew(Micros duration = Micros{600'000'000});

 private:
  Lease(Catalog& catalog, Pin pin) : catalog_(&catalog), pin_(std::move(pin)) {}
  Catalog* catalog_;
  Pin pin_;
};

}  // namespace lamina::catalog
