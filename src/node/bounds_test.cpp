// Floods in virtual time: what is held stays below its bound, and honest peers are answered, on
// another connection and on the same with a token. One test per row of docs/BOUNDS.md that the mesh
// can reach above Reticulum.
#include "node/program_test_util.hpp"

namespace meshstow::node {
namespace {

using protocol::Form;
using std::chrono::seconds;
using test::get;
using test::Home;
using test::Program;
using test::put;
using test::Question;
using test::Reply;
using test::with_token;
using test::World;

// An honest request is answered within this, whatever others do: a few turns of the wire.
constexpr Duration kSoon = seconds(2);

class Bounds : public testing::Test {
 protected:
  explicit Bounds(reticulum::InterfaceInfo wire = {}) : world(std::move(wire)) {}
  void SetUp() override {
    home.start(world);
    world.join(hostile);
    world.join(honest);
    token = home.issue(world, "n:rw");
    honest.link_to(world, home, &honest.identity);
    world.jams = [this](const test::Participant&, ByteView packet) { return is_stalled(packet); };
  }

  // Nothing more is heard of that link, in either direction.
  void stall(const reticulum::LinkId& link) { stalled.insert(link); }
  [[nodiscard]] bool is_stalled(ByteView packet) const {
    constexpr std::size_t kDestination = 2;  // flags and hops stand before it
    if (packet.size() < kDestination + reticulum::LinkId::size()) return false;
    return stalled.contains(reticulum::LinkId::prefix_of(packet.subspan(kDestination)));
  }

  // Of one of the bounds of the node.
  [[nodiscard]] const base::BoundCounts& counts(std::string_view name) const {
    bounds = home.node->load().bounds;
    for (const base::Shares* each : bounds) {
      if (each->bound().name == name) return each->counts();
    }
    ADD_FAILURE() << name;
    return bounds.front()->counts();
  }

  // Sends from a new link, and lets it stall once `enough`.
  void send_and_stall(Program& from, const reticulum::Identity* as, ByteView value,
                      const std::function<bool()>& enough) {
    from.link_to(world, home, as);
    from.send(world, value);
    world.run(enough, seconds(20));
    stall(from.link);
  }

  void expect_served(Program& program, const std::string& path) {
    const TimePoint before = world.now(program).mono;
    const Reply written = program.ask(world, with_token(put(path, "x"), token));
    EXPECT_EQ(written.verdict(), "200");
    EXPECT_EQ(program.ask(world, with_token(get(path), token)).verdict(), "200");
    EXPECT_LE(world.now(program).mono - before, kSoon);
  }
  void expect_all_served() {
    ++round;
    expect_served(honest, "/public/n/honest" + std::to_string(round));
    // And on the very connection that the flood comes from.
    hostile.link_to(world, home, &hostile.identity);
    expect_served(hostile, "/public/n/same" + std::to_string(round));
  }

