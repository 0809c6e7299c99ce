#include <algorithm>

#include "base/limits.hpp"
#include "codec/utf8.hpp"
#include "storage/refusals.hpp"
#include "storage/space_writer.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kHistoryPage = 64;

// Whether a type can be stored: the one rule for HTTP and the mesh. Listings are JSON, and a header
// can hold no control characters; whether the type means anything matters only when it is sent.
bool is_content_type(std::string_view text) {
  if (text.empty() || text.size() > limits::kContentType) return false;
  if (!codec::is_valid_utf8(text)) return false;
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
  });
}

// What a writer has seen who saw `state`.
CausalContext seen_after(const DocumentState& state) {
  CausalContext seen = state.context;
  const auto at =
      std::lower_bound(seen.begin(), seen.end(), state.version.log,
                       [](const VersionId& entry, const LogId& log) { return entry.log < log; });
  if (at == seen.end() || at->log != state.version.log) {
    seen.insert(at, state.version);
  } else {
    at->sequence = std::max(at->sequence, state.version.sequence);
  }
  return seen;
}

}  // namespace

Outcome<SpaceWriter::Place> SpaceWriter::locate(const StoragePath& path) {
  if (path.is_folder()) return refuse(Refusal::malformed, "a folder where a document is needed");
  Place place;
  place.folders = path.segments();
  place.name = place.folders.back();
  place.folders.pop_back();
  auto walk = folders_.walk(place.folders);
  if (!walk) return refuse(walk.error());
  place.walk = *walk;
  place.clash = walk->clash;
  if (place.clash || walk->found < place.folders.size()) return place;

  const Folder& folder = *walk->folder;
  // Read now: whoever has begun to write must not find it damaged.
  if (auto usage = usage_.of(folder.usage); !usage) return refuse(usage.error());
  place.key = box_.name_key(folder.secret, folder.row.id, place.name);
  LocalStoreReader& view = engine_->view();
  if (folder.row.live) place.node = view.live_child(folder.row.id, place.key);
  if (place.node && place.node->kind == NodeKind::folder) {
    place.node.reset();
    place.clash = true;  // a deleted document may have had the name before
  }
  if (!place.node && folder.row.children > folder.row.live_children) {
    place.node = view.dead_child(folder.row.id, place.key, NodeKind::document);
  }
  if (!place.node) return place;
  auto entry =
      box_.open_entry(folder.secret, place.node->id, place.node->parent, place.node->entry);
  if (!entry) return refuse(entry.error());
  if (!entry->document || entry->name != place.name) {
    return refuse(Refusal::corrupt, "a document is not where its name belongs");
  }
  place.state = std::move(*entry->document);
  return place;
}

Outcome<void> SpaceWriter::check_conditions(const Place& place, const Conditions& conditions) {
  const auto current = place.tag();
  if (conditions.if_match && !conditions.if_match->matches_strong(current)) {
    return refuse(Refusal::precondition_failed, "If-Match does not hold", current);
  }
  if (place.exists() && !unmodified_holds(conditions, place.state->modified, place.state->dated)) {
    return refuse(Refusal::precondition_failed, "If-Unmodified-Since does not hold", current);
  }
  if (conditions.if_none_match && conditions.if_none_match->matches_weak(current)) {
    return refuse(Refusal::precondition_failed, "If-None-Match does not hold", current);
  }
  return {};
}

Outcome<Answer> SpaceWriter::run(const PutDocument& put) {
  if (!is_content_type(put.content_type)) return refuse(Refusal::malformed, "a bad content type");
  auto place = locate(put.path);
  if (!place) return tl::unexpected(place.error());
  if (place->clash) {
    return refuse(Refusal::name_clash, "a document and a folder cannot have one name");
  }
  if (auto held = check_conditions(*place, put.conditions); !held) {
    return tl::unexpected(held.error());
  }
  const std::uint64_t replaced = place->exists() ? place->state->size : 0;
  std::uint64_t size = 0;
  if (const auto* bytes = std::get_if<Bytes>(&put.body)) {
    size = bytes->size();
  } else {
    auto upload = upload_for(put);
    if (!upload) return tl::unexpected(upload.error());
    size = (*upload)->body.size();
  }
  if (auto room = check_room(put.path.module(), size, replaced); !room) {
    return tl::unexpected(room.error());
  }

  auto body = take_body(put, put.path.is_secret());
  if (!body) return tl::unexpected(body.error());
  DocumentState state = next_state(*place);
  state.content_type = put.content_type;
  state.chunked = body->chunked;
  state.size = body->size;
  state.body = body->body;
  state.list = body->list;
  auto result = write_version(*place, std::move(state), body->content);
  if (!result) return tl::unexpected(result.error());
  return std::move(*result);
}

