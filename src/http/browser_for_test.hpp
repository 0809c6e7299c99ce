// http/browser_for_test.hpp: the user's browser as its scripts behave: signs in with a link, keeps
// a key, proves each call.
#pragma once

#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "crypto/hash.hpp"
#include "crypto/p256_for_test.hpp"
#include "http/server_for_test.hpp"
#include "http/signed_calls.hpp"
#include "http/target.hpp"

namespace meshstow::http {

inline std::string member_of(const std::string& json, const std::string& name) {
  const std::string open = "\"" + name + "\":\"";
  const std::size_t at = json.find(open);
  if (at == std::string::npos) return {};
  const std::size_t start = at + open.size();
  return json.substr(start, json.find('"', start) - start);
}

inline std::string link_secret(const std::string& link) { return link.substr(link.find('#') + 1); }

class BrowserForTest {
 public:
  explicit BrowserForTest(TestServer& server, std::string host = "127.0.0.1:8181",
                          std::string scheme = "http://")
      : server_(server), host_(std::move(host)), origin_(scheme + host_) {}

  [[nodiscard]] std::string public_key() const {
    return codec::to_base64url(key_.public_key().view());
  }
  [[nodiscard]] std::string id() const {
    return codec::to_hex(crypto::sha256(key_.public_key().view()));
  }

  TestResponse sign_in() {
    return sign_in_with({{"link", link_secret(server_.service().sign_in_link(server_.now()))}});
  }
  TestResponse sign_in_with(Form form) {
    form.push_back({"key", public_key()});
    auto answer = ask("POST", "/signin", {{"Origin", origin_}}, encode_form(form));
    read_nonce();
    return answer;
  }
  void read_nonce() { nonce_ = member_of(ask("GET", "/api/session").body, "nonce"); }

  // The header's value for one call, with the body that a script of ours would sign.
  std::string prove(const std::string& method, const std::string& target,
                    const std::string& body = {}) {
    const bool is_upload = method == "PUT" && target.starts_with("/api/files/");
    return prove_covering(method, target, is_upload ? std::string(kBodyNotCovered) : hash_of(body));
  }
  static std::string hash_of(const std::string& body) {
    return codec::to_base64url(crypto::sha256(base::as_bytes(body)).view());
  }
  std::string prove_covering(const std::string& method, const std::string& target,
                             const std::string& covered) {
    const std::string unique = codec::to_base64url(server_.rng().bytes<16>().view());
    const std::string text = text_to_sign({origin_, method, target}, covered, nonce_, unique);
    return "key " + id() + " " + nonce_ + " " + unique + " " + covered + " " +
           codec::to_base64url(key_.sign(base::as_bytes(text)).view());
  }
  TestResponse call(const std::string& method, const std::string& target,
                    std::optional<std::string> body = {}, Headers more = {}) {
    more.push_back({std::string(kProofHeader), prove(method, target, body.value_or(""))});
    return ask(method, target, std::move(more), std::move(body));
  }
  TestResponse ask(const std::string& method, const std::string& target, Headers more = {},
                   std::optional<std::string> body = {}) {
    more.push_back({"Host", host_});
    return server_.ask(method, target, std::move(more), std::move(body));
  }

  std::string nonce_;

 private:
  TestServer& server_;
  const std::string host_;
  const std::string origin_;
  const crypto::P256KeyForTest key_;
};

}  // namespace meshstow::http
