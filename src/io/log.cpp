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
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *kLogger;
}

// spdlog has no level between warning and info: what is below is named one lower there.
spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::quiet: return spdlog::level::off;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::notice: return spdlog::level::info;
    case LogLevel::info: return spdlog::level::debug;
    case LogLevel::debug: return spdlog::level::trace;
  }
  return spdlog::level::warn;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::error: return "error ";
    case LogLevel::warning: return "warning ";
    case LogLevel::notice: return "notice ";
    case LogLevel::info: return "info ";
    case LogLevel::debug: return "debug ";
    case LogLevel::quiet: break;
  }
  return "";
}

// Text from outside (names of peers, of config sections) cannot forge lines, move the cursor or
// turn the direction of reading.
void write(LogLevel level, std::string_view message) {
  if (!logs(level)) return;
  logger().log(to_spdlog(level), std::string(name_of(level)) + codec::printable(message));
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(to_spdlog(level)); }
bool logs(LogLevel level) { return logger().should_log(to_spdlog(level)); }
void log_error(std::string_view message) { write(LogLevel::error, message); }
void log_warning(std::string_view message) { write(LogLevel::warning, message); }
void log_notice(std::string_view message) { write(LogLevel::notice, message); }
void log_info(std::string_view message) { write(LogLevel::info, message); }
void log_debug(std::string_view message) { write(LogLevel::debug, message); }

}  // namespace meshstow::io