Outcome<StoredBody> SpaceWriter::take_body(const PutDocument& put, bool secret) {
  if (const auto* bytes = std::get_if<Bytes>(&put.body)) {
    BodyInProgress body = bodies_.start(secret);
    bodies_.append(body, *bytes);
    return bodies_.finish(body);
  }
  const auto found = uploads_.find(std::get<UploadId>(put.body));
  StoredBody stored = bodies_.finish(found->second.body);
  uploads_.erase(found);
  return stored;
}

Outcome<Answer> SpaceWriter::run(const RemoveDocument& remove) {
  auto place = locate(remove.path);
  if (!place) return tl::unexpected(place.error());
  if (auto held = check_conditions(*place, remove.conditions); !held) {
    return tl::unexpected(held.error());
  }
  if (!place->exists()) return refuse(Refusal::not_found, "no such document");
  auto result = write_deletion(*place);
  if (!result) return tl::unexpected(result.error());
  return std::move(*result);
}

Outcome<Answer> SpaceWriter::run(const RestoreVersion& restore) {
  auto place = locate(restore.path);
  if (!place) return tl::unexpected(place.error());
  if (place->clash) {
    return refuse(Refusal::name_clash, "a document and a folder cannot have one name");
  }
  if (!place->node) return refuse(Refusal::not_found, "no such document");
  auto old = find_version(*place, restore.version);
  if (!old) return tl::unexpected(old.error());
  const auto& [version, content] = *old;
  if (version.deleted) return refuse(Refusal::malformed, "that version is a deletion");
  const std::uint64_t replaced = place->exists() ? place->state->size : 0;
  if (auto room = check_room(restore.path.module(), version.size, replaced); !room) {
    return tl::unexpected(room.error());
  }

  DocumentState state = next_state(*place);
  state.content_type = version.content_type;
  state.chunked = version.chunked;
  state.size = version.size;
  state.body = version.body;
  state.list = version.list;
  bodies_.refer(content);
  auto result = write_version(*place, std::move(state), content);
  if (!result) return tl::unexpected(result.error());
  return std::move(*result);
}

Outcome<std::pair<DocumentState, ContentId>> SpaceWriter::find_version(const Place& place,
                                                                       const VersionId& version) {
  const NodeRow& node = *place.node;
  if (place.state->version == version) return std::pair(*place.state, node.content);
  HistoryId below = INT64_MAX;
  for (;;) {
    const auto page = engine_->view().history_of(node.id, below, kHistoryPage);
    for (const HistoryRow& row : page) {
      auto entry = box_.open_entry(place.walk.folder->secret, node.id, node.parent, row.entry);
      if (!entry) return refuse(entry.error());
      if (entry->document && entry->document->version == version) {
        return std::pair(std::move(*entry->document), row.content);
      }
      below = row.id;
    }
    if (page.size() < kHistoryPage) return refuse(Refusal::not_found, "no such version");
  }
}

DocumentState SpaceWriter::next_state(const Place& place) {
  DocumentState state;
  state.version = {space_.log, space_.next_sequence++};
  const WallTime before = place.state ? place.state->latest : space_.forgotten;
  const auto second = [](WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); };
  state.modified = lived_.wall();
  state.latest = std::max(before, state.modified);
  state.dated = second(state.modified) > second(before);
  if (place.state) state.context = seen_after(*place.state);
  return state;
}

