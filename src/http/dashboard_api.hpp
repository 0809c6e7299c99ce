// http/dashboard_api.hpp: what the dashboard's scripts ask for, as JSON. Internal to src/http.
#pragma once

#include <string>

#include "http/collecting_exchange.hpp"

namespace meshstow::http {

// GET /api/state: all that the dashboard shows but files.
class StateGet final : public Exchange {
 public:
  StateGet(Core& core, Context context);

 private:
  void finish(const storage::Outcome<storage::Usage>& usage);
  Core& core_;
  const Context context_;
};

// One line of JSON about the work that is going on.
std::string work_json(const std::map<std::uint64_t, WorkProgress>& work);

// POST /api/tokens {"scopes": ["notes:rw"], "label": "...", "days": 30} -> {"token", "id"}
class TokenCreate final : public CollectingExchange {
 public:
  TokenCreate(Core& core, Context context, const Request& request)
      : CollectingExchange(core, std::move(context), request) {}

 private:
  void on_whole(Now now, std::string body) override;
};

// Removes records; once the store has done so, `then` acts on it, and the answer is 200 with {}.
class RecordRemoval final : public Exchange {
 public:
  RecordRemoval(Context context, std::vector<Bytes> keys, std::function<void()> then);

 private:
  void removed(const storage::Outcome<storage::Done>& outcome);
  const Context context_;
  std::size_t left_;
  std::function<void()> then_;
  std::optional<storage::Failure> failure_;
};

// DELETE /api/tokens/ID.
class TokenRevoke final : public Exchange {
 public:
  TokenRevoke(Context context, access::Revocation revocation);

 private:
  void stored(const storage::Outcome<storage::Done>& outcome);
  const Context context_;
  access::Revocation revocation_;
};

}  // namespace meshstow::http
