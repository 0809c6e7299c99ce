#include "http/pages.hpp"

#include <gtest/gtest.h>

namespace meshstow::http {
namespace {

constexpr const char* kTurned =
    "gpj.\xE2\x80\xAE"
    "exe";  // reads gpj.exe the other way round

TEST(Pages, show_controls_of_bidirectional_text_written_out) {
  const std::string page = message_page(kTurned, std::string("<b>") + kTurned);
  EXPECT_EQ(page.find("\xE2\x80\xAE"), std::string::npos);
  EXPECT_NE(page.find("<h1>gpj.\\u202eexe</h1>"), std::string::npos) << page;
  EXPECT_NE(page.find("&lt;b&gt;gpj.\\u202eexe"), std::string::npos);
}

TEST(Pages, keep_joiners) {
  const std::string joined = "\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE";
  EXPECT_NE(message_page("Words", joined).find(joined), std::string::npos);
}

}  // namespace
}  // namespace meshstow::http
