#include "progress_bar.hpp"

#include <cstdio>
#include <unistd.h>

#include "report.hpp"

namespace meshstow::app {

ProgressBar::ProgressBar(bool wanted)
    : on_(wanted && ::isatty(STDERR_FILENO) == 1),
      begun_(Clock::now()),
      stage_begun_(begun_),
      last_drawn_(begun_) {}

void ProgressBar::update(std::string_view stage, std::uint64_t done, std::uint64_t total,
                         Unit unit) {
  if (!on_) return;
  const Clock::time_point now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_begun_ = now;
  }
  const bool early = now - begun_ < std::chrono::milliseconds(500);
  if (early || (drawn_ && now - last_drawn_ < std::chrono::milliseconds(100))) return;
  draw(done, total, unit, now);
}

void ProgressBar::draw(std::uint64_t done, std::uint64_t total, Unit unit, Clock::time_point now) {
  constexpr std::uint64_t kWidth = 30;
  std::string line = "\r\033[K " + stage_;
  if (total > 0) {
    const std::uint64_t filled = done >= total ? kWidth : done * kWidth / total;
    line += " [" + std::string(filled, '#') + std::string(kWidth - filled, ' ') + "]";
  }
  if (unit == Unit::items) {
    if (total > 0) line += " " + std::to_string(done * 100 / total) + "%";
  } else if (done > 0) {
    const double seconds = std::chrono::duration<double>(now - stage_begun_).count();
    line += " " + pretty_size(done);
    if (total > 0) line += " of " + pretty_size(total);
    if (seconds > 0.05) {
      line += ", " + pretty_size(static_cast<std::uint64_t>(double(done) / seconds)) + "/s";
    }
  }
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  drawn_ = true;
  last_drawn_ = now;
}

void ProgressBar::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace meshstow::app
