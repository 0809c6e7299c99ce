#include "io/node_host.hpp"

#include "io/node_for_test.hpp"

namespace meshstow::io {
namespace {

// Two nodes of two owners over TCP, and a token of the first for the second.
struct Pair {
  Pair() : a(loop, folder / "a"), b(loop, folder / "b") {
    EXPECT_TRUE(a.listen());
    EXPECT_TRUE(b.connect_to(a));
    Command create = command("token create");
    create.scopes = {"*:rw"};
    token = text_in(a.run(create), "token");
  }

  CommandOutcome ask(std::string verb, std::string path, std::string_view body = {}) {
    return b.run(command(std::move(verb), std::move(path), a.hash(), token), body);
  }

  TestFolder folder;
  boost::asio::io_context loop;
  TestNode a, b;
  std::string token;
};

}  // namespace

TEST(NodeHost, puts_gets_lists_and_removes_at_another_node) {
  Pair pair;
  const auto made = pair.ask("put", "/public/notes/a.txt", "hello mesh");
  ASSERT_TRUE(made.ok) << made.json;
  const std::string etag = text_in(made, "etag");
  EXPECT_EQ(text_in(pair.a.run(command("stat", "/public/notes/a.txt")), "etag"), etag);

  const auto got = pair.ask("get", "/public/notes/a.txt");
  ASSERT_TRUE(got.ok) << got.json;
  EXPECT_EQ(pair.b.written, "hello mesh");
  EXPECT_EQ(text_in(got, "etag"), etag);
  EXPECT_EQ(pair.b.heads.size(), 1U);

  const auto stat = pair.ask("stat", "/public/notes/a.txt");
  ASSERT_TRUE(stat.ok) << stat.json;
  EXPECT_EQ(text_in(stat, "etag"), etag);
  EXPECT_EQ(parsed(stat).at("size").to_number<int>(), 10);

  const auto list = pair.ask("ls", "/public/notes/");
  ASSERT_TRUE(list.ok) << list.json;
  ASSERT_EQ(parsed(list).at("items").as_array().size(), 1U);
  EXPECT_EQ(parsed(list).at("items").at(0).at("etag").as_string(), etag);

  EXPECT_TRUE(pair.ask("rm", "/public/notes/a.txt").ok);
  EXPECT_EQ(pair.ask("get", "/public/notes/a.txt").exit_code(), 11);
  EXPECT_EQ(pair.a.run(command("get", "/public/notes/a.txt")).exit_code(), 11);
}

TEST(NodeHost, carries_ten_megabytes_both_ways) {
  Pair pair;
  const std::string body = random_text(10'000'000);
  const auto made = pair.ask("put", "/public/large/x", body);
  ASSERT_TRUE(made.ok) << made.json;
  EXPECT_FALSE(pair.b.progress.empty());
  ASSERT_TRUE(pair.a.run(command("get", "/public/large/x")).ok);
  EXPECT_TRUE(pair.a.written == body);
  const auto got = pair.ask("get", "/public/large/x");
  ASSERT_TRUE(got.ok) << got.json;
  EXPECT_TRUE(pair.b.written == body);
}

TEST(NodeHost, keeps_conditions_and_rights_across_the_mesh) {
  Pair pair;
  Command put = command("put", "/public/a/x", pair.a.hash(), pair.token);
  put.if_none_match = "*";
  ASSERT_TRUE(pair.b.run(put, "1").ok);
  const auto conflict = pair.b.run(put, "2");
  EXPECT_EQ(conflict.exit_code(), 15) << conflict.json;
  put.token = "";
  put.if_none_match = "";
  EXPECT_EQ(pair.b.run(put, "3").exit_code(), 12);
  const auto open_to_all = pair.b.run(command("get", "/public/a/x", pair.a.hash()));
  EXPECT_TRUE(open_to_all.ok) << open_to_all.json;
  EXPECT_EQ(pair.b.run(command("get", "/private/a/x", pair.a.hash())).exit_code(), 12);

  Command get = command("get", "/public/a/x", pair.a.hash());
  get.if_none_match = '"' + text_in(open_to_all, "etag") + '"';
  const auto same = pair.b.run(get);
  ASSERT_TRUE(same.ok) << same.json;
  EXPECT_TRUE(parsed(same).at("not_modified").as_bool());
}

TEST(NodeHost, finds_nodes_by_hash_by_beginning_and_by_name) {
  Pair pair;
  pair.a.host->node().announce(pair.a.host->now());
  pair.a.host->wake();
  ASSERT_TRUE(run_until(pair.loop, [&] { return !pair.b.host->node().peers().empty(); }));
  ASSERT_TRUE(pair.ask("put", "/public/a/x", "1").ok);
  EXPECT_TRUE(pair.b.run(command("get", "/public/a/x", pair.a.hash().substr(0, 6))).ok);
  const auto nobody = pair.b.run(command("get", "/public/a/x", "zz"));
  EXPECT_EQ(nobody.exit_code(), 1);
  const auto peers = parsed(pair.b.run(command("peers"))).at("peers").as_array();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].at("destination").as_string(), pair.a.hash());
}

