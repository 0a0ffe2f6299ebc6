#include "lamina/base/near_names.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace lamina {
namespace {

/// Longer texts are no misspelt names, and the distance costs the product of the lengths.
constexpr std::size_t kLongestName = 128;
constexpr std::size_t kShortestPart = 3;

std::string Folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == ' ' || c == '.') c = '_';
  }
  return out;
}

/// Lower is nearer; absent when the names have nothing to do with each other.
std::optional<std::size_t> Score(const std::string& wrong, const std::string& known) {
  const std::size_t shorter = std::min(wrong.size(), known.size());
  const std::size_t longer = std::max(wrong.size(), known.size());
  if (longer > kLongestName) return std::nullopt;
  const std::size_t distance = EditDistance(wrong, known);
  // About one slip in three letters still reads as the same word.
  if (distance <= std::max<std::size_t>(1, longer / 3) && distance < shorter) return distance;
  if (shorter < kShortestPart) return std::nullopt;
  const std::string& part = wrong.size() < known.size() ? wrong : known;
  const std::string& whole = wrong.size() < known.size() ? known : wrong;
  const std::size_t at = whole.find(part);
  if (at == std::string::npos) return std::nullopt;
  // Behind the misspellings: first what begins alike, then what only contains it; short before
  // long.
  return kLongestName * (at == 0 ? 1 : 2) + (longer - shorter);
}

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::vector<std::string> NearNames(std::string_view wrong, const std::vector<std::string>& known,
                                   std::size_t limit) {
  if (wrong.empty() || wrong.size() > kLongestName) return {};
  const std::string folded = Folded(wrong);
  std::vector<std::pair<std::size_t, const std::string*>> scored;
  for (const std::string& name : known) {
    if (const auto score = Score(folded, Folded(name))) scored.emplace_back(*score, &name);
  }
  std::sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  });
  std::vector<std::string> names;
  for (const auto& [score, name] : scored) {
    if (names.size() == limit) break;
    if (names.empty() || names.back() != *name) names.push_back(*name);
  }
  return names;
}

std::string DidYouMean(std::string_view wrong, const std::vector<std::string>& known) {
  const std::vector<std::string> names = NearNames(wrong, known);
  if (names.empty()) return {};
  std::string out = "; did you mean ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += '`';
    out += names[i];
    out += '`';
  }
  out += '?';
  return out;
}

}  // namespace lamina
