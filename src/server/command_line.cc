#include "server/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>

#include "cluster/node.h"
#include "git/repository_config.h"
#include "server/admin_commands.h"
#include "server/api_client.h"
#include "server/completion.h"
#include "server/config.h"
#include "server/config_commands.h"
#include "server/consumer_commands.h"
#include "server/inspect.h"
#include "server/serve.h"
#include "server/version.h"

namespace quorate::server {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr std::string_view kDefaultServer = "http://127.0.0.1:7080";
constexpr std::chrono::seconds kServerTimeout{60};

// The arguments of all commands, and which of them to run. Lives as long as the CLI::App that fills
// it.
struct CommandLine {
  CLI::App app{"Transactional, replicated Git storage.", "quorate"};
  // Of the command that was given. `check` looks at what CLI11 cannot judge and does nothing else:
  // its errors are usage errors.
  std::function<Status()> check = [] { return Ok(); };
  std::function<Status()> action;

  std::string config_file;
  Config overrides;
  std::string server{kDefaultServer};
  std::optional<ApiClient> client;  // By check().
  bool json = false;
  std::string name;
  RepoCreateArguments create;
  RepoLogArguments log;
  RepoTransactionArguments transaction;
  FollowArguments follow;
  RepoConfigArguments repo_config;
  InspectArguments inspect;
  std::string shell;
};

Result<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error(Code::kNotFound, fmt::format("cannot read the configuration file {}", path));
  }
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Defaults, then the file, then what was given on the command line.
Result<Config> EffectiveConfig(const CLI::App& serve, const CommandLine& line) {
  Config config;
  if (!line.config_file.empty()) {
    const std::string toml = QUORATE_TRY(ReadWholeFile(line.config_file));
    QUORATE_TRY(ReadConfig(toml, line.config_file, config));
  }
  const auto given = [&](const char* option) { return serve.count(option) > 0; };
  const Config& override = line.overrides;
  if (given("--data")) {
    config.data = override.data;
  }
  if (given("--http")) {
    config.http = override.http;
  }
  if (given("--peer")) {
    config.peer = override.peer;
  }
  if (given("--join")) {
    config.join = override.join;
  }
  if (given("--insecure")) {
    config.insecure = override.insecure;
  }
  config.accept_damaged_wal = override.accept_damaged_wal;
  if (given("--log-mode")) {
    config.log_mode = override.log_mode;
  }
  if (given("--create-on-push")) {
    config.create_on_push = override.create_on_push;
    config.create_on_push_given = true;
  }
  QUORATE_TRY(CheckConfig(config));
  if (!config.create_on_push_given) {
    config.create_on_push = ParseHostPort(config.http).value().IsLoopback();
  }
  return config;
}

// CLI11 wants an empty text from them if the argument will do.
CLI::Validator VariableName() {
  return {[](const std::string& name) {
            return git::CanonicalConfigName(name) ? std::string()
                                                  : fmt::format("'{}' is no variable's name", name);
          },
          ""};
}
CLI::Validator HostAndPort() {
  return {[](const std::string& text) {
            const Result<HostPort> address = ParseHostPort(text);
            return address ? std::string() : address.error().message();
          },
          ""};
}
CLI::Validator RepositoryName() {
  return {[](const std::string& name) {
            const Status fit = cluster::Node::CheckRepositoryName(name);
            return fit ? std::string() : fit.error().message();
          },
          ""};
}

void AddServe(CommandLine& line) {
  CLI::App* serve = line.app.add_subcommand("serve", "Run one node in the foreground.");
  serve->add_option("--data", line.overrides.data, "Data directory; made if it does not exist.");
  serve
      ->add_option("--http", line.overrides.http,
                   "Where Git clients and the API connect (default 127.0.0.1:7080; port 0 picks "
                   "one).")
      ->check(HostAndPort());
  serve
      ->add_option("--peer", line.overrides.peer,
                   "Where other nodes connect (default 127.0.0.1:7081).")
      ->check(HostAndPort());
  serve->add_option("--join", line.overrides.join,
                    "Peer address of a member of a cluster to join.");
  serve->add_option("--config", line.config_file, "TOML configuration file.");
  serve->add_option("--log-mode", line.overrides.log_mode, "raft (default) or local.")
      ->check(CLI::IsMember({"raft", "local"}));
  serve->add_option("--create-on-push", line.overrides.create_on_push,
                    "true or false: a first push creates its repository (default: on loopback).");
  serve->add_flag("--insecure", line.overrides.insecure,
                  "Listen beyond this machine although nobody is authenticated.");
  serve->add_flag("--accept-damaged-wal", line.overrides.accept_damaged_wal,
                  "Open a data directory whose write-ahead log is damaged. What was written behind "
                  "the damage is lost, acknowledged or not.");
  serve->callback([&line, serve] {
    line.check = [serve]() -> Status {
      if (serve->count("--data") == 0 && serve->count("--config") == 0) {
        return Error(Code::kInvalidArgument, "no data directory: give --data DIR");
      }
      return Ok();
    };
    line.action = [&line, serve]() -> Status {
      return Serve(QUORATE_TRY(EffectiveConfig(*serve, line)));
    };
  });
}

