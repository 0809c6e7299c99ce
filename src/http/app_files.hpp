// http/app_files.hpp: the files of installed apps. Internal to src/http.
#pragma once

#include <string>

#include "http/core.hpp"
#include "http/exchange.hpp"

namespace meshstow::http {

// A request to the origin of an app (`own_origin`), or to /apps/NAME/ of ours; `raw_path` is below
// that.
std::unique_ptr<Exchange> begin_app_file(Core& core, const Context& context, const Request& request,
                                         const std::string& app, std::string_view raw_path,
                                         bool own_origin);

// The bytes of a file from `offset` on, as many as the head says.
class AppFileGet final : public Exchange {
 public:
  AppFileGet(const Context& context, const AppManifest& app, std::size_t file, std::uint64_t offset,
             ResponseHead head);

 protected:
  void on_sent(Now now) override;

 private:
  void next_piece();
  void send_piece(Bytes bytes);

  const AppManifest app_;
  const std::size_t file_;
  std::uint64_t piece_;
  std::size_t skip_;  // bytes of the first piece
  std::uint64_t left_;
  std::optional<ResponseHead> head_;
};

}  // namespace meshstow::http
