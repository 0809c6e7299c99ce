#include "listing.hpp"

#include <boost/json.hpp>
#include <cstdio>

#include "follower.hpp"
#include "report.hpp"

namespace meshstow::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kPage = 1000;      // items
constexpr std::size_t kSorted = 10'000;  // longer listings are printed as they come

// One JSON document, or the lines of a table.
class Printer {
 public:
  explicit Printer(bool as_json) : as_json_(as_json) {}

  void add(json::object page) {
    json::array& items = page.at("items").as_array();
    if (as_json_) return add_json(page, items);
    for (json::value& item : items) waiting_.push_back(std::move(item));
    if (waiting_.size() >= kSorted) flush();
  }

  int end() {
    if (as_json_) {
      std::printf("]}\n");
    } else {
      flush();
    }
    return finish_output(as_json_, "ls");
  }

  // What comes next cannot be written either.
  [[nodiscard]] static bool is_lost() { return std::ferror(stdout) != 0; }

  // True: it has begun, and was told to whoever reads the JSON.
  bool break_off() {
    if (!as_json_ || !begun_) return false;
    std::printf("],\"incomplete\":true}\n");
    std::fflush(stdout);
    return true;
  }

 private:
  void add_json(const json::object& page, const json::array& items) {
    if (!begun_) {
      std::printf("{\"path\":%s,\"etag\":%s,\"items\":[", json::serialize(page.at("path")).c_str(),
                  json::serialize(page.at("etag")).c_str());
    }
    begun_ = true;
    for (const json::value& item : items) {
      std::printf("%s%s", has_items_ ? "," : "", json::serialize(item).c_str());
      has_items_ = true;
    }
  }

  void flush() {
    print_as_text("ls", json::serialize(json::object{{"items", std::exchange(waiting_, {})}}));
  }

  bool as_json_;
  bool begun_ = false;
  bool has_items_ = false;
  json::array waiting_;
};

}  // namespace

int list_by_pages(const Invocation& invocation) {
  io::Command command = invocation.command;
  command.limit = kPage;
  Printer printer(invocation.json);
  for (;;) {
    const io::CommandOutcome outcome = run_and_follow(invocation, command);
    if (!outcome.ok) return report_outcome(invocation.json && !printer.break_off(), outcome);
    json::object page = json::parse(outcome.json).as_object();
    const json::value* next = page.if_contains("next");
    command.after = next == nullptr ? std::string() : std::string(next->as_string());
    printer.add(std::move(page));
    if (command.after.empty() || Printer::is_lost()) break;
  }
  return printer.end();
}

}  // namespace meshstow::app
