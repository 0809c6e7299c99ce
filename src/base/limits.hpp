// base/limits.hpp: every size, count and depth that the outside can choose, with its limit.
//
// Units are bytes unless the name says otherwise. Facts of Reticulum itself (MTU, window sizes) are
// protocol constants and live in src/reticulum; what stands here is ours to choose.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace meshstow::limits {

// Encodings.
inline constexpr std::size_t kMsgpackDepth = 16;
inline constexpr std::size_t kJsonDepth = 16;
inline constexpr std::size_t kMessageHead = 64 * 1024;         // storage message without `data`
inline constexpr std::size_t kJsonMessage = 64 * 1024 * 1024;  // JSON messages are held whole
inline constexpr std::size_t kConfigFile = 1024 * 1024;
inline constexpr std::size_t kConfigDepth = 8;  // sections in sections

// Passphrases.
inline constexpr std::uint64_t kScryptMemory = 128 * 1024 * 1024;
inline constexpr std::uint32_t kScryptParallel = 16;  // count, each costs the full time

// Names and documents.
inline constexpr std::size_t kPath = 32 * 1024;
inline constexpr std::size_t kNameSegment = 4096;
inline constexpr std::size_t kPathDepth = 4096;  // segments
inline constexpr std::size_t kContentType = 256;
inline constexpr std::uint64_t kDocument = 16ULL * 1024 * 1024 * 1024;
inline constexpr std::size_t kInlineDocument = 64 * 1024;  // larger ones are chunk lists
inline constexpr std::size_t kEtagsInCondition = 64;
inline constexpr std::size_t kErrorPath = 256;  // `path` of a storage_error

// Store.
inline constexpr std::size_t kStoreQueueBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kBatchOperations = 512;  // count, in one transaction
inline constexpr std::size_t kUploads = 128;          // count, under way; each may hold 256 KiB
inline constexpr std::size_t kUploadsOfOwner = 32;    // of them, which nobody else can have
inline constexpr std::size_t kSmallBodies = 64 * 1024 * 1024;  // of writes without an upload
inline constexpr std::size_t kSmallBodiesOfOwner = 16 * 1024 * 1024;
inline constexpr std::size_t kUploadPieces = 2;  // count, of one on their way to the store at once
inline constexpr std::uint64_t kUploadLeast = 1024;  // in each kUploadPatience, or it is dropped
inline constexpr std::chrono::seconds kUploadPatience{25};  // on slow links kUploadRoundTrips
inline constexpr int kUploadRoundTrips = 10;                // of the link, if that is longer
inline constexpr std::size_t kReadCache = 4 * 1024 * 1024;  // small documents as they were read
inline constexpr std::size_t kReadHandles = 1024;  // count, of one reader; each may hold 256 KiB

// Tokens.
inline constexpr std::size_t kTokenText = 512;           // characters
inline constexpr std::size_t kTokenScopes = 16;          // count
inline constexpr std::size_t kTokensPerSpace = 100'000;  // count

// Reticulum.
inline constexpr std::size_t kInterfaces = 1024;             // count
inline constexpr std::size_t kLinks = 4096;                  // count
inline constexpr std::size_t kIncomingResourcesPerLink = 4;  // count
inline constexpr std::size_t kRequestsPerLink = 256;         // unanswered, per link
inline constexpr std::size_t kKnownDestinations = 65'536;    // count
inline constexpr std::size_t kPacketHashes = 500'000;        // count, per generation
inline constexpr std::size_t kPathRequestTags = 32'000;      // count
inline constexpr std::size_t kReceipts = 1024;               // count
inline constexpr std::size_t kInterfaceSendQueue = 8 * 1024 * 1024;
inline constexpr std::size_t kRememberedAnswers = 512;  // per link
inline constexpr std::size_t kWritesPerLink = 65'536;   // then the peer needs a new link
inline constexpr std::size_t kRememberedAnswerBytes =
    256 * 1024;                                              // per link, larger answers are re-made
