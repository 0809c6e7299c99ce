#include "io/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "codec/printable.hpp"

namespace meshstow::io {
namespace {

// The one object of the process that is not handed around: a log line must be possible anywhere.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> kLogger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "meshstow", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *kLogger;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::quiet: return spdlog::level::off;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::debug: return spdlog::level::debug;
  }
  return spdlog::level::warn;
}

// Text from outside (names of peers, of config sections) cannot forge lines, move the cursor or
// turn the direction of reading.
void write(spdlog::level::level_enum level, std::string_view message) {
  if (!logger().should_log(level)) return;
  logger().log(level, codec::printable(message));
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(to_spdlog(level)); }
void log_error(std::string_view message) { write(spdlog::level::err, message); }
void log_warning(std::string_view message) { write(spdlog::level::warn, message); }
void log_info(std::string_view message) { write(spdlog::level::info, message); }
void log_debug(std::string_view message) { write(spdlog::level::debug, message); }

}  // namespace meshstow::io
