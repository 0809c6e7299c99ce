#include "storage/refusals.hpp"
#include "storage/space_writer.hpp"

namespace meshstow::storage {
namespace {

// Bounds of one call of reclaim_some(): a few milliseconds of work.
constexpr std::size_t kChunksAtOnce = 128;
constexpr std::size_t kHistoryAtOnce = 256;
constexpr std::size_t kLooseLookedAt = 256;
constexpr std::size_t kShrinkAtOnce = 1024 * 1024;
constexpr auto kBetweenSweeps = std::chrono::hours{1};
// A store that nobody writes to says so often how long it has lived; a crash forgets no more.
constexpr auto kLivedTimeUnsaved = std::chrono::hours{6};

}  // namespace

bool SpaceWriter::reclaim_some(Now now, bool idle) {
  if (idle) engine_->tidy(/*idle=*/true);
  advance(now);
  const bool sweeping = !next_sweep_ || now.mono >= *next_sweep_;
  if (!sweeping && !is_over_quota() && !next_reclaimable()) return false;

  touched_uploads_.clear();
  settings_changed_ = false;
  reclaimed_ = 0;
  const SpaceRecord before = space_;
  const HistoryId swept_before = swept_;
  if (!engine_->begin(/*durable=*/false)) return false;
  bool more = reclaim_bodies(kChunksAtOnce);
  Result<bool> history = false;
  if (sweeping) {
    history = sweep_history(now, kHistoryAtOnce);
  } else if (is_over_quota()) {
    history = shrink_history(kHistoryAtOnce);
  }
  const bool remembers = lived_.lived() - space_.lived < kLivedTimeUnsaved;
  if (reclaimed_ == 0 && remembers && history && !engine_->view().status()) {
    engine_->rollback();  // only looked
    return *history || (sweeping && is_over_quota());
  }
  Result<void> finished = history ? finish_transaction() : fail(history.error());
  if (!finished) {
    engine_->rollback();
    take_back(before);
    swept_ = swept_before;
    next_sweep_ = now.mono + kBetweenSweeps;  // a failing disk must not keep us busy for ever
    return false;
  }
  return more || *history || is_over_quota() || next_reclaimable().has_value();
}

// With its history, which gives way.
bool SpaceWriter::is_over_quota() const {
  const auto quota = space_quota();
  return quota && space_.history_bytes > 0 && space_.bytes + space_.history_bytes > *quota;
}

// The first loose body that nobody writes or reads. Loose is what the last commit says, as
// ContentPins demands.
std::optional<ContentId> SpaceWriter::next_reclaimable() {
  const auto shared = engine_->view().shared();
  ContentId after = 0;
  for (;;) {
    const auto page = engine_->view().loose(after, kLooseLookedAt);
    for (const ContentId content : page) {
      after = content;
      if (is_uploading(content) || shared->pins.pinned(content)) continue;
      const auto row = engine_->view().content(content);
      if (row && row->references == 0) return content;  // else the list is damaged
    }
    if (page.size() < kLooseLookedAt) return std::nullopt;
  }
}

// At most so many chunks. True: there is more of it.
bool SpaceWriter::reclaim_bodies(std::size_t most) {
  while (const auto content = next_reclaimable()) {
    if (most == 0) return true;
    ++reclaimed_;
    most -= bodies_.reclaim(*content, most);
  }
  return false;
}

// Goes over the whole history, some rows a call, once an hour and after changes of policy. True:
// there is more of it.
Result<bool> SpaceWriter::sweep_history(Now now, std::size_t most) {
  const auto rows = engine_->view().history(swept_, most);
  for (const HistoryRow& row : rows) {
    swept_ = row.id;
    const auto node = engine_->view().node(row.document);
    if (!node) continue;
    auto folder = folders_.load(node->parent);
    if (!folder || *folder == nullptr) continue;  // damaged: for the check to tell
    if (!is_expired(row, *node, policy_of(**folder))) continue;
    if (auto dropped = drop_row(row); !dropped) return fail(dropped.error());
  }
  if (rows.size() == most) return true;
  swept_ = 0;
  next_sweep_ = now.mono + kBetweenSweeps;
  return false;
}

bool SpaceWriter::is_expired(const HistoryRow& row, const NodeRow& node,
                             const HistoryPolicy& policy) const {
  // The sweep meets a document's states oldest first, so the count says whether this one is too
  // many.
  if (node.history > static_cast<std::int64_t>(policy.keep_versions)) return true;
  return !lived_.is_held() && lived_.lived() - Duration{row.superseded} > policy.keep_for;
}

// History gives way to current documents, oldest first.
Result<bool> SpaceWriter::shrink_history(std::size_t most) {
  for (const HistoryRow& row : engine_->view().history(0, most)) {
    if (!is_over_quota()) return false;
    if (auto dropped = drop_row(row); !dropped) return fail(dropped.error());
  }
  return false;
}

// Takes one state out of a history, and the document with it if it is deleted and this was the
// last.
Result<void> SpaceWriter::drop_row(const HistoryRow& row) {
  auto node = engine_->view().node(row.document);
  if (!node) return {};
  auto folder = folders_.load(node->parent);
  if (!folder) return fail(folder.error());
  if (*folder == nullptr) return fail(Errc::corrupt, "a document's folder is missing");
  if (auto dropped = drop_history(*node, row); !dropped) return dropped;
  ++reclaimed_;
  if (node->history == 0 && !node->live) {
    const auto entry = box_.open_entry((*folder)->secret, node->id, node->parent, node->entry);
    forget(entry && entry->document ? entry->document->latest : lived_.wall());
    engine_->remove_node(node->id);
    folders_.child_removed(**folder);
  } else {
    engine_->update_node(*node);
  }
  return {};
}

Result<std::uint64_t> SpaceWriter::compact(Now now, const CompactProgress& progress) {
  const std::uint64_t before = engine_->file_size().total;
  next_sweep_.reset();
  while (reclaim_some(now, /*idle=*/true)) {
    const auto size = engine_->file_size();
    if (progress && !progress(before - std::min(before, size.total), size.unused)) break;
  }
  for (;;) {
    const auto more = engine_->shrink(kShrinkAtOnce);
    if (!more) return fail(more.error());
    const auto size = engine_->file_size();
    const std::uint64_t given_back = before - std::min(before, size.total);
    if (progress && !progress(given_back, size.unused)) return given_back;
    if (!*more) return given_back;
  }
}

}  // namespace meshstow::storage
