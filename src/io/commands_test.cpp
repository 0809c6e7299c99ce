#include "io/commands.hpp"

#include "io/node_for_test.hpp"

namespace meshstow::io {
namespace {

struct Offline {
  Offline() : node(loop, folder / "home") { EXPECT_TRUE(node.start_offline()); }
  TestFolder folder;
  boost::asio::io_context loop;
  TestNode node;
};

}  // namespace

TEST(Commands, put_get_stat_list_and_remove_here) {
  Offline here;
  Command put = command("put", "/private/notes/a.txt");
  put.content_type = "text/plain";
  const auto made = here.node.run(put, "hello");
  ASSERT_TRUE(made.ok) << made.json;
  EXPECT_TRUE(parsed(made).at("created").as_bool());
  const std::string etag = text_in(made, "etag");

  const auto got = here.node.run(command("get", "/private/notes/a.txt"));
  ASSERT_TRUE(got.ok) << got.json;
  EXPECT_EQ(here.node.written, "hello");
  EXPECT_EQ(here.node.heads, std::vector<std::string>{got.json});
  EXPECT_EQ(text_in(got, "etag"), etag);
  EXPECT_EQ(text_in(got, "content_type"), "text/plain");
  EXPECT_EQ(parsed(got).at("size").to_number<int>(), 5);

  const auto stat = here.node.run(command("stat", "/private/notes/a.txt"));
  EXPECT_EQ(stat.json, got.json);
  EXPECT_TRUE(parsed(here.node.run(command("stat", "/private/notes/"))).at("folder").as_bool());

  const auto list = here.node.run(command("ls", "/private"));
  ASSERT_TRUE(list.ok) << list.json;
  const auto items = parsed(list).at("items").as_array();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].at("name").as_string(), "notes");
  EXPECT_TRUE(items[0].at("folder").as_bool());

  const auto removed = here.node.run(command("rm", "/private/notes/a.txt"));
  ASSERT_TRUE(removed.ok);
  EXPECT_EQ(text_in(removed, "etag"), etag);
  EXPECT_EQ(here.node.run(command("get", "/private/notes/a.txt")).exit_code(), 11);
}

TEST(Commands, refuse_a_content_type_that_is_no_text_in_valid_json) {
  Offline here;
  Command put = command("put", "/private/notes/a\xff");
  put.content_type = "text/\xe9\xff";
  EXPECT_EQ(text_in(here.node.run(put, "hello"), "code"), "STORE004");
  put.path = "/private/notes/a";
  const auto refused = here.node.run(put, "hello");
  EXPECT_EQ(text_in(refused, "code"), "STORE004");
  EXPECT_EQ(parsed(refused).at("status").to_number<int>(), 400);
}

TEST(Commands, carry_bodies_of_every_size_around_the_bounds) {
  Offline here;
  for (const std::size_t size : {0, 1, 65'535, 65'536, 65'537, 262'144, 1'000'000, 5'000'001}) {
    const std::string body = random_text(size);
    const auto made = here.node.run(command("put", "/private/bodies/x"), body);
    ASSERT_TRUE(made.ok) << size << " " << made.json;
    const auto got = here.node.run(command("get", "/private/bodies/x"));
    ASSERT_TRUE(got.ok) << size << " " << got.json;
    EXPECT_TRUE(here.node.written == body) << size;
  }
}

