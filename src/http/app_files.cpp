#include "http/app_files.hpp"

#include "base/limits.hpp"
#include "codec/content_type.hpp"
#include "codec/hex.hpp"
#include "http/ranges.hpp"
#include "http/replies.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

// An app's pages on our own origin get one that is nobody's: no cookies, no storage, no access to
// the dashboard. There they are only for programs; browsers are sent to the app's origin.
constexpr std::string_view kSandbox =
    "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads";

// With its question mark; empty: there is none.
std::string query_of(std::string_view target) {
  const std::size_t query = target.find('?');
  return query == std::string_view::npos ? std::string() : std::string(target.substr(query));
}

Reply redirect_to_app(const Core& core, const Context& context, const std::string& app,
                      std::string_view raw_path, std::string_view target) {
  const Endpoint& endpoint = core.config.endpoints[context.endpoint];
  return redirect_reply(302, endpoint.app_origin(app) + std::string(raw_path) + query_of(target));
}

// A browser that goes to a page, and not a page that fetches something.
bool is_navigation(const Request& request) {
  if (const auto mode = request.header("Sec-Fetch-Mode")) return *mode == "navigate";
  const auto accepted = request.joined("Accept");
  return accepted && accepted->find("text/html") != std::string::npos;
}

struct Named {
  std::optional<std::size_t> file;
  bool wants_slash = false;  // the folder is there, and relative addresses in its page need it
};

// What an address names: a file, the page of a folder, or a route that the app's own page draws.
Named look_up(const AppManifest& app, const std::string& path, const Request& request) {
  Named named;
  if (path.empty() || path.ends_with('/')) {
    named.file = app.index_of(path);
  } else {
    named.file = app.find(path);
    named.wants_slash = !named.file && app.index_of(path + '/');
  }
  if (!named.file && is_navigation(request)) named.file = app.index_of("");
  return named;
}

void add_file_headers(HeaderBlock& headers, std::string_view path, const storage::ETag& tag,
                      bool own_origin) {
  const std::string_view type = codec::content_type_of_ending(path);
  headers.add("Content-Type", type.empty() ? codec::kUnknownContentType : type);
  headers.add("ETag", tag.quoted());
  headers.add("Cache-Control", "no-cache");
  headers.add("Accept-Ranges", "bytes");
  headers.add("X-Content-Type-Options", "nosniff");
  if (own_origin) return;
  headers.add("Content-Security-Policy", kSandbox);
  headers.add("Cross-Origin-Resource-Policy", "same-origin");
}

std::unique_ptr<Exchange> send_file(const Context& context, const Request& request,
                                    const AppManifest& app, std::size_t file, bool own_origin) {
  const auto answer = [&](Reply reply) {
    return std::make_unique<ImmediateExchange>(std::move(reply), context.is_head);
  };
  const std::uint64_t size = app.files[file].size;
  const storage::ETag tag(codec::to_hex(app.generation) + "-" + std::to_string(file));
  ResponseHead head;
  add_file_headers(head.headers, app.files[file].path, tag, own_origin);
  if (has_already(request, tag)) {
    head.status = 304;
    head.framing = Framing::none;
    return answer({.head = std::move(head)});
  }
  ByteRange part{0, size};
  auto asked = context.is_head ? std::nullopt : request.header("Range");
  if (request.header("If-Range").value_or(tag.quoted()) != tag.quoted()) asked = std::nullopt;
  if (const auto range = asked ? parse_range(*asked) : std::nullopt) {
    const auto resolved = resolve(*range, size);
    if (!resolved) {
      Reply refused = error_reply(context, 416, "The file has no such bytes.");
      refused.head.headers.add("Content-Range", "bytes */" + std::to_string(size));
      return answer(std::move(refused));
    }
    part = *resolved;
    head.status = 206;
    head.headers.add("Content-Range", content_range(part, size));
  }
  head.content_length = part.length;
  return std::make_unique<AppFileGet>(context, app, file, part.offset, std::move(head));
}

}  // namespace

std::unique_ptr<Exchange> begin_app_file(Core& core, const Context& context, const Request& request,
                                         const std::string& app, std::string_view raw_path,
                                         bool own_origin) {
  const auto answer = [&](Reply reply) {
    return std::make_unique<ImmediateExchange>(std::move(reply), context.is_head);
  };
  const auto installed = core.apps.find(app);
  if (installed == core.apps.end())
    return answer(error_reply(context, 404, "There is no such app here."));
  if (request.method != "GET" && request.method != "HEAD")
    return answer(method_not_allowed(context, "GET, HEAD"));
  // A service worker of an app in our origin would see the dashboard's requests.
  const bool worker = request.header("Service-Worker").has_value();
  if (!own_origin && worker) return answer(error_reply(context, 403, "No service worker here."));
  if (!own_origin && request.header("Sec-Fetch-Mode") == "navigate") {
    return answer(redirect_to_app(core, context, app, raw_path, request.target));
  }
  auto path = decode_path(raw_path);
  if (!path) return answer(error_reply(context, 400, path.error().detail));
  path->erase(0, 1);
  const Named named = look_up(installed->second, *path, request);
  if (named.wants_slash) {
    const std::string folder = std::string(raw_path) + "/" + query_of(request.target);
    return answer(redirect_reply(302, own_origin ? folder : "/apps/" + app + folder));
  }
  if (!named.file) return answer(error_reply(context, 404, "The app has no such file."));
  return send_file(context, request, installed->second, *named.file, own_origin);
}

AppFileGet::AppFileGet(const Context& context, const AppManifest& app, std::size_t file,
                       std::uint64_t offset, ResponseHead head)
    : app_(app),
      file_(file),
      piece_(offset / limits::kAppPiece),
      skip_(offset % limits::kAppPiece),
      left_(head.content_length),
      head_(std::move(head)) {
  if (context.is_head || left_ == 0) {
    send({.head = std::exchange(head_, std::nullopt), .body = std::string_view(), .last = true});
    return;
  }
  next_piece();
}

void AppFileGet::next_piece() {
  ask<storage::RecordList>(storage::GetRecord{app_piece_key(app_, file_, piece_++)},
                           [this](Now, storage::Outcome<storage::RecordList> found) {
                             if (!found || found->records.size() != 1) return break_off();
                             send_piece(std::move(found->records[0].second));
                           });
}

void AppFileGet::send_piece(Bytes bytes) {
  const std::size_t skip = std::exchange(skip_, 0);
  if (bytes.size() <= skip) return break_off();
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(skip));
  if (bytes.size() > left_) bytes.resize(static_cast<std::size_t>(left_));
  left_ -= bytes.size();
  send({.head = std::exchange(head_, std::nullopt), .body = std::move(bytes), .last = left_ == 0});
}

void AppFileGet::on_sent(Now) { next_piece(); }

}  // namespace meshstow::http