// A subcommand that asks a server; `action` gets the client.
CLI::App* AddClientCommand(CommandLine& line, CLI::App& parent, const std::string& name,
                           const std::string& help,
                           const std::function<Status(ApiClient&)>& action) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("--server", line.server, "URL of any node.")->capture_default_str();
  command->callback([&line, action] {
    line.check = [&line]() -> Status {
      line.client = QUORATE_TRY(ApiClient::Make(line.server, kServerTimeout));
      return Ok();
    };
    line.action = [&line, action] { return action(*line.client); };
  });
  return command;
}

void AddRepoTransaction(CommandLine& line, CLI::App& repo) {
  CLI::App* txn =
      AddClientCommand(line, repo, "txn", "What became of a push, by its transaction's id.",
                       [&line](ApiClient& c) { return RepoTransaction(c, line.transaction); });
  txn->add_option("REPOSITORY", line.transaction.name)->required();
  txn->add_option("ID", line.transaction.id, "32 hexadecimal digits.")->required();
  txn->add_flag("--json", line.transaction.json, "Print JSON.");
}

void AddRepoConsumers(CommandLine& line, CLI::App& repo) {
  FollowArguments& arguments = line.follow;
  CLI::App* follow = AddClientCommand(
      line, repo, "follow", "Print each change of a repository, as it is committed, once read.",
      [&arguments](ApiClient& c) { return RepoFollow(c, arguments); });
  follow->add_option("NAME", arguments.name)->required();
  follow->add_option("--consumer", arguments.consumer, "Whose position; made before.")->required();
  follow->add_flag("--once", arguments.once, "End when there is nothing more to read.");

  CLI::App* consumer = repo.add_subcommand("consumer", "Named readers of a repository's changes.");
  consumer->require_subcommand(1);
  CLI::App* list = AddClientCommand(
      line, *consumer, "list", "Consumers, and how far they are.",
      [&line](ApiClient& c) { return ConsumerList(c, line.follow.name, line.json); });
  list->add_option("NAME", arguments.name)->required();
  list->add_flag("--json", line.json, "Print JSON.");
  CLI::App* create = AddClientCommand(
      line, *consumer, "create", "Make a consumer that reads what is committed from now on.",
      [&arguments](ApiClient& c) { return ConsumerCreate(c, arguments.name, arguments.consumer); });
  CLI::App* remove = AddClientCommand(
      line, *consumer, "remove", "Forget a consumer.",
      [&arguments](ApiClient& c) { return ConsumerRemove(c, arguments.name, arguments.consumer); });
  for (CLI::App* command : {create, remove}) {
    command->add_option("NAME", arguments.name)->required();
    command->add_option("CONSUMER", arguments.consumer)->required();
  }
}

void AddRepoConfig(CommandLine& line, CLI::App& repo) {
  RepoConfigArguments& arguments = line.repo_config;
  CLI::App* config = repo.add_subcommand("config", "Read and change a repository's configuration.");
  config->require_subcommand(1);
  const auto add = [&](const char* name, const char* help,
                       Status (*action)(ApiClient&, const RepoConfigArguments&)) {
    CLI::App* command =
        AddClientCommand(line, *config, name, help,
                         [&arguments, action](ApiClient& c) { return action(c, arguments); });
    command->add_option("NAME", arguments.name, "The repository.")->required();
    return command;
  };
  const auto add_change = [&](const char* name, const char* help,
                              Status (*action)(ApiClient&, const RepoConfigArguments&)) {
    CLI::App* command = add(name, help, action);
    command->add_option("VARIABLE", arguments.variable, "Such as uploadpack.allowAnySHA1InWant.")
        ->required()
        ->check(VariableName());
    CLI::Option* expected =
        command
            ->add_option("--expect", arguments.expected,
                         "Refuse unless it has this value; once for each if it has several.")
            ->each([&arguments](const std::string&) { arguments.expected_given = true; });
    command->add_flag("--expect-unset", arguments.expected_unset, "Refuse if it is set.")
        ->excludes(expected);
    return command;
  };
  add("list", "All variables, as variable=value.", RepoConfigList)
      ->add_flag("--json", arguments.json, "Print JSON.");
  add("get", "The values of one variable; fails if it is not set.", RepoConfigGet)
      ->add_option("VARIABLE", arguments.variable)
      ->required()
      ->check(VariableName());
  add_change("set", "Set a variable to a value, or to several.", RepoConfigSet)
      ->add_option("VALUE", arguments.values)
      ->required();
  add_change("unset", "Remove a variable.", RepoConfigUnset);
}

