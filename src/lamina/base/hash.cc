#include "lamina/base/hash.h"

#include <openssl/evp.h>

#include "lamina/base/check.h"

namespace lamina {
namespace {

/// Fetched once: the implicit fetch of every EVP_DigestInit costs more than hashing a short text.
const EVP_MD* Sha256Method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  LAMINA_CHECK(method != nullptr);
  return method;
}

struct Context {
  Context() : value(EVP_MD_CTX_new()) { LAMINA_CHECK(value != nullptr); }
  ~Context() { EVP_MD_CTX_free(value); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* value;
};

void Start(EVP_MD_CTX* context) {
  LAMINA_CHECK(EVP_DigestInit_ex2(context, Sha256Method(), nullptr) == 1);
}

Sha256Digest End(EVP_MD_CTX* context) {
  Sha256Digest digest;
  LAMINA_CHECK(EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr) == 1);
  return digest;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Sha256Digest::Hex() const { return ToHex(View()); }

Result<Sha256Digest> Sha256Digest::FromHex(std::string_view hex) {
  if (hex.size() != 64) {
    return InvalidArgument("a SHA-256 in hexadecimal has 64 digits, not " +
                           std::to_string(hex.size()));
  }
  Sha256Digest digest;
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return InvalidArgument("a SHA-256 has only hexadecimal digits; digit " +
                             std::to_string(high < 0 ? 2 * i : 2 * i + 1) + " is not one");
    }
    digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

Result<Sha256Digest> Sha256Digest::FromBytes(ByteView raw) {
  if (raw.size() != 32) {
    return InvalidArgument("a SHA-256 has 32 bytes, not " + std::to_string(raw.size()));
  }
  Sha256Digest digest;
  std::memcpy(digest.bytes.data(), raw.data(), 32);
  return digest;
}

Sha256Digest Sha256(ByteView data) {
  thread_local const Context context;
  Start(context.value);
  LAMINA_CHECK(EVP_DigestUpdate(context.value, data.data(), data.size()) == 1);
  return End(context.value);
}

struct Sha256Stream::State {
  Context context;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) { Start(state_->context.value); }
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::Update(ByteView data) {
  LAMINA_CHECK(EVP_DigestUpdate(state_->context.value, data.data(), data.size()) == 1);
}

Sha256Digest Sha256Stream::Finish() { return End(state_->context.value); }

}  // namespace lamina
