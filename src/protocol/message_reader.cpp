#include "protocol/message_reader.hpp"

#include <boost/json.hpp>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "codec/json.hpp"
#include "codec/msgpack.hpp"
#include "crypto/hash.hpp"
#include "protocol/message_fields.hpp"
#include "protocol/value_scanner.hpp"

namespace meshstow::protocol {
namespace {

namespace json = boost::json;

constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::string_view kData = "data";
constexpr std::string_view kSignature = "signature";

bool is_json_object(std::string_view text) {
  json::error_code ec;
  const json::value value = json::parse(text, ec);
  return !ec && value.is_object();
}

// Moves a member out of the object; nullopt if it is not there.
std::optional<json::value> extract(json::object& object, std::string_view key) {
  json::value* found = object.if_contains(key);
  if (found == nullptr) return std::nullopt;
  std::optional<json::value> out(std::move(*found));
  object.erase(key);
  return out;
}

// C2: 128 lower-case hex digits. Anything else is a signature that cannot hold.
std::optional<Signature> signature_of(const json::value& value) {
  if (!value.is_string()) return std::nullopt;
  const std::string_view text(value.get_string().data(), value.get_string().size());
  const auto signature = codec::fixed_from_hex<Signature::size()>(text);
  if (!signature || codec::to_hex(*signature) != text) return std::nullopt;
  return *signature;
}

bool is_put(const AnyMessage& message) {
  const auto* request = std::get_if<StorageRequest>(&message);
  return request != nullptr && request->operation == Operation::put;
}

}  // namespace

struct MessageReader::State {
  // What the next byte belongs to.
  enum class Step { top, text, key, value, data_head, data, end };

  explicit State(DataSink data_sink) : sink(std::move(data_sink)) {}

  Result<void> take(ByteView& bytes);
  Result<void> take_top(ByteView& bytes);
  Result<void> take_text(ByteView& bytes);
  Result<void> take_item(ByteView& bytes);
  Result<void> take_data_head(ByteView& bytes);
  Result<void> take_data(ByteView& bytes);

  void next_member();
  Result<void> end_key();
  Result<void> end_value();
  Result<void> begin_data(std::uint64_t size);
  Result<void> give(ByteView piece);

  Result<void> finish();
  Result<void> finish_text();
  Result<Bytes> take_json_data(const json::value& value);
  Result<void> finish_message();

  DataSink sink;
  Step step = Step::top;
  std::optional<Error> error;
  bool finished = false;
  Form form = Form::msgpack;
  bool recognised = false;  // a map, or a text that begins like a JSON object

  ValueHead head;              // of the message, or of its `data`
  ValueScanner scanner;        // of the key or value that is being taken
  Bytes item;                  // the bytes of that so far
  std::size_t head_bytes = 0;  // taken for keys and values, `data` left out
  std::uint64_t members_due = 0;
  std::string key;

  json::object members;  // but `data` and `signature`
  bool has_signature = false;
  std::optional<Signature> signature;  // nullopt also if what is there can be none

  bool has_data = false;
  bool held = false;  // `data` waits in `whole` for what comes after it
  Bytes whole;        // held data, or a JSON message
  std::optional<std::uint64_t> data_size;
  std::uint64_t bytes_due = 0;  // of the data, or of the JSON message
  crypto::Sha256 hash;