TEST(Commands, keep_conditions_and_answer_with_store_codes) {
  Offline here;
  Command put = command("put", "/public/a/x");
  put.if_none_match = "*";
  const auto made = here.node.run(put, "1");
  ASSERT_TRUE(made.ok);
  const auto again = here.node.run(put, "2");
  EXPECT_EQ(again.exit_code(), 15);
  EXPECT_EQ(text_in(again, "type"), "storage_error");
  EXPECT_EQ(text_in(again, "path"), "/public/a/x");
  EXPECT_EQ(parsed(again).at("status").to_number<int>(), 412);

  put.if_none_match = "";
  put.if_match = text_in(made, "etag");
  EXPECT_TRUE(here.node.run(put, "3").ok);
  EXPECT_EQ(here.node.run(put, "4").exit_code(), 15);
  for (const char* odd : {"\"unclosed", "match me", " "}) {
    put.if_match = odd;
    put.if_none_match = "";
    EXPECT_EQ(here.node.run(put, "5").exit_code(), 15) << odd;
    Command absent = command("rm", "/public/a/none");
    absent.if_match = odd;
    EXPECT_EQ(here.node.run(absent).exit_code(), 15) << odd;
    put.if_match = "";
    put.if_none_match = odd;
    EXPECT_EQ(here.node.run(put, "5").exit_code(), 14) << odd;
    Command read = command("get", "/public/a/x");
    read.if_none_match = odd;
    EXPECT_TRUE(here.node.run(read).ok) << odd;
    EXPECT_EQ(here.node.written, "3");
    here.node.written.clear();
    here.node.heads.clear();
  }
  put.if_none_match = "\"*\"";
  EXPECT_EQ(here.node.run(put, "5").exit_code(), 15);
  here.node.run(command("get", "/public/a/x"));
  EXPECT_EQ(here.node.written, "3");

  EXPECT_EQ(here.node.run(command("put", "/public/a/x/below"), "x").exit_code(), 15);
  EXPECT_EQ(here.node.run(command("put", "/public/folder/"), "x").exit_code(), 14);
  EXPECT_EQ(here.node.run(command("get", "/elsewhere/x")).exit_code(), 14);
  EXPECT_EQ(here.node.run(command("get", "/public/a/\xff")).exit_code(), 14);
  EXPECT_EQ(here.node.run(command("rm", "/public/a/none")).exit_code(), 11);
  EXPECT_EQ(here.node.run(command("fly", "/")).exit_code(), 1);

  Command get = command("get", "/public/a/x");
  get.if_none_match = text_in(here.node.run(command("stat", "/public/a/x")), "etag");
  const auto same = here.node.run(get);
  EXPECT_TRUE(same.ok);
  EXPECT_TRUE(parsed(same).at("not_modified").as_bool());
  EXPECT_TRUE(here.node.heads.empty());
}

TEST(Commands, give_earlier_versions) {
  Offline here;
  const auto first = here.node.run(command("put", "/private/a/x"), "one");
  here.node.run(command("put", "/private/a/x"), "two");
  Command get = command("get", "/private/a/x");
  get.version = text_in(first, "version");
  ASSERT_TRUE(here.node.run(get).ok);
  EXPECT_EQ(here.node.written, "one");
  get.version = "ffffffffffff-999";
  EXPECT_EQ(here.node.run(get).exit_code(), 11);
}

TEST(Commands, list_a_document_as_the_one_item) {
  Offline here;
  Command put = command("put", "/private/b/one");
  put.content_type = "text/plain";
  ASSERT_TRUE(here.node.run(put, "12345").ok);
  const auto inside = parsed(here.node.run(command("ls", "/private/b/"))).at("items").as_array();
  const auto listed = parsed(here.node.run(command("ls", "/private/b/one")));
  EXPECT_EQ(listed.at("path").as_string(), "/private/b/one");
  EXPECT_EQ(listed.at("items").as_array(), inside);
  EXPECT_EQ(listed.at("etag"), inside.at(0).at("etag"));
  for (const auto* other : {"/private/b/one/", "/private/b/none", "/private/none", "/shared"}) {
    const auto empty = here.node.run(command("ls", other));
    ASSERT_TRUE(empty.ok) << other << " " << empty.json;
    EXPECT_TRUE(parsed(empty).at("items").as_array().empty()) << other;
  }
}

TEST(Commands, list_large_folders_whole_or_by_pages) {
  Offline here;
  int stored = 0;
  for (int i = 0; i < 1203; ++i) {
    here.node.host->store(
        storage::PutDocument{StoragePath::parse("/private/many/" + std::to_string(i)).value(),
                             "text/plain",
                             {},
                             Bytes{1}},
        [&](const auto& outcome) { stored += outcome.has_value() ? 1 : 0; });
  }
  ASSERT_TRUE(run_until(here.loop, [&] { return stored == 1203; }));
  const auto all = here.node.run(command("ls", "/private/many/"));
  ASSERT_TRUE(all.ok);
  EXPECT_EQ(parsed(all).at("items").as_array().size(), 1203U);

  Command page = command("ls", "/private/many/");
  page.limit = 500;
  std::set<std::string> names;
  for (;;) {
    const auto some = here.node.run(page);
    ASSERT_TRUE(some.ok);
    const auto object = parsed(some);
    for (const auto& item : object.at("items").as_array()) {
      names.insert(std::string(item.at("name").as_string()));
    }
    if (!object.contains("next")) break;
    page.after = std::string(object.at("next").as_string());
  }
  EXPECT_EQ(names.size(), 1203U);

  const auto body = here.node.run(command("get", "/private/many/"));
  ASSERT_TRUE(body.ok) << body.json;
  EXPECT_EQ(boost::json::parse(here.node.written).at("items").as_object().size(), 1203U);
}

