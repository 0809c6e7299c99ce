// io/log.hpp: the log, on stderr. Threading: any thread.
//
// Never log paths of documents, tokens or bodies: names in private folders are secrets.
#pragma once

#include <string_view>

namespace meshstow::io {

// Least to most talkative. `notice` is what whoever runs a node wants to know without having asked:
// connections lost and found again. `info` is what else happens, `debug` every packet.
enum class LogLevel { quiet, error, warning, notice, info, debug };
void set_log_level(LogLevel level);       // default: warning
[[nodiscard]] bool logs(LogLevel level);  // before a message that costs something to make
void log_error(std::string_view message);
void log_warning(std::string_view message);
void log_notice(std::string_view message);
void log_info(std::string_view message);
void log_debug(std::string_view message);

}  // namespace meshstow::io
