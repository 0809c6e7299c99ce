#include "node/server_context.hpp"

namespace meshstow::node {

base::Holder ServerContext::holder(const std::optional<reticulum::IdentityHash>& user,
                                   const std::optional<access::TokenId>& token,
                                   const base::Holder& before) const {
  if (user && access.is_own(*user)) return base::Holder::owner();
  if (token) return base::Holder::guest(token->view());
  if (user && access.acl().knows(*user)) return base::Holder::guest(user->view());
  return before;
}

}  // namespace meshstow::node
