#include "nearest.h"

#include <algorithm>
#include <vector>

namespace dualstream::command {
namespace {

// Damerau-Levenshtein, in the variant that edits no part twice ("optimal string alignment").
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_previous(to.size() + 1);
  std::vector<std::size_t> previous(to.size() + 1);
  std::vector<std::size_t> current(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      current[j] = std::min({replaced, previous[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        current[j] = std::min(current[j], before_previous[j - 2] + 1);
      }
    }
    before_previous.swap(previous);
    previous.swap(current);
  }
  return previous[to.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string> known) {
  std::optional<std::string_view> best;
  // One slip in three letters is a slip; more is another word.
  std::size_t best_distance = std::max<std::size_t>(1, text.size() / 3) + 1;
  for (const std::string& name : known) {
    if (const std::size_t d = distance(text, name); d < best_distance) {
      best = name;
      best_distance = d;
    }
  }
  if (best || text.size() < 3) return best;
  // A beginning that somebody took for the whole.
  const auto found = std::find_if(known.begin(), known.end(), [text](const std::string& name) {
    return name.starts_with(text);
  });
  return found == known.end() ? best : *found;
}

std::string did_you_mean(std::string_view text, std::span<const std::string> known) {
  const std::optional<std::string_view> name = nearest(text, known);
  if (!name) return {};
  return std::string{"; did you mean `"}.append(*name).append("`?");
}

}  // namespace dualstream::command