TEST(NodeHost, tells_listeners_of_every_change_whoever_made_it) {
  Pair pair;
  std::vector<std::string> heard;
  const int number = pair.a.host->add_change_listener([&](const node::DocumentChanged& change) {
    heard.push_back((change.deleted ? "-" : "+") + change.path.text() + " " + change.etag.text());
  });
  const auto here = pair.a.run(command("put", "/public/a/here"), "1");
  const auto there = pair.ask("put", "/public/a/there", "2");
  const auto gone = pair.ask("rm", "/public/a/there");
  pair.a.run(command("rm", "/public/a/none"));
  ASSERT_EQ(heard.size(), 3U);
  EXPECT_EQ(heard[0], "+/public/a/here " + text_in(here, "etag"));
  EXPECT_EQ(heard[1], "+/public/a/there " + text_in(there, "etag"));
  EXPECT_EQ(heard[2].substr(0, 16), "-/public/a/there");
  pair.a.host->remove_listener(number);
  pair.ask("put", "/public/a/more", "3");
  EXPECT_EQ(heard.size(), 3U);
}

TEST(NodeHost, ends_a_cancelled_operation_once) {
  Pair pair;
  int ends = 0;
  OperationHooks hooks;
  hooks.done = [&](const tl::expected<void, node::OperationFailed>& how) {
    ASSERT_FALSE(how.has_value());
    EXPECT_EQ(how.error().why.code, Errc::unavailable);
    ++ends;
  };
  node::ClientRequest request;
  request.node = pair.a.host->home().destination();
  request.path = StoragePath::parse("/public/a/x").value();
  const auto id = pair.b.host->start(std::move(request), std::move(hooks));
  pair.b.host->cancel(id);
  pair.b.host->cancel(id);
  ASSERT_TRUE(run_until(pair.loop, [&] { return ends > 0; }));
  EXPECT_TRUE(pair.ask("ls", "/").ok) << "and others go on";
  EXPECT_EQ(ends, 1);
}

TEST(NodeHost, answers_every_write_before_it_is_closed) {
  TestFolder folder;
  boost::asio::io_context loop;
  {
    TestNode node(loop, folder / "home");
    ASSERT_TRUE(node.start_offline());
    int answered = 0;
    for (int i = 0; i < 200; ++i) {
      node.host->store(
          storage::PutDocument{StoragePath::parse("/private/a/" + std::to_string(i)).value(),
                               "text/plain",
                               {},
                               Bytes{1}},
          [&](const auto& outcome) { answered += outcome.has_value() ? 1 : 0; });
    }
    node.close();
    EXPECT_EQ(answered, 200);
  }
  TestNode again(loop, folder / "home");
  ASSERT_TRUE(again.start_offline());
  EXPECT_EQ(parsed(again.run(command("status"))).at("documents").to_number<int>(), 200);
}