TEST(Commands, tell_of_the_node) {
  Offline here;
  here.node.run(command("put", "/private/notes/a"), "12345");
  const auto status = parsed(here.node.run(command("status")));
  EXPECT_EQ(status.at("documents").to_number<int>(), 1);
  EXPECT_EQ(status.at("bytes").to_number<int>(), 5);
  EXPECT_EQ(status.at("pending_changes").to_number<int>(), 0);
  EXPECT_EQ(status.at("conflicts").to_number<int>(), 0);
  EXPECT_EQ(status.at("fingerprint").as_string().size(), 16U);
  EXPECT_LT(status.at("space_left").to_number<std::uint64_t>(), 1ULL << 60);
  const auto id = here.node.run(command("id"));
  EXPECT_EQ(text_in(id, "destination"), here.node.hash());
  EXPECT_EQ(text_in(id, "owner").size(), 32U);
  EXPECT_TRUE(parsed(here.node.run(command("peers"))).at("peers").as_array().empty());
}

TEST(Commands, make_list_and_revoke_tokens_that_outlive_the_process) {
  TestFolder folder;
  boost::asio::io_context loop;
  std::string id;
  {
    TestNode node(loop, folder / "home");
    ASSERT_TRUE(node.start_offline());
    Command create = command("token create");
    create.scopes = {"notes:rw", "storage:read:/shared/maps/"};
    create.expires = "24h";
    const auto made = node.run(create);
    ASSERT_TRUE(made.ok) << made.json;
    id = text_in(made, "id");
    create.scopes = {"nonsense"};
    EXPECT_EQ(node.run(create).exit_code(), 14);
    create.scopes = {};
    EXPECT_FALSE(node.run(create).ok);
    create.scopes = {"*:r"};
    create.expires = "soon";
    EXPECT_FALSE(node.run(create).ok);
    create.expires = "";
    create.holder = "1234";
    EXPECT_FALSE(node.run(create).ok);
    node.close();
  }
  TestNode node(loop, folder / "home");
  ASSERT_TRUE(node.start_offline());
  auto tokens = parsed(node.run(command("token list"))).at("tokens").as_array();
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(tokens[0].at("scopes").as_string(), "notes:rw storage:read:/shared/maps/");
  EXPECT_FALSE(tokens[0].at("revoked").as_bool());
  Command revoke = command("token revoke");
  revoke.token_id = id.substr(0, 4);
  EXPECT_TRUE(node.run(revoke).ok);
  tokens = parsed(node.run(command("token list"))).at("tokens").as_array();
  EXPECT_TRUE(tokens[0].at("revoked").as_bool());
  revoke.token_id = "zz";
  EXPECT_FALSE(node.run(revoke).ok);
}

TEST(Commands, stop_when_nobody_wants_them_any_more) {
  Offline here;
  CommandChannel channel;
  int asked = 0;
  std::function<void(CommandChannel::Piece)> give;
  channel.read_body = [&](std::function<void(CommandChannel::Piece)> to) {
    give = std::move(to);
    ++asked;
  };
  channel.write_body = [](const auto&, const auto&) {};
  channel.head = channel.progress = [](const auto&) {};
  channel.done = [](const auto&) { ADD_FAILURE() << "a cancelled command says nothing"; };
  auto running = start_command(*here.node.host, command("put", "/private/a/x"), std::move(channel));
  for (int piece = 1; piece <= 3; ++piece) {
    ASSERT_TRUE(run_until(here.loop, [&] { return asked == piece; }));
    give(Bytes(100'000, 1));
  }
  running.reset();
  give(Bytes());
  EXPECT_EQ(here.node.run(command("get", "/private/a/x")).exit_code(), 11) << "nothing half-stored";
}

TEST(Commands, fail_when_the_body_cannot_be_read) {
  Offline here;
  std::optional<CommandOutcome> outcome;
  CommandChannel channel;
  channel.read_body = [&](const std::function<void(CommandChannel::Piece)>& give) {
    here.node.host->post([give] { give(tl::unexpected(std::string("the file went away"))); });
  };
  channel.done = [&](CommandOutcome how) { outcome = std::move(how); };
  const auto running =
      start_command(*here.node.host, command("put", "/private/a/x"), std::move(channel));
  ASSERT_TRUE(run_until(here.loop, [&] { return outcome.has_value(); }));
  EXPECT_FALSE(outcome->ok);
  EXPECT_EQ(text_in(*outcome, "message"), "the file went away");
  EXPECT_EQ(here.node.run(command("get", "/private/a/x")).exit_code(), 11);
}

}  // namespace meshstow::io
