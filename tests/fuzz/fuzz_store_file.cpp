// A store's file with bytes of it changed: it opens or does not, and whatever it serves is what was
// once written there.
//
// Input: changes of 5 bytes each, where (4 bytes, modulo the size of the file) and which byte.
#include <map>

#include "base/check.hpp"
#include "storage/plain_sealer.hpp"
#include "storage/remote_storage.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "storage/testing/sim_disk.hpp"

namespace {

using namespace meshstow;
using namespace meshstow::storage;

constexpr const char* kFile = "store";
const Now kNow{TimePoint{}, base::wall_from_unix_seconds(1'800'000'000)};

struct Template {
  std::map<std::string, Bytes> files;
  std::map<std::string, Bytes> documents;
};

Result<std::unique_ptr<RemoteStorage>> open_on(SimDisk& disk, base::Rng& rng) {
  SqliteOptions options;
  options.vfs = disk.vfs();
  auto engine = open_sqlite_store(kFile, options);
  if (!engine) return tl::unexpected(engine.error());
  return RemoteStorage::open(std::move(*engine), make_plain_sealer(), rng, {}, kNow);
}

void put(RemoteStorage& store, const std::string& path, const Bytes& body) {
  const auto run = [&](Operation operation) {
    const StoreRequest one{1, std::move(operation)};
    MESHSTOW_CHECK(store.execute_batch(kNow, {&one, 1}).front().outcome);
  };
  const StoragePath at = *StoragePath::parse(path);
  run(BeginUpload{1, at, std::nullopt});
  run(AppendUpload{1, body});
  run(PutDocument{at, "text/plain", {}, UploadId{1}});
}

Template make_template() {
  Template made;
  SimDisk disk;
  base::SeededRng rng(1);
  {
    auto store = open_on(disk, rng);
    MESHSTOW_CHECK(store);
    const std::map<std::string, std::size_t> sizes{{"/public/m/a", 10},
                                                   {"/public/m/deep/er/b", 3000},
                                                   {"/private/m/c", 70'000},
                                                   {"/shared/m/d", 0}};
    for (const auto& [path, size] : sizes) {
      Bytes body(size);
      rng.fill(body);
      put(**store, path, Bytes(20, 7));  // history
      put(**store, path, body);
      made.documents[path] = std::move(body);
    }
  }
  made.files = disk.files();
  return made;
}

void expect_only_what_was_written(StorageReader& reader, const Template& made) {
  for (const auto& [path, body] : made.documents) {
    const StoragePath at = *StoragePath::parse(path);
    auto reply = reader.execute({1, OpenDocument{at, {}, {}, 0, 1 << 20}});
    if (!reply.outcome) continue;
    const auto& opened = std::get<OpenedDocument>(*reply.outcome);
    MESHSTOW_CHECK(opened.first == body || opened.first == Bytes(20, 7));
    (void)reader.execute({2, ListVersions{at}});
    (void)reader.execute({3, ListFolder{at.parent(), {}, 100}});
  }
  (void)reader.execute({4, ReadUsage{}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Template* const made = new Template(make_template());
  auto files = made->files;
  Bytes& file = files.at(kFile);
  for (; size >= 5; data += 5, size -= 5) {
    const std::size_t where = (std::size_t{data[0]} << 24) | (std::size_t{data[1]} << 16) |
                              (std::size_t{data[2]} << 8) | std::size_t{data[3]};
    file[where % file.size()] = data[4];
  }
  SimDisk disk;
  disk.set_files(std::move(files));
  base::SeededRng rng(2);
  auto store = open_on(disk, rng);
  if (!store) return 0;
  auto reader = (*store)->make_reader();
  if (!reader) return 0;
  expect_only_what_was_written(**reader, *made);
  (void)(*reader)->check({});
  return 0;
}