Outcome<WriteResult> SpaceWriter::write_version(Place& place, DocumentState state,
                                                ContentId content) {
  Folder& folder = folders_.create(place.walk, place.folders, space_);
  auto usage = usage_.of(folder.usage);
  if (!usage) return refuse(usage.error());
  WriteResult result{document_etag(state.version), state.version, !place.exists()};
  NodeRow node;
  if (place.node) {
    node = std::move(*place.node);
    if (node.live) {
      folders_.subtract_from_digest(folder, digests_.of_document(place.name, place.state->version));
      --(*usage)->documents;
      --space_.documents;
      (*usage)->bytes -= place.state->size;
      space_.bytes -= place.state->size;
    }
    if (auto done = supersede(node, *place.state, folder); !done) return refuse(done.error());
  } else {
    node.id = space_.next_node++;
    node.parent = folder.row.id;
    node.kind = NodeKind::document;
    node.key = place.key.empty() ? box_.name_key(folder.secret, folder.row.id, place.name)
                                 : std::move(place.key);
  }
  folders_.add_to_digest(folder, digests_.of_document(place.name, state.version));
  ++(*usage)->documents;
  ++space_.documents;
  (*usage)->bytes += state.size;
  space_.bytes += state.size;

  node.content = content;
  node.entry = box_.close_entry(folder.secret, node.id, node.parent,
                                Entry{std::string(place.name), std::move(state)});
  if (!place.node) {
    node.live = true;
    engine_->insert_node(node);
    folders_.child_added(folder);
  } else {
    engine_->update_node(node);
    if (!node.live) engine_->set_live(node.id, true);
  }
  if (result.created) folders_.child_lives(folder);
  return result;
}

Outcome<WriteResult> SpaceWriter::write_deletion(Place& place) {
  Folder& folder = *place.walk.folder;
  auto usage = usage_.of(folder.usage);
  if (!usage) return refuse(usage.error());
  DocumentState state = next_state(place);
  state.deleted = true;
  const DocumentState& old = *place.state;
  WriteResult result{document_etag(old.version), state.version, false};
  NodeRow node = std::move(*place.node);
  folders_.subtract_from_digest(folder, digests_.of_document(place.name, old.version));
  --(*usage)->documents;
  --space_.documents;
  (*usage)->bytes -= old.size;
  space_.bytes -= old.size;
  if (auto done = supersede(node, old, folder); !done) return refuse(done.error());

  folders_.child_died(folder);
  if (node.history == 0) {
    forget(state.latest);
    engine_->remove_node(node.id);
    folders_.child_removed(folder);
    return result;
  }
  node.content = 0;
  node.entry = box_.close_entry(folder.secret, node.id, node.parent,
                                Entry{std::string(place.name), std::move(state)});
  engine_->update_node(node);
  engine_->set_live(node.id, false);
  return result;
}

// Of a document of which nothing stays, only this: what takes its name has to be of a later second
// than any of its states, or it has no date of its own.
void SpaceWriter::forget(WallTime latest) { space_.forgotten = std::max(space_.forgotten, latest); }

// Moves the node's state into its history, as far as the policy wants one.
Result<void> SpaceWriter::supersede(NodeRow& node, const DocumentState& old, Folder& folder) {
  const HistoryPolicy policy = policy_of(folder);
  if (policy.keep_versions == 0) {
    bodies_.release(node.content);
    return {};
  }
  auto usage = usage_.of(folder.usage);
  if (!usage) return fail(usage.error());
  HistoryRow row;
  row.id = space_.next_history++;
  row.document = node.id;
  row.usage = folder.usage;
  row.superseded = lived_.lived().count();
  row.bytes = static_cast<std::int64_t>(old.size);
  row.content = node.content;
  row.entry = std::move(node.entry);
  engine_->insert_history(row);
  ++node.history;
  (*usage)->history_bytes += old.size;
  space_.history_bytes += old.size;
  // One comes, so at most a few go; what a stricter policy leaves behind is for reclaim_some().
  for (int i = 0; i < 2 && node.history > static_cast<std::int64_t>(policy.keep_versions); ++i) {
    const auto oldest = engine_->view().oldest_history_of(node.id);
    if (!oldest) break;
    if (auto dropped = drop_history(node, *oldest); !dropped) return dropped;
  }
  return {};
}

// Takes one state out of the node's history; the caller writes the node.
Result<void> SpaceWriter::drop_history(NodeRow& node, const HistoryRow& row) {
  auto usage = usage_.of(row.usage);
  if (!usage) return fail(usage.error());
  const auto bytes = static_cast<std::uint64_t>(row.bytes);
  (*usage)->history_bytes -= std::min((*usage)->history_bytes, bytes);
  space_.history_bytes -= std::min(space_.history_bytes, bytes);
  bodies_.release(row.content);
  engine_->remove_history(row.id);
  --node.history;
  return {};
}

}  // namespace meshstow::storage
