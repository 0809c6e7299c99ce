#include "io/archive.hpp"

#include <gtest/gtest.h>

#include "codec/base64.hpp"
#include "io/app_source.hpp"

namespace meshstow::io {
namespace {

constexpr std::size_t kMax = 1024 * 1024;

std::string text_of(const std::vector<http::AppSourceFile>& files) {
  std::string out;
  for (const auto& file : files) out += file.path + "=" + base::to_string(file.bytes) + ";";
  return out;
}

// One file, as tar writes it.
Bytes tar_entry(const std::string& name, const std::string& body, char type = '0') {
  Bytes head(512, 0);
  const auto put = [&](std::size_t at, const std::string& value) {
    std::copy(value.begin(), value.end(), head.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, name);
  std::string octal;
  for (std::size_t n = body.size(); n > 0; n /= 8)
    octal.insert(octal.begin(), static_cast<char>('0' + n % 8));
  put(124, octal.empty() ? "0" : octal);
  head[156] = static_cast<Byte>(type);
  put(257, "ustar");
  base::append(head, base::as_bytes(body));
  head.resize((head.size() + 511) / 512 * 512, 0);
  return head;
}

// Made with Python's zipfile: index.html (deflated) and js/a.js (stored).
Bytes sample_zip() {
  return codec::from_base64(
             "UEsDBBQAAAAIAAAAIQCGA19PGgAAAFoCAAAKAAAAaW5kZXguaHRtbLPJMLTLSM3JybfRB7"
             "JsCuxs9AtGqVGKcgoAUEsDBBQAAAAAAAAAIQDwxHdEBQAAAAUAAAAHAAAAanMvYS5qc3J1"
             "bigpUEsBAhQDFAAAAAgAAAAhAIYDX08aAAAAWgIAAAoAAAAAAAAAAAAAAIABAAAAAGluZG"
             "V4Lmh0bWxQSwECFAMUAAAAAAAAACEA8MR3RAUAAAAFAAAABwAAAAAAAAAAAAAAgAFCAAAA"
             "anMvYS5qc1BLBQYAAAAAAgACAG0AAABsAAAAAAA=")
      .value_or(Bytes{});
}

TEST(Archive, reads_the_files_of_a_tar_and_leaves_the_rest_out) {
  Bytes tar = tar_entry("index.html", "<p>");
  base::append(tar, tar_entry("folder/", "", '5'));
  base::append(tar, tar_entry("link", "", '2'));
  base::append(tar, tar_entry("././@LongLink", std::string(150, 'n') + ".js", 'L'));
  base::append(tar, tar_entry("cut", "run()"));
  const std::string record = "path=folder/pax.js\n";
  const std::string length = std::to_string(record.size() + 3);
  base::append(tar, tar_entry("pax", length + " " + record, 'x'));
  base::append(tar, tar_entry("cut", "pax"));
  tar.resize(tar.size() + 1024, 0);
  const auto files = read_archive(tar, kMax);
  ASSERT_TRUE(files) << files.error().detail;
  EXPECT_EQ(text_of(*files),
            "index.html=<p>;" + std::string(150, 'n') + ".js=run();folder/pax.js=pax;");
}

TEST(Archive, reads_a_zip_packed_and_stored) {
  const auto files = read_archive(sample_zip(), kMax);
  ASSERT_TRUE(files) << files.error().detail;
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ(files->front().path, "index.html");
  EXPECT_TRUE(base::to_string(files->front().bytes).starts_with("<h1>hello</h1><p>"));
  EXPECT_EQ(files->front().bytes.size(), 14U + 7 * 84);
  EXPECT_EQ(base::to_string(files->back().bytes), "run()");
  EXPECT_FALSE(read_archive(sample_zip(), 500)) << "unpacks to more";
}

TEST(Archive, every_cut_of_an_archive_is_an_error_or_shorter_and_never_worse) {
  Bytes tar = tar_entry("index.html", std::string(2000, 'x'));
  for (std::size_t size = 0; size < tar.size(); ++size)
    EXPECT_FALSE(read_archive(ByteView(tar).first(size), kMax)) << size;
  const Bytes zip = sample_zip();
  for (std::size_t size = 0; size < zip.size(); ++size)
    EXPECT_FALSE(read_archive(ByteView(zip).first(size), kMax)) << size;
}

TEST(Archive, changed_bytes_never_crash) {
  const Bytes zip = sample_zip();
  Bytes tar = tar_entry("index.html", "<p>");
  for (const Bytes& good : {zip, tar}) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const Byte value : {Byte{0}, Byte{0x7f}, Byte{0xff}}) {
        Bytes bad = good;
        bad[at] = value;
        (void)read_archive(bad, kMax);
      }
    }
  }
}

