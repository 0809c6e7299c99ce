// io/care_commands.hpp: the commands that look after the store: history, restore, check, compact,
// backup, quota, history-policy. Internal to io.
//
//   history {"path","versions":[{"version","etag","content_type","size","modified","deleted"}]}
//   restore {"path","etag","version"}
//   check   {"whole","documents","versions","chunks","bytes","found","damages":[{"path","what"}]}
//   compact {"given_back"}     backup {"file","bytes"}
//   quota   {"module" or null,"quota","bytes","space_left","history_bytes"}
//   history-policy {"module" or null,"days","versions"}; null: without bound
#pragma once

#include <memory>

#include "io/command_work.hpp"

namespace meshstow::io {

// nullptr: not one of these.
std::shared_ptr<CommandWork> make_care_command(NodeHost& host, Command& command,
                                               CommandChannel& channel);

// "none", "all", or the bounds of days and versions, of which one may be absent: "30d,10", "30d",
// "10".
[[nodiscard]] Result<storage::HistoryPolicy> parse_history_policy(std::string_view text);

}  // namespace meshstow::io