TEST(NodeHost, tells_what_the_mesh_holds) {
  Pair pair;
  ASSERT_TRUE(pair.ask("put", "/public/a/x", "1").ok);
  const auto load = parsed(pair.a.run(command("status"))).at("load").as_object();
  const auto& mesh = load.at("mesh").as_object();
  EXPECT_EQ(mesh.at("links").at("favoured").to_number<int>(), 1);
  EXPECT_EQ(mesh.at("links").at("anonymous").to_number<int>(), 0);
  const auto& interfaces = mesh.at("interfaces").as_array();
  ASSERT_EQ(interfaces.size(), 1U);
  EXPECT_GT(interfaces[0].at("packets").to_number<int>(), 0);
}

TEST(NodeHost, remembers_whom_it_heard) {
  Pair pair;
  ASSERT_TRUE(pair.ask("put", "/public/a/x", "1").ok);
  pair.b.close();
  EXPECT_FALSE(text_of_file(pair.folder / "b/known_destinations").empty());
}

TEST(NodeHost, says_which_port_is_in_use) {
  TestFolder folder;
  boost::asio::io_context loop;
  TestNode first(loop, folder / "first");
  ASSERT_TRUE(first.listen());
  TestNode second(loop, folder / "second");
  MeshOptions options;
  options.reticulum = "off";
  options.tcp_listen = first.host->listening();
  std::optional<std::string> error;
  second.host->join(options, [&](const tl::expected<void, std::string>& how) {
    error = how ? std::string("no error") : how.error();
  });
  EXPECT_FALSE(error);
  ASSERT_TRUE(run_until(loop, [&] { return error.has_value(); }));
  EXPECT_NE(error->find("in use"), std::string::npos) << *error;
}

TEST(NodeHost, knows_that_it_is_alone) {
  TestFolder folder;
  boost::asio::io_context loop;
  TestNode node(loop, folder / "home");
  ASSERT_TRUE(node.start_offline());
  const auto outcome = node.run(command("get", "/public/a/x", std::string(32, '0')));
  EXPECT_EQ(outcome.exit_code(), 1);
  EXPECT_TRUE(text_in(outcome, "message").starts_with("no interface to the mesh is up"));
}

TEST(NodeHost, refuses_a_store_that_it_cannot_read_and_leaves_it) {
  TestFolder folder;
  OsRng rng;
  ASSERT_TRUE(Home::create(folder / "home", "test", rng));
  folder.write("home/store.sqlite", "this is no database, and large enough to be looked at");
  auto home = Home::open(folder / "home");
  ASSERT_TRUE(home.has_value());
  boost::asio::io_context loop;
  const auto opened = NodeHost::open(loop, *home);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("store.sqlite"), std::string::npos);
  EXPECT_EQ(text_of_file(folder / "home/store.sqlite").substr(0, 7), "this is");
}

TEST(NodeHost, keeps_private_documents_for_devices_that_hold_the_key) {
  TestFolder folder;
  OsRng rng;
  ASSERT_TRUE(Home::create(folder / "a", "a", rng));
  ASSERT_TRUE(Home::create(folder / "b", "b", rng));
  for (const auto* file : {"keyring", "identities/owner"}) {
    folder.write(std::filesystem::path("b") / file, text_of_file(folder.path() / "a" / file));
  }
  for (const auto* file : {"store.sqlite", "incarnation"}) {
    std::filesystem::remove(folder.path() / "b" / file);  // sealed with the key that it had
  }
  boost::asio::io_context loop;
  TestNode a(loop, folder / "a");
  TestNode b(loop, folder / "b");
  ASSERT_TRUE(a.listen());
  ASSERT_TRUE(b.connect_to(a));
  Command create = command("token create");
  create.scopes = {"*:rw"};
  const std::string token = text_in(a.run(create), "token");
  const std::string body = random_text(300'000);
  const auto made = b.run(command("put", "/private/diary/x", a.hash(), token), body);
  ASSERT_TRUE(made.ok) << made.json;
  a.run(command("get", "/private/diary/x"));
  EXPECT_TRUE(a.written == body);
  const auto got = b.run(command("get", "/private/diary/x", a.hash(), token));
  ASSERT_TRUE(got.ok) << got.json;
  EXPECT_TRUE(b.written == body);
}

}  // namespace meshstow::io
