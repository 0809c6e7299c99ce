#include "base/limits.hpp"
#include "storage/refusals.hpp"
#include "storage/space_writer.hpp"

namespace meshstow::storage {

Outcome<Answer> SpaceWriter::run(const BeginUpload& begin) {
  if (uploads_.contains(begin.upload)) {
    return refuse(Refusal::malformed, "an upload of that number is under way");
  }
  if (uploads_.size() >= limits::kUploads) {
    return refuse(Refusal::unavailable, "too many uploads at once");
  }
  auto place = locate(begin.path);
  if (!place) return tl::unexpected(place.error());
  if (place->clash) {
    return refuse(Refusal::name_clash, "a document and a folder cannot have one name");
  }
  const std::uint64_t replaces = place->exists() ? place->state->size : 0;
  if (auto room = check_room(begin.path.module(), begin.announced_size.value_or(0), replaces);
      !room) {
    return tl::unexpected(room.error());
  }
  touched_uploads_.push_back(begin.upload);
  uploads_.emplace(begin.upload,
                   Upload{bodies_.start(begin.path.is_secret()), begin.path.category(),
                          std::string(begin.path.module()), replaces, std::nullopt});
  return Done{};
}

Outcome<Answer> SpaceWriter::run(const AppendUpload& append) {
  const auto found = uploads_.find(append.upload);
  if (found == uploads_.end()) return refuse(Refusal::not_found, "no such upload");
  Upload& upload = found->second;
  if (upload.failed) return tl::unexpected(*upload.failed);
  const std::uint64_t size = upload.body.size() + append.piece.size();
  if (auto room = check_room(upload.module, size, upload.replaces); !room) {
    upload.failed = room.error();
    return tl::unexpected(room.error());
  }
  touched_uploads_.push_back(append.upload);
  bodies_.append(upload.body, append.piece);
  return Done{};
}

Outcome<Answer> SpaceWriter::run(const AbortUpload& abort) {
  // What was written of it is in the loose list, for reclaim_some().
  if (uploads_.erase(abort.upload) == 0) return refuse(Refusal::not_found, "no such upload");
  return Done{};
}

Outcome<SpaceWriter::Upload*> SpaceWriter::upload_for(const PutDocument& put) {
  const auto found = uploads_.find(std::get<UploadId>(put.body));
  if (found == uploads_.end()) return refuse(Refusal::not_found, "no such upload");
  Upload& upload = found->second;
  if (upload.failed) return tl::unexpected(*upload.failed);
  if (upload.body.secret() != put.path.is_secret()) {
    return refuse(Refusal::malformed, "an upload for another category");
  }
  return &upload;
}

bool SpaceWriter::is_uploading(ContentId content) const {
  for (const auto& [id, upload] : uploads_) {
    if (upload.body.content() == content && !upload.failed) return true;
  }
  return false;
}

}  // namespace meshstow::storage