inline constexpr std::size_t kDataBeforePath = 1024 * 1024;  // of a message in MessagePack
// What is held for the requests of others: in all, and of that for the owner alone, for all
// strangers together (no token yet), for one of them. See base/shares.hpp.
inline constexpr std::size_t kHeldMessages = 256 * 1024 * 1024;  // coming in, held whole
inline constexpr std::size_t kHeldMessagesOfOwner = 64 * 1024 * 1024;
inline constexpr std::size_t kHeldMessagesOfStrangers = 64 * 1024 * 1024;
inline constexpr std::size_t kHeldMessagesOfStranger = 4 * 1024 * 1024;
inline constexpr std::size_t kHeldAnswers = 256 * 1024 * 1024;  // being made, or not yet taken
inline constexpr std::size_t kHeldAnswersOfOwner = 64 * 1024 * 1024;
inline constexpr std::size_t kHeldAnswersOfStrangers = 64 * 1024 * 1024;
inline constexpr std::size_t kHeldAnswersOfStranger = 4 * 1024 * 1024;
inline constexpr std::size_t kHeldByStream = 512 * 1024;  // counted for an answer read as it leaves
inline constexpr std::size_t kHeldRemembered = 64 * 1024 * 1024;  // answers, and writes done
inline constexpr std::size_t kHeldRememberedOfOwner = 16 * 1024 * 1024;
inline constexpr std::size_t kWallet = 1024;            // tokens, count
inline constexpr std::size_t kClientOperations = 4096;  // at once, count

// Drivers.
inline constexpr std::size_t kDiskBatch = 16 * 1024 * 1024;   // in one transaction
inline constexpr std::size_t kSocketRead = 256 * 1024;        // at a time, one buffer for all
inline constexpr std::size_t kControlMessage = 1024 * 1024;   // a command, or an error
inline constexpr std::size_t kControlConnections = 64;        // count
inline constexpr std::size_t kControlConnectionsIdle = 16;    // of them, without a command yet
inline constexpr std::size_t kDescriptorsKept = 256;          // count, of the process; not for HTTP
inline constexpr std::size_t kControlBuffered = 1024 * 1024;  // of a body, each way
inline constexpr std::size_t kBodyPiece = 256 * 1024;     // of a body on its way to or from a file
inline constexpr std::size_t kSpoolMemory = 1024 * 1024;  // of a body that is sent to another node
inline constexpr std::size_t kNodeName = 64;
inline constexpr std::size_t kKnownFile = 128 * 1024 * 1024;  // known destinations of a home

// HTTP.
inline constexpr std::size_t kHttpHead = 160 * 1024;  // request line and headers
inline constexpr std::size_t kHttpTarget =
    128 * 1024;  // 414 beyond; a path of kPath, all escaped, fits
inline constexpr std::size_t kHttpHeaderFields = 128;  // count
// Of others: browsers send the cookies of a host to every port. They are dropped as they come.
inline constexpr std::size_t kHttpCookies = 4 * 1024 * 1024;
inline constexpr std::size_t kHttpSmallBody =
    64 * 1024;  // PUT bodies held whole; forms and API calls
inline constexpr std::size_t kHttpReadPiece = 256 * 1024;  // of a document, from the store
inline constexpr std::size_t kHttpReads = 512;             // count, documents that are being sent
inline constexpr std::size_t kHttpReadsOfOwner = 64;
inline constexpr std::size_t kHttpReadsOfStrangers = 128;
inline constexpr std::size_t kHttpListing = 1024 * 1024;  // listings held whole; larger ones stream
inline constexpr std::size_t kHttpListingCache = 4 * 1024 * 1024;
inline constexpr std::size_t kHttpConnections = 16'384;  // count
inline constexpr std::size_t kHttpConnectionsOfOwner = 1024;
inline constexpr std::size_t kHttpConnectionsOfStrangers = 8192;
inline constexpr std::size_t kFormFields = 64;           // count
inline constexpr std::size_t kRedirectAddress = 4096;    // of an app
inline constexpr std::size_t kTokenCache = 4096;         // verified tokens, count
inline constexpr std::uint32_t kFailureBurst = 20;       // wrong tokens of one address, count
inline constexpr std::chrono::seconds kFailureEvery{5};  // and then one each
inline constexpr std::size_t kFailureAddresses = 4096;   // count
inline constexpr std::size_t kSessions = 256;            // count
inline constexpr std::size_t kSignInLinks = 64;          // unspent, count
inline constexpr std::size_t kSignedCalls = 16'384;      // remembered for each nonce, count
inline constexpr std::size_t kDownloadTickets = 64;      // unspent, count
inline constexpr std::size_t kAuthorizationCodes = 256;  // count
inline constexpr std::size_t kEventStreams = 1024;       // count
inline constexpr std::size_t kEventStreamsOfOwner = 256;
inline constexpr std::size_t kEventBacklog = 256 * 1024;    // of one stream whose client is slow
inline constexpr std::size_t kRememberedChanges = 1024;     // for streams that come back, count
inline constexpr std::size_t kApps = 256;                   // count
inline constexpr std::size_t kAppFiles = 4096;              // count, of one app
inline constexpr std::size_t kAppBytes = 64 * 1024 * 1024;  // of one app
inline constexpr std::size_t kAppPiece = 256 * 1024;        // of an app's file, a record

}  // namespace meshstow::limits
