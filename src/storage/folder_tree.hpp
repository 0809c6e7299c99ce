// storage/folder_tree.hpp: the writer's view of folders: found once, digests summed in memory,
// written once per transaction however many documents below them changed.
//
// Owner: one RemoteStorage. Rows appear, vanish, and go live or dead in the engine at once, so that
// lookups there are true; digests and counts reach it with flush().
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/digests.hpp"
#include "storage/entry.hpp"
#include "storage/space_record.hpp"

namespace meshstow::storage {

struct Folder {
  NodeRow row;
  std::string name;
  Folder* parent = nullptr;  // nullptr: the root
  std::size_t depth = 0;     // of the root
  Category category = Category::root;
  bool secret = false;
  NodeId usage = 0;         // whose documents are counted together: module, or category
  Hash32 counted;           // the digest that the parent's sum has of this folder...
  bool is_counted = false;  // ...if any
  bool dirty = false;       // the engine's row is older
};

class FolderTree {
 public:
  FolderTree(LocalStore& store, RecordBox& box, const Digests& digests)
      : store_(store), box_(box), digests_(digests) {}

  // Of an empty engine.
  void create_fixed_folders();

  struct Walk {
    Folder* folder = nullptr;  // the deepest of the folders that has a row, live or dead
    std::size_t found = 0;     // how many of the names lead there
    bool clash = false;        // the next name is a live document's
  };
  // From the root along `names`. Errc::corrupt: an entry on the way does not open.
  [[nodiscard]] Result<Walk> walk(std::span<const std::string_view> names);
  // Makes rows for the names that `walk` did not find; they are dead until something in them is
  // live.
  Folder& create(const Walk& walk, std::span<const std::string_view> names, SpaceRecord& space);
  // nullptr: there is no such folder.
  [[nodiscard]] Result<Folder*> load(NodeId id);

  // A node (of whatever kind, dead or live) was put into or taken out of the folder; one that is
  // left without any goes itself.
  void child_added(Folder& folder);
  void child_removed(Folder& folder);
  // A live child appeared or went.
  void child_lives(Folder& folder);
  void child_died(Folder& folder);
  void add_to_digest(Folder& folder, const Hash32& term);
  void subtract_from_digest(Folder& folder, const Hash32& term);

  void flush();
  void forget();  // after flush() or a rollback; pointers to folders die
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  using Name = std::pair<NodeId, std::string>;

  Result<Folder*> root();
  Folder& keep(NodeRow row, std::string name, Folder* parent);
  Result<Folder*> open(NodeRow row, Folder& parent);
  void remove(Folder& folder);
  void mark(Folder& folder);

  LocalStore& store_;
  RecordBox& box_;
  const Digests& digests_;
  std::unordered_map<NodeId, Folder> by_id_;
  std::map<Name, Folder*> by_name_;
  std::map<std::size_t, std::vector<NodeId>, std::greater<>> dirty_;  // by depth, deepest first
};

}  // namespace meshstow::storage
