#include <CLI/CLI.hpp>

#include "care.hpp"

namespace meshstow::app {
namespace {

CLI::App& add_path(CLI::App& app, Invocation& out, const char* verb, const char* help) {
  CLI::App& sub = *app.add_subcommand(verb, help);
  sub.add_option("path", out.command.path, "/category/module/name")->required()->type_name("PATH");
  return sub;
}

void add_rule(CLI::App& app, Invocation& out, const char* verb, const char* help,
              const char* setting) {
  CLI::App& sub = *app.add_subcommand(verb, help);
  sub.add_option("--module", out.command.module, "of this module, else of all")->type_name("M");
  sub.add_option("setting", out.command.setting, setting)
      ->type_name("RULE")
      // An unset shell variable is no wish to be shown the setting.
      ->check([](const std::string& value) {
        return value.empty() ? std::string("the value is empty") : std::string();
      });
}

}  // namespace

void add_care_commands(CLI::App& app, Invocation& out) {
  add_path(app, out, "history", "List the versions of a document, newest first");
  add_path(app, out, "restore", "Make an earlier version the current one")
      .add_option("--version", out.command.version, "which, by its beginning")
      ->required()
      ->type_name("V");
  app.add_subcommand("check", "Verify everything that is stored; 1 if anything is damaged");
  app.add_subcommand("compact", "Reclaim what old versions left, and make the file small");
  app.add_subcommand("backup", "Copy the store, sealed, while it is in use")
      ->add_option("file", out.command.file, "a file that is not there yet")
      ->required()
      ->type_name("FILE");
  CLI::App& restore =
      *app.add_subcommand("restore-backup", "Prove a copy and make it the store of this home");
  restore.add_option("file", out.file, "what `backup` made")->required()->type_name("FILE");
  restore.add_flag("--replace", out.replaces, "put the store that is there aside");
  restore.add_flag("--damaged", out.takes_damaged,
                   "take it although something in it is damaged; what is damaged stays refused "
                   "by name");
  add_rule(app, out, "quota", "Show or set how much may be stored",
           "a size such as 500M or 10G, or none; else show it");
  add_rule(app, out, "history-policy", "Show or set which earlier versions are kept",
           "none, all, default, or days and versions such as 30d,10; else show it");
}

}  // namespace meshstow::app
