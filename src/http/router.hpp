// http/router.hpp: which exchange answers a request. One Router per request. Internal to src/http.
#pragma once

#include <memory>
#include <string>

#include "http/core.hpp"
#include "http/target.hpp"

namespace meshstow::http {

inline constexpr std::string_view kDownloads = "/download/";

class Router {
 public:
  Router(Core& core, Now now, const Request& request);
  std::unique_ptr<Exchange> route();
  // After route(): who asked, as far as it had to be known.
  [[nodiscard]] const base::Holder& holder() const { return holder_; }

 private:
  using Answer = std::unique_ptr<Exchange>;
  [[nodiscard]] Answer answer(Reply reply) const;
  [[nodiscard]] Answer error(int status, std::string_view message) const;
  [[nodiscard]] bool is_read() const {
    return request_.method == "GET" || request_.method == "HEAD";
  }

  // For apps (storage_routes.cpp).
  Answer route_app_side(std::string_view path);
  Answer storage(std::string_view raw);
  Answer document(StoragePath path, Authority authority);
  Answer folder(StoragePath path, Authority authority);
  Answer events(std::string_view raw);
  Answer quota();
  Answer token_endpoint();
  // Who asks: the token's authority, or the refusal.
  tl::expected<Authority, Answer> authorise(const StoragePath& path, access::Operation operation);
  tl::expected<Authority, Answer> authorise_token();

  // For the user (dashboard_routes.cpp).
  Answer route_user_side(std::string_view path);
  Answer sign_in();
  Answer consent();
  Answer shell(bool fresh);
  Answer asset(std::string_view file);
  Answer api(std::string_view rest);
  Answer api_files(std::string_view raw, const SessionId& session);
  Answer api_write(std::string_view rest, const SessionId& session);
  Answer make_download(std::string_view raw, const SessionId& session);
  Answer download(std::string_view rest);
  Answer app_files(std::string_view rest);
  enum class Takes { no_body, small_body, upload };
  // The session whose browser proves that it makes this call, or the refusal. A small body is
  // compared with the proof by the CollectingExchange that gets it.
  tl::expected<SessionId, Answer> authorise_session(Takes takes);
  [[nodiscard]] bool is_of_no_body(const std::optional<Hash32>& signed_body) const;
  // A write of the dashboard comes from our own page.
  [[nodiscard]] bool comes_from_our_page() const;

  // Which side an address is on (router.cpp).
  HostMatch match_request();
  Answer route_storage_host();
  Answer route_dashboard_host();
  [[nodiscard]] std::string with_target(std::string origin) const;

  Core& core_;
  const Now now_;
  const Request& request_;
  Context context_;
  Target target_;
  base::Holder holder_;
};

}  // namespace meshstow::http
