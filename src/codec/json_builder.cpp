#include "codec/json_builder.hpp"

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/utf8.hpp"

namespace meshstow::codec {

bool JsonBuilder::refuse(const char* why) {
  if (refusal_ == nullptr) refusal_ = why;
  return false;
}

bool JsonBuilder::expects_key() const {
  return !open_.empty() && open_.back().container.is_object() && !open_.back().has_key;
}

bool JsonBuilder::begin(boost::json::value container) {
  if (open_.size() >= limits::kJsonDepth) return refuse("nested too deeply");
  open_.push_back(Open{.container = std::move(container)});
  return true;
}

bool JsonBuilder::end() {
  MESHSTOW_CHECK(!open_.empty());
  boost::json::value whole = std::move(open_.back().container);
  open_.pop_back();
  return add(std::move(whole));
}

bool JsonBuilder::key(std::string_view text) {
  MESHSTOW_CHECK(expects_key());
  Open& top = open_.back();
  if (!is_valid_utf8(text)) return refuse("key is not UTF-8");
  if (top.container.get_object().contains(text)) return refuse("key given twice");
  top.key = text;
  top.has_key = true;
  return true;
}

bool JsonBuilder::string(std::string_view text) {
  if (!is_valid_utf8(text)) return refuse("text is not UTF-8");
  return add(boost::json::string(text));
}

bool JsonBuilder::integer(std::int64_t value) {
  if (value < -kSafeInteger || value > kSafeInteger) return refuse("integer out of range");
  return add(value);
}

bool JsonBuilder::unsigned_integer(std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(kSafeInteger)) return refuse("integer out of range");
  return add(static_cast<std::int64_t>(value));
}

bool JsonBuilder::add(boost::json::value value) {
  if (open_.empty()) {
    result_ = std::move(value);
    done_ = true;
    return true;
  }
  Open& top = open_.back();
  if (top.container.is_array()) {
    top.container.get_array().push_back(std::move(value));
    return true;
  }
  MESHSTOW_CHECK(top.has_key);
  top.container.get_object().emplace(top.key, std::move(value));
  top.has_key = false;
  return true;
}

}  // namespace meshstow::codec
