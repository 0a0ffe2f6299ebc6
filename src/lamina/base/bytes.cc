#include "lamina/base/bytes.h"

namespace lamina {

std::string ToHex(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out(bytes.size() * 2, '\0');
  char* write = out.data();
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *write++ = kDigits[byte >> 4];
    *write++ = kDigits[byte & 15];
  }
  return out;
}

}  // namespace lamina