TEST(Archive, unpacks_no_more_than_it_may) {
  const Bytes tar = tar_entry("index.html", std::string(5000, 'x'));
  const auto files = read_archive(tar, 4999);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().code, Errc::limit);
}

TEST(Archive, what_is_no_archive_is_malformed) {
  for (const char* text : {"", "PK", "\x1f\x8b", "hello", "PK\x05\x06"}) {
    const auto files = read_archive(base::as_bytes(text), kMax);
    ASSERT_FALSE(files) << text;
    EXPECT_EQ(files.error().code, Errc::malformed);
  }
}

// Made with Python's zipfile, as the last bits of its packed files need no byte of their own.
TEST(Archive, reads_files_that_end_with_their_last_code) {
  const auto zip = codec::from_base64(
      "UEsDBBQAAAAIAAAAIQAwtIdgDQAAABAAAAAKAAAAaW5kZXguaHRtbLMpySzJSbWLstGHMABQSwMEFAAA"
      "AAgAAAAhALfv3IMDAAAAAQAAAAgAAABzdWIvYS5qczMEAFBLAQIUAxQAAAAIAAAAIQAwtIdgDQAAABAA"
      "AAAKAAAAAAAAAAAAAACAAQAAAABpbmRleC5odG1sUEsBAhQDFAAAAAgAAAAhALfv3IMDAAAAAQAAAAgA"
      "AAAAAAAAAAAAAIABNQAAAHN1Yi9hLmpzUEsFBgAAAAACAAIAbgAAAF4AAAAAAA==");
  ASSERT_TRUE(zip);
  const auto files = read_archive(*zip, kMax);
  ASSERT_TRUE(files) << files.error().detail;
  EXPECT_EQ(text_of(*files), "index.html=<title>Z</title>;sub/a.js=1;");
}

// Made with Python's gzip and tarfile.
TEST(Archive, reads_a_packed_tar_and_tells_a_damaged_one) {
  const auto packed = codec::from_base64(
      "H4sIAAAAAAACA+3NMQqDUBQEwHeUnCCIip4nkIBCtFADHt8fK7FXEGeaXbbZtn9/5mczdd84TJZUZblm"
      "ss8k3/T/XtdFHo8sTvAbp9eQLuOemjYAAAAAAAAAAAC4oAVuG5C+ACgAAA==");
  ASSERT_TRUE(packed);
  const auto files = read_archive(*packed, kMax);
  ASSERT_TRUE(files) << files.error().detail;
  EXPECT_EQ(text_of(*files), "index.html=hi;");
  for (std::size_t size = 0; size < packed->size(); ++size)
    EXPECT_FALSE(read_archive(ByteView(*packed).first(size), kMax)) << size;
  Bytes changed = *packed;
  changed[changed.size() - 6] ^= 1;
  EXPECT_FALSE(read_archive(changed, kMax)) << "its checksum is wrong";
}

TEST(AppSource, names_come_from_paths) {
  EXPECT_EQ(app_name_of("/x/My Notes-1.2.zip"), "my-notes-1-2");
  EXPECT_EQ(app_name_of("/x/small_notes/"), "small-notes");
  EXPECT_EQ(app_name_of("todo.tar.gz"), "todo");
}

}  // namespace
}  // namespace meshstow::io