void AddRepo(CommandLine& line) {
  CLI::App* repo = line.app.add_subcommand("repo", "Create, list, show and delete repositories.");
  repo->require_subcommand(1);

  CLI::App* create =
      AddClientCommand(line, *repo, "create", "Create an empty repository.",
                       [&line](ApiClient& client) { return RepoCreate(client, line.create); });
  create->add_option("NAME", line.create.name, "Such as group/project.")
      ->required()
      ->check(RepositoryName());
  create->add_option("--object-format", line.create.object_format, "sha1 (default) or sha256.")
      ->check(CLI::IsMember({"sha1", "sha256"}));
  create->add_option("--default-branch", line.create.default_branch,
                     "What HEAD names (default main).");
  create->add_option("--replicas", line.create.replicas, "On how many nodes.")
      ->check(CLI::Range(0, 7));

  CLI::App* list = AddClientCommand(line, *repo, "list", "List repositories.",
                                    [&line](ApiClient& c) { return RepoList(c, line.json); });
  list->add_flag("--json", line.json, "Print JSON.");

  CLI::App* info =
      AddClientCommand(line, *repo, "info", "Show one repository.",
                       [&line](ApiClient& c) { return RepoInfo(c, line.name, line.json); });
  info->add_option("NAME", line.name)->required();
  info->add_flag("--json", line.json, "Print JSON.");

  CLI::App* remove = AddClientCommand(line, *repo, "delete", "Delete a repository for good.",
                                      [&line](ApiClient& c) { return RepoDelete(c, line.name); });
  remove->add_option("NAME", line.name)->required();

  CLI::App* log = AddClientCommand(line, *repo, "log", "Who moved which reference, newest first.",
                                   [&line](ApiClient& c) { return RepoLog(c, line.log); });
  log->add_option("NAME", line.log.name)->required();
  log->add_option("--ref", line.log.ref, "Only this reference (full name).");
  log->add_option("--limit", line.log.limit, "At most this many lines.")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  log->add_flag("--json", line.log.json, "Print JSON.");

  AddRepoTransaction(line, *repo);
  AddRepoConsumers(line, *repo);
  AddRepoConfig(line, *repo);
}

void AddCluster(CommandLine& line) {
  CLI::App* cluster = line.app.add_subcommand("cluster", "Show the cluster.");
  cluster->require_subcommand(1);
  CLI::App* status =
      AddClientCommand(line, *cluster, "status", "Nodes, partitions and their leaders.",
                       [&line](ApiClient& c) { return ClusterStatus(c, line.json); });
  status->add_flag("--json", line.json, "Print JSON.");
}

void AddInspect(CommandLine& line) {
  CLI::App* inspect =
      line.app.add_subcommand("inspect", "Show what a stopped node has on disk; changes nothing.");
  inspect->add_option("DATA", line.inspect.data, "Data directory.")->required();
  inspect->add_option("WHAT", line.inspect.what, "summary, log, state or packs.")
      ->check(CLI::IsMember({"summary", "log", "state", "packs"}))
      ->capture_default_str();
  inspect->add_option("--partition", line.inspect.partition, "Only this one.");
  inspect->add_option("--limit", line.inspect.limit, "At most this many lines per partition.")
      ->capture_default_str();
  inspect->callback([&line] { line.action = [&line] { return Inspect(line.inspect); }; });
}

void Collect(const CLI::App& app, const std::string& path, std::vector<CompletionEntry>& entries) {
  CompletionEntry entry{.path = path, .words = {}};
  for (const CLI::App* child : app.get_subcommands({})) {
    entry.words.push_back(child->get_name());
    Collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), entries);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      entry.words.push_back("--" + name);
    }
  }
  entries.push_back(std::move(entry));
}

void AddCompletion(CommandLine& line) {
  CLI::App* completion =
      line.app.add_subcommand("completion", "Print a completion script for a shell.");
  completion->add_option("SHELL", line.shell, "bash or zsh.")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  completion->callback([&line] {
    line.action = [&line]() -> Status {
      std::vector<CompletionEntry> entries;
      Collect(line.app, "", entries);
      fmt::print("{}", QUORATE_TRY(RenderCompletion(line.shell, entries)));
      return Ok();
    };
  });
}

int Complain(const Error& error, int exit_status) {
  fmt::print(stderr, "quorate: {}\n", error.message());
  return exit_status;
}

// What a server or a terminal sends may be anything; the JSON library throws at some of it.
Status Act(const CommandLine& line) {
  try {
    return line.action();
  } catch (const std::exception& error) {
    return Error(Code::kInternal, error.what());
  }
}

}  // namespace

int Main(int argc, const char* const* argv) {
  CommandLine line;
  line.app.set_version_flag("--version", std::string("quorate ") + kVersion);
  line.app.require_subcommand(1);
  AddServe(line);
  AddRepo(line);
  AddCluster(line);
  AddInspect(line);
  AddCompletion(line);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return line.app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (const Status fit = line.check(); !fit) {
    return Complain(fit.error(), kExitUsage);
  }
  const Status done = Act(line);
  return done ? 0 : Complain(done.error(), kExitFailed);
}

}  // namespace quorate::server
