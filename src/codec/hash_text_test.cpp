#include "codec/hash_text.hpp"

#include <gtest/gtest.h>

namespace meshstow::codec {
namespace {

TEST(HashText, is_taken_as_it_is_printed_and_in_either_case) {
  for (const char* text : {"7880abcd", "<7880abcd>", "7880ABCD", "<7880AbCd>", "<7880abcd…>"}) {
    EXPECT_EQ(hash_digits(text), "7880abcd") << text;
  }
  EXPECT_EQ(hash_from_text<4>("<7880ABCD>"), (FixedBytes<4>{{0x78, 0x80, 0xab, 0xcd}}));
}

TEST(HashText, may_be_a_beginning_but_then_is_no_whole_hash) {
  EXPECT_EQ(hash_digits("<788>"), "788");
  EXPECT_FALSE(hash_from_text<4>("<788>"));
  EXPECT_FALSE(hash_from_text<4>("<7880abcd00>"));
}

TEST(HashText, is_nothing_else) {
  for (const char* text : {"", "<>", "<", "laptop", "<7880", "7880>", "<<7880>>", "7880 abcd",
                           "0x7880", "<laptop>", "<…>", "7880…"}) {
    EXPECT_FALSE(hash_digits(text)) << text;
  }
}

}  // namespace
}  // namespace meshstow::codec
