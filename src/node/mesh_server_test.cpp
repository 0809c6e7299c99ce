// What a program on Reticulum sees of a storage node: every operation, in every form.
#include "codec/hex.hpp"
#include "node/program_test_util.hpp"
#include "protocol/folder_description.hpp"

namespace meshstow::node {
namespace {

using protocol::Form;
using test::get;
using test::Home;
using test::Program;
using test::put;
using test::Question;
using test::remove;
using test::Reply;
using test::World;

class MeshServer : public testing::Test {
 protected:
  void SetUp() override {
    home.start(world);
    world.join(program);
  }
  void link_as_owner() {
    owner = home.identities().owner;
    program.link_to(world, home, &*owner);
    program.identity = *owner;
  }
  void link_as_stranger() { program.link_to(world, home, &program.identity); }
  Reply ask(const Question& question) {
    Reply reply = program.ask(world, question);
    EXPECT_TRUE(reply.genuine) << reply.verdict();
    return reply;
  }

  World world;
  Home home{1};
  Program program{2};
  std::optional<reticulum::Identity> owner;
};

TEST_F(MeshServer, serves_put_get_and_delete_in_every_form) {
  link_as_owner();
  int second = 10;
  for (const Form form : {Form::msgpack, Form::json_string, Form::json_binary}) {
    // Else it would be the same request in another encoding.
    const std::string timestamp = "2026-03-01T12:00:" + std::to_string(++second) + "Z";
    Question write = put("/public/notes/a.txt", "hello");
    write.form = form;
    write.timestamp = timestamp;
    const Reply written = ask(write);
    EXPECT_EQ(written.verdict(), "200");
    EXPECT_EQ(written.form, form);
    EXPECT_FALSE(written.etag().empty());
    EXPECT_FALSE(written.has_data);
    EXPECT_EQ(home.get(world, "/public/notes/a.txt"), test::bytes_of("hello"));

    Question read = get("/public/notes/a.txt");
    read.form = form;
    read.timestamp = timestamp;
    const Reply answer = ask(read);
    EXPECT_EQ(answer.verdict(), "200");
    EXPECT_EQ(answer.form, form);
    EXPECT_EQ(answer.text(), "hello");
    EXPECT_EQ(answer.etag(), written.etag());
    EXPECT_EQ(answer.response()->headers.content_type, "text/plain");
    EXPECT_EQ(answer.response()->headers.content_length, "5");

    Question drop = remove("/public/notes/a.txt");
    drop.form = form;
    drop.timestamp = timestamp;
    const Reply dropped = ask(drop);
    EXPECT_EQ(dropped.verdict(), "200");
    EXPECT_EQ(dropped.etag(), written.etag());
    Question gone = get("/public/notes/a.txt");
    gone.form = form;
    gone.timestamp = "2026-03-01T13:00:" + std::to_string(second) + "Z";  // another than above
    EXPECT_EQ(ask(gone).verdict(), "STORE001 404");
    EXPECT_EQ(ask(gone).form, form);
  }
}

TEST_F(MeshServer, stores_a_body_of_no_bytes_and_a_type_of_its_own_choice) {
  link_as_owner();
  Question write = put("/public/empty", "");
  write.headers.content_type.reset();
  EXPECT_EQ(ask(write).verdict(), "200");
  const Reply answer = ask(get("/public/empty"));
  EXPECT_EQ(answer.verdict(), "200");
  EXPECT_TRUE(answer.has_data);
  EXPECT_TRUE(answer.data.empty());
  EXPECT_EQ(answer.response()->headers.content_type, "application/octet-stream");
}

TEST_F(MeshServer, lets_no_write_through_whose_condition_it_cannot_read) {
  link_as_owner();
  ask(put("/public/n/a", "1"));
  for (const char* odd : {"\"match me\"", "", "\"open", "*, \"a\""}) {
    for (const char* path : {"/public/n/a", "/public/n/none"}) {
      for (Question question : {put(path, "2"), remove(path)}) {
        question.headers.if_match = odd;
        EXPECT_EQ(ask(question).verdict(), "STORE005 412") << path << odd;
        question.headers.if_match = std::nullopt;
        question.headers.if_none_match = odd;
        EXPECT_EQ(ask(question).verdict(), "STORE004 400") << path << odd;
      }
    }
    Question read = get("/public/n/a");
    read.headers.if_none_match = odd;
    EXPECT_EQ(ask(read).text(), "1") << odd;
    read.headers.if_none_match = std::nullopt;
    read.headers.if_match = odd;
    EXPECT_EQ(ask(read).verdict(), "STORE005 412") << odd;
  }
  Question star = put("/public/n/a", "2");
  star.headers.if_none_match = "\"*\"";
  EXPECT_EQ(ask(star).verdict(), "STORE005 412");
}

TEST_F(MeshServer, obeys_conditions) {
  link_as_owner();
  const std::string first = ask(put("/public/n/a", "1")).etag();
  Question question = put("/public/n/a", "2");
  question.headers.if_match = "\"other\"";
  const Reply refused = ask(question);
  EXPECT_EQ(refused.verdict(), "STORE005 412");
  EXPECT_NE(refused.error()->message.find(first), std::string::npos);
  question.headers.if_match = "\"other\", " + first;
  const std::string second = ask(question).etag();
  EXPECT_NE(second, first);

  question = put("/public/n/a", "3");
  question.headers.if_none_match = "*";
  EXPECT_EQ(ask(question).verdict(), "STORE005 412");
  question = remove("/public/n/a");
  question.headers.if_match = first;
  EXPECT_EQ(ask(question).verdict(), "STORE005 412");

  question = get("/public/n/a");
  question.headers.if_none_match = "W/" + second + ", \"x\"";
  const Reply same = ask(question);
  EXPECT_EQ(same.verdict(), "304");
  EXPECT_EQ(same.etag(), second);
  EXPECT_FALSE(same.has_data);
  EXPECT_EQ(home.get(world, "/public/n/a"), test::bytes_of("2"));
}

TEST_F(MeshServer, lists_folders_and_tells_when_one_did_not_change) {
  link_as_owner();
  home.put(world, "/public/n/\u00e4 \"1\"", test::bytes_of("x"));
  home.put(world, "/public/n/sub/b", test::bytes_of("yy"));
  const Reply listing = ask(get("/public/n/"));
  ASSERT_EQ(listing.verdict(), "200");
  EXPECT_EQ(listing.response()->headers.content_type, "application/ld+json");
  EXPECT_EQ(listing.response()->headers.content_length, std::to_string(listing.data.size()));
  const auto items = protocol::read_folder_description(listing.text());
  ASSERT_TRUE(items);
  std::set<std::string> names;
  for (const auto& item : *items) names.insert(item.name + (item.is_folder ? "/" : ""));
  EXPECT_EQ(names, (std::set<std::string>{"\u00e4 \"1\"", "sub/"}));

  Question again = get("/public/n/");
  again.headers.if_none_match = listing.etag();
  EXPECT_EQ(ask(again).verdict(), "304");
  home.put(world, "/public/n/sub/deep/c", test::bytes_of("z"));
  again.timestamp = "2026-03-01T12:00:05Z";
  const Reply changed = ask(again);
  EXPECT_EQ(changed.verdict(), "200");
  EXPECT_NE(changed.etag(), listing.etag());

  const Reply empty = ask(get("/public/nothing/here/"));
  EXPECT_EQ(empty.verdict(), "200");
  EXPECT_TRUE(protocol::read_folder_description(empty.text())->empty());
  const Reply root = ask(get("/"));
  EXPECT_EQ(root.verdict(), "200");
  EXPECT_NE(root.text().find("public/"), std::string::npos);
}

TEST_F(MeshServer, lists_a_folder_of_many_pages) {
  link_as_owner();
  for (int i = 0; i < 2500; ++i) {
    home.put(world, "/public/many/" + std::to_string(i), test::bytes_of("x"));
  }
  const Reply listing = ask(get("/public/many/"));
  ASSERT_EQ(listing.verdict(), "200");
  EXPECT_EQ(protocol::read_folder_description(listing.text())->size(), 2500U);
}

TEST_F(MeshServer, takes_and_gives_ten_megabytes) {
  link_as_owner();
  const Bytes large = test::random_bytes(10'000'000, 7);
  Question write = put("/public/big", "");
  write.data = large;
  EXPECT_EQ(ask(write).verdict(), "200");
  EXPECT_EQ(home.get(world, "/public/big"), large);
  const Reply answer = ask(get("/public/big"));
  EXPECT_EQ(answer.verdict(), "200");
  EXPECT_TRUE(answer.data == large);
  EXPECT_EQ(answer.response()->headers.content_length, "10000000");
}

TEST_F(MeshServer, takes_and_gives_a_megabyte_in_json) {
  link_as_owner();
  const Bytes large = test::random_bytes(1'000'000, 8);
  Question write = put("/public/big", "");
  write.data = large;
  write.form = Form::json_binary;
  EXPECT_EQ(ask(write).verdict(), "200");
  Question read = get("/public/big");
  read.form = Form::json_string;
  const Reply answer = ask(read);
  EXPECT_EQ(answer.form, Form::json_string);
  EXPECT_TRUE(answer.data == large);
}

TEST_F(MeshServer, seals_what_is_secret_in_both_directions) {
  link_as_owner();
  world.records = true;
  const std::string secret = "the treasure is under the old oak tree";
  for (const std::size_t size : {secret.size(), std::size_t{300'000}}) {
    std::string text;
    while (text.size() < size) text += secret;
    const auto path = test::path_of("/private/notes/treasure");
    base::SeededRng rng(5);
    access::StorageEncryption encryption(home.node->identities().keys, rng);
    Question write = put(path.text(), "");
    write.data = encryption.encrypt_data(base::as_bytes(text), owner->hash(), path).value();
    EXPECT_EQ(ask(write).verdict(), "200");
    EXPECT_EQ(base::to_string(home.get(world, path.text()).value()), text);

    Question read = get(path.text());
    read.timestamp = "2026-03-01T12:00:00." + std::to_string(size) + "Z";
    const Reply answer = ask(read);
    EXPECT_EQ(answer.verdict(), "200");
    EXPECT_EQ(answer.text().find("treasure"), std::string::npos);
    EXPECT_EQ(answer.response()->headers.content_length, std::to_string(text.size()));
    const auto opened = encryption.decrypt_data(answer.data, owner->hash(), path);
    ASSERT_TRUE(opened);
    EXPECT_EQ(base::to_string(*opened), text);
  }
  const Reply listing = ask(get("/private/notes/"));
  EXPECT_EQ(listing.verdict(), "200");
  EXPECT_TRUE(access::looks_like_envelope(listing.data));
  EXPECT_EQ(base::to_string(world.heard).find("treasure"), std::string::npos);
}

TEST_F(MeshServer, refuses_secret_data_that_are_not_sealed_for_this_path) {
  link_as_owner();
  EXPECT_EQ(ask(put("/private/a", "plain text")).verdict(), "STORE004 400");
  EXPECT_EQ(ask(put("/private/a", "")).verdict(), "STORE004 400");
  base::SeededRng rng(5);
  access::StorageEncryption encryption(home.node->identities().keys, rng);
  Question moved = put("/private/a", "");
  moved.data =
      encryption.encrypt_data(test::bytes_of("x"), owner->hash(), test::path_of("/private/b"))
          .value();
  EXPECT_EQ(ask(moved).verdict(), "STORE004 400");
  access::KeyRing foreign;
  foreign.add(owner->hash(), access::SpaceKey::generate(rng));
  access::StorageEncryption with_foreign(foreign, rng);
  Question other = put("/private/a", "");
  other.data =
      with_foreign
          .encrypt_data(test::random_bytes(500'000, 1), owner->hash(), test::path_of("/private/a"))
          .value();
  EXPECT_EQ(ask(other).verdict(), "STORE004 400");
  EXPECT_FALSE(home.get(world, "/private/a"));
}

TEST_F(MeshServer, names_every_refusal) {
  link_as_owner();
  home.put(world, "/public/n/doc", test::bytes_of("x"));
  const auto verdict = [&](const Question& question) { return ask(question).verdict(); };
  EXPECT_EQ(verdict(get("/public/none")), "STORE001 404");
  EXPECT_EQ(verdict(remove("/public/none")), "STORE001 404");
  EXPECT_EQ(verdict(put("/public/n/doc/below", "x")), "STORE005 409");
  EXPECT_EQ(verdict(put("/public/n", "x")), "STORE005 409");
  EXPECT_EQ(verdict(put("/public/folder/", "x")), "STORE004 400");
  EXPECT_EQ(verdict(remove("/public/n/")), "STORE004 400");
  EXPECT_EQ(verdict(get("public/n/doc")), "STORE004 400");
  EXPECT_EQ(verdict(get("/public/../x")), "STORE004 400");
  EXPECT_EQ(verdict(get("/elsewhere/x")), "STORE004 400");
  Question question = put("/public/x", "x");
  question.data.reset();
  EXPECT_EQ(verdict(question), "STORE004 400");
  question = put("/public/x", "x");
  question.headers.if_none_match = "\"unfinished";
  EXPECT_EQ(verdict(question), "STORE004 400");
  question = put("/public/x", "x");
  question.headers.content_type = std::string(limits::kContentType + 1, 'a');
  EXPECT_EQ(verdict(question), "STORE004 400");
  question = get("/public/n/doc");
  question.timestamp = "yesterday";
  EXPECT_EQ(verdict(question), "STORE004 400");
}

TEST_F(MeshServer, tells_the_path_that_was_asked_for_unless_it_is_long) {
  link_as_owner();
  EXPECT_EQ(ask(get("/public/none")).error()->path, "/public/none");
  const Reply reply = ask(get("/public/" + std::string(limits::kErrorPath, 'a')));
  EXPECT_EQ(reply.verdict(), "STORE001 404");
  EXPECT_EQ(reply.error()->path, "");
}

TEST_F(MeshServer, answers_what_cannot_be_read) {
  link_as_owner();
  const Bytes whole = program.pack(get("/public/x"));
  EXPECT_EQ(program.ask_packed(world, ByteView(whole).first(whole.size() - 3)).verdict(),
            "STORE004 400");
  codec::MsgpackWriter map;
  map.map(1).string("type").string("storage_request");
  EXPECT_EQ(program.ask_packed(world, map.bytes()).verdict(), "STORE004 400");
  codec::MsgpackWriter nested;
  nested.map(1).string("x");
  for (int i = 0; i < 100; ++i) nested.array(1);
  nested.nil();
  EXPECT_EQ(program.ask_packed(world, nested.bytes()).verdict().substr(0, 8), "STORE004");
  codec::MsgpackWriter text;
  text.string("{\"type\": ");
  const Reply broken = program.ask_packed(world, text.bytes());
  EXPECT_EQ(broken.verdict(), "STORE004 400");
  EXPECT_EQ(broken.form, Form::msgpack);  // a map, where the question could not be read
  protocol::StorageResponse response;
  response.timestamp = "2026-03-01T12:00:00Z";
  const auto sign = [&](ByteView bytes) { return program.identity.sign(bytes); };
  const auto written = protocol::write_response(response, {}, program.link, sign);
  EXPECT_EQ(program.ask_packed(world, base::concat({written.head, written.tail})).verdict(),
            "STORE004 400");

  EXPECT_FALSE(program.wait(world, program.send(world, whole, "/other")));
  EXPECT_EQ(ask(get("/public/x")).verdict(), "STORE001 404");  // and goes on as before
}

TEST_F(MeshServer, answers_what_is_no_message_at_all) {
  program.link_to(world, home, nullptr);
  const auto writer = [] { return codec::MsgpackWriter(); };
  codec::MsgpackWriter nested;
  for (int i = 0; i < 5000; ++i) nested.array(1);
  codec::MsgpackWriter maps;
  maps.map(1).string("type");
  for (int i = 0; i < 5000; ++i) maps.map(1).string("x");
  const std::string deep(100'000, '[');
  std::vector<Bytes> values = {writer().nil().take(),
                               writer().integer(5).take(),
                               writer().array(0).take(),
                               writer().map(0).take(),
                               Bytes{0xc3},
                               Bytes{0xc1},
                               Bytes{0xcb, 0x40, 0, 0, 0, 0, 0, 0, 0},
                               writer().string("").take(),
                               writer().string("hello").take(),
                               writer().string("{").take(),
                               writer().string("{\"type\": ").take(),
                               writer().string("[]").take(),
                               writer().string(deep).take(),
                               writer().string("{\"type\":" + deep).take(),
                               writer().binary(Bytes(3000, 0xff)).take(),
                               nested.nil().take(),
                               maps.nil().take()};
  for (const Bytes& value : values) {
    const Reply reply = program.ask_packed(world, value);
    SCOPED_TRACE(codec::to_hex(ByteView(value).first(std::min<std::size_t>(value.size(), 20))));
    EXPECT_EQ(reply.verdict(), "STORE004 400");
    EXPECT_EQ(reply.form, Form::msgpack);
    EXPECT_TRUE(reply.genuine);
  }
}

TEST_F(MeshServer, refuses_by_quota_before_and_while_a_body_comes) {
  Home small(3, 300'000);
  small.start(world);
  owner = small.identities().owner;
  program.link_to(world, small, &*owner);
  program.identity = *owner;
  Question write = put("/public/big", "");
  write.data = test::random_bytes(400'000, 1);
  EXPECT_EQ(ask(write).verdict(), "STORE003 507");
  write.data = test::random_bytes(3'000'000, 1);
  write.form = Form::json_binary;
  EXPECT_EQ(ask(write).verdict(), "STORE003 507");
  EXPECT_FALSE(small.get(world, "/public/big"));
  EXPECT_EQ(ask(put("/public/small", "fits")).verdict(), "200");
}

TEST_F(MeshServer, leaves_nothing_of_an_upload_whose_link_died) {
  link_as_owner();
  Question write = put("/public/big", "");
  write.data = test::random_bytes(5'000'000, 9);
  world.latency = std::chrono::milliseconds(50);
  program.send(world, program.pack(write));
  ASSERT_TRUE(world.run([&] { return program.sent_so_far > 3'000'000; }));
  const auto before = home.usage(world);
  world.disconnect(program);
  world.run_for(std::chrono::minutes(30));
  EXPECT_FALSE(home.get(world, "/public/big"));
  EXPECT_EQ(home.usage(world).documents, before.documents);
  EXPECT_TRUE(home.all<DocumentChanged>().empty());
  // An upload that was not aborted would still be there to append to.
  EXPECT_EQ(home.uploads_begun, 1U);
  EXPECT_EQ(home.uploads_aborted, 1U);
}

TEST_F(MeshServer, leaves_nothing_of_an_upload_with_a_wrong_signature) {
  link_as_owner();
  Question write = put("/public/big", "");
  write.data = test::random_bytes(500'000, 9);
  Bytes packed = program.pack(write);
  packed[packed.size() / 2] ^= 1;
  EXPECT_EQ(program.ask_packed(world, packed).verdict(), "STORE002 401");
  EXPECT_FALSE(home.get(world, "/public/big"));
  EXPECT_EQ(home.uploads_begun, 1U);
  EXPECT_EQ(home.uploads_aborted, 1U);
}

TEST_F(MeshServer, tells_its_owner_what_changed) {
  link_as_owner();
  const std::string etag = ask(put("/public/a", "x")).etag();
  ask(remove("/public/a"));
  const auto changes = home.all<DocumentChanged>();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].path.text(), "/public/a");
  EXPECT_EQ(changes[0].etag.quoted(), etag);
  EXPECT_FALSE(changes[0].deleted);
  EXPECT_TRUE(changes[1].deleted);
}

TEST_F(MeshServer, never_does_a_write_again_whose_answer_it_has_forgotten) {
  link_as_owner();
  const Bytes first = program.pack(put("/public/x", "one"));
  program.send(world, first);
  world.run_for(std::chrono::seconds(1));
  ask(put("/public/x", "two"));
  for (std::size_t i = 0; i < limits::kRememberedAnswers; ++i) {
    ask(get("/public/x" + std::to_string(i)));
  }
  program.answers.clear();
  program.send(world, first);
  world.run_for(std::chrono::seconds(1));
  ASSERT_EQ(program.answers.size(), 1U);
  EXPECT_EQ(ask(get("/public/x")).text(), "two");
}

TEST_F(MeshServer, turns_away_more_requests_at_once_than_it_takes) {
  link_as_owner();
  home.holds_store = true;
  program.request_timeout = std::chrono::seconds(1);
  for (std::size_t i = 0; i < limits::kRequestsPerLink; ++i) {
    program.send(world, program.pack(get("/public/" + std::to_string(i))));
  }
  world.run_for(std::chrono::seconds(2));  // its own endpoint has forgotten them by now
  EXPECT_TRUE(program.answers.empty());
  EXPECT_EQ(ask(get("/public/one-more")).verdict(), "STORE003 503");
  home.release_store(world);
  EXPECT_EQ(ask(get("/public/later")).verdict(), "STORE001 404");
}

}  // namespace
}  // namespace meshstow::node
