// io/log.hpp: the log, on stderr. Threading: any thread.
//
// Never log paths of documents, tokens or bodies: names in private folders are secrets.
#pragma once

#include <string_view>

namespace meshstow::io {

enum class LogLevel { quiet, error, warning, info, debug };
void set_log_level(LogLevel level);  // default: warning
void log_error(std::string_view message);
void log_warning(std::string_view message);
void log_info(std::string_view message);
void log_debug(std::string_view message);

}  // namespace meshstow::io
