// io/restore_backup.hpp: proves a copy that `backup` made and puts it into a home as its store.
// Blocking; no `serve` of that home may run.
#pragma once

#include <functional>

#include "io/commands.hpp"

namespace meshstow::io {

struct RestoreOptions {
  std::filesystem::path file;
  // Else a store that holds anything, or cannot be read, is left where it is.
  bool replaces = false;
  std::function<void(const std::string& json)> progress;  // {"stage","done","total"}; may be empty
  // Although something in it is damaged; whoever asks for that is refused it, as ever.
  bool takes_damaged = false;
};

// {"file","documents","versions","bytes","kept","found","damages":[{"path","what"}],
// "carried":{"revocations","tokens","passphrase","lost"}}; `kept`: where the store that was there
// now lies, or null; `found` and `damages` as `check` gives them; `carried`: what of that store
// stays in force (io/carried_rights.hpp), `lost` why nothing does, or null. Nothing is
// changed unless the copy is sealed for this home, and whole or to be taken as it is. The store
// then writes a log of its own.
[[nodiscard]] CommandOutcome restore_backup(const std::filesystem::path& home,
                                            const RestoreOptions& options);

}  // namespace meshstow::io
