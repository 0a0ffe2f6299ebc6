#pragma once

/// \file lamina/base/near_names.h
/// "Did you mean …?": the known names that a wrong one may stand for. Pure functions.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lamina {

/// Insertions, deletions, substitutions and swaps of neighbours that lead from `a` to `b` (optimal
/// string alignment).
std::size_t EditDistance(std::string_view a, std::string_view b);

/// The nearest of `known`, best first; empty when none is near. Letter case and `-`/`_` do not
/// count. Near is: few edits for the length, or one name is the beginning or a part of the other.
std::vector<std::string> NearNames(std::string_view wrong, const std::vector<std::string>& known,
                                   std::size_t limit = 3);

/// "; did you mean `a` or `b`?", or nothing when no name is near: to be put behind a message.
std::string DidYouMean(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace lamina
