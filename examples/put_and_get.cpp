// Stores a document at another node and reads it back:
//
//   meshstow --home /tmp/me init
//   put_and_get /tmp/me HOST:PORT DESTINATION TOKEN
//
// HOST:PORT and DESTINATION are what the other node's `serve --tcp-listen` prints; TOKEN is what
// its `token create --scope notes:rw` prints.
#include <iostream>

#include "codec/hash_text.hpp"
#include "io/blocking_client.hpp"

int main(int count, char** words) {
  namespace ms = meshstow;
  if (count != 5) return std::cerr << "put_and_get HOME HOST:PORT DESTINATION TOKEN\n", 2;
  const auto address = ms::io::parse_address(words[2]);
  const auto node = ms::codec::hash_from_text<16>(words[3]);
  if (!address || !node) return std::cerr << "no address, or no destination\n", 2;

  auto client = ms::io::BlockingClient::open(words[1], {{}, {*address}, "off", false});
  if (!client) return std::cerr << client.error().message << '\n', 1;
  (*client)->add_token(words[4]);
  const auto put =
      (*client)->put(*node, "/public/notes/hello.txt", ms::base::as_bytes("Hello, mesh!"));
  if (!put) return std::cerr << put.error().message << '\n', 1;
  const auto got = (*client)->get(*node, "/public/notes/hello.txt");
  if (!got) return std::cerr << got.error().message << '\n', 1;
  std::cout << got->etag << ": " << ms::base::as_text(got->body) << '\n';
}