  AnyMessage message;
  std::string canonical;
  Hash32 digest;
};

Result<void> MessageReader::State::take(ByteView& bytes) {
  switch (step) {
    case Step::top: return take_top(bytes);
    case Step::text: return take_text(bytes);
    case Step::key:
    case Step::value: return take_item(bytes);
    case Step::data_head: return take_data_head(bytes);
    case Step::data: return take_data(bytes);
    case Step::end: break;
  }
  return fail(Errc::malformed, "bytes follow the message");
}

Result<void> MessageReader::State::take_top(ByteView& bytes) {
  const auto taken = head.take(bytes.front());
  bytes = bytes.subspan(1);
  if (!taken) return taken;
  const bool is_map = head.kind() == ValueHead::Kind::map;
  const bool is_string = head.kind() == ValueHead::Kind::string;
  if (!is_map && !is_string && head.kind() != ValueHead::Kind::binary) {
    return fail(Errc::malformed, "neither a map nor a text");
  }
  recognised = is_map;
  if (!is_map) form = is_string ? Form::json_string : Form::json_binary;
  if (!head.complete()) return {};
  if (is_map) {
    members_due = head.length();
    next_member();
  } else {
    bytes_due = head.length();
    step = bytes_due == 0 ? Step::end : Step::text;
  }
  return {};
}

Result<void> MessageReader::State::take_text(ByteView& bytes) {
  ByteView part =
      bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), bytes_due)));
  bytes = bytes.subspan(part.size());
  if (!recognised) {
    // White space in front is not kept, so that the answer does not depend on how the bytes are
    // cut.
    const std::size_t begin =
        std::min(base::as_text(part).find_first_not_of(kWhiteSpace), part.size());
    bytes_due -= begin;
    part = part.subspan(begin);
    recognised = !part.empty() && part.front() == '{';
    if (!recognised && !part.empty()) {
      form = Form::msgpack;
      return fail(Errc::malformed, "neither a map nor a JSON object");
    }
  }
  if (recognised && whole.size() + bytes_due > limits::kJsonMessage) {
    return fail(Errc::limit, "the JSON message is too long");
  }
  base::append(whole, part);
  bytes_due -= part.size();
  if (bytes_due == 0) step = Step::end;
  return {};
}

void MessageReader::State::next_member() {
  step = members_due == 0 ? Step::end : Step::key;
  scanner = {};
  item.clear();
}

Result<void> MessageReader::State::take_item(ByteView& bytes) {
  const std::size_t room = limits::kMessageHead - head_bytes;
  const auto used = scanner.feed(bytes.first(std::min(bytes.size(), room)));
  if (!used) return fail(used.error());
  base::append(item, bytes.first(*used));
  bytes = bytes.subspan(*used);
  head_bytes += *used;
  if (scanner.complete()) return step == Step::key ? end_key() : end_value();
  if (head_bytes == limits::kMessageHead) {
    return fail(Errc::limit, "the message without its data is too long");
  }
  return {};
}

Result<void> MessageReader::State::end_key() {
  codec::MsgpackReader reader(item);
  const auto text = reader.string();
  if (!text) return fail(Errc::malformed, "a key is not text");
  key = *text;
  const bool twice = key == kData        ? has_data
                     : key == kSignature ? has_signature
                                         : members.contains(key);
  if (twice) return fail(Errc::malformed, "a member is there twice");
  scanner = {};
  item.clear();
  head = {};
  step = key == kData ? Step::data_head : Step::value;
  return {};
}

Result<void> MessageReader::State::end_value() {
  // The message itself is one level of nesting.
  codec::MsgpackReader reader(item, limits::kMsgpackDepth - 1);
  if (key == kSignature) {
    has_signature = true;
    if (const auto bytes = reader.binary()) signature = Signature::from(*bytes);
  } else {
    auto value = codec::json_from_msgpack(reader);
    if (!value) return fail(Errc::malformed, value.error().detail);
    members.emplace(key, std::move(*value));
  }
  --members_due;
  next_member();
  return {};
}

Result<void> MessageReader::State::take_data_head(ByteView& bytes) {
  const auto taken = head.take(bytes.front());
  bytes = bytes.subspan(1);
  if (!taken) return taken;
  if (head.kind() != ValueHead::Kind::binary) {
    return fail(Errc::malformed, "data is not a byte string");
  }
  return head.complete() ? begin_data(head.length()) : Result<void>();
}

Result<void> MessageReader::State::begin_data(std::uint64_t size) {
  has_data = true;
  data_size = size;
  bytes_due = size;
  // What is wrong already need not wait for the data.
  auto known = interpret(members, false);
  if (!known) return fail(known.error());
  message = std::move(*known);
  held = std::holds_alternative<std::monostate>(message);
  if (held && size > limits::kDataBeforePath) {
    return fail(Errc::limit, "data of this size must stand behind path and headers");
  }
  step = Step::data;
  if (size > 0) return {};
  --members_due;
  next_member();
  return {};
}

Result<void> MessageReader::State::take_data(ByteView& bytes) {
  const ByteView part =
      bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), bytes_due)));
  bytes = bytes.subspan(part.size());
  bytes_due -= part.size();
  if (held) {
    base::append(whole, part);
  } else if (const auto given = give(part); !given) {
    return given;
  }
  if (bytes_due > 0) return {};
  --members_due;
  next_member();
  return {};
}

