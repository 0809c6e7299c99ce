#include "io/archive.hpp"

#include <filesystem>
#include <gtest/gtest.h>

#include "codec/base64.hpp"
#include "io/app_source.hpp"
#include "io/file_system.hpp"
#include "io/io_for_test.hpp"

namespace meshstow::io {
namespace {

constexpr std::size_t kMax = 1024 * 1024;

// "path=text;", "path->target;" of links, "path?;" of what is neither.
std::string text_of(const std::vector<ArchiveEntry>& entries) {
  std::string out;
  for (const ArchiveEntry& each : entries) {
    out += each.path;
    switch (each.kind) {
      case EntryKind::file: out += "=" + base::to_string(each.bytes); break;
      case EntryKind::hard_link: out += "=>" + each.target; break;
      case EntryKind::symbolic_link: out += "->" + each.target; break;
      case EntryKind::other: out += "?"; break;
    }
    out += ";";
  }
  return out;
}

// One file, as tar writes it.
Bytes tar_entry(const std::string& name, const std::string& body, char type = '0',
                const std::string& target = "") {
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
  put(157, target);
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

TEST(Archive, reads_all_of_a_tar_but_its_folders) {
  Bytes tar = tar_entry("index.html", "<p>");
  base::append(tar, tar_entry("folder/", "", '5'));
  base::append(tar, tar_entry("link", "", '2', "folder/to"));
  base::append(tar, tar_entry("hard", "", '1', "index.html"));
  base::append(tar, tar_entry("././@LongLink", std::string(120, 't'), 'K'));
  base::append(tar, tar_entry("far", "", '2', "cut"));
  base::append(tar, tar_entry("pipe", "", '6'));
  base::append(tar, tar_entry("pax", "23 GNU.sparse.major=1\n", 'x'));
  base::append(tar, tar_entry("holes", "x"));
  base::append(tar, tar_entry("././@LongLink", std::string(150, 'n') + ".js", 'L'));
  base::append(tar, tar_entry("cut", "run()"));
  const std::string record = "path=folder/pax.js\n";
  const std::string length = std::to_string(record.size() + 3);
  base::append(tar, tar_entry("pax", length + " " + record, 'x'));
  base::append(tar, tar_entry("cut", "pax"));
  tar.resize(tar.size() + 1024, 0);
  const auto files = read_archive(tar, kMax);
  ASSERT_TRUE(files) << files.error().detail;
  EXPECT_EQ(text_of(*files), "index.html=<p>;link->folder/to;hard=>index.html;far->" +
                                 std::string(120, 't') + ";pipe?;holes?;" + std::string(150, 'n') +
                                 ".js=run();folder/pax.js=pax;");
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

// An app on disk, as a folder or as an archive.
class AppSource : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view bytes) {
    std::filesystem::create_directories((home_ / name).parent_path());
    ASSERT_TRUE(write_new_file(home_ / name, base::as_bytes(bytes)));
  }
  // "path=text;" sorted by path, or what is wrong.
  static std::string read(const std::filesystem::path& path) {
    auto files = read_app_source(path);
    if (!files) return files.error();
    std::ranges::sort(*files, {}, &http::AppSourceFile::path);
    std::string out;
    for (const auto& file : *files) out += file.path + "=" + base::to_string(file.bytes) + ";";
    return out;
  }
  std::string read_tar(const std::vector<Bytes>& entries) {
    Bytes tar;
    for (const Bytes& entry : entries) base::append(tar, entry);
    const auto path = home_ / ("app" + std::to_string(++tars_) + ".tar");
    write(path.filename().string(), base::as_text(tar));
    return read(path);
  }

  TestFolder folder_;
  const std::filesystem::path home_ = folder_.path();
  int tars_ = 0;
};

TEST_F(AppSource, copies_what_links_inside_the_app_lead_to) {
  EXPECT_EQ(read_tar({tar_entry("app/index.html", "<p>"), tar_entry("app/js/a.js", "a"),
                      tar_entry("app/js/b.js", "", '1', "app/js/a.js"),
                      tar_entry("app/lib", "", '2', "./js"),
                      tar_entry("app/c.js", "", '2', "lib/../lib/b.js"),
                      tar_entry("app/x/d.js", "", '2', "../js/a.js")}),
            "c.js=a;index.html=<p>;js/a.js=a;js/b.js=a;lib/a.js=a;lib/b.js=a;x/d.js=a;");
  write("folder/index.html", "<p>");
  write("folder/js/a.js", "a");
  std::filesystem::create_symlink("js", home_ / "folder/lib");
  std::filesystem::create_symlink(home_ / "folder/js/a.js", home_ / "folder/js/b.js");
  EXPECT_EQ(read(home_ / "folder"), "index.html=<p>;js/a.js=a;js/b.js=a;lib/a.js=a;lib/b.js=a;");
}

TEST_F(AppSource, refuses_by_name_what_cannot_be_resolved_inside_the_app) {
  const Bytes index = tar_entry("index.html", "<p>");
  const auto refused = [&](const Bytes& entry, const std::string& why) {
    const std::string told = read_tar({index, entry});
    EXPECT_NE(told.find(why), std::string::npos) << told;
  };
  for (const char type : {'1', '2'}) {
    refused(tar_entry("out", "", type, "../../etc/passwd"), "the link out leads to ../../etc");
    refused(tar_entry("abs", "", type, "/etc/passwd"), "the link abs leads to /etc/passwd");
    refused(tar_entry("none", "", type, "missing"), "the link none leads to missing");
    refused(tar_entry("self", "", type, "self"),
            "the link self leads to self, which leads to itself");
  }
  refused(tar_entry("a/all", "", '2', ".."), "the link a/all leads to ..");
  refused(tar_entry("a/up", "", '2', "../a"), "the link a/up leads to ../a");
  refused(tar_entry("pipe", "", '6'), "pipe is no file");
  refused(tar_entry("dev/disk", "", '4'), "dev/disk is no file");
  refused(tar_entry("../x", "y"), "../x");
  refused(tar_entry("/top", "y"), "/top");
  EXPECT_EQ(read_tar({index, tar_entry(".#lock", "", '2', "nobody@nowhere")}), "index.html=<p>;");
  EXPECT_NE(read_tar({index, tar_entry("a/x", "", '2', "../b"), tar_entry("b/y", "", '2', "../a")})
                .find("holds the link itself"),
            std::string::npos);

  write("folder/index.html", "<p>");
  std::filesystem::create_symlink("/etc/hostname", home_ / "folder/host");
  EXPECT_NE(read(home_ / "folder").find("the link host leads to"), std::string::npos);
  std::filesystem::remove(home_ / "folder/host");
  std::filesystem::create_symlink("circle", home_ / "folder/circle");
  EXPECT_NE(read(home_ / "folder").find("which leads to itself"), std::string::npos);
  std::filesystem::remove(home_ / "folder/circle");
  write("folder/js\\a.js", "a");
  EXPECT_NE(read(home_ / "folder").find("js\\a.js"), std::string::npos);
}

TEST_F(AppSource, refuses_two_files_of_one_name) {
  const Bytes index = tar_entry("index.html", "<p>");
  const auto told = [&](const std::vector<Bytes>& entries) {
    return read_tar(entries).find("more than one file of the name js/a.js") != std::string::npos;
  };
  EXPECT_TRUE(told({index, tar_entry("js/a.js", "1"), tar_entry("js/a.js", "2")}));
  EXPECT_TRUE(told({index, tar_entry("js\\a.js", "1"), tar_entry("js/a.js", "2")}));
  EXPECT_TRUE(told({index, tar_entry("./js/a.js", "1"), tar_entry("js/a.js", "2")}));
  EXPECT_TRUE(told({index, tar_entry("lib/a.js", "1"), tar_entry("js", "", '2', "lib"),
                    tar_entry("js/a.js", "2")}));
  EXPECT_FALSE(told({index, tar_entry("js/a.js", "1"), tar_entry("js/A.js", "2")}));
}

TEST_F(AppSource, takes_backslashes_in_archives_for_slashes) {
  EXPECT_EQ(read_tar({tar_entry("app\\index.html", "<p>"), tar_entry("app\\js\\a.js", "a"),
                      tar_entry("app/js/b.js", "", '2', ".\\a.js")}),
            "index.html=<p>;js/a.js=a;js/b.js=a;");
}

// Made with Python's zipfile: index.html, js\a.js and folder\ as Windows writes them, and b.js, a
// link to js/a.js as Unix does.
TEST_F(AppSource, reads_zips_of_other_systems) {
  const auto zip = codec::from_base64(
      "UEsDBBQAAAAAAAAAIQC7oW48AwAAAAMAAAAKAAAAaW5kZXguaHRtbDxwPlBLAwQUAAAAAAAAACEA8MR3"
      "RAUAAAAFAAAABwAAAGpzXGEuanNydW4oKVBLAwQUAAAAAAAAACEAAAAAAAAAAAAAAAAABwAAAGZvbGRl"
      "clxQSwMEFAAAAAAAAAAhAEhT2psHAAAABwAAAAQAAABiLmpzanMvYS5qc1BLAQIUABQAAAAAAAAAIQC7"
      "oW48AwAAAAMAAAAKAAAAAAAAAAAAAACAAQAAAABpbmRleC5odG1sUEsBAhQAFAAAAAAAAAAhAPDEd0QF"
      "AAAABQAAAAcAAAAAAAAAAAAAAIABKwAAAGpzXGEuanNQSwECFAAUAAAAAAAAACEAAAAAAAAAAAAAAAAA"
      "BwAAAAAAAAAAABAAAABVAAAAZm9sZGVyXFBLAQIUAxQAAAAAAAAAIQBIU9qbBwAAAAcAAAAEAAAAAAAA"
      "AAAAAAD/oXoAAABiLmpzUEsFBgAAAAAEAAQA1AAAAKMAAAAAAA==");
  ASSERT_TRUE(zip);
  write("Other.ZIP", base::as_text(*zip));
  EXPECT_EQ(read(home_ / "Other.ZIP"), "b.js=run();index.html=<p>;js/a.js=run();");
}

TEST(AppNames, come_from_paths) {
  EXPECT_EQ(app_name_of("/x/My Notes-1.2.zip"), "my-notes-1-2");
  EXPECT_EQ(app_name_of("/x/small_notes/"), "small-notes");
  EXPECT_EQ(app_name_of("todo.tar.gz"), "todo");
  EXPECT_EQ(app_name_of("TODO.TAR.GZ"), "todo");
  EXPECT_EQ(app_name_of("Todo.Zip"), "todo");
}

}  // namespace
}  // namespace meshstow::io
