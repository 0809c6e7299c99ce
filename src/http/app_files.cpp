#include "http/app_files.hpp"

#include "codec/hex.hpp"
#include "http/assets.hpp"
#include "http/replies.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

// An app's pages on our own origin get one that is nobody's: no cookies, no storage, no access to
// the dashboard. There they are only for programs; browsers are sent to the app's origin.
constexpr std::string_view kSandbox =
    "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads";

Reply redirect_to_app(const Core& core, const Context& context, const std::string& app,
                      std::string_view raw_path, std::string_view target) {
  const Endpoint& endpoint = core.config.endpoints[context.endpoint];
  std::string location = endpoint.app_origin(app) + std::string(raw_path);
  if (const std::size_t query = target.find('?'); query != std::string_view::npos)
    location += target.substr(query);
  return redirect_reply(302, location);
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
  if (path->empty() || path->ends_with('/')) *path += "index.html";
  const AppManifest& manifest = installed->second;
  const auto file = manifest.find(*path);
  if (!file) return answer(error_reply(context, 404, "The app has no such file."));

  ResponseHead head;
  const std::string tag =
      "\"" + codec::to_hex(manifest.generation) + "-" + std::to_string(*file) + "\"";
  head.headers.add("Content-Type", content_type_of(*path));
  head.headers.add("ETag", tag);
  head.headers.add("Cache-Control", "no-cache");
  head.headers.add("X-Content-Type-Options", "nosniff");
  if (!own_origin) {
    head.headers.add("Content-Security-Policy", kSandbox);
    head.headers.add("Cross-Origin-Resource-Policy", "same-origin");
  }
  if (request.header("If-None-Match") == tag) {
    head.status = 304;
    head.framing = Framing::none;
    return answer({.head = std::move(head)});
  }
  head.content_length = manifest.files[*file].size;
  return std::make_unique<AppFileGet>(context, manifest, *file, std::move(head));
}

AppFileGet::AppFileGet(const Context& context, const AppManifest& app, std::size_t file,
                       ResponseHead head)
    : app_(app), file_(file), left_(head.content_length), head_(std::move(head)) {
  if (context.is_head || left_ == 0) {
    send({.head = std::exchange(head_, std::nullopt), .body = std::string_view(), .last = true});
    return;
  }
  next_piece();
}

void AppFileGet::next_piece() {
  ask<storage::RecordList>(storage::GetRecord{app_piece_key(app_, file_, piece_++)},
                           [this](Now, storage::Outcome<storage::RecordList> found) {
                             if (!found || found->records.size() != 1 ||
                                 found->records[0].second.empty() ||
                                 found->records[0].second.size() > left_) {
                               return break_off();
                             }
                             Bytes& bytes = found->records[0].second;
                             left_ -= bytes.size();
                             send({.head = std::exchange(head_, std::nullopt),
                                   .body = std::move(bytes),
                                   .last = left_ == 0});
                           });
}

void AppFileGet::on_sent(Now) { next_piece(); }

}  // namespace meshstow::http