Result<void> MessageReader::State::give(ByteView piece) {
  if (piece.empty()) return {};
  hash.update(piece);
  return sink ? sink(piece) : Result<void>();
}

Result<void> MessageReader::State::finish() {
  if (step == Step::end && form == Form::msgpack) return finish_message();
  if (step == Step::end && recognised) return finish_text();
  form = Form::msgpack;
  if (step != Step::end) return fail(Errc::malformed, "the message ends too early");
  return fail(Errc::malformed, "neither a map nor a JSON object");
}

Result<void> MessageReader::State::finish_text() {
  auto value = codec::parse_strict_json(base::as_text(whole));
  if (!value) {
    if (!is_json_object(base::as_text(whole))) form = Form::msgpack;
    return fail(value.error());
  }
  members = std::move(value->get_object());
  if (const auto found = extract(members, kSignature)) {
    has_signature = true;
    signature = signature_of(*found);
  }
  whole.clear();
  if (const auto found = extract(members, kData)) {
    auto data = take_json_data(*found);
    if (!data) return fail(data.error());
    whole = std::move(*data);
    has_data = held = true;
    data_size = whole.size();
  }
  return finish_message();
}

Result<Bytes> MessageReader::State::take_json_data(const json::value& value) {
  if (!value.is_string()) return fail(Errc::malformed, "data is not base64 text");
  auto data = codec::from_base64({value.get_string().data(), value.get_string().size()});
  if (!data) return fail(Errc::malformed, "data is not base64 as RFC 4648 section 4 has it");
  return data;
}

Result<void> MessageReader::State::finish_message() {
  auto known = interpret(members, true);
  if (!known) return fail(known.error());
  message = std::move(*known);
  if (is_put(message) && !has_data) return fail(Errc::malformed, "a PUT without data");
  if (held) {
    if (const auto given = give(whole); !given) return given;
    whole = {};
  }
  const auto data = has_data ? std::optional(hash.finish()) : std::nullopt;
  canonical = canonical_message(members, data);
  if (has_signature) {
    members.emplace(kSignature, signature ? codec::to_hex(*signature) : std::string());
  }
  digest = crypto::sha256(base::as_bytes(canonical_message(std::move(members), data)));
  members = {};
  return {};
}

MessageReader::MessageReader(DataSink sink) : state_(new State(std::move(sink))) {}
MessageReader::~MessageReader() = default;
MessageReader::MessageReader(MessageReader&&) noexcept = default;

Result<void> MessageReader::feed(ByteView bytes) {
  while (!bytes.empty() && !state_->error) {
    if (const auto taken = state_->take(bytes); !taken) state_->error = taken.error();
  }
  if (state_->error) return fail(*state_->error);
  return {};
}

Result<void> MessageReader::finish() {
  if (!state_->error && !state_->finished) {
    state_->finished = true;
    if (const auto finished = state_->finish(); !finished) state_->error = finished.error();
  }
  if (state_->error) return fail(*state_->error);
  return {};
}

void MessageReader::forget() {
  if (!state_->error) state_->error = Error{Errc::unavailable, "given up"};
  Bytes().swap(state_->whole);
  Bytes().swap(state_->item);
}

const AnyMessage& MessageReader::message() const { return state_->message; }
Form MessageReader::form() const { return state_->form; }
bool MessageReader::has_data() const { return state_->has_data; }
std::optional<std::uint64_t> MessageReader::data_size() const { return state_->data_size; }
std::size_t MessageReader::held_bytes() const { return state_->whole.size(); }
Hash32 MessageReader::digest() const { return state_->digest; }

Result<void> MessageReader::verify(const LinkId& link, const crypto::Ed25519Public& sender,
                                   bool required) const {
  if (!state_->finished || state_->error) return fail(Errc::denied, "the message is not whole");
  if (!state_->has_signature) {
    if (required) return fail(Errc::denied, "signature is missing");
    return {};
  }
  const Bytes bytes = signed_bytes(link, state_->canonical);
  if (!state_->signature || !crypto::verify(sender, bytes, *state_->signature)) {
    return fail(Errc::denied, "signature does not hold");
  }
  return {};
}

}  // namespace meshstow::protocol
