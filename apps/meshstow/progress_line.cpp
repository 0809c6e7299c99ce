#include "progress_line.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "terminal_text.hpp"

namespace meshstow::app {
namespace {

constexpr std::size_t kShortestBar = 10, kLongestBar = 40;
constexpr std::size_t kRoundABar = 3;  // its brackets and a space

// "1:05", "2:03:59"
std::string clock_text(std::uint64_t seconds) {
  char text[40];
  const unsigned long long hours = seconds / 3600, minutes = seconds / 60 % 60;
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%llu:%02llu:%02llu", hours, minutes,
                  static_cast<unsigned long long>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%llu:%02llu", minutes,
                  static_cast<unsigned long long>(seconds % 60));
  }
  return text;
}

std::optional<double> per_second(const Progress& progress) {
  const double seconds = std::chrono::duration<double>(progress.transferring).count();
  if (seconds < 0.05 || progress.done == 0) return std::nullopt;
  return static_cast<double>(progress.done) / seconds;
}

std::string time_left(const Progress& progress) {
  const auto rate = per_second(progress);
  if (!rate) return "-:-- left";
  const std::uint64_t left = progress.total - std::min(progress.done, progress.total);
  const double seconds = static_cast<double>(left) / *rate;
  constexpr double kLongest = 99 * 3600;
  return seconds > kLongest ? "-:-- left"
                            : clock_text(static_cast<std::uint64_t>(seconds + 0.5)) + " left";
}

std::string bar(const Progress& progress, std::size_t width) {
  const double part =
      std::min(1.0, static_cast<double>(progress.done) / static_cast<double>(progress.total));
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(width));
  return "[" + std::string(filled, '#') + std::string(width - filled, ' ') + "] ";
}

std::string waiting_line(const Progress& progress, const std::string& begin, std::size_t columns) {
  const auto rate = per_second(progress);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(progress.waited).count();
  const std::string waited = std::to_string(seconds) + " s";
  std::string line = begin;
  if (rate && !progress.counted) {
    line += "  " + pretty_size(progress.done) + ", " +
            pretty_size(static_cast<std::uint64_t>(*rate)) + "/s";
  }
  const std::size_t room = waited.size() + 2;
  return cut_to(line, columns > room ? columns - room : 0) + "  " + waited;
}

}  // namespace

std::string progress_line(const Progress& progress, std::size_t columns, unsigned turn) {
  constexpr std::string_view kSpinner = "|/-\\";
  const std::string begin = std::string(1, kSpinner[turn % kSpinner.size()]) + " " + progress.stage;
  if (progress.total == 0) return cut_to(waiting_line(progress, begin, columns), columns);

  const double part =
      std::min(1.0, static_cast<double>(progress.done) / static_cast<double>(progress.total));
  const std::string percent = std::to_string(static_cast<int>(part * 100)) + "%";
  const std::string left = percent + ", " + time_left(progress);
  std::array<std::string, 3> tails = {left, left, left};
  if (const auto rate = per_second(progress); rate && !progress.counted) {
    tails[1] = pretty_size(static_cast<std::uint64_t>(*rate)) + "/s, " + left;
    tails[0] = pretty_size(progress.done) + " of " + pretty_size(progress.total) + ", " + tails[1];
  }
  for (const std::string& tail : tails) {
    const std::size_t taken = display_width(begin) + 1 + kRoundABar + tail.size();
    if (taken + kShortestBar > columns) continue;
    return begin + " " + bar(progress, std::min(columns - taken, kLongestBar)) + tail;
  }
  if (display_width(begin) + 1 + left.size() <= columns) return begin + " " + left;
  return cut_to(left, columns);
}

}  // namespace meshstow::app