  World world;
  Home home{1};
  Program hostile{2};
  Program honest{3};
  std::string token;
  std::set<reticulum::LinkId> stalled;
  mutable std::vector<const base::Shares*> bounds;
  int round = 0;
};

// `data` first, so that all of it must be held until path and headers come.
Bytes data_first(std::size_t announced, std::size_t sent) {
  codec::MsgpackWriter writer;
  writer.map(5).string("data").binary_header(static_cast<std::uint32_t>(announced));
  return base::concat({writer.bytes(), test::random_bytes(sent, 4)});
}

TEST_F(Bounds, data_before_the_path_are_held_up_to_a_small_bound) {
  hostile.link_to(world, home, nullptr);
  const Reply refused =
      hostile.ask_packed(world, data_first(limits::kDataBeforePath + 1, 3'000'000));
  EXPECT_EQ(refused.verdict(), "STORE004 413");
  EXPECT_LT(counts("messages").most, 2 * limits::kDataBeforePath);
  EXPECT_EQ(counts("messages").strangers, 0U);

  // What is within it is taken as ever.
  Program owner(9);
  world.join(owner);
  owner.identity = home.identities().owner;
  owner.link_to(world, home, &owner.identity);
  const Bytes body = test::random_bytes(200'000, 5);
  Question question = put("/public/n/first", "");
  question.data = body;
  const Bytes packed = owner.pack(question);
  // The members of the map, with `data` moved to the front.
  codec::MsgpackReader reader(packed);
  const std::uint32_t members = reader.map().value();
  Bytes rest;
  Bytes data;
  for (std::uint32_t i = 0; i < members; ++i) {
    const std::string key(reader.string().value());
    codec::MsgpackWriter pair;
    pair.string(key);
    if (key == "data") {
      data = base::concat({pair.bytes(), codec::MsgpackWriter().binary(*reader.binary()).bytes()});
    } else {
      base::append(rest, pair.raw(reader.raw_value().value()).bytes());
    }
  }
  const Bytes moved = base::concat({ByteView(packed).first(1), data, rest});
  EXPECT_EQ(owner.ask_packed(world, moved).verdict(), "200");
  EXPECT_EQ(home.get(world, "/public/n/first"), body);
}

TEST_F(Bounds, messages_of_strangers_share_a_part_and_make_room_for_one_another) {
  // It packs well: what is held is what was unpacked.
  codec::MsgpackWriter json;
  json.string(R"({"type":"storage_request","note":")" + std::string(5'000'000, 'x'));
  const Bytes value = json.take();
  const std::size_t links = limits::kHeldMessagesOfStrangers / 3'000'000 + 4;
  for (std::size_t i = 0; i < links; ++i) {
    const std::size_t before = counts("messages").strangers;
    const std::uint64_t evicted = counts("messages").evicted;
    send_and_stall(hostile, nullptr, value, [&] {
      return counts("messages").strangers >= before + 2'900'000 ||
             counts("messages").evicted > evicted;
    });
  }
  EXPECT_LE(counts("messages").most, limits::kHeldMessagesOfStrangers);
  EXPECT_GT(counts("messages").evicted, 0U);
  expect_all_served();
  // What moves too slowly goes.
  world.run_for(2 * limits::kUploadPatience);
  EXPECT_LT(counts("messages").strangers, 1'000'000U);
  expect_all_served();
}

TEST_F(Bounds, more_than_a_stranger_may_have_is_refused_and_read_on) {
  codec::MsgpackWriter json;
  std::string text = R"({"type":"storage_request","note":")";
  for (const Byte each : test::random_bytes(limits::kHeldMessagesOfStranger + 1'000'000, 1)) {
    text += static_cast<char>('a' + each % 26);
  }
  json.string(text + "\"}");
  honest.close(world);
  honest.link_to(world, home, &honest.identity);
  EXPECT_EQ(honest.ask_packed(world, json.bytes()).verdict(), "STORE004 413");
  EXPECT_EQ(counts("messages").strangers, 0U);
  EXPECT_LE(counts("messages").most, limits::kHeldMessagesOfStranger);
  // Who has shown a token may send it.
  expect_served(honest, "/public/n/shown");
  EXPECT_EQ(honest.ask_packed(world, json.bytes()).verdict(), "STORE004 400");
}

TEST_F(Bounds, uploads_that_stall_take_a_share_of_the_places_and_go) {
  const std::string narrow = home.issue(world, "storage:write:/public/narrow/");
  Question write = with_token(put("/public/narrow/a", ""), narrow);
  write.data = test::random_bytes(2'500'000, 3);
  std::size_t begun = 0;
  for (std::size_t i = 0; i < limits::kUploads / 2 && counts("uploads").refused == 0; ++i) {
    hostile.link_to(world, home, &hostile.identity);
    write.timestamp = "2026-03-01T12:00:00." + std::to_string(i) + "Z";
    hostile.send(world, hostile.pack(write));
    const std::size_t before = counts("uploads").guests;
    world.run([&] { return counts("uploads").guests > before || counts("uploads").refused > 0; },
              seconds(5));
    stall(hostile.link);
    begun = std::max(begun, counts("uploads").guests);
  }
  EXPECT_GT(begun, 2U);
  EXPECT_LE(begun, (limits::kUploads - limits::kUploadsOfOwner) / 2);
  expect_all_served();
  // An upload of others, while those are there.
  Question large = with_token(put("/public/n/large", ""), token);
  large.data = test::random_bytes(1'500'000, 3);
  EXPECT_EQ(honest.ask(world, large).verdict(), "200");
  world.run_for(2 * limits::kUploadPatience);
  EXPECT_EQ(counts("uploads").all(), 0U);
}

// A wire with packets of Reticulum's least size, where one part now and then is less than must
// come.
class SlowBounds : public Bounds {
 protected:
  SlowBounds() : Bounds({.name = "slow", .hardware_mtu = 500, .raises_link_mtu = false}) {}
};

TEST_F(SlowBounds, an_upload_that_trickles_is_told_that_it_is_too_slow) {
  Question write = with_token(put("/public/n/slow", ""), token);
  write.data = test::random_bytes(1'200'000, 3);
  bool trickles = false;
  TimePoint next{};
  world.jams = [&](const test::Participant& from, ByteView packet) {
    if (!trickles || &from != &honest || packet.size() < 300) return false;
    const TimePoint now = world.now(from).mono;
    if (now < next) return true;
    next = now + limits::kUploadPatience / 2;
    return false;
  };
  const auto id = honest.send(world, honest.pack(write));
  ASSERT_TRUE(world.run([&] { return counts("uploads").guests == 1; }));
  trickles = true;
  world.run([&] { return home.node->load().too_slow > 0; }, 4 * limits::kUploadPatience);
  EXPECT_EQ(home.node->load().too_slow, 1U);
  EXPECT_EQ(counts("uploads").all(), 0U);
  const auto answer = honest.wait(world, id);
  ASSERT_TRUE(answer);
  EXPECT_EQ(honest.read(*answer).verdict(), "STORE003 503");
  EXPECT_FALSE(home.get(world, "/public/n/slow"));
  EXPECT_EQ(home.uploads_aborted, 1U);
}

TEST_F(Bounds, answers_that_are_read_as_they_leave_are_bounded_and_give_way) {
  home.put(world, "/public/page", test::random_bytes(300'000, 8));
  // Whoever asks here hears nothing more, and so takes no answer.
  world.jams = [this](const test::Participant& from, ByteView packet) {
    return &from == &home && is_stalled(packet);
  };
  const std::size_t of_one = limits::kHeldAnswersOfStranger / limits::kHeldByStream;
  const std::size_t links = limits::kHeldAnswersOfStrangers / limits::kHeldAnswersOfStranger + 3;
  for (std::size_t i = 0; i < links; ++i) {
    hostile.link_to(world, home, nullptr);
    stall(hostile.link);
    for (std::size_t k = 0; k < of_one + 2; ++k) {
      Question question = get("/public/page");
      question.is_signed = false;
      question.timestamp = "2026-03-01T12:00:00." + std::to_string(k) + "Z";
      hostile.send(world, hostile.pack(question));
    }
    world.run_for(std::chrono::milliseconds(200));
  }
  EXPECT_LE(counts("answers").most, limits::kHeldAnswersOfStrangers);
  EXPECT_GT(counts("answers").evicted, 0U);
  EXPECT_GT(counts("answers").refused, 0U);
  expect_all_served();
  EXPECT_EQ(honest.ask(world, get("/public/page")).verdict(), "200");
}

TEST_F(Bounds, a_link_is_turned_away_above_its_requests_and_others_are_not) {
  hostile.link_to(world, home, nullptr);
  hostile.request_timeout = seconds(1);
  home.holds_store = true;
  for (std::size_t i = 0; i < limits::kRequestsPerLink; ++i) {
    Question question = get("/public/" + std::to_string(i));
    question.is_signed = false;
    hostile.send(world, hostile.pack(question));
  }
  world.run_for(seconds(2));
  Question more = get("/public/more");
  more.is_signed = false;
  EXPECT_EQ(hostile.ask(world, more).verdict(), "STORE003 503");
  home.release_store(world);
  expect_all_served();
}

}  // namespace
}  // namespace meshstow::node
