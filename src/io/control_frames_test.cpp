#include "io/control_frames.hpp"

#include <gtest/gtest.h>

#include "io/commands.hpp"

namespace meshstow::io {

TEST(ControlFrames, come_out_as_they_went_in_whatever_the_cut) {
  Bytes stream;
  for (std::size_t size = 0; size < 200; size += 7) {
    base::append(stream, write_frame(FrameType::data, Bytes(size, static_cast<Byte>(size))));
  }
  base::append(stream, write_frame(FrameType::end, {}));
  for (const std::size_t cut : {std::size_t{1}, std::size_t{3}, std::size_t{64}, stream.size()}) {
    FrameReader reader(1024);
    std::size_t count = 0;
    for (std::size_t at = 0; at < stream.size(); at += cut) {
      reader.feed(ByteView(stream).subspan(at, std::min(cut, stream.size() - at)));
      for (;;) {
        const auto frame = reader.next();
        ASSERT_TRUE(frame.has_value());
        if (!*frame) break;
        if ((*frame)->type == FrameType::data) {
          EXPECT_EQ((*frame)->payload, Bytes(count * 7, static_cast<Byte>(count * 7)));
          ++count;
        }
      }
    }
    EXPECT_EQ(count, 29U);
    EXPECT_EQ(reader.buffered(), 0U);
  }
}

TEST(ControlFrames, are_refused_by_their_head_when_too_large_or_unknown) {
  FrameReader reader(1024);
  reader.feed(Bytes{0xff, 0xff, 0xff, 0xff, 2});
  EXPECT_EQ(reader.next().error().code, Errc::limit);
  EXPECT_EQ(reader.next().error().code, Errc::limit);
  for (const Byte type : {Byte{0}, Byte{9}, Byte{255}}) {
    FrameReader other(1024);
    other.feed(Bytes{0, 0, 0, 1, type, 'x'});
    EXPECT_EQ(other.next().error().code, Errc::malformed);
  }
}

TEST(Command, survives_its_json) {
  Command command;
  command.verb = "put";
  command.path = "/private/a/\xc3\xbc \"x\"";
  command.at = "abc";
  command.if_none_match = "*";
  command.size = 1ULL << 34;
  command.scopes = {"notes:rw", "*:r"};
  command.holder = "h";
  command.limit = 7;
  const auto back = decode_command(encode_command(command));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->path, command.path);
  EXPECT_EQ(back->at, "abc");
  EXPECT_EQ(back->if_none_match, "*");
  EXPECT_EQ(back->size, command.size);
  EXPECT_EQ(back->scopes, command.scopes);
  EXPECT_EQ(back->holder, "h");
  EXPECT_EQ(back->limit, 7U);
  EXPECT_EQ(back->label, "cli");
}

TEST(Command, is_refused_when_it_is_none) {
  for (const auto* text : {"", "[]", "{}", "null", "{\"verb\":\"\"}", "{\"verb\":1}",
                           "{\"verb\":\"get\",\"scopes\":1}", "{\"verb\":\"get\",\"scopes\":[1]}",
                           "{\"verb\":\"get\"", "{\"verb\":\"get\"}x"}) {
    EXPECT_FALSE(decode_command(text)) << text;
  }
  EXPECT_FALSE(decode_command(std::string(100'000, '[')));
}

TEST(Outcome, has_the_exit_code_of_its_error) {
  EXPECT_EQ((CommandOutcome{true, "{}"}).exit_code(), 0);
  EXPECT_EQ(command_failed("why").exit_code(), 1);
  EXPECT_EQ((CommandOutcome{false, R"({"type":"storage_error","code":"STORE001"})"}).exit_code(),
            11);
  EXPECT_EQ((CommandOutcome{false, R"({"type":"storage_error","code":"STORE005"})"}).exit_code(),
            15);
  EXPECT_EQ((CommandOutcome{false, "no json"}).exit_code(), 1);
}

}  // namespace meshstow::io
